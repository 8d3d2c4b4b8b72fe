//! The checksum of payloads. It is needed because neither database checks the bytes that it reads from disk.

/// The initial state, so that the checksum of a payload of zeros is not zero.
const SEED: u64 = 0x517c_c1b7_2722_0a95;

/// The checksum of `bytes`, 32 bits.
///
/// Each step is a bijection of the state, so a change within one word of eight bytes always changes the 64-bit state;
/// one in 2^32 such changes leaves the 32 bits as they are. The checksum protects against accidents, not against forgers.
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
