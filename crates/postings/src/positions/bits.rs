//! Words of bits: 64 positions in each, least significant bit first.

use std::ops::Range;

/// The number of positions of a word.
pub const WORD: u32 = 64;

/// The word and the bit of a position, counted from `start`; `None` before it.
pub fn place(start: u32, position: u32) -> Option<(usize, u64)> {
    let offset = position.checked_sub(start)?;
    Some(((offset / WORD) as usize, 1 << (offset % WORD)))
}

/// The bits of the word that begins at `base` whose positions are inside `range`.
pub fn mask(base: u32, range: &Range<u32>) -> u64 {
    let below = |end: u32| match end.saturating_sub(base) {
        bits if bits >= WORD => u64::MAX,
        bits => (1 << bits) - 1,
    };
    below(range.end) & !below(range.start)
}

/// The position of the first bit of each word from `start` on.
pub fn bases(start: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(start), |base| base.checked_add(WORD))
}

/// The indexes of the words that hold positions of `range`, if there are `words` of them from `start` on.
pub fn indexes(start: u32, words: usize, range: &Range<u32>) -> Range<usize> {
    let first = (range.start.saturating_sub(start) / WORD) as usize;
    let end = range.end.saturating_sub(start).div_ceil(WORD) as usize;
    let end = end.min(words);
    first.min(end)..end
}

/// The words that hold positions of `range`, without the bits outside it, each with the position of its first bit.
pub fn inside<'a>(start: u32, words: &'a [u64], range: &'a Range<u32>) -> impl Iterator<Item = (u32, u64)> + 'a {
    let indexes = indexes(start, words.len(), range);
    let start = end(start, indexes.start);
    let words = words.get(indexes).unwrap_or_default();
    bases(start).zip(words).map(|(base, word)| (base, word & mask(base, range)))
}

/// The position after the last bit of `words`.
pub fn end(start: u32, words: usize) -> u32 {
    u32::try_from(words)
        .ok()
        .and_then(|words| words.checked_mul(WORD))
        .map_or(u32::MAX, |bits| start.saturating_add(bits))
}

/// Empty words for the positions of `range`: the position of the first bit, and the words.
pub fn empty(range: &Range<u32>) -> (u32, Vec<u64>) {
    let start = range.start / WORD * WORD;
    (start, vec![0; range.end.saturating_sub(start).div_ceil(WORD) as usize])
}
