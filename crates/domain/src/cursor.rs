//! Keyset cursors: opaque texts that name the row after which a list continues.

use std::ops::Deref;

use uuid::Uuid;

use crate::error::{Error, ErrorDetail, Result};
use crate::event::EventPosition;
use crate::hex;
use crate::time::{MAX_UNIX_SECONDS, Timestamp};

/// A page of a list, and the cursor of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The items, at most as many as were requested.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<PlainCursor>,
}

/// An unencrypted cursor: the key of a row, which may count the rows of all tenants.
///
/// It has its own type so that it cannot become part of an answer by accident: the server first decides whether the
/// caller may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainCursor(String);

impl Deref for PlainCursor {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<T> Paged<T> {
    /// Makes a page of a list that was fetched with a limit of `limit + 1`.
    pub fn cut(mut items: Vec<T>, limit: usize, cursor_of: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor_of).map(PlainCursor) } else { None };
        Self { items, next }
    }

    /// The same page with converted items.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Paged<U> {
        Paged { items: self.items.into_iter().map(convert).collect(), next: self.next }
    }
}

/// Encodes a key as a cursor of this `kind`. Every list has its own kind and rejects the cursors of others.
pub fn encode(kind: char, key: &str) -> String {
    format!("{kind}{}", hex::encode(key.as_bytes()))
}

/// The error for a cursor that is damaged, invented, or of another list.
pub fn refused(field: &str) -> Error {
    Error::invalid(
        field,
        "is not a cursor of this list; pass next_cursor of the page before unchanged, or leave it out to start from the beginning",
    )
}

/// Decodes a cursor that [`encode`] made for the same `kind`, and returns its key. Any other text gives the error
/// [`refused`], which names `field`.
///
/// ```
/// use trailkeeper_domain::cursor;
///
/// let cursor = cursor::encode('u', "jane");
/// assert_eq!(cursor::decode("cursor", 'u', &cursor)?, "jane");
/// assert!(cursor::decode("cursor", 't', &cursor).is_err());
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
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
    // `+f` parses as a number in base 16; only the form that encode() writes is a cursor.
    if encode(kind, &key) == cursor { Ok(key) } else { Err(refused()) }
}

/// The cursor after an event.
pub fn of_event(position: EventPosition) -> String {
    encode('e', &format!("{}.{}", position.occurred_at.timestamp_micros(), position.seq))
}

/// Decodes the cursor after an event.
pub fn to_event(field: &str, cursor: &str) -> Result<EventPosition> {
    let key = decode(field, 'e', cursor)?;
    key.split_once('.')
        .and_then(|(micros, seq)| {
            Some(EventPosition {
                occurred_at: Timestamp::from_timestamp_micros(micros.parse().ok()?)?,
                seq: seq.parse().ok()?,
            })
        })
        // Numbers parse with leading signs and zeros, and with years that no database has. of_event() writes none.
        .filter(|position| (0..=MAX_UNIX_SECONDS).contains(&position.occurred_at.timestamp()))
        .filter(|position| of_event(*position) == cursor)
        .ok_or_else(|| refused(field))
}

/// A position in the feed: behind an event, or behind some that the reader does not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedPosition {
    /// The history of the database: see [`FeedState`](crate::ports::FeedState).
    pub history: Uuid,
    /// The number behind which the feed continues.
    pub after: i64,
    /// The number of removed events that the reader knows of.
    pub removed: u64,
    /// What the reader asked and who it is, in a form that only the server can make: the first page of a reading is recorded.
    pub reader: u64,
}

/// The first letter of cursors of the feed; the digits of their bytes follow.
pub const FEED: char = 'f';

/// The bytes of a position: history, number, removed events and reader, 8 bytes each but the first with 16, most significant
/// byte first.
const FEED_BYTES: usize = 40;

impl PlainCursor {
    /// The cursor of a position in the feed. All have one length.
    pub fn of_feed(position: &FeedPosition) -> Self {
        let FeedPosition { history, after, removed, reader } = position;
        let mut bytes = history.as_bytes().to_vec();
        for number in [after.to_be_bytes(), removed.to_be_bytes(), reader.to_be_bytes()] {
            bytes.extend(number);
        }
        Self(format!("{FEED}{}", hex::encode(&bytes)))
    }
}

