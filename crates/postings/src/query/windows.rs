//! The parts in which a query walks through a segment.

use std::ops::Range;

/// The positions of a window. A set of them takes at most 8 KiB.
const WINDOW: u32 = 1 << 16;

/// With at most this many candidates, one window covers all positions: their sets are small anyway, and each posting
/// list is read once.
pub(super) const FEW: u32 = 1 << 12;

/// The number of candidates up to which even a search for some events looks at all of them at once.
const VERY_FEW: u32 = 1 << 8;

/// Windows in ascending order, for answers that need all matching events. `candidates` is the largest number of
/// positions that may match.
pub fn all(range: Range<u32>, candidates: u32) -> impl Iterator<Item = Range<u32>> {
    let size = if candidates <= FEW { u32::MAX } else { WINDOW };
    let mut start = range.start;
    std::iter::from_fn(move || {
        let end = boundary_after(start, size).min(range.end);
        let window = start..end;
        start = end;
        (!window.is_empty()).then_some(window)
    })
}

/// Windows in descending order, for searches that stop at enough events. Each is twice as large as the one before: if
/// the newest positions have no match, the next match is probably far.
pub fn descending(range: Range<u32>, candidates: u32) -> impl Iterator<Item = Range<u32>> {
    let mut size = if candidates <= VERY_FEW { u32::MAX } else { WINDOW };
    let mut end = range.end;
    std::iter::from_fn(move || {
        let last = end.saturating_sub(1) / WINDOW * WINDOW;
        let start = last.saturating_sub(size - WINDOW).max(range.start);
        let window = start..end;
        end = start;
        size = size.saturating_mul(2);
        (!window.is_empty()).then_some(window)
    })
}

/// Windows in ascending order that grow like those of [`descending`].
pub fn ascending(range: Range<u32>, candidates: u32) -> impl Iterator<Item = Range<u32>> {
    let mut size = if candidates <= VERY_FEW { u32::MAX } else { WINDOW };
    let mut start = range.start;
    std::iter::from_fn(move || {
        let end = boundary_after(start, size).min(range.end);
        let window = start..end;
        start = end;
        size = size.saturating_mul(2);
        (!window.is_empty()).then_some(window)
    })
}

/// The last multiple of the window's size that is at most `size` behind `start`.
fn boundary_after(start: u32, size: u32) -> u32 {
    let start_of_window = start / WINDOW * WINDOW;
    start_of_window.saturating_add(size)
}
