//! How events are written: piece by piece into one body, so that a batch can end before it is too large.

mod cloudevents;
mod native;
mod ocsf;

use trailkeeper_domain::Result;
use trailkeeper_domain::cursor::FeedPosition;
use trailkeeper_domain::event::StoredEvent;
use trailkeeper_domain::id::StreamId;
use trailkeeper_domain::stream::StreamFormat;
use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

use crate::message::Message;

/// A body in the making.
pub struct Writer {
    format: StreamFormat,
    stream: StreamId,
    body: Vec<u8>,
    events: usize,
    last_received: Option<Timestamp>,
}

impl Writer {
    /// An empty one.
    pub fn new(format: StreamFormat, stream: StreamId) -> Self {
        let mut body = Vec::new();
        match format {
            StreamFormat::Native => native::begin(&mut body, stream),
            StreamFormat::CloudEvents | StreamFormat::Ocsf => body.push(b'['),
        }
        Self { format, stream, body, events: 0, last_received: None }
    }

    /// Adds an event, whose position this is.
    pub fn add(&mut self, stored: &StoredEvent, position: &FeedPosition) -> Result<()> {
        if self.events > 0 {
            self.body.push(b',');
        }
        match self.format {
            StreamFormat::Native => native::write(&mut self.body, stored, position)?,
            StreamFormat::CloudEvents => cloudevents::write(&mut self.body, stored, position)?,
            StreamFormat::Ocsf => ocsf::write(&mut self.body, stored, position)?,
        }
        self.events += 1;
        self.last_received = Some(stored.event.received_at);
        Ok(())
    }

    /// The number of events in it.
    pub fn events(&self) -> usize {
        self.events
    }

    /// The bytes so far.
    pub fn bytes(&self) -> usize {
        self.body.len()
    }

    /// The message. `gap`: events were removed before they were sent.
    pub fn finish(mut self, gap: bool) -> Result<Message> {
        let content_type = match self.format {
            StreamFormat::Native => {
                native::end(&mut self.body, gap, self.last_received)?;
                "application/json"
            }
            StreamFormat::CloudEvents => {
                self.body.push(b']');
                cloudevents::CONTENT_TYPE
            }
            StreamFormat::Ocsf => {
                self.body.push(b']');
                "application/json"
            }
        };
        Ok(Message::new(self.stream, content_type, self.body))
    }
}

/// A message that has no event of the feed, to test a destination.
pub fn test_message(format: StreamFormat, stream: StreamId, id: Uuid, now: Timestamp) -> Result<Message> {
    match format {
        StreamFormat::Native => native::test(stream, id, now),
        StreamFormat::CloudEvents => cloudevents::test(stream, id, now),
        StreamFormat::Ocsf => ocsf::test(stream, id, now),
    }
}
