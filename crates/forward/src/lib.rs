//! Forwarding streams: a server reads the feed and sends its events to systems elsewhere.
//!
//! ```text
//! Forwarder ── one thread: which streams are there, and whether this server sends them (lease)
//!   └── stream_task ── per stream: read the feed ─► batch ─► Sender ─► record the outcome ─► …
//!                                                     │        └── connect: resolve, check, connect, TLS; exchange: HTTP
//!                                                     └── format
//! ```
//!
//! It knows the ports of the domain, and no database and no HTTP server.

mod batch;
mod connect;
mod exchange;
mod format;
mod forwarder;
mod lease;
mod message;
mod networks;
mod sender;
mod shared;
mod stream_task;
mod tester;

pub use connect::{Connector, ConnectorSettings};
pub use exchange::exchange;
pub use forwarder::Forwarder;
pub use networks::AllowedNetworks;
pub use sender::Sender;
