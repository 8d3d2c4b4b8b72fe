//! A page of a column: up to 7,680 values, each of which can be read on its own.

use super::flaw::Flaw;
use crate::bits::{Framed, Packed, Reader, pack, packed_len, put_framed, put_number, width};

/// The values themselves.
const PLAIN: u8 = 0;
/// Numbers of the distinct values of the page.
const DICTIONARY: u8 = 1;

/// The most distinct values of a dictionary.
const DISTINCT: usize = 256;

/// The bytes of a page of values; `None` is an event without a value.
pub(super) fn encode(values: &[Option<u32>]) -> Vec<u8> {
    let codes: Vec<u64> = values.iter().copied().map(code).collect();
    let mut page = vec![PLAIN];
    put_framed(&mut page, &codes);
    if let Some(distinct) = distinct(&codes) {
        let indexes = width([distinct.len().saturating_sub(1) as u64]);
        let mut dictionary = vec![DICTIONARY];
        put_number(&mut dictionary, distinct.len() as u64);
        put_framed(&mut dictionary, &distinct);
        if dictionary.len() + packed_len(codes.len(), indexes) < page.len() {
            pack(&mut dictionary, indexes, codes.iter().map(|code| distinct.partition_point(|it| it < code) as u64));
            return dictionary;
        }
    }
    page
}

/// The distinct codes, ascending; `None` if they are too many for a dictionary.
fn distinct(codes: &[u64]) -> Option<Vec<u64>> {
    let mut distinct = Vec::new();
    for code in codes {
        if let Err(at) = distinct.binary_search(code) {
            if distinct.len() == DISTINCT {
                return None;
            }
            distinct.insert(at, *code);
        }
    }
    Some(distinct)
}

fn code(value: Option<u32>) -> u64 {
    value.map_or(0, |value| u64::from(value) + 1)
}

/// A page of a column.
pub(super) struct ColumnPage<'a> {
    dictionary: Option<Framed<'a>>,
    plain: Framed<'a>,
    indexes: Packed<'a>,
}

impl<'a> ColumnPage<'a> {
    /// Reads the front of a page of `count` values.
    pub fn new(page: &'a [u8], count: usize) -> Result<Self, Flaw> {
        let mut reader = Reader::new(page, 0);
        let mut read = Self { dictionary: None, plain: Framed::default(), indexes: Packed::default() };
        match reader.byte()? {
            PLAIN => read.plain = Framed::read(&mut reader, count)?,
            DICTIONARY => {
                let at = reader.at();
                let distinct = usize::try_from(reader.number()?).ok().filter(|distinct| (1..=count).contains(distinct));
                let distinct = distinct.ok_or(Flaw::new(at, "a dictionary has no values or too many"))?;
                read.dictionary = Some(Framed::read(&mut reader, distinct)?);
                read.indexes = Packed::read(&mut reader, width([distinct as u64 - 1]), count)?;
            }
            _ => return Err(Flaw::new(0, "the encoding of a column is unknown")),
        }
        reader.end()?;
        Ok(read)
    }

    /// The value at this index.
    #[inline]
    pub fn get(&self, index: usize) -> Result<Option<u32>, Flaw> {
        let code = match &self.dictionary {
            None => self.plain.get(index),
            Some(dictionary) => self.indexes.get(index).and_then(|index| dictionary.get(usize::try_from(index).ok()?)),
        };
        match code {
            Some(0) => Ok(None),
            Some(code) => match u32::try_from(code - 1) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(Flaw::new(0, "a value of a column exceeds 32 bits")),
            },
            None => Err(Flaw::new(0, "a value of a column is outside its page")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::run::format::VALUES_PER_PAGE;

    proptest! {
        #[test]
        fn values_are_read_as_written(
            values in vec(option::of(prop_oneof![any::<u32>(), 0_u32..5, Just(u32::MAX), 70_000_u32..70_100]), 1..200),
        ) {
            let page = encode(&values);
            let read = ColumnPage::new(&page, values.len()).unwrap();
            for (index, value) in values.iter().enumerate() {
                prop_assert_eq!(read.get(index).unwrap(), *value);
            }
            prop_assert!(read.get(values.len()).is_err());
        }
    }

    #[test]
    fn the_shorter_encoding_is_taken() {
        let two: Vec<_> = (0..1_000).map(|index| Some(if index % 3 == 0 { 1 } else { 4_000_000 })).collect();
        assert!(encode(&two).len() < 140);
        let dense: Vec<_> = (0..1_000_u32).map(|index| Some(index * 7 % 1_024)).collect();
        assert_eq!(encode(&dense).len(), 3 + 1_250);
    }

    #[test]
    fn the_widest_page_fits_its_limit() {
        let values: Vec<_> = (0..VALUES_PER_PAGE)
            .map(|index| (index > 0).then_some(index.wrapping_mul(0x9e37_79b9) | 1 << 31))
            .collect();
        let widest: Vec<_> = values.into_iter().chain([Some(u32::MAX)]).skip(1).collect();
        assert!(encode(&widest).len() + 4 <= 32 << 10);
    }
}
