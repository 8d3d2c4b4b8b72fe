//! Server-sent events, as the HTML standard defines them.

use std::fmt::Write as _;

use serde_json::json;
use trailkeeper_domain::cursor::FeedPosition;
use trailkeeper_domain::usecase::FeedPage;
use trailkeeper_domain::{Error, Result};

use super::event::FeedEventView;
use crate::api_error::public_detail;
use crate::cursors::{FeedCursor, FeedCursors};

/// The size of the text of a page, from which on its remaining events are left to the next page.
const MAX_BYTES: usize = 256 * 1024;

/// A page of the feed as server-sent events.
pub struct Frames {
    /// The text; empty for a page that says nothing.
    pub text: String,
    /// The position behind the text, and its cursor.
    pub next: FeedPosition,
    /// The cursor of `next`.
    pub cursor: FeedCursor,
    /// Whether more events may follow at once.
    pub has_more: bool,
}

impl Frames {
    /// Renders the first events of a page, as many as fit.
    pub fn of(mut page: FeedPage, cursors: &FeedCursors) -> Result<Self> {
        let mut text = String::new();
        if page.gap {
            text.push_str(&frame("gap", None, &json!({"cursor": cursors.cursor(&page.next)?}).to_string()));
        }
        let (mut next, mut has_more) = (page.next, page.has_more);
        let mut left = std::mem::take(&mut page.events).into_iter();
        while let Some(stored) = left.next() {
            let behind = page.position_of(&stored);
            let event = FeedEventView::of(stored, &page, cursors)?;
            let data = serde_json::to_string(&event).map_err(Error::internal)?;
            text.push_str(&frame("event", Some(event.position()), &data));
            if text.len() >= MAX_BYTES && left.len() > 0 {
                (next, has_more) = (behind, true);
                break;
            }
        }
        Ok(Self { text, next, cursor: cursors.cursor(&next)?, has_more })
    }
}

/// The time after which a client should connect again, and the position that it should send then. No event comes with it.
pub fn prelude(cursor: &FeedCursor) -> String {
    format!("retry: 2000\nid: {}\n\n", cursor.as_str())
}

/// A comment, and the position of the reader if it has changed since it was sent.
pub fn keep_alive(moved_to: Option<&FeedCursor>) -> String {
    match moved_to {
        Some(cursor) => format!(": keep-alive\nid: {}\n\n", cursor.as_str()),
        None => ": keep-alive\n\n".to_owned(),
    }
}

/// The last event of a stream whose reader takes less than comes.
pub fn behind(cursor: &FeedCursor) -> String {
    frame("behind", Some(cursor), &json!({"cursor": cursor}).to_string())
}

/// The last event of a stream that ends with `error`.
pub fn end(error: &Error, cursor: &FeedCursor) -> String {
    let public = public_detail(error);
    let data = json!({"reason": public.code, "detail": public.detail, "cursor": cursor});
    frame("end", Some(cursor), &data.to_string())
}

/// One event. `data` is one line.
fn frame(name: &str, id: Option<&FeedCursor>, data: &str) -> String {
    let mut text = String::with_capacity(data.len() + 512);
    // Writing into a string does not fail.
    if let Some(id) = id {
        let _infallible = writeln!(text, "id: {}", id.as_str());
    }
    let _infallible = write!(text, "event: {name}\ndata: {data}\n\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_its_position_its_name_and_one_line_of_data() {
        let cursor = FeedCursor::sample("f12");
        assert_eq!(frame("event", Some(&cursor), "{}"), "id: f12\nevent: event\ndata: {}\n\n");
        assert_eq!(frame("gap", None, "{}"), "event: gap\ndata: {}\n\n");
        assert_eq!(behind(&cursor), "id: f12\nevent: behind\ndata: {\"cursor\":\"f12\"}\n\n");
        assert_eq!(keep_alive(None), ": keep-alive\n\n");
    }

    #[test]
    fn the_end_has_the_code_of_an_error_and_no_cause() {
        let text = end(&Error::internal("secret"), &FeedCursor::sample("f12"));
        assert!(text.contains("\"reason\":\"internal_error\"") && !text.contains("secret"), "{text}");
    }
}
