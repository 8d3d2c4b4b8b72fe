//! The encodings of OTLP/HTTP.

/// The encoding of a request, and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Protocol buffers.
    Protobuf,
    /// JSON, in the form that OTLP defines.
    Json,
}

impl Encoding {
    /// The encoding with this media type, in lower case and without parameters; `None` if there is none.
    pub fn of(media_type: &str) -> Option<Self> {
        [Self::Protobuf, Self::Json].into_iter().find(|encoding| encoding.media_type() == media_type)
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}
