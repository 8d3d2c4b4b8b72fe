//! The ids of the events that are in no run yet.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::page::Entry;

/// The ids of the events after `after` up to `last`.
#[derive(Debug, Default)]
pub struct Recent {
    after: i64,
    last: i64,
    entries: BTreeSet<Entry>,
}

impl Recent {
    /// The ids of these events. `after` is the last event of the runs.
    pub fn new(after: i64, entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut recent = Self { after, last: after, entries: BTreeSet::new() };
        recent.extend(entries);
        recent
    }

    /// Adds events that were committed.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            self.last = self.last.max(entry.seq);
            self.entries.insert(entry);
        }
    }

    /// The last event of the runs.
    pub fn after(&self) -> i64 {
        self.after
    }

    /// The last event here, or of the runs.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// The number of ids.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The ids in the order of their keys.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry> + '_ {
        self.entries.iter().copied()
    }

    /// The numbers of the events with these keys.
    pub fn find(&self, keys: &RangeInclusive<u64>) -> impl Iterator<Item = i64> + '_ {
        let least = Entry { key: *keys.start(), seq: i64::MIN };
        let most = Entry { key: *keys.end(), seq: i64::MAX };
        self.entries.range(least..=most).map(|entry| entry.seq)
    }

    /// Whether it holds this id of this event.
    pub fn contains(&self, entry: Entry) -> bool {
        self.entries.contains(&entry)
    }
}
