//! Forwarding streams: standing orders to send events of the feed to a system elsewhere.
//!
//! A stream is not the live [event stream](crate::usecase::follow_events) that a client holds open: the server itself
//! reads the feed, remembers the position, and delivers the events to a destination, each one at least once.

mod conditions;
mod delivery;
mod destination;
mod draft;
mod record;
mod tester;

pub use conditions::Conditions;
pub use delivery::{DeliveryFailure, pause_after};
pub use destination::{Destination, MAX_DESTINATION};
pub use draft::{MAX_STREAM_NAME, StreamDraft, StreamFormat, StreamStart};
pub use record::{Failures, LastError, MAX_STREAMS, SealedSecrets, Stream, StreamState};
pub use tester::{StreamTester, Tested};
