//! The pieces of a format, and what its fields have.

/// A piece of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A text that stands in each line.
    Literal(String),
    /// A field outside quotes.
    Bare(Field),
    /// What stands between two quotes.
    Quoted(Vec<Part>),
}

/// A piece of a format as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Literal(String),
    Field(Field),
}

/// A field of a format, with its name as the format has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub content: Content,
}

/// What a field has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The client's address or host name.
    Host,
    /// A list of addresses as proxies write it: the client, if the format has no other field for it.
    ForwardedFor,
    /// The virtual host.
    VirtualHost,
    /// The name of the connection's owner.
    Ident,
    /// The name that the client logged in with.
    User,
    /// A time in the common form, without brackets.
    CommonTime,
    /// A time in the common form, in brackets.
    BracketedTime,
    /// A time of RFC 3339.
    IsoTime,
    /// A number of units since 1970, with a fraction or without.
    UnixTime { per_second: u32 },
    /// A time in a form of `strftime`, with an offset.
    FormedTime(String),
    /// The request line.
    Request,
    /// The method of the request.
    Method,
    /// Path and query as the client sent them.
    Uri,
    /// The path without the query, decoded.
    Path,
    /// The query, with or without `?` in front.
    Query,
    /// The path without the query, and after it the query with its `?`, as two fields that stand side by side.
    PathAndQuery,
    /// The status of the response.
    Status,
    /// The page that linked to the requested one.
    Referer,
    /// The program of the client.
    UserAgent,
    /// Anything that is not used; `is_free`: a text that may have blanks.
    Skipped { is_free: bool },
}

impl Field {
    pub fn new(name: impl Into<String>, content: Content) -> Self {
        Self { name: name.into(), content }
    }

    /// Whether this is a text that may have blanks, so that only a quote ends it.
    pub fn is_free(&self) -> bool {
        match &self.content {
            Content::Request
            | Content::Path
            | Content::Query
            | Content::PathAndQuery
            | Content::Referer
            | Content::UserAgent
            | Content::ForwardedFor => true,
            Content::Skipped { is_free } => *is_free,
            _ => false,
        }
    }

    pub fn is_user(&self) -> bool {
        self.content == Content::User
    }

    pub fn is_time(&self) -> bool {
        matches!(
            self.content,
            Content::CommonTime
                | Content::BracketedTime
                | Content::IsoTime
                | Content::UnixTime { .. }
                | Content::FormedTime(_)
        )
    }

    pub fn begins_with_slash(&self) -> bool {
        matches!(self.content, Content::Uri | Content::Path | Content::PathAndQuery)
    }

    pub fn has_no_slash(&self) -> bool {
        matches!(self.content, Content::VirtualHost | Content::Host | Content::Method | Content::Status)
    }
}

/// Checks that a format has the fields of an event.
pub fn check_set(fields: &[&Field]) -> Result<(), String> {
    let has = |content: &Content| fields.iter().any(|field| field.content == *content);
    if !fields.iter().any(|field| field.is_time()) {
        return Err("has no time: $time_local, $time_iso8601, $msec or %t".to_owned());
    }
    let has_path = has(&Content::Uri) || has(&Content::Path) || has(&Content::PathAndQuery);
    if !(has(&Content::Request) || has(&Content::Method) && has_path) {
        return Err(
            "has no request: \"$request\", or $request_method and $request_uri; \"%r\", or %m and \"%U%q\"".to_owned()
        );
    }
    Ok(())
}

impl Part {
    /// The field, if it is one.
    pub fn field(&self) -> Option<&Field> {
        match self {
            Self::Literal(_) => None,
            Self::Field(field) => Some(field),
        }
    }
}
