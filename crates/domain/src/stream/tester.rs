//! Test messages of streams.

use crate::error::Result;
use crate::stream::{DeliveryFailure, Destination, Stream};

/// How the test of a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The id of the message.
    pub message_id: String,
    /// Why the destination did not accept the message; `None` if it did.
    pub failure: Option<DeliveryFailure>,
}

/// What sends test messages.
pub trait StreamTester: Send + Sync {
    /// Checks whether streams may send to the destination, as far as it shows without asking for the addresses of its name.
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) for an address outside the allowed networks.
    fn check(&self, destination: &Destination) -> Result<()>;

    /// Sends a test message to the destination of the stream, at once, and waits for the answer. Blocks for some seconds at
    /// most.
    ///
    /// An error if the message cannot be made; that the destination does not accept it is no error.
    fn test(&self, stream: &Stream) -> Result<Tested>;
}
