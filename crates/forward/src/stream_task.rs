//! The steps of one stream, one after the other: at most one message of a stream is on its way.
//!
//! ```text
//! read the stream ─► next events ─► send ─► record: accepted, position behind them ─► …
//!                        │            └───► record: refused, pause              ─► end; the supervisor begins again
//!                        └─ none ─► wait for news
//! ```
//!
//! A crash between sending and recording sends the same events again, with the same id as long as they are the same. The
//! record compares the position at which the step began, so that a server that lost the lease meanwhile changes nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use trailkeeper_auth::StreamStep;
use trailkeeper_domain::Result;
use trailkeeper_domain::cursor::FeedPosition;
use trailkeeper_domain::id::StreamId;
use trailkeeper_domain::stream::{DeliveryFailure, Stream, StreamState};

use crate::batch::{self, Next};
use crate::sender::Signed;
use crate::shared::Shared;

/// The longest wait for news. Then the stream is read again, because an administrator may have changed it.
const WAIT: Duration = Duration::from_secs(2);
/// The pause before a step is repeated that the database did not do.
const PAUSE_OF_OUTAGE: Duration = Duration::from_secs(1);
/// A position behind which nothing was to be sent is recorded after so many numbers, or after this time: a write for each
/// event that a stream does not send would cost more than to look at them again.
const RECORD_NUMBERS: i64 = 10_000;
const RECORD_AFTER: Duration = Duration::from_secs(10);

/// How far a stream has looked without finding anything to send.
#[derive(Clone, Copy)]
struct Passed {
    /// The recorded position.
    from: FeedPosition,
    to: FeedPosition,
    since: Instant,
}

/// What a step is about to do.
enum Step {
    /// Nothing: the stream is removed, paused or not due.
    End,
    /// Look on at once, or wait for an event behind this number.
    Look(Passed, Option<i64>),
    /// Record an outcome.
    Record(FeedPosition, StreamStep),
    /// Send a message.
    Send(Box<Stream>, Signed, StreamStep),
}

/// Runs the steps of a stream until it is not due any more.
pub async fn run(shared: Arc<Shared>, id: StreamId) {
    let mut passed: Option<Passed> = None;
    let mut is_failing = false;
    // Subscribed before the first look, so that no news are missed in between.
    let mut settled = shared.settled.subscribe();
    while shared.is_ours.load(Ordering::SeqCst) {
        let known = passed;
        let step = match shared.blocking(move |shared| prepared(shared, id, known)).await {
            Ok(step) => step,
            Err(error) => {
                if !std::mem::replace(&mut is_failing, true) {
                    tracing::warn!(stream = %id, error = %error.chain(), "a stream cannot go on; it tries again every second");
                }
                sleep(PAUSE_OF_OUTAGE).await;
                continue;
            }
        };
        is_failing = false;
        let (from, outcome) = match step {
            Step::End => return,
            Step::Look(looked, wait) => {
                passed = Some(looked);
                if let Some(after) = wait {
                    // The time is over, or the server ends: the next step finds out.
                    let _news = timeout(WAIT, settled.wait_for(|settled| *settled > after)).await;
                }
                continue;
            }
            Step::Record(from, outcome) => (from, outcome),
            Step::Send(stream, signed, accepted) => {
                let sent = shared.sender.send(&stream.about.destination, &signed).await;
                let outcome = match (sent, accepted) {
                    (Err(failure), StreamStep::Accepted { next, .. }) => {
                        StreamStep::Failed { failure, until: Some(next.after) }
                    }
                    (_, accepted) => accepted,
                };
                (stream.position, outcome)
            }
        };
        passed = None;
        if record(&shared, id, from, outcome).await == Recorded::End {
            return;
        }
    }
}

/// What is to be done next.
fn prepared(shared: &Shared, id: StreamId, passed: Option<Passed>) -> Result<Step> {
    let stream = shared.store.reading(|tx| tx.stream(id))?;
    let Some(stream) = stream.filter(|stream| stream.is_due(shared.clock.now())) else { return Ok(Step::End) };
    let fresh = Passed { from: stream.position, to: stream.position, since: Instant::now() };
    let passed = passed.filter(|passed| passed.from == stream.position).unwrap_or(fresh);
    Ok(match batch::next(shared.store.as_ref(), &shared.access, &stream, passed.to)? {
        Next::Ended(step) => Step::Record(stream.position, step),
        Next::Nothing { next, gap, more } => {
            let moved = next.after - stream.position.after;
            let is_due = moved > 0 && (moved >= RECORD_NUMBERS || passed.since.elapsed() >= RECORD_AFTER);
            if gap || is_due || stream.pending_until.is_some() {
                Step::Record(stream.position, StreamStep::Passed { next, gap })
            } else {
                let since = if moved > 0 { passed.since } else { Instant::now() };
                Step::Look(Passed { to: next, since, ..passed }, (!more).then_some(next.after))
            }
        }
        Next::Message { message, next, gap } => match shared.sender.sign(&stream, message) {
            Ok(signed) => Step::Send(Box::new(stream), signed, StreamStep::Accepted { next, gap }),
            Err(error) => {
                tracing::warn!(stream = %id, error = %error.chain(), "the secret of a stream does not open");
                let text = "the server cannot open the secret that signs messages: its master key is not the one that sealed it";
                let failure = DeliveryFailure::Temporary(text.to_owned());
                Step::Record(stream.position, StreamStep::Failed { failure, until: Some(next.after) })
            }
        },
    })
}

/// Whether the stream goes on after an outcome was recorded.
#[derive(PartialEq, Eq)]
enum Recorded {
    GoesOn,
    End,
}

/// Records the outcome of a step, and tries again until the database answers: it does not forget that the destination
/// accepted a message.
async fn record(shared: &Arc<Shared>, id: StreamId, from: FeedPosition, step: StreamStep) -> Recorded {
    let step = Arc::new(step);
    loop {
        let outcome = Arc::clone(&step);
        match shared.blocking(move |shared| shared.access.record_stream_step(id, from, &outcome)).await {
            Ok(Some(stream)) => {
                report(&stream, &step);
                let refused = matches!(*step, StreamStep::Failed { .. });
                return if refused { Recorded::End } else { Recorded::GoesOn };
            }
            Ok(None) => return Recorded::End,
            Err(error) => {
                tracing::warn!(stream = %id, error = %error.chain(), "the outcome of a delivery cannot be recorded; it is tried again");
                if !shared.is_ours.load(Ordering::SeqCst) {
                    return Recorded::End;
                }
                sleep(PAUSE_OF_OUTAGE).await;
            }
        }
    }
}

/// Writes the first of some failures, and what ends the deliveries, to the log.
fn report(stream: &Stream, step: &StreamStep) {
    let StreamStep::Failed { failure, .. } = step else { return };
    let (id, state, reason) = (stream.id, stream.state.as_str(), failure.text());
    let count = stream.failures.map_or(0, |failures| failures.count);
    if count == 1 || stream.state != StreamState::Active {
        tracing::warn!(stream = %id, state, failures = count, reason, "a stream could not send");
    } else {
        tracing::debug!(stream = %id, state, failures = count, reason, "a stream could not send");
    }
}
