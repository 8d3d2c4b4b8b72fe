//! A stream, its progress and its state.

use chrono::TimeDelta;

use crate::cursor::FeedPosition;
use crate::id::StreamId;
use crate::stream::{DeliveryFailure, StreamDraft};
use crate::text;
use crate::time::Timestamp;

/// The most streams: a server holds all of them in memory.
pub const MAX_STREAMS: usize = 100;
/// After this time without a success, a stream is failing.
const PATIENCE: TimeDelta = TimeDelta::days(1);
/// The longest text of an error, in characters.
const MAX_ERROR: usize = 512;

/// A standing order to send events elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The id.
    pub id: StreamId,
    /// The number of changes of the record. A change names the revision that it changes, so that none undoes another one.
    pub revision: i64,
    /// What it sends, and where.
    pub about: StreamDraft,
    /// The secrets that sign messages.
    pub secrets: SealedSecrets,
    /// Whether it sends.
    pub state: StreamState,
    /// The position in the feed behind which it continues.
    pub position: FeedPosition,
    /// The number of the last event of the message that the destination did not accept: a retry sends the same events.
    pub pending_until: Option<i64>,
    /// The failures since the last success.
    pub failures: Option<Failures>,
    /// When the destination last accepted a message.
    pub last_success_at: Option<Timestamp>,
    /// The last failure, which stays when a later message was accepted.
    pub last_error: Option<LastError>,
    /// When a rule of retention was last found to have removed events before they were sent.
    pub gap_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When an administrator changed it last.
    pub changed_at: Timestamp,
}

/// The sealed secrets of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecrets {
    /// The present one.
    pub current: Vec<u8>,
    /// The one before, and the time until which it signs as well.
    pub previous: Option<(Vec<u8>, Timestamp)>,
}

/// Whether a stream sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamState {
    /// It sends.
    Active,
    /// It does not send until an administrator resumes it: one paused it, or the destination answered 410.
    Paused,
    /// It has not succeeded for a day, or cannot go on. It tries again every hour.
    Failing,
}

impl StreamState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Paused, Self::Failing];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Failing => "failing",
        }
    }
}

/// Failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// When the first of them happened.
    pub since: Timestamp,
    /// Their number.
    pub count: u32,
    /// When the next attempt is due.
    pub next_at: Timestamp,
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// When it happened.
    pub at: Timestamp,
    /// The reason, for administrators.
    pub text: String,
}

impl Stream {
    /// Whether an attempt is due.
    pub fn is_due(&self, now: Timestamp) -> bool {
        // The longest pause is an hour: a later time was written by a clock that was wrong.
        let waits = |failures: Failures| now < failures.next_at && failures.next_at <= now + TimeDelta::hours(2);
        self.state != StreamState::Paused && !self.failures.is_some_and(waits)
    }

    /// The stream after the destination accepted the events up to `next`.
    #[must_use]
    pub fn delivered(self, now: Timestamp, next: FeedPosition, gap: bool) -> Self {
        let state = if self.state == StreamState::Failing { StreamState::Active } else { self.state };
        Self {
            state,
            position: next,
            pending_until: None,
            failures: None,
            last_success_at: Some(now),
            gap_at: if gap { Some(now) } else { self.gap_at },
            ..self
        }
    }

    /// The stream after it passed events that it does not send, up to `next`.
    #[must_use]
    pub fn passed(self, now: Timestamp, next: FeedPosition, gap: bool) -> Self {
        let pending_until = self.pending_until.filter(|until| *until > next.after);
        Self { position: next, pending_until, gap_at: if gap { Some(now) } else { self.gap_at }, ..self }
    }

    /// The stream after the destination refused the events up to the number `until`. The next attempt is due after `pause`.
    #[must_use]
    pub fn failed(self, now: Timestamp, failure: &DeliveryFailure, until: Option<i64>, pause: TimeDelta) -> Self {
        let since = self.failures.map_or(now, |failures| failures.since.min(now));
        let count = self.failures.map_or(0, |failures| failures.count).saturating_add(1);
        let state = match (self.state, failure) {
            (_, DeliveryFailure::Gone(_)) => StreamState::Paused,
            (StreamState::Active, DeliveryFailure::Expired(_)) => StreamState::Failing,
            (StreamState::Active, DeliveryFailure::Temporary(_)) if now - since >= PATIENCE => StreamState::Failing,
            (other, _) => other,
        };
        Self {
            state,
            pending_until: until,
            failures: Some(Failures { since, count, next_at: now + pause }),
            last_error: Some(LastError { at: now, text: text::cut(failure.text(), MAX_ERROR) }),
            ..self
        }
    }

    /// The stream that an administrator pauses.
    #[must_use]
    pub fn paused(self) -> Self {
        Self { state: StreamState::Paused, ..self }
    }

    /// The stream that an administrator resumes: it tries again at once.
    #[must_use]
    pub fn resumed(self) -> Self {
        Self { state: StreamState::Active, failures: None, ..self }
    }

    /// The stream that goes on from another position.
    #[must_use]
    pub fn restarted(self, position: FeedPosition) -> Self {
        Self { position, pending_until: None, ..self }
    }
}
