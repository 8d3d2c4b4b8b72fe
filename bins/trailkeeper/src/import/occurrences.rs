//! Counts equal lines in bounded memory.

use std::collections::HashMap;

use trailkeeper_domain::time::Timestamp;

/// The first half of the SHA-256 of a line.
pub type LineKey = [u8; 16];

/// Lines that are counted at a time: as many as a table of 25 MiB holds. When it is full, the newer half of it moves
/// into another one of that size, so that both stay below 64 MiB.
const MAX_LINES: usize = 917_504;

/// The number of lines with each content. When too many are counted, those with the oldest times are dropped.
#[derive(Debug)]
pub struct Occurrences {
    lines: HashMap<LineKey, Occurrence>,
    max_lines: usize,
    /// The newest time, in seconds, of lines that were dropped.
    dropped: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Occurrence {
    count: u32,
    /// Seconds since 1970.
    second: u32,
}

/// The result of counting a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The place of the line among equal ones, from 1.
    pub occurrence: u32,
    /// Whether counters of this time were dropped before, so that equal lines may have been forgotten.
    pub is_late: bool,
}

/// A counter as a checkpoint keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SavedLine {
    /// Time of the line, in seconds since 1970.
    pub second: u32,
    /// The line.
    pub key: LineKey,
    /// The number of equal lines.
    pub count: u32,
}

impl Default for Occurrences {
    fn default() -> Self {
        Self::with_capacity(MAX_LINES)
    }
}

impl Occurrences {
    fn with_capacity(max_lines: usize) -> Self {
        // The whole table at once: one that grows has its old half beside it meanwhile. Memory is taken as lines come.
        Self { lines: HashMap::with_capacity(max_lines), max_lines, dropped: None }
    }

    /// Counts a line.
    pub fn count(&mut self, key: LineKey, at: Timestamp) -> Counted {
        let second = second_of(at);
        let is_late = self.dropped.is_some_and(|dropped| second <= dropped);
        if let Some(line) = self.lines.get_mut(&key) {
            line.count = line.count.saturating_add(1);
            return Counted { occurrence: line.count, is_late };
        }
        if self.lines.len() >= self.max_lines {
            self.drop_oldest();
        }
        self.lines.insert(key, Occurrence { count: 1, second });
        Counted { occurrence: 1, is_late }
    }

    /// Drops the older half, and all lines of the same second as the newest of it: some of a second would be as good as
    /// none.
    fn drop_oldest(&mut self) {
        let mut seconds: Vec<u32> = self.lines.values().map(|line| line.second).collect();
        let (_, median, _) = seconds.select_nth_unstable(self.max_lines / 2);
        let dropped = *median;
        drop(seconds);
        let mut newer = HashMap::with_capacity(self.max_lines);
        newer.extend(self.lines.iter().filter(|(_, line)| line.second > dropped).map(|(key, line)| (*key, *line)));
        self.lines = newer;
        self.dropped = self.dropped.max(Some(dropped));
    }

    /// The counters of the newest lines, at most `most`, oldest first, and the newest time of those that are left out.
    /// All lines of a second are in or left out.
    pub fn newest(&self, most: usize) -> (Vec<SavedLine>, Option<u32>) {
        let saved =
            |(key, line): (&LineKey, &Occurrence)| SavedLine { second: line.second, key: *key, count: line.count };
        let mut lines: Vec<SavedLine> = self.lines.iter().map(saved).collect();
        let mut left_out = None;
        if let Some(at) = lines.len().checked_sub(most + 1) {
            // Sorting all lines would take longer than all else that follows a commit.
            let (_, newest_left_out, newer) = lines.select_nth_unstable(at);
            let second = newest_left_out.second;
            lines = newer.iter().filter(|line| line.second > second).copied().collect();
            left_out = Some(second);
        }
        lines.sort_unstable();
        (lines, left_out.max(self.dropped))
    }

    /// The counters that [`newest`](Self::newest) gave.
    pub fn saved(lines: &[SavedLine], dropped: Option<u32>) -> Self {
        let mut occurrences = Self { dropped, ..Self::default() };
        let kept = lines.iter().rev().take(occurrences.max_lines);
        occurrences.lines.extend(kept.map(|line| (line.key, Occurrence { count: line.count, second: line.second })));
        occurrences
    }
}

fn second_of(at: Timestamp) -> u32 {
    u32::try_from(at.timestamp().max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::time::from_unix_seconds;

    use super::*;

    fn key(line: u32) -> LineKey {
        u128::from(line).to_be_bytes()
    }

    fn count(occurrences: &mut Occurrences, line: u32, second: i64) -> (u32, bool) {
        let counted = occurrences.count(key(line), from_unix_seconds("at", second).unwrap());
        (counted.occurrence, counted.is_late)
    }

    #[test]
    fn equal_lines_are_counted_and_the_oldest_are_dropped() {
        let mut occurrences = Occurrences::with_capacity(8);
        for line in 0..8 {
            assert_eq!(count(&mut occurrences, line, i64::from(line / 2)), (1, false));
            assert_eq!(count(&mut occurrences, line, i64::from(line / 2)), (2, false));
        }
        // The ninth line takes the place of older ones: seconds 0, 1 and 2 are gone.
        assert_eq!(count(&mut occurrences, 8, 4), (1, false));
        assert_eq!(count(&mut occurrences, 6, 3), (3, false));
        assert_eq!(count(&mut occurrences, 4, 2), (1, true));
        assert_eq!(count(&mut occurrences, 4, 2), (2, true));
        assert_eq!(count(&mut occurrences, 9, 1), (1, true));
        assert_eq!(count(&mut occurrences, 9, 3), (2, false));
        for line in 10..1_000 {
            count(&mut occurrences, line, 5);
            assert!(occurrences.lines.len() <= 8);
        }
    }

    #[test]
    fn counters_stay_below_64_mib() {
        let mut occurrences = Occurrences::default();
        for line in 0..3_000_000 {
            count(&mut occurrences, line, i64::from(line / 100));
        }
        let capacity = occurrences.lines.capacity();
        assert_eq!(capacity, MAX_LINES);
        // A table has a byte per place beside its entries, and 8 places for 7 entries. Two exist while one moves.
        let bytes = capacity / 7 * 8 * (size_of::<(LineKey, Occurrence)>() + 1);
        assert!(2 * bytes + capacity * size_of::<u32>() < 64 << 20, "{bytes}");
    }

    #[test]
    fn the_newest_counters_are_saved() {
        let mut occurrences = Occurrences::default();
        for line in [0, 1, 2, 3, 3, 4] {
            count(&mut occurrences, line, i64::from(line / 2));
        }
        let (all, left_out) = occurrences.newest(5);
        assert_eq!((all.len(), left_out), (5, None));
        let (some, left_out) = occurrences.newest(2);
        assert_eq!((some.len(), left_out), (1, Some(1)));
        let (some, left_out) = occurrences.newest(3);
        assert_eq!((some.len(), left_out), (3, Some(0)));
        let mut saved = Occurrences::saved(&some, left_out);
        assert_eq!(count(&mut saved, 3, 1), (3, false));
        assert_eq!(count(&mut saved, 0, 0), (1, true));
    }
}
