//! What a stream is to send, and where.

use crate::cursor::{self, FeedPosition};
use crate::error::{Error, Result};
use crate::id::TenantId;
use crate::stream::{Conditions, Destination};
use crate::text;

/// The longest name of a stream, in characters.
pub const MAX_STREAM_NAME: usize = 128;

/// What a stream sends, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamDraft {
    /// A name for people; need not be unique.
    pub name: Option<String>,
    /// The only tenant whose events it sends; `None`: all tenants, the system tenant included.
    pub tenant_id: Option<TenantId>,
    /// The conditions on the events that it sends.
    pub conditions: Conditions,
    /// Where it sends them.
    pub destination: Destination,
    /// How they are written.
    pub format: StreamFormat,
}

impl StreamDraft {
    /// Checks the name. [`Error::Invalid`] for a text outside its limits.
    pub fn check(&self) -> Result<()> {
        self.name.as_deref().map_or(Ok(()), |name| text::checked("name", name, MAX_STREAM_NAME))
    }
}

/// How a stream writes events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamFormat {
    /// As the feed shows them.
    Native,
    /// A batch in the JSON format of `CloudEvents` 1.0.
    CloudEvents,
    /// Events of the Open Cybersecurity Schema Framework 1.5.0.
    Ocsf,
}

impl StreamFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Native, Self::CloudEvents, Self::Ocsf];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::CloudEvents => "cloudevents",
            Self::Ocsf => "ocsf",
        }
    }

    /// Parses the name; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == value).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(" or ");
            Error::invalid(field, format!("'{}' is not a format; send {names}", text::shown(value)))
        })
    }
}

/// Where a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamStart {
    /// With the first event that is stored.
    Beginning,
    /// Behind the last event that is stored.
    Now,
    /// Behind a position of the feed.
    At(FeedPosition),
}

impl StreamStart {
    /// Parses `beginning`, `now` or a cursor of the feed; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        match value {
            "beginning" => Ok(Self::Beginning),
            "now" => Ok(Self::Now),
            cursor => cursor::to_feed(field, cursor).map(Self::At).map_err(|_| {
                Error::invalid(
                    field,
                    format!(
                        "'{}' is not a start; send now, beginning, or a plain cursor of GET /v1/events/feed",
                        text::shown(value)
                    ),
                )
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::cursor::PlainCursor;
    use crate::testing::code_and_field;

    #[test]
    fn a_stream_begins_now_at_the_beginning_or_behind_a_cursor() {
        let position = FeedPosition { history: Uuid::from_u128(7), after: 42, removed: 3, reader: 9 };
        let cursor = PlainCursor::of_feed(&position);
        for (sent, start) in
            [("now", StreamStart::Now), ("beginning", StreamStart::Beginning), (&cursor, StreamStart::At(position))]
        {
            assert_eq!(StreamStart::parse("start", sent).unwrap(), start);
        }
        for bad in ["", "Now", "end", "x00", "f00"] {
            let error = StreamStart::parse("start", bad).unwrap_err();
            assert_eq!(code_and_field(&error).1, Some("start"), "{error}");
            assert!(error.to_string().contains("send now, beginning"), "{error}");
        }
    }

    #[test]
    fn names_of_formats_lead_back() {
        for format in StreamFormat::ALL {
            assert_eq!(StreamFormat::parse("format", format.as_str()).unwrap(), format);
        }
        assert!(
            StreamFormat::parse("format", "xml")
                .unwrap_err()
                .to_string()
                .contains("send native or cloudevents or ocsf")
        );
    }
}