/// Decodes the cursor of a position in the feed.
pub fn to_feed(field: &str, cursor: &str) -> Result<FeedPosition> {
    let position = || {
        let digits = cursor.strip_prefix(FEED).filter(|digits| digits.len() == 2 * FEED_BYTES && digits.is_ascii())?;
        let (history, numbers) = digits.split_at_checked(32)?;
        let number = |nth: usize| u64::from_str_radix(numbers.get(16 * nth..16 * nth + 16)?, 16).ok();
        Some(FeedPosition {
            history: Uuid::try_parse(history).ok()?,
            after: i64::try_from(number(0)?).ok()?,
            removed: number(1)?,
            reader: number(2)?,
        })
    };
    // Capital digits and signs parse, too. of_feed() writes none.
    position().filter(|position| *PlainCursor::of_feed(position) == *cursor).ok_or_else(|| refused(field))
}

/// The error for a cursor of the feed whose history is not that of the database any more.
pub fn expired(field: &str) -> Error {
    Error::Gone(ErrorDetail::of(
        field,
        "cursor_expired",
        "is of the database before it was restored or replaced; events may be missing in between: read the feed from the \
         beginning, or from now on with start=now, and compare by event ids",
    ))
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

    #[test]
    fn positions_in_the_feed_survive_the_way_and_others_are_refused() {
        let position = FeedPosition { history: Uuid::from_u128(7), after: 42, removed: 3, reader: 0xfeed };
        let cursor = PlainCursor::of_feed(&position);
        assert_eq!(to_feed("cursor", &cursor).unwrap(), position);
        assert_eq!(cursor.len(), 81);
        let greatest = FeedPosition { history: Uuid::max(), after: i64::MAX, removed: u64::MAX, reader: u64::MAX };
        assert_eq!(to_feed("cursor", &PlainCursor::of_feed(&greatest)).unwrap(), greatest);
        let digits = cursor.strip_prefix('f').unwrap();
        let negative = format!("f{}f{}", &digits[..32], &digits[33..]);
        for bad in ["", "f", digits, &format!("e{digits}"), &cursor[..80], &format!("{}0", &*cursor), &negative] {
            assert!(to_feed("cursor", bad).is_err(), "{bad}");
        }
        for bad in [cursor.to_uppercase(), cursor.replace("feed", "FEED"), cursor.replacen('0', "+", 1)] {
            assert!(to_feed("cursor", &bad).is_err(), "{bad}");
        }
        assert!(to_feed("cursor", &encode('e', "5.1")).is_err());
    }

    #[test]
    fn a_page_has_a_cursor_only_if_more_rows_follow() {
        let page = |rows: usize, limit| {
            let page = Paged::cut((0..rows).collect(), limit, |row| encode('r', &row.to_string()));
            (page.items.len(), page.next.map(|cursor| decode("cursor", 'r', &cursor).unwrap()))
        };
        assert_eq!(page(0, 2), (0, None));
        assert_eq!(page(2, 2), (2, None));
        assert_eq!(page(3, 2), (2, Some("1".to_owned())), "the cursor is that of the last row of the page");
    }

    #[test]
    fn converting_items_keeps_the_cursor() {
        let page = Paged::cut(vec![1, 2], 1, |row| encode('r', &row.to_string()));
        let next = page.next.clone();
        assert_eq!(page.map(|row| row * 10), Paged { items: vec![10], next });
    }

    #[test]
    fn keys_of_up_to_1024_bytes_fit() {
        let longest = "k".repeat(1024);
        assert_eq!(decode("cursor", 'u', &encode('u', &longest)).unwrap(), longest);
        assert!(decode("cursor", 'u', &encode('u', &"k".repeat(1025))).is_err());
    }

    #[test]
    fn a_rejected_cursor_says_how_to_go_on() {
        let error = decode("next_token", 'u', "t41").unwrap_err().to_string();
        assert!(error.starts_with("next_token: is not a cursor of this list; pass next_cursor"), "{error}");
    }
}
