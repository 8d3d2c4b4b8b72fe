//! Access logs of Apache and nginx: one line read, and the event that it stands for.
//!
//! ```
//! use trailkeeper_parsers::access_log::{self, LogLine};
//! use uuid::Uuid;
//!
//! let line = LogLine::parse(r#"192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /prices HTTP/1.1" 200 512"#)?;
//! assert_eq!((line.host, line.status), ("192.0.2.7", 200));
//!
//! let draft = access_log::to_draft(line, Uuid::from_u128(1));
//! assert_eq!((draft.kind.as_str(), draft.page.as_deref()), ("page_load", Some("/prices")));
//! # Ok::<(), String>(())
//! ```

mod draft;
mod line;

pub use draft::to_draft;
pub use line::{LogLine, Request};
