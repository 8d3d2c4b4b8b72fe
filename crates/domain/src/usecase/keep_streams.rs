//! The use cases of forwarding streams. Each is a part of the caller's transaction, which also stores the audit event.

use crate::cursor::FeedPosition;
use crate::error::{Error, ErrorDetail, Result};
use crate::event::EventFilter;
use crate::id::StreamId;
use crate::ports::{ReadTx, Store, WriteTx};
use crate::stream::{MAX_STREAMS, Stream, StreamStart};
use crate::time::Timestamp;
use crate::usecase::{FeedStart, follow_events_within};
use crate::visibility::Visibility;

/// How often a change is tried again when others change the stream at the same time.
const ATTEMPTS: usize = 10;

/// What a stream has not passed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLag {
    /// The difference of the numbers of the last stored event and of the position: about how many events are stored behind
    /// the position, whether they meet the conditions or not.
    pub numbers: i64,
    /// When the first event behind the position was received; `None` if there is none.
    pub since: Option<Timestamp>,
}

impl From<StreamStart> for FeedStart {
    fn from(start: StreamStart) -> Self {
        match start {
            StreamStart::Beginning => Self::Beginning,
            StreamStart::Now => Self::Now,
            StreamStart::At(position) => Self::At(position),
        }
    }
}

/// The position at which a stream begins; `field` names the start in errors.
///
/// [`Error::Gone`] with the code `cursor_expired` for a position of another history of the database.
pub fn stream_position(
    store: &dyn Store,
    start: StreamStart,
    visibility: Visibility,
    field: &str,
) -> Result<FeedPosition> {
    let nothing = EventFilter::within(visibility);
    let next = follow_events_within(store, &nothing, FeedStart::from(start), 0, field, 0, i64::MAX)?.next;
    Ok(match start {
        StreamStart::Now => next,
        StreamStart::Beginning => FeedPosition { after: 0, ..next },
        StreamStart::At(position) => FeedPosition { reader: 0, ..position },
    })
}

/// What a stream at this position has not passed yet; `None` if the position is of another history of the database.
pub fn stream_lag(store: &dyn Store, position: FeedPosition, visibility: Visibility) -> Result<Option<StreamLag>> {
    let settled = store.settled()?;
    let everything = EventFilter::within(visibility);
    match follow_events_within(store, &everything, FeedStart::At(position), 0, "position", 1, LAG_NUMBERS) {
        Ok(page) => Ok(Some(StreamLag {
            numbers: settled.saturating_sub(position.after).max(0),
            since: page.events.first().map(|stored| stored.event.received_at),
        })),
        Err(Error::Gone(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The number of numbers that the search for the first event behind a position looks at: some may have been removed.
const LAG_NUMBERS: i64 = 10_000;

/// Stores a new stream.
///
/// [`Error::Conflict`] if there are [`MAX_STREAMS`] streams.
pub fn create_stream(tx: &mut dyn WriteTx, stream: &Stream) -> Result<()> {
    if tx.streams(None, MAX_STREAMS)?.len() >= MAX_STREAMS {
        return Err(Error::Conflict(ErrorDetail::new(
            "too_many_streams",
            format!("there are {MAX_STREAMS} streams, which is the most; delete some that are not needed any more"),
        )));
    }
    tx.insert_stream(stream)
}

/// Changes a stream as it is now, and returns it before and after. `change` may run again, with the stream as another
/// transaction left it.
///
/// [`Error::NotFound`] if there is none with this id.
pub fn change_stream(
    tx: &mut dyn WriteTx,
    id: StreamId,
    mut change: impl FnMut(Stream) -> Result<Stream>,
) -> Result<(Stream, Stream)> {
    for _ in 0..ATTEMPTS {
        let before = find_stream(tx, id)?;
        let after = change(before.clone())?;
        if after == before {
            return Ok((before, after));
        }
        if tx.update_stream(&after)? {
            let revision = after.revision + 1;
            return Ok((before, Stream { revision, ..after }));
        }
    }
    Err(Error::unavailable(format!("the stream {id} is being changed again and again; try again")))
}

/// The stream with this id.
///
/// [`Error::NotFound`] if there is none.
pub fn find_stream<T: ReadTx + ?Sized>(tx: &mut T, id: StreamId) -> Result<Stream> {
    tx.stream(id)?.ok_or_else(|| Error::not_found("stream_not_found", format!("there is no stream with the id {id}")))
}
