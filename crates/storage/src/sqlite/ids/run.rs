//! Runs: the sorted keys of the ids of adjacent events.

use std::ops::{Range, RangeInclusive};
use std::sync::OnceLock;

use trailkeeper_postings::bits::{ByteError, ByteFlaw, Reader, checksum, put_number, seal, unsealed};

use super::filter::Filter;

/// The version of the format of headers and pages.
const VERSION: u8 = 1;

/// The row of a run without its header. No two runs of a database have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunKey {
    pub run: i64,
    /// It holds the ids of the events after this one.
    pub after_seq: i64,
    /// It holds the ids of the events up to this one.
    pub last_seq: i64,
    pub ids: i64,
    pub pages: i64,
    /// The checksum of the header, which differs between runs of the same number in two copies of a database.
    pub checksum: i64,
}

/// A run, without its pages.
#[derive(Debug)]
pub struct Run {
    pub key: RunKey,
    /// The first key of each page.
    fences: Vec<u64>,
    /// Set once it is complete.
    pub filter: OnceLock<Filter>,
}

impl Run {
    /// The run of these pages.
    ///
    /// # Errors
    /// The header is not that of the row.
    pub fn new(key: RunKey, header: &[u8]) -> Result<Self, ByteError> {
        let fences = fences_of(header)?;
        if key.checksum != i64::from(checksum(header)) || usize::try_from(key.pages) != Ok(fences.len()) {
            return Err(ByteError::new(0, ByteFlaw::Checksum));
        }
        Ok(Self { key, fences, filter: OnceLock::new() })
    }

    /// The pages that may hold these keys.
    pub fn pages_of(&self, keys: &RangeInclusive<u64>) -> Range<usize> {
        // The last page that begins before the first key may end with it.
        let first = self.fences.partition_point(|fence| fence < keys.start()).saturating_sub(1);
        first..self.fences.partition_point(|fence| fence <= keys.end())
    }

    /// Whether it may hold the key.
    pub fn may_contain(&self, key: u64) -> bool {
        self.filter.get().is_none_or(|filter| filter.may_contain(key))
    }
}

/// The header of a run with these fences: a version, the number of pages, and the gaps between fences, the first from 0.
pub fn header_of(fences: &[u64]) -> Vec<u8> {
    let mut header = vec![VERSION];
    put_number(&mut header, fences.len() as u64);
    let mut before = 0;
    for fence in fences {
        put_number(&mut header, fence.saturating_sub(before));
        before = *fence;
    }
    seal(&mut header);
    header
}

fn fences_of(header: &[u8]) -> Result<Vec<u64>, ByteError> {
    let mut reader = Reader::new(unsealed(header)?, 0);
    match reader.byte()? {
        VERSION => {}
        other => return Err(reader.error(ByteFlaw::UnknownVersion(other))),
    }
    let count = reader.length()?;
    let mut fence = 0_u64;
    let fences = (0..count).map(|_| {
        fence = fence.saturating_add(reader.number()?);
        Ok(fence)
    });
    let fences = fences.collect::<Result<_, ByteError>>()?;
    reader.end()?;
    Ok(fences)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn run(fences: &[u64]) -> Run {
        let header = header_of(fences);
        let (pages, checksum) = (i64::try_from(fences.len()).unwrap(), i64::from(checksum(&header)));
        Run::new(RunKey { run: 1, after_seq: 0, last_seq: 9, ids: 9, pages, checksum }, &header).unwrap()
    }

    proptest! {
        #[test]
        fn fences_are_read_as_written(mut fences in vec(0_u64..1 << 48, 0..100)) {
            fences.sort_unstable();
            prop_assert_eq!(run(&fences).fences, fences);
        }

        #[test]
        fn foreign_headers_are_refused_or_read(mut bytes in vec(any::<u8>(), 0..100)) {
            drop(fences_of(&bytes));
            seal(&mut bytes);
            if let Ok(fences) = fences_of(&bytes) {
                prop_assert!(fences.is_sorted());
            }
        }
    }

    #[test]
    fn a_key_is_looked_for_where_it_may_be() {
        let run = run(&[10, 20, 20, 30]);
        for (keys, pages) in [
            (5..=5, 0..0),
            (10..=10, 0..1),
            (15..=15, 0..1),
            // The page before may end with this key.
            (20..=20, 0..3),
            (25..=25, 2..3),
            (5..=10, 0..1),
            (25..=40, 2..4),
            (40..=50, 3..4),
        ] {
            assert_eq!(run.pages_of(&keys), pages, "{keys:?}");
        }
    }

    #[test]
    fn a_header_of_another_run_is_refused() {
        let (run, other) = (run(&[10, 20]), header_of(&[10, 21]));
        assert!(Run::new(run.key, &header_of(&[10, 20])).is_ok());
        assert!(Run::new(run.key, &other).is_err());
    }
}
