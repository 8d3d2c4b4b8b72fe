//! The checksum of payloads. It is needed because neither database checks the bytes that it reads from disk.

use super::error::{ByteError, ByteFlaw};

/// The length in bytes of a checksum.
pub const CHECKSUM_LEN: usize = 4;

/// The initial state, so that the checksum of a payload of zeros is not zero.
const SEED: u64 = 0x517c_c1b7_2722_0a95;

/// The checksum of `bytes`, 32 bits.
///
/// Each step is a bijection of the state, so a change within one word of eight bytes always changes the 64-bit state;
/// one in 2^32 such changes leaves the 32 bits as they are. The checksum protects against accidents, not against forgers.
pub fn checksum(bytes: &[u8]) -> u32 {
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

/// Appends the checksum of all bytes that `payload` has, little-endian.
pub fn seal(payload: &mut Vec<u8>) {
    let sum = checksum(payload);
    payload.extend_from_slice(&sum.to_le_bytes());
}

/// The bytes before the checksum that [`seal`] appended.
///
/// # Errors
/// [`ByteFlaw::Truncated`] for a payload that is shorter than a checksum, [`ByteFlaw::Checksum`] if it does not match.
pub fn unsealed(payload: &[u8]) -> Result<&[u8], ByteError> {
    let (body, sum) = payload
        .split_last_chunk::<CHECKSUM_LEN>()
        .ok_or(ByteError { offset: payload.len(), flaw: ByteFlaw::Truncated })?;
    if u32::from_le_bytes(*sum) == checksum(body) {
        Ok(body)
    } else {
        Err(ByteError { offset: body.len(), flaw: ByteFlaw::Checksum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_payload_is_its_bytes_before_the_seal() {
        for body in [&b""[..], b"a", b"seven b", b"eight by", b"more than eight"] {
            let mut payload = body.to_vec();
            seal(&mut payload);
            assert_eq!(unsealed(&payload), Ok(body));
            for at in 0..payload.len() {
                let mut damaged = payload.clone();
                damaged[at] ^= 0x10;
                assert_eq!(unsealed(&damaged), Err(ByteError { offset: body.len(), flaw: ByteFlaw::Checksum }));
            }
        }
        assert_eq!(unsealed(b"abc"), Err(ByteError { offset: 3, flaw: ByteFlaw::Truncated }));
    }
}
