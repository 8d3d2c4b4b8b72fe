//! The header of a run: where its lists, keys and values lie.

use std::ops::Range;

use super::flaw::Flaw;
use super::format::{KEYS_PER_PAGE, LEAST_EVENTS_OF_A_PAGE, MAX_EVENTS, VALUES_PER_PAGE, VERSION, pages};
use super::key::Key;
use crate::bits::{ByteError, ByteFlaw, Framed, Reader, put_framed, put_number, seal, unsealed, unzigzag, zigzag};
use crate::dimension::Dimension;
use crate::value::column_of;

/// The pages lie inside the header, and there are no columns.
const INLINE: u8 = 1;
/// The fences of keys have numbers, because times of fences are equal.
const NUMBERED: u8 = 2;
/// The least and the greatest number of each page of keys follow the fences. Runs of older programs lack them.
const BOUNDED: u8 = 4;

/// The header of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// The number of events.
    pub events: u32,
    /// The first and the last key; without meaning if there are no events.
    pub first: Key,
    pub last: Key,
    /// The first key of each page of keys but the first one. `seq` is 0 where all times differ.
    pub key_fences: Vec<Key>,
    pub numbered: bool,
    /// The least and the greatest `seq` of each page of keys; empty if they are not known.
    pub bounds: Vec<(i64, i64)>,
    /// The dimensions that have values, ascending.
    pub sections: Vec<Section>,
    /// The bytes of pages that lie inside the header.
    pub inline: Option<Vec<Vec<u8>>>,
}

/// The lists of one dimension, and the column of the same values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub dimension: Dimension,
    /// The number of its first page of lists.
    pub first_page: u32,
    /// The first value of each page of lists but the first one; and the first position, if the page continues a list of
    /// the page before, else 0.
    pub fences: Vec<(u32, u32)>,
    /// The values whose lists are on more than one page, and the numbers of their positions.
    pub cut: Vec<(u32, u32)>,
    /// The number of the first page of the column.
    pub column_page: Option<u32>,
}

