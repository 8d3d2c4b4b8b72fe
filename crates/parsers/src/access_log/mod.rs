//! Access logs of Apache, nginx and the many servers that write as they do: one line read, and the event that it stands
//! for.
//!
//! ```
//! use trailkeeper_parsers::access_log::{self, LogLine};
//!
//! let text = r#"shop.example:443 192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /prices HTTP/1.1" 200 512"#;
//! let line = LogLine::parse(text)?;
//! assert_eq!((line.client.virtual_host, line.client.host), (Some("shop.example:443"), Some("192.0.2.7")));
//!
//! let draft = access_log::to_draft(line, None);
//! assert_eq!((draft.kind.as_str(), draft.page.as_deref()), ("page_load", Some("/prices")));
//! # Ok::<(), String>(())
//! ```

mod client;
mod draft;
mod escape;
mod format;
mod json;
mod line;
mod request;
mod stamp;
mod traffic;

pub use client::Client;
pub use draft::to_draft;
pub use escape::text_of;
pub use format::Format;
pub use json::JsonLine;
pub use line::LogLine;
pub use request::Request;
pub use traffic::{Automatic, Traffic};

use trailkeeper_domain::event::EventDraft;

/// Reads the lines of a log.
#[derive(Debug)]
pub struct LineReader {
    /// The format of the lines; without one, JSON and the known forms are read.
    pub format: Option<Format>,
    /// What is recognised as automatic.
    pub traffic: Traffic,
}

impl LineReader {
    /// The event of a line, without an id. The error is a sentence that says what does not fit.
    pub fn read(&mut self, line: &str) -> Result<EventDraft, String> {
        match &self.format {
            Some(format) => Ok(draft(&mut self.traffic, format.read(line)?)),
            None if line.trim_start().starts_with('{') => Ok(draft(&mut self.traffic, JsonLine::parse(line)?.line()?)),
            None => Ok(draft(&mut self.traffic, LogLine::parse(line)?)),
        }
    }
}

fn draft(traffic: &mut Traffic, line: LogLine<'_>) -> EventDraft {
    let automatic = traffic.automatic(&line);
    to_draft(line, automatic)
}
