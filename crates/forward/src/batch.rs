//! The next events of a stream, as one message.

use trailkeeper_auth::{Access, StreamStep};
use trailkeeper_domain::cursor::FeedPosition;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::stream::{DeliveryFailure, Stream};
use trailkeeper_domain::usecase::{FeedStart, follow_events_within};
use trailkeeper_domain::{Error, Result};

use crate::format::Writer;
use crate::message::Message;

/// The most events of a message.
const MAX_EVENTS: usize = 500;
/// A message ends with the event that reaches this size.
const MAX_BYTES: usize = 1024 * 1024;
/// The events that are read at a time: large ones must not fill the memory.
const PAGE: usize = 100;
/// The numbers that one page looks at: a stream of rare events must not ask for an hour.
const MAX_NUMBERS: i64 = 50_000;

/// What follows for a stream.
pub enum Next {
    /// A message.
    Message {
        /// The message.
        message: Message,
        /// The position behind its events.
        next: FeedPosition,
        /// Whether events were removed before.
        gap: bool,
    },
    /// No event to send up to this position. `more`: other events are stored behind it.
    Nothing {
        /// The position.
        next: FeedPosition,
        /// Whether events were removed before.
        gap: bool,
        /// Whether it did not look at all events.
        more: bool,
    },
    /// It cannot go on.
    Ended(StreamStep),
}

/// The next events of a stream behind `from`, which is its position, or one behind which it would send nothing up to there.
pub fn next(store: &dyn Store, access: &Access, stream: &Stream, from: FeedPosition) -> Result<Next> {
    let filter = access.stream_filter(stream);
    let mut writer = Writer::new(stream.about.format, stream.id);
    let (mut position, mut gap, mut more) = (from, false, true);
    while more && writer.events() < MAX_EVENTS && writer.bytes() < MAX_BYTES {
        // A retry ends where the refused message ended.
        let numbers = match stream.pending_until {
            Some(until) if position.after >= until => break,
            Some(until) => MAX_NUMBERS.min(until - position.after),
            None => MAX_NUMBERS,
        };
        let limit = PAGE.min(MAX_EVENTS - writer.events());
        let start = FeedStart::At(position);
        let page = match follow_events_within(store, &filter, start, 0, "position", limit, numbers) {
            Ok(page) => page,
            Err(Error::Gone(_)) => return Ok(Next::Ended(expired())),
            Err(error) => return Err(error),
        };
        gap |= page.gap;
        (position, more) = (page.next, page.has_more);
        for (at, stored) in page.events.iter().enumerate() {
            writer.add(stored, &page.position_of(stored))?;
            if writer.bytes() >= MAX_BYTES && at + 1 < page.events.len() {
                position = page.position_of(stored);
                break;
            }
        }
        if page.events.is_empty() && writer.events() == 0 {
            // What is passed is recorded, so that the next step begins there.
            break;
        }
    }
    if writer.events() == 0 {
        return Ok(Next::Nothing { next: position, gap, more });
    }
    Ok(Next::Message { message: writer.finish(gap)?, next: position, gap })
}

fn expired() -> StreamStep {
    let text = "the position of the stream is of the database before it was restored or replaced, so events may be missing in \
                between; send PATCH with start (now, beginning or a cursor) to go on";
    StreamStep::Failed { failure: DeliveryFailure::Expired(text.to_owned()), until: None }
}
