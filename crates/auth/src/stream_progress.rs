//! What a server records about the deliveries of a stream. Only a change of its state makes an audit event: if each delivery
//! made one, a stream of the audit trail would send itself for ever.

use trailkeeper_domain::cursor::FeedPosition;
use trailkeeper_domain::event::{Event, EventFilter};
use trailkeeper_domain::id::StreamId;
use trailkeeper_domain::stream::{DeliveryFailure, Stream, pause_after};
use trailkeeper_domain::{Error, Result, usecase};

use crate::access::Access;
use crate::audit::{Changes, STREAM_CHANGE, append};
use crate::housekeeping::server_context;
use crate::permission::stream_visibility;
use crate::streams::stream_target;

/// How a step of a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamStep {
    /// The destination accepted the events up to this position. `gap`: some had been removed before.
    Accepted {
        /// The position behind them.
        next: FeedPosition,
        /// Whether events were removed before they were sent.
        gap: bool,
    },
    /// There was nothing to send up to this position.
    Passed {
        /// The position.
        next: FeedPosition,
        /// Whether events were removed before they were sent.
        gap: bool,
    },
    /// The destination did not accept the events up to the number `until`.
    Failed {
        /// The reason.
        failure: DeliveryFailure,
        /// The number of the last event of the message, if there was one.
        until: Option<i64>,
    },
}

impl Access {
    /// The events that a stream sends.
    pub fn stream_filter(&self, stream: &Stream) -> EventFilter {
        stream.about.conditions.filter(stream_visibility(stream.about.tenant_id))
    }

    /// Records a step of the stream that began at the position `from`, and returns the stream after it; `None` if it was
    /// removed. Changes nothing if the stream has another position by now: an administrator or another server moved it.
    pub fn record_stream_step(&self, id: StreamId, from: FeedPosition, step: &StreamStep) -> Result<Option<Stream>> {
        let now = self.clock.now();
        let recorded = self.store.writing(|tx| {
            let (before, after) = usecase::change_stream(tx, id, |stream| {
                if stream.position != from {
                    return Ok(stream);
                }
                Ok(match step {
                    StreamStep::Accepted { next, gap } => stream.delivered(now, *next, *gap),
                    StreamStep::Passed { next, gap } => stream.passed(now, *next, *gap),
                    StreamStep::Failed { failure, until } => {
                        let count = stream.failures.map_or(0, |failures| failures.count).saturating_add(1);
                        let pause = pause_after(count, self.entropy.as_ref());
                        stream.failed(now, failure, *until, pause)
                    }
                })
            })?;
            let mut changes = Changes::default();
            changes.note("state", before.state.as_str(), after.state.as_str());
            if !changes.is_empty() {
                let mut metadata = changes.into_metadata();
                metadata.insert("host".to_owned(), after.about.destination.host().into());
                if let StreamStep::Failed { failure, .. } = step {
                    metadata.insert("reason".to_owned(), failure.text().into());
                }
                let event = self.change_event(now, STREAM_CHANGE, &server_context(), stream_target(&after))?;
                append(tx, &Event { metadata: Some(metadata.into()), ..event })?;
            }
            Ok(after)
        });
        match recorded {
            Ok(stream) => Ok(Some(stream)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