impl Section {
    /// The number of pages of lists.
    pub fn pages(&self) -> u32 {
        u32::try_from(self.fences.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The pages that may have positions of `within` of the list of a value.
    pub fn pages_of(&self, value: u32, within: &Range<u32>) -> Range<u32> {
        let index = |index: usize| self.first_page + u32::try_from(index).unwrap_or(u32::MAX - self.first_page);
        let first = self.fences.partition_point(|fence| *fence <= (value, within.start));
        // A page whose fence is (value, 0) begins with the list; the pages before it have nothing of it.
        let end = self.fences.partition_point(|fence| *fence < (value, within.end.max(1)));
        index(first)..index(end + 1)
    }
}

impl Header {
    /// Gives the sections their page numbers, which follow from the numbers of pages.
    pub fn number_pages(&mut self) {
        let mut next = pages(self.events, KEYS_PER_PAGE);
        for section in &mut self.sections {
            section.first_page = next;
            next += section.pages();
            section.column_page = None;
            if self.inline.is_none() && column_of(section.dimension).is_some() {
                section.column_page = Some(next);
                next += pages(self.events, VALUES_PER_PAGE);
            }
        }
    }

    /// The bytes of the header.
    pub fn encode(&self) -> Vec<u8> {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(self.inline.is_some(), INLINE)
            | flag(self.numbered, NUMBERED)
            | flag(!self.bounds.is_empty(), BOUNDED);
        let mut out = vec![VERSION, flags];
        put_number(&mut out, u64::from(self.events));
        if self.events > 0 {
            self.encode_fences(&mut out);
        }
        for page in self.inline.iter().flatten() {
            put_number(&mut out, page.len() as u64);
            out.extend_from_slice(page);
        }
        seal(&mut out);
        out
    }

    fn encode_fences(&self, out: &mut Vec<u8>) {
        put_number(out, zigzag(self.first.time));
        put_number(out, self.last.time.wrapping_sub(self.first.time).cast_unsigned());
        put_number(out, zigzag(self.first.seq));
        put_number(out, zigzag(self.last.seq.wrapping_sub(self.first.seq)));
        if !self.key_fences.is_empty() {
            let time = |key: &Key| key.time.wrapping_sub(self.first.time).cast_unsigned();
            put_framed(out, &self.key_fences.iter().map(time).collect::<Vec<_>>());
            if self.numbered {
                let seq = |key: &Key| zigzag(key.seq.wrapping_sub(self.first.seq));
                put_framed(out, &self.key_fences.iter().map(seq).collect::<Vec<_>>());
            }
        }
        if !self.bounds.is_empty() {
            let least = |(least, _): &(i64, i64)| zigzag(least.wrapping_sub(self.first.seq));
            let width = |(least, greatest): &(i64, i64)| greatest.wrapping_sub(*least).cast_unsigned();
            put_framed(out, &self.bounds.iter().map(least).collect::<Vec<_>>());
            put_framed(out, &self.bounds.iter().map(width).collect::<Vec<_>>());
        }
        put_number(out, self.sections.iter().fold(0, |all, section| all | 1 << section.dimension as u8));
        for section in &self.sections {
            put_number(out, section.fences.len() as u64);
            if !section.fences.is_empty() {
                put_pairs(out, &section.fences);
                put_number(out, section.cut.len() as u64);
                if !section.cut.is_empty() {
                    put_pairs(out, &section.cut);
                }
            }
        }
    }

    /// Reads a header.
    pub fn decode(payload: &[u8]) -> Result<Self, Flaw> {
        // The version is checked first: in another version the header may end differently.
        match payload.first() {
            None => return Err(ByteError::new(0, ByteFlaw::Truncated).into()),
            Some(&VERSION) => {}
            Some(&version) => return Err(ByteError::new(0, ByteFlaw::UnknownVersion(version)).into()),
        }
        let mut reader = Reader::new(unsealed(payload)?, 1);
        let flags = reader.byte()?;
        if flags & !(INLINE | NUMBERED | BOUNDED) != 0 {
            return Err(Flaw::new(1, "a flag is unknown"));
        }
        let at = reader.at();
        let events = u32::try_from(reader.number()?).ok().filter(|events| *events <= MAX_EVENTS);
        let events = events.ok_or(Flaw::new(at, "a run has more than 2^20 events"))?;
        let mut header = Self { events, numbered: flags & NUMBERED != 0, ..Self::default() };
        if events > 0 {
            header.read_fences(&mut reader, flags & BOUNDED != 0)?;
        }
        if flags & INLINE != 0 {
            header.inline = Some(Vec::new());
        }
        header.number_pages();
        if let Some(inline) = &mut header.inline {
            let lists: u32 = header.sections.iter().map(Section::pages).sum();
            for _ in 0..pages(events, KEYS_PER_PAGE) + lists {
                let length = reader.length()?;
                inline.push(reader.take(length)?.to_vec());
            }
        }
        reader.end()?;
        Ok(header)
    }

    fn read_fences(&mut self, reader: &mut Reader<'_>, is_bounded: bool) -> Result<(), Flaw> {
        let first_time = unzigzag(reader.number()?);
        let last_time = first_time.wrapping_add_unsigned(reader.number()?);
        let first_seq = unzigzag(reader.number()?);
        let last_seq = first_seq.wrapping_add(unzigzag(reader.number()?));
        self.first = Key { time: first_time, seq: first_seq };
        self.last = Key { time: last_time, seq: last_seq };
        let at = reader.at();
        let fences = pages(self.events, KEYS_PER_PAGE) as usize - 1;
        if fences > 0 {
            let times = Framed::read(reader, fences)?;
            let seqs = if self.numbered { Some(Framed::read(reader, fences)?) } else { None };
            self.key_fences = (0..fences)
                .map(|index| Key {
                    time: first_time.wrapping_add_unsigned(times.get(index).unwrap_or_default()),
                    seq: seqs.map_or(0, |seqs| first_seq.wrapping_add(unzigzag(seqs.get(index).unwrap_or_default()))),
                })
                .collect();
        }
        if !self.key_fences.is_sorted() || self.first > self.last {
            return Err(Flaw::new(at, "the fences of keys do not ascend"));
        }
        if is_bounded {
            self.bounds = self.read_bounds(reader, fences + 1)?;
        }
        let at = reader.at();
        let present = reader.number()?;
        let known = Dimension::ALL.into_iter().filter(|dimension| present & 1 << *dimension as u8 != 0);
        if known.clone().fold(0, |all, dimension| all | 1 << dimension as u8) != present {
            return Err(Flaw::new(at, "a dimension is unknown; a newer program wrote it, use that one"));
        }
        for dimension in known {
            self.sections.push(self.read_section(dimension, reader)?);
        }
        Ok(())
    }

    fn read_bounds(&self, reader: &mut Reader<'_>, pages: usize) -> Result<Vec<(i64, i64)>, Flaw> {
        let at = reader.at();
        let (leasts, widths) = (Framed::read(reader, pages)?, Framed::read(reader, pages)?);
        let bounds = leasts.iter().zip(widths.iter()).map(|(least, width)| {
            let least = self.first.seq.wrapping_add(unzigzag(least));
            least.checked_add_unsigned(width).map(|greatest| (least, greatest))
        });
        bounds.collect::<Option<_>>().ok_or(Flaw::new(at, "the numbers of a page exceed 64 bits"))
    }

    fn read_section(&self, dimension: Dimension, reader: &mut Reader<'_>) -> Result<Section, Flaw> {
        let at = reader.at();
        let most = u64::from(self.events / LEAST_EVENTS_OF_A_PAGE);
        let mut section = Section { dimension, first_page: 0, fences: Vec::new(), cut: Vec::new(), column_page: None };
        let fences = reader.number()?;
        if fences > most {
            return Err(Flaw::new(at, "a dimension has more pages than its events can fill"));
        }
        if fences > 0 {
            section.fences = read_pairs(reader, fences)?;
            let cut = reader.number()?;
            if cut > fences {
                return Err(Flaw::new(at, "more lists are cut than there are pages"));
            }
            if cut > 0 {
                section.cut = read_pairs(reader, cut)?;
            }
        }
        if !section.fences.is_sorted() || !section.cut.is_sorted() {
            return Err(Flaw::new(at, "the fences of lists do not ascend"));
        }
        Ok(section)
    }
}

fn put_pairs(out: &mut Vec<u8>, pairs: &[(u32, u32)]) {
    put_framed(out, &pairs.iter().map(|(one, _)| u64::from(*one)).collect::<Vec<_>>());
    put_framed(out, &pairs.iter().map(|(_, other)| u64::from(*other)).collect::<Vec<_>>());
}

fn read_pairs(reader: &mut Reader<'_>, count: u64) -> Result<Vec<(u32, u32)>, Flaw> {
    let at = reader.at();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let ones = Framed::read(reader, count)?;
    let others = Framed::read(reader, count)?;
    let number = |number: u64| u32::try_from(number).map_err(|_| Flaw::new(at, "a number exceeds 32 bits"));
    ones.iter().zip(others.iter()).map(|(one, other)| Ok((number(one)?, number(other)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunReader;
    use crate::segment::{NumberBounds, Segment as _};

    /// A source of no pages.
    struct NoPages;

    impl crate::page_source::PageSource for NoPages {
        fn pages(&mut self, _: &[u32]) -> trailkeeper_domain::Result<Vec<Vec<u8>>> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn a_run_of_an_older_program_has_numbers_without_bounds() {
        let key = |time, seq| Key { time, seq };
        let bounds = vec![(i64::MIN, i64::MAX), (-3, 4)];
        let header = Header {
            events: 1_500,
            first: key(1, 5),
            last: key(9, 7),
            key_fences: vec![key(4, 0)],
            bounds: bounds.clone(),
            ..Header::default()
        };
        assert_eq!(Header::decode(&header.encode()).expect("a header"), header);
        let older = Header { bounds: Vec::new(), ..header.clone() };
        assert_eq!(Header::decode(&older.encode()).expect("a header"), older);
        let bounds_of =
            |header: &Header| RunReader::open(&header.encode(), None, NoPages).expect("a run").number_bounds();
        assert_eq!(bounds_of(&older), [NumberBounds { positions: 0..1_500, least: i64::MIN, greatest: i64::MAX }]);
        let ranges: Vec<_> =
            bounds_of(&header).into_iter().map(|part| (part.positions, part.least, part.greatest)).collect();
        assert_eq!(ranges, [(0..1_024, i64::MIN, i64::MAX), (1_024..1_500, -3, 4)]);
    }
}
