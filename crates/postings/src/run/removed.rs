//! The positions of a run whose events were removed, as bytes.

use std::ops::Range;

use trailkeeper_domain::error::Context;
use trailkeeper_domain::{Error, Result};

use super::chunk::{self, Chunk};
use super::collect::Collector;
use super::flaw::Flaw;
use super::format::{CHUNK, MAX_EVENTS, VERSION};
use crate::bits::{ByteError, ByteFlaw, Reader, put_number, seal, unsealed};
use crate::positions::PositionSet;

/// The bytes of a set of removed positions.
pub fn encode_removed(removed: &PositionSet) -> Vec<u8> {
    let positions: Vec<u32> = removed.iter().collect();
    let mut out = vec![VERSION];
    put_number(&mut out, positions.chunks(CHUNK).len() as u64);
    for positions in positions.chunks(CHUNK) {
        chunk::put(&mut out, 0, positions, MAX_EVENTS);
    }
    seal(&mut out);
    out
}

/// The set of the result of [`encode_removed`].
///
/// # Errors
/// [`Error::Internal`] for bytes that are damaged or of an unknown version. The caller adds the run.
pub fn decode_removed(payload: &[u8]) -> Result<PositionSet> {
    decode(payload).map_err(|flaw| {
        Error::internal(Context::new(format!("the removed positions are unreadable at byte {}", flaw.offset), flaw))
    })
}

fn decode(payload: &[u8]) -> Result<PositionSet, Flaw> {
    match payload.first() {
        None => return Err(ByteError::new(0, ByteFlaw::Truncated).into()),
        Some(&VERSION) => {}
        Some(&version) => return Err(ByteError::new(0, ByteFlaw::UnknownVersion(version)).into()),
    }
    let mut reader = Reader::new(unsealed(payload)?, 1);
    let chunks = reader.number()?;
    if chunks > u64::from(MAX_EVENTS).div_ceil(CHUNK as u64) {
        return Err(Flaw::new(1, "there are more chunks than a run has"));
    }
    let mut read = Vec::new();
    for _ in 0..chunks {
        read.push(Chunk::read(&mut reader, 0, MAX_EVENTS)?);
    }
    reader.end()?;
    let mut collector = Collector::new(0..MAX_EVENTS);
    for chunk in read {
        collector.expect(chunk.count);
        chunk.decode(&mut collector)?;
    }
    Ok(collector.finish())
}

/// One bit per event of a run.
#[derive(Debug, Default)]
pub(super) struct Bitmap(Vec<u64>);

impl Bitmap {
    /// The positions of the set that are inside `all`.
    pub fn of(set: &PositionSet, all: &Range<u32>) -> Self {
        let mut words = vec![0; all.end.div_ceil(64) as usize];
        for position in set.iter_in(all) {
            if let Some(word) = words.get_mut((position / 64) as usize) {
                *word |= 1_u64 << (position % 64);
            }
        }
        Self(words)
    }

    /// Whether the position is in the set.
    pub fn contains(&self, position: u32) -> bool {
        self.0.get((position / 64) as usize).is_some_and(|word| word & 1 << (position % 64) != 0)
    }

    /// The number of positions.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn removed_positions_are_read_as_written(
            few in btree_set(0..MAX_EVENTS, 0..200),
            first in 0_u32..900_000,
            many in vec(1_u32..4, 0..20_000),
        ) {
            let many = many.iter().scan(first, |position, step| {
                *position += step;
                Some(*position)
            });
            let all: std::collections::BTreeSet<u32> = few.into_iter().chain(many).collect();
            let all: Vec<u32> = all.into_iter().collect();
            let bytes = encode_removed(&PositionSet::Sparse(all.clone()));
            let read = decode_removed(&bytes).unwrap();
            prop_assert_eq!(read.iter().collect::<Vec<_>>(), all.clone());
            prop_assert_eq!(encode_removed(&read), bytes);
            let bitmap = Bitmap::of(&read, &(0..MAX_EVENTS));
            prop_assert_eq!(bitmap.count() as usize, all.len());
            prop_assert!(all.iter().all(|position| bitmap.contains(*position)));
        }
    }

    #[test]
    fn a_range_takes_few_bytes() {
        let bytes = encode_removed(&PositionSet::All(0..MAX_EVENTS));
        assert!(bytes.len() < 2_200, "{}", bytes.len());
        assert_eq!(decode_removed(&bytes).unwrap(), PositionSet::All(0..MAX_EVENTS));
        assert_eq!(decode_removed(&encode_removed(&PositionSet::Sparse(vec![]))).unwrap(), PositionSet::Sparse(vec![]));
    }

    #[test]
    fn damage_is_an_error() {
        let bytes = encode_removed(&PositionSet::Sparse(vec![1, 5, 900, 70_000]));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            let error = decode_removed(&damaged).unwrap_err().chain().to_string();
            assert!(error.contains("the removed positions are unreadable at byte"), "{error}");
        }
        assert!(decode_removed(&[]).is_err());
    }
}
