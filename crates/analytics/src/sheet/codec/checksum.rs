//! Tells a damaged payload from a sound one: neither database checks what it gives back from disk.

/// So that a payload of zeros has another checksum than zero.
const SEED: u64 = 0x517c_c1b7_2722_0a95;

/// 32 bits over all of `bytes`.
///
/// Each step is a bijection of the state, so a change within one word of eight bytes always changes the
/// 64-bit state; it stays unseen once in 2^32. This protects from accidents, not from forgers.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let state = words.iter().fold(SEED ^ bytes.len() as u64, |state, word| step(state, u64::from_le_bytes(*word)));
    let state = step(state, u64::from_le_bytes(last));
    let [a, b, c, d, ..] = state.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn step(state: u64, word: u64) -> u64 {
    let mixed = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 32
}
