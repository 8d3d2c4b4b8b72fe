//! Opaque keyset cursors: where a list goes on.

use std::fmt::Write as _;
use std::ops::Deref;

use crate::error::{Error, Result};
use crate::event::EventPosition;
use crate::time::{MAX_UNIX_SECONDS, Timestamp};

/// A page of a list, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// At most as many as were asked for.
    pub items: Vec<T>,
    /// Absent on the last page.
    pub next: Option<PlainCursor>,
}

/// A cursor that anyone can read: the key of the last row, which may count the rows of all tenants.
///
/// A type of its own, so that it cannot become a part of an answer by itself: whoever answers decides first whether
/// the caller may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainCursor(String);

impl Deref for PlainCursor {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<T> Paged<T> {
    /// Cuts a list that was fetched with one row more than `limit` to a page.
    pub fn cut(mut items: Vec<T>, limit: usize, cursor_of: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor_of).map(PlainCursor) } else { None };
        Self { items, next }
    }

    /// The same page of something else.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Paged<U> {
        Paged { items: self.items.into_iter().map(convert).collect(), next: self.next }
    }
}

/// Packs a key into a cursor of this `kind`. Cursors of one list are refused by every other.
pub fn encode(kind: char, key: &str) -> String {
    let mut out = String::with_capacity(2 + 2 * key.len());
    out.push(kind);
    for byte in key.bytes() {
        let _infallible = write!(out, "{byte:02x}");
    }
    out
}

/// The refusal of a cursor that is damaged, made up, or another list's.
pub fn refused(field: &str) -> Error {
    Error::invalid(
        field,
        "is not a cursor of this list; pass next_cursor of the page before unchanged, or leave it out to start anew",
    )
}

/// Unpacks what [`encode`] packed.
pub fn decode(field: &str, kind: char, cursor: &str) -> Result<String> {
    let refused = || refused(field);
    let hex = cursor.strip_prefix(kind).filter(|hex| hex.len() % 2 == 0 && hex.len() <= 2048).ok_or_else(refused)?;
    let bytes = hex
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect::<Option<Vec<u8>>>()
        .ok_or_else(refused)?;
    let key = String::from_utf8(bytes).map_err(|_| refused())?;
    // `+f` reads as a number in base 16; only what encode() writes is a cursor.
    if encode(kind, &key) == cursor { Ok(key) } else { Err(refused()) }
}

/// The cursor behind an event.
pub fn of_event(position: EventPosition) -> String {
    encode('e', &format!("{}.{}", position.occurred_at.timestamp_micros(), position.seq))
}

/// Reads an event's cursor.
pub fn to_event(field: &str, cursor: &str) -> Result<EventPosition> {
    let key = decode(field, 'e', cursor)?;
    key.split_once('.')
        .and_then(|(micros, seq)| {
            Some(EventPosition {
                occurred_at: Timestamp::from_timestamp_micros(micros.parse().ok()?)?,
                seq: seq.parse().ok()?,
            })
        })
        // Numbers read with signs and zeros in front, and with years that no database has: of_event() writes none.
        .filter(|position| (0..=MAX_UNIX_SECONDS).contains(&position.occurred_at.timestamp()))
        .filter(|position| of_event(*position) == cursor)
        .ok_or_else(|| refused(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_the_way_and_others_are_refused() {
        let position =
            EventPosition { occurred_at: Timestamp::from_timestamp_micros(1_700_000_000_123_456).unwrap(), seq: 42 };
        assert_eq!(to_event("cursor", &of_event(position)).unwrap(), position);
        assert_eq!(decode("cursor", 't', &encode('t', "käse")).unwrap(), "käse");
        for bad in ["", "e", "x00", "e0", "e+f", "eff", "eÿÿ", "e312e", "t312e32"] {
            assert!(to_event("cursor", bad).is_err(), "{bad}");
        }
        for bad in ["+5.1", "005.1", "5.+1", "-5.1", "-8334632851200000000.1", "8210298412799999999.1", "5.", ".1"] {
            assert!(to_event("cursor", &encode('e', bad)).is_err(), "{bad}");
        }
        assert!(to_event("cursor", &encode('e', "5.1")).is_ok());
    }
}
