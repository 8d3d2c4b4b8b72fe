//! Sends messages: signed, to the destination of a stream.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use trailkeeper_auth::Access;
use trailkeeper_domain::Result;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::stream::{DeliveryFailure, Destination, Stream};

use crate::connect::Connector;
use crate::exchange::exchange;
use crate::format;
use crate::message::Message;

/// How long a destination may take to read a message and to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Signs messages and sends them.
pub struct Sender {
    connector: Connector,
    access: Arc<Access>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// A message with its head, ready to be sent.
pub struct Signed {
    head: String,
    message: Message,
}

impl Sender {
    /// A sender. Reads and connects nothing yet.
    pub fn new(connector: Connector, access: Arc<Access>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { connector, access, clock, entropy }
    }

    /// Makes connections to destinations.
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// A test message of a stream.
    pub fn test_message(&self, stream: &Stream) -> Result<Message> {
        let id = clock::new_uuid(self.clock.as_ref(), self.entropy.as_ref());
        format::test_message(stream.about.format, stream.id, id, self.clock.now())
    }

    /// Signs a message with the secrets of its stream, at the present time. Blocks, because it may read the key files.
    ///
    /// [`trailkeeper_domain::Error::Internal`] when no master key opens the secrets.
    pub fn sign(&self, stream: &Stream, message: Message) -> Result<Signed> {
        let now = self.clock.now();
        let secrets = self.access.stream_secrets(stream, now)?;
        let timestamp = now.timestamp();
        let signatures = secrets.iter().map(|secret| secret.sign(&message.id, timestamp, &message.body));
        let signatures = signatures.collect::<Vec<_>>().join(" ");
        Ok(Signed { head: head(&stream.about.destination, &message, timestamp, &signatures), message })
    }

    /// Sends a message to the destination. `Ok` if it answers with 2xx; else the reason why the message is not accepted.
    pub async fn send(&self, destination: &Destination, signed: &Signed) -> std::result::Result<(), DeliveryFailure> {
        let stream = self.connector.connect(destination).await.map_err(DeliveryFailure::Temporary)?;
        let host = destination.host();
        let exchanged = timeout(ANSWER_TIMEOUT, exchange(stream, &signed.head, &signed.message.body)).await;
        let status = exchanged
            .unwrap_or_else(|_elapsed| Err(format!("gave no answer within {} s", ANSWER_TIMEOUT.as_secs())))
            .map_err(|failure| DeliveryFailure::Temporary(format!("{host} {failure}")))?;
        match status {
            200..300 => Ok(()),
            410 => Err(DeliveryFailure::Gone(format!("{host} answered 410: it wants no more messages"))),
            300..400 => Err(DeliveryFailure::Temporary(format!(
                "{host} answered {status}, a redirect, which streams do not follow; make a stream with the new address"
            ))),
            other => Err(DeliveryFailure::Temporary(format!("{host} answered {other}"))),
        }
    }
}

/// The head of a request. Nothing in it has line breaks: the parts of a destination are checked, the others are our own.
fn head(destination: &Destination, message: &Message, timestamp: i64, signatures: &str) -> String {
    let mut head = String::with_capacity(512);
    let length = message.body.len().to_string();
    let headers = [
        ("host", destination.authority()),
        ("user-agent", concat!("trailkeeper/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("content-type", message.content_type.to_owned()),
        ("content-length", length),
        ("webhook-id", message.id.clone()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signatures.to_owned()),
        ("connection", "close".to_owned()),
    ];
    head.push_str("POST ");
    head.push_str(destination.target());
    head.push_str(" HTTP/1.1\r\n");
    for (name, value) in headers {
        // Writing to a text cannot fail.
        let _written = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    head
}
