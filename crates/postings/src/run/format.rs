//! Constants of the format of runs, version 1. `docs/sheets.md` describes it.

/// The most events of a run.
pub const MAX_EVENTS: u32 = 1 << 20;

/// The first byte of a header.
pub(super) const VERSION: u8 = 1;
/// The keys of a page; the last page has the rest.
pub(super) const KEYS_PER_PAGE: u32 = 1_024;
/// The keys of a block.
pub(super) const KEYS_PER_BLOCK: u32 = 64;
/// The values of a page of a column; the last page has the rest. With 33 bits each, they fit 32 KiB.
pub(super) const VALUES_PER_PAGE: u32 = 7_680;
/// The most bytes of a page of lists, its checksum included.
pub(super) const LIST_PAGE_LEN: usize = 32 << 10;
/// The most positions of a chunk of a list.
pub(super) const CHUNK: usize = 4_096;
/// The gaps of a block of a chunk.
pub(super) const GAPS_PER_BLOCK: usize = 32;
/// The chunks of a group, which is read from its beginning.
pub(super) const CHUNKS_PER_GROUP: usize = 32;
/// The most bytes of pages that lie inside the header.
pub(super) const INLINE_LEN: usize = 8 << 10;
/// The fewest events of a page of lists that is followed by another one of the same dimension. Such a page has at least
/// 21 KiB (a chunk of at most 10.4 KiB did not fit any more), and a position takes at most nine bytes, head included.
pub(super) const LEAST_EVENTS_OF_A_PAGE: u32 = 1_024;

/// The number of pages for this many items; the last page may have fewer.
pub(super) fn pages(items: u32, per_page: u32) -> u32 {
    items.div_ceil(per_page)
}
