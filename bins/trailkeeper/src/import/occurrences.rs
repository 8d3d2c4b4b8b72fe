//! Counts equal lines of a log in bounded memory.

use std::collections::{BTreeMap, HashMap};

use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

/// The largest number of counters. One takes less than 64 bytes.
const MAX_COUNTERS: usize = 1024 * 1024;

/// The occurrences of lines, by their times. Equal lines have equal times, so when memory is short, the counters of the
/// oldest lines go first: in a log in the order of time, no equal line comes any more.
#[derive(Debug, Default)]
pub struct Occurrences {
    counters: BTreeMap<Timestamp, HashMap<Uuid, u64>>,
    count: usize,
    /// The latest time whose counters were dropped.
    dropped: Option<Timestamp>,
}

impl Occurrences {
    /// Adds `count` occurrences of a line. Returns how many there were before, or `None` if that is forgotten.
    pub fn add(&mut self, at: Timestamp, line: Uuid, count: u64) -> Option<u64> {
        if self.dropped.is_some_and(|dropped| at <= dropped) {
            return None;
        }
        let of_time = self.counters.entry(at).or_default();
        let size = of_time.len();
        let counter = of_time.entry(line).or_default();
        let before = *counter;
        *counter += count;
        self.count += of_time.len() - size;
        while self.count > MAX_COUNTERS {
            let Some((at, oldest)) = self.counters.pop_first() else { break };
            self.count -= oldest.len();
            self.dropped = Some(at);
        }
        Some(before)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn add(counted: &mut Occurrences, second: i64, line: u128) -> Option<u64> {
        counted.add(DateTime::from_timestamp(second, 0).unwrap(), Uuid::from_u128(line), 1)
    }

    #[test]
    fn equal_lines_are_counted_until_memory_is_short() {
        let mut counted = Occurrences::default();
        assert_eq!(add(&mut counted, 1, 7), Some(0));
        assert_eq!(add(&mut counted, 1, 7), Some(1));
        assert_eq!(add(&mut counted, 1, 8), Some(0));
        for line in 0..MAX_COUNTERS as u128 {
            assert_eq!(add(&mut counted, 2 + i64::try_from(line / 100).unwrap(), line), Some(0));
        }
        assert_eq!(add(&mut counted, 1, 7), None, "its counter is gone");
        assert_eq!(add(&mut counted, 20_000, 7), Some(0));
        assert!(counted.count <= MAX_COUNTERS);
    }
}
