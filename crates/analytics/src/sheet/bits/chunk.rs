//! The ids of one chunk of 65,536 ids, as their lower 16 bits.

use std::borrow::Cow;

/// The number of words of 64 bits in a chunk.
pub(super) const WORDS: usize = 1_024;
/// The length of a chunk's list at which its repeats are removed.
const LIST_LIMIT: usize = 512;
/// The most distinct ids of a chunk's list: with more, it becomes bits.
const SPARSE_LIMIT: usize = 256;

/// The lower 16 bits of the ids of a chunk: a list while it is short, bits otherwise.
#[derive(Debug, Clone)]
pub(super) enum Lows {
    /// In any order and with repeats; shorter than [`LIST_LIMIT`].
    List(Vec<u16>),
    Bits(Box<[u64; WORDS]>),
}

impl Lows {
    #[inline]
    pub(super) fn insert(&mut self, ids: &[u32]) {
        match self {
            Self::Bits(bits) => ids.iter().for_each(|id| set(bits, low(*id))),
            Self::List(_) => self.extend(ids.iter().map(|id| low(*id))),
        }
    }

    pub(super) fn extend(&mut self, lows: impl Iterator<Item = u16>) {
        match self {
            Self::Bits(bits) => lows.for_each(|low| set(bits, low)),
            Self::List(list) => {
                list.extend(lows);
                if list.len() >= LIST_LIMIT {
                    // Faster than sorting, and the bits are needed anyway if the list is too long.
                    let bits = bits_of(list);
                    if ones(bits.iter().copied()) > SPARSE_LIMIT {
                        *self = Self::Bits(bits);
                    } else {
                        list.clear();
                        list.extend(positions(bits.iter().copied(), 0).map(low));
                    }
                }
            }
        }
    }

    pub(super) fn insert_bits(&mut self, first_word: usize, bytes: &[u8]) {
        // A few bits must not allocate 8 KiB.
        if let Self::List(_) = self
            && ones(words(bytes)) <= SPARSE_LIMIT
        {
            let first = u32::try_from(first_word * 64).unwrap_or_default();
            return self.extend(positions(words(bytes), first).map(low));
        }
        let target = self.bits().iter_mut().skip(first_word);
        target.zip(words(bytes)).for_each(|(mine, theirs)| *mine |= theirs);
    }

    /// The bits; a list is converted first.
    pub(super) fn bits(&mut self) -> &mut [u64; WORDS] {
        if let Self::List(list) = self {
            *self = Self::Bits(bits_of(list));
        }
        match self {
            Self::Bits(bits) => bits,
            Self::List(_) => unreachable!("converted to bits above"),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::List(list) => sorted(list).len(),
            Self::Bits(bits) => ones(bits.iter().copied()),
        }
    }

    /// The bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::List(list) => list.capacity() * size_of::<u16>(),
            Self::Bits(_) => size_of::<[u64; WORDS]>(),
        }
    }

    pub(super) fn contains(&self, low: u16) -> bool {
        match self {
            Self::List(list) => list.contains(&low),
            Self::Bits(bits) => has(bits, low),
        }
    }

    pub(super) fn ascending(&self) -> Box<dyn Iterator<Item = u16> + '_> {
        match self {
            Self::List(list) => Box::new(sorted(list).into_owned().into_iter()),
            Self::Bits(bits) => Box::new(positions(bits.iter().copied(), 0).map(low)),
        }
    }
}

/// The distinct values in ascending order. After one sheet, they are already.
pub(super) fn sorted<T: Ord + Copy>(list: &[T]) -> Cow<'_, [T]> {
    if list.is_sorted_by(|a, b| a < b) {
        return Cow::Borrowed(list);
    }
    let mut list = list.to_vec();
    list.sort_unstable();
    list.dedup();
    Cow::Owned(list)
}

/// The lower 16 bits of an id.
#[expect(clippy::cast_possible_truncation, reason = "the upper 16 bits are those of the chunk")]
pub(super) fn low(id: u32) -> u16 {
    id as u16
}

fn bits_of(lows: &[u16]) -> Box<[u64; WORDS]> {
    let mut bits = Box::new([0; WORDS]);
    for low in lows {
        set(&mut bits, *low);
    }
    bits
}

#[expect(clippy::indexing_slicing, reason = "a u16 divided by 64 is below 1,024; the compiler sees it too")]
fn set(bits: &mut [u64; WORDS], low: u16) {
    bits[usize::from(low / 64)] |= 1 << (low % 64);
}

#[expect(clippy::indexing_slicing, reason = "a u16 divided by 64 is below 1,024")]
fn has(bits: &[u64; WORDS], low: u16) -> bool {
    bits[usize::from(low / 64)] >> (low % 64) & 1 == 1
}

pub(super) fn ones(words: impl Iterator<Item = u64>) -> usize {
    words.map(|word| word.count_ones() as usize).sum()
}

/// The little-endian words of the bytes; an incomplete last word is filled with zeros.
pub(super) fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let (whole, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let last = (!rest.is_empty()).then_some(u64::from_le_bytes(last));
    whole.iter().map(|word| u64::from_le_bytes(*word)).chain(last)
}

/// The ids of the set bits, ascending; `first` is the id of the first bit.
pub(super) fn positions(words: impl Iterator<Item = u64>, first: u32) -> impl Iterator<Item = u32> {
    words.zip((first..).step_by(64)).flat_map(|(word, base)| {
        let mut left = word;
        std::iter::from_fn(move || {
            let id = (left != 0).then(|| base + left.trailing_zeros())?;
            left &= left - 1;
            Some(id)
        })
    })
}
