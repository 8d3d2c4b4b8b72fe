//! Access logs of Apache, nginx and the many servers that write as they do: one line read, and the event that it stands
//! for.
//!
//! ```
//! use trailkeeper_parsers::access_log::{self, LogLine};
//! use uuid::Uuid;
//!
//! let line = LogLine::parse(r#"shop.example:443 192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /prices HTTP/1.1" 200 512"#)?;
//! assert_eq!((line.client.virtual_host, line.client.host), (Some("shop.example:443"), Some("192.0.2.7")));
//!
//! let draft = access_log::to_draft(line, Uuid::from_u128(1));
//! assert_eq!((draft.kind.as_str(), draft.page.as_deref()), ("page_load", Some("/prices")));
//! # Ok::<(), String>(())
//! ```

mod client;
mod draft;
mod escape;
mod line;
mod request;
mod stamp;

pub use client::Client;
pub use draft::to_draft;
pub use escape::text_of;
pub use line::LogLine;
pub use request::Request;
