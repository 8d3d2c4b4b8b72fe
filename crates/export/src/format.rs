//! The formats of exports.

use trailkeeper_domain::{Error, Result, text};

/// A format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Ndjson,
    /// Comma-separated values with a line of names, as RFC 4180 has them, but with a line feed as the end of a line.
    Csv,
    /// Apache Parquet, its columns compressed by zstd.
    Parquet,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Ndjson, Self::Csv, Self::Parquet];

    /// The name of the format. It is also the usual end of a file's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// The format with this name. [`Error::Invalid`] for `field` if there is none.
    pub fn parse(field: &str, name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid(field, format!("'{}' is not a format; send one of {names}", text::shown(name)))
        })
    }

    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Whether the rest of an export can follow in another file or answer.
    pub fn is_resumable(self) -> bool {
        self != Self::Parquet
    }
}
