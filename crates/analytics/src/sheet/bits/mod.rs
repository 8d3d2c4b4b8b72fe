//! A growing set of ordinals that is cheap while it is small, and takes one bit per id when it is dense.
//!
//! It begins as one short list. Above 64 distinct ids, the ids are divided into chunks of 65,536. A chunk is a list too,
//! until it has more than 256 distinct ids and becomes 8 KiB of bits. So memory stays within 32 bytes per distinct id,
//! however ids are scattered, and each of the many sets of a few ids costs one allocation.

mod chunk;

use chunk::{Lows, WORDS, low, ones, positions, sorted, words};

/// The length of the short list at which its repeats are removed.
const FEW_LIMIT: usize = 128;
/// The most distinct ids of the short list: with more, the set uses chunks.
const FEW: usize = 64;

/// About how many bytes an allocation takes in addition to its content.
const PER_ALLOCATION: usize = 16;

/// A set of ordinals, for accumulating and comparing.
#[derive(Debug, Clone, Default)]
pub struct IdBits {
    /// The short list, in any order and with repeats. Empty if there are chunks.
    few: Vec<u32>,
    /// Ascending by `high`.
    chunks: Vec<Chunk>,
    /// The index of the chunk used last: ids come in ascending order, so the next one is nearly always in it.
    latest: usize,
}

#[derive(Debug, Clone)]
struct Chunk {
    /// The upper 16 bits of its ids.
    high: u32,
    lows: Lows,
}

impl IdBits {
    /// Adds ascending ids.
    pub fn insert_ascending(&mut self, ids: &[u32]) {
        if !self.chunks.is_empty() || !self.fits_few(ids.len()) {
            self.leave_few();
            self.insert_chunked(ids);
        } else {
            self.few.extend_from_slice(ids);
        }
    }

    /// Adds the ids whose bits are set; the first bit is that of the id `64 * first_word`.
    pub(super) fn insert_bits(&mut self, first_word: u32, bytes: &[u8]) {
        if self.chunks.is_empty() && ones(words(bytes)) <= FEW {
            let ids: Vec<u32> = positions(words(bytes), first_word * 64).collect();
            return self.insert_ascending(&ids);
        }
        self.leave_few();
        let mut word = first_word as usize;
        let mut rest = bytes;
        while !rest.is_empty() {
            let inside = word % WORDS;
            let (here, after) = rest.split_at(rest.len().min((WORDS - inside) * 8));
            // The codec has checked that all ids are below 2^32.
            let high = u32::try_from(word / WORDS).unwrap_or(u32::MAX >> 16);
            self.chunk(high).insert_bits(inside, here);
            word += WORDS - inside;
            rest = after;
        }
    }

    /// Adds all ids of another set.
    pub fn unite(&mut self, other: &Self) {
        self.insert_ascending(&sorted(&other.few));
        if !other.chunks.is_empty() {
            self.leave_few();
        }
        for theirs in &other.chunks {
            let mine = self.chunk(theirs.high);
            match &theirs.lows {
                Lows::List(lows) => mine.extend(lows.iter().copied()),
                Lows::Bits(bits) => mine.bits().iter_mut().zip(bits.iter()).for_each(|(a, b)| *a |= b),
            }
        }
    }

    /// The number of distinct ids.
    pub fn len(&self) -> usize {
        sorted(&self.few).len() + self.chunks.iter().map(|chunk| chunk.lows.len()).sum::<usize>()
    }

    /// About how many bytes the set takes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let lows = self.chunks.iter().map(|chunk| chunk.lows.heap_bytes() + PER_ALLOCATION).sum::<usize>();
        self.few.capacity() * size_of::<u32>() + self.chunks.capacity() * size_of::<Chunk>() + PER_ALLOCATION + lows
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.few.is_empty() && self.chunks.is_empty()
    }

    /// Whether the set contains this id.
    pub fn contains(&self, id: u32) -> bool {
        self.few.contains(&id) || self.lows(id >> 16).is_some_and(|lows| lows.contains(low(id)))
    }

    /// The number of ids that are in both sets.
    pub fn intersection_len(&self, other: &Self) -> usize {
        if other.chunks.is_empty() {
            return sorted(&other.few).iter().filter(|id| self.contains(**id)).count();
        }
        let few = sorted(&self.few).iter().filter(|id| other.contains(**id)).count();
        let pairs = self.chunks.iter().filter_map(|mine| Some((&mine.lows, other.lows(mine.high)?)));
        let shared = pairs.map(|(a, b)| match (a, b) {
            (Lows::Bits(a), Lows::Bits(b)) => ones(a.iter().zip(b.iter()).map(|(a, b)| a & b)),
            (Lows::List(list), other) | (other, Lows::List(list)) => {
                sorted(list).iter().filter(|low| other.contains(**low)).count()
            }
        });
        few + shared.sum::<usize>()
    }

    /// All ids, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let chunks = self.chunks.iter();
        let chunked = chunks.flat_map(|chunk| chunk.lows.ascending().map(|low| chunk.high << 16 | u32::from(low)));
        sorted(&self.few).into_owned().into_iter().chain(chunked)
    }

    /// Whether this many more ids fit the short list; removes its repeats if needed.
    fn fits_few(&mut self, more: usize) -> bool {
        if self.few.len() + more <= FEW_LIMIT {
            return true;
        }
        self.few.sort_unstable();
        self.few.dedup();
        self.few.len() <= FEW && self.few.len() + more <= FEW_LIMIT
    }

    fn leave_few(&mut self) {
        if !self.few.is_empty() {
            let few = std::mem::take(&mut self.few);
            let few = sorted(&few);
            self.insert_chunked(&few);
        }
    }

    #[inline]
    fn insert_chunked(&mut self, ids: &[u32]) {
        let mut rest = ids;
        while let (Some(first), Some(last)) = (rest.first(), rest.last()) {
            let high = first >> 16;
            let here = if last >> 16 == high { rest.len() } else { rest.partition_point(|id| id >> 16 == high) };
            let (these, after) = rest.split_at(here);
            self.chunk(high).insert(these);
            rest = after;
        }
    }

    fn lows(&self, high: u32) -> Option<&Lows> {
        let at = self.chunks.binary_search_by_key(&high, |chunk| chunk.high).ok()?;
        Some(&self.chunks.get(at)?.lows)
    }

    #[inline]
    fn chunk(&mut self, high: u32) -> &mut Lows {
        if self.chunks.get(self.latest).is_none_or(|chunk| chunk.high != high) {
            self.latest = self.chunks.binary_search_by_key(&high, |chunk| chunk.high).unwrap_or_else(|at| {
                self.chunks.insert(at, Chunk { high, lows: Lows::List(Vec::new()) });
                at
            });
        }
        #[expect(clippy::indexing_slicing, reason = "`latest` was found or inserted above")]
        &mut self.chunks[self.latest].lows
    }
}
