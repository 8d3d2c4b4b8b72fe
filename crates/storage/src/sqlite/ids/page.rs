//! Pages of runs: some hundred keys in ascending order, with the numbers of their events.
//!
//! ```text
//! number of entries   varint
//! first key           varint
//! gaps between keys   framed, one less than entries
//! numbers of events   framed
//! checksum            4 bytes
//! ```

use trailkeeper_postings::bits::{
    ByteError, ByteFlaw, Framed, Reader, packed_len, put_framed, put_number, seal, unsealed,
};

use super::key::KEY_BITS;

/// The largest length of a page in bytes: with its number, it fills a page of SQLite, and no part lies elsewhere.
pub const PAGE_BYTES: usize = 4_050;
/// The most bytes that a page has beside its packed numbers: varints, widths, the checksum.
const OVERHEAD: usize = 2 + 7 + (7 + 1) + (9 + 1) + 4;
/// The most entries of a page: with fewer bits than this, only equal ids in equal rows could be packed.
const MAX_ENTRIES: usize = 8_192;

/// The key of an event and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub key: u64,
    pub seq: i64,
}

/// A page that is complete.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// Its first key.
    pub fence: u64,
    pub payload: Vec<u8>,
}

/// The entries of the next page.
#[derive(Debug, Default)]
pub struct PageBuilder {
    entries: Vec<Entry>,
    gaps: Range,
    seqs: Range,
}

/// The smallest and the largest of some numbers.
#[derive(Debug, Clone, Copy)]
struct Range {
    least: u64,
    most: u64,
}

impl Default for Range {
    fn default() -> Self {
        Self { least: u64::MAX, most: 0 }
    }
}

impl Range {
    fn with(self, number: u64) -> Self {
        Self { least: self.least.min(number), most: self.most.max(number) }
    }

    /// The number of bits of the differences to the smallest.
    fn width(self) -> u8 {
        let spread = self.most.saturating_sub(self.least);
        u8::try_from(u64::BITS - spread.leading_zeros()).unwrap_or(u8::MAX)
    }
}

impl PageBuilder {
    /// Adds the next entry, which is not smaller than the last one. Returns the page of the entries before it, if it has
    /// no room there.
    pub fn push(&mut self, entry: Entry) -> Option<Page> {
        let gap = self.entries.last().map(|last| entry.key.saturating_sub(last.key));
        let gaps = gap.map_or(self.gaps, |gap| self.gaps.with(gap));
        let seqs = self.seqs.with(entry.seq.cast_unsigned());
        let entries = self.entries.len();
        let length = OVERHEAD + packed_len(entries, gaps.width()) + packed_len(entries + 1, seqs.width());
        if length <= PAGE_BYTES && entries < MAX_ENTRIES {
            (self.gaps, self.seqs) = (gaps, seqs);
            self.entries.push(entry);
            return None;
        }
        let page = self.finish();
        self.seqs = self.seqs.with(entry.seq.cast_unsigned());
        self.entries.push(entry);
        page
    }

    /// The page of the entries so far; `None` if there are none. The next page begins.
    pub fn finish(&mut self) -> Option<Page> {
        let entries = std::mem::take(&mut self.entries);
        (self.gaps, self.seqs) = (Range::default(), Range::default());
        let first = entries.first()?;
        let gaps: Vec<u64> =
            entries.array_windows().map(|[before, after]| after.key.saturating_sub(before.key)).collect();
        let seqs: Vec<u64> = entries.iter().map(|entry| entry.seq.cast_unsigned()).collect();
        let mut payload = Vec::with_capacity(PAGE_BYTES);
        put_number(&mut payload, entries.len() as u64);
        put_number(&mut payload, first.key);
        put_framed(&mut payload, &gaps);
        put_framed(&mut payload, &seqs);
        seal(&mut payload);
        Some(Page { fence: first.key, payload })
    }
}

/// The entries of a page.
///
/// # Errors
/// The bytes are not those of a page.
pub fn entries_of(payload: &[u8]) -> Result<Vec<Entry>, ByteError> {
    let mut reader = Reader::new(unsealed(payload)?, 0);
    let count = reader.number()?;
    let entries = usize::try_from(count).ok().filter(|entries| (1..=MAX_ENTRIES).contains(entries));
    let entries = entries.ok_or_else(|| reader.error(ByteFlaw::Length(count)))?;
    let mut key = reader.number()?;
    let gaps = Framed::read(&mut reader, entries - 1)?;
    let seqs = Framed::read(&mut reader, entries)?;
    reader.end()?;
    let gaps = std::iter::once(0).chain(gaps.iter());
    gaps.zip(seqs.iter())
        .map(|(gap, seq)| {
            key = key.saturating_add(gap);
            if key >> KEY_BITS > 0 {
                return Err(reader.error(ByteFlaw::Number));
            }
            Ok(Entry { key, seq: seq.cast_signed() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn pages_of(entries: &[Entry]) -> Vec<Page> {
        let mut builder = PageBuilder::default();
        let mut pages: Vec<Page> = entries.iter().filter_map(|entry| builder.push(*entry)).collect();
        pages.extend(builder.finish());
        assert_eq!(builder.finish(), None);
        pages
    }

    proptest! {
        #[test]
        fn pages_hold_what_was_put_into_them(
            keys in vec(0_u64..1 << KEY_BITS, 0..3_000), drop in 0_u32..48, first in 1_i64..1 << 40,
        ) {
            let mut entries: Vec<Entry> =
                keys.iter().zip(first..).map(|(key, seq)| Entry { key: key >> drop, seq }).collect();
            entries.sort_unstable();
            let pages = pages_of(&entries);
            let mut read = Vec::new();
            for page in &pages {
                prop_assert!(page.payload.len() <= PAGE_BYTES);
                let entries = entries_of(&page.payload).unwrap();
                prop_assert_eq!(entries[0].key, page.fence);
                read.extend(entries);
            }
            prop_assert_eq!(read, entries);
        }

        #[test]
        fn foreign_bytes_are_refused_or_read(mut bytes in vec(any::<u8>(), 0..200)) {
            drop(entries_of(&bytes));
            seal(&mut bytes);
            if let Ok(entries) = entries_of(&bytes) {
                prop_assert!(entries.len() <= MAX_ENTRIES && entries.is_sorted_by_key(|entry| entry.key));
            }
        }
    }

    #[test]
    fn equal_keys_may_be_spread_over_pages() {
        let entries: Vec<Entry> = (1..=20_000).map(|seq| Entry { key: 7, seq }).collect();
        let pages = pages_of(&entries);
        assert!(pages.len() > 2 && pages.iter().all(|page| page.fence == 7));
        let read: Vec<Entry> = pages.iter().flat_map(|page| entries_of(&page.payload).unwrap()).collect();
        assert_eq!(read, entries);
    }

    /// A million random ids take seven bytes each.
    #[test]
    fn pages_are_small() {
        let count = 1_000_000;
        let mut state = 1_u64;
        let mut entries: Vec<Entry> = (1..=count)
            .map(|seq| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                Entry { key: state >> 16, seq }
            })
            .collect();
        entries.sort_unstable();
        let bytes: usize = pages_of(&entries).iter().map(|page| page.payload.len()).sum();
        assert!(bytes < 7_000_000, "{bytes}");
    }
}
