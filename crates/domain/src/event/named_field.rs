//! Fields of events whose values are names in dictionaries.

/// A field of an event that the database stores as a number. The name of the number is a row in a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedField {
    /// The tenant. Only SQLite numbers tenants.
    Tenant,
    /// The user.
    User,
    /// The name of the actor.
    UserName,
    /// The type.
    Kind,
    /// The source address.
    Source,
    /// The user agent.
    UserAgent,
    /// The page.
    Page,
}

impl NamedField {
    /// All fields.
    pub const ALL: [Self; 7] =
        [Self::Tenant, Self::User, Self::UserName, Self::Kind, Self::Source, Self::UserAgent, Self::Page];

    /// The name of the field in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant_id",
            Self::User => "user_id",
            Self::UserName => "user_name",
            Self::Kind => "type",
            Self::Source => "source",
            Self::UserAgent => "user_agent",
            Self::Page => "page",
        }
    }
}

/// The text that stands for the name of this number, if the database has lost it.
pub fn missing_name(number: u32) -> String {
    format!("(missing {number})")
}

/// The type that stands for the type of this number, if the database has lost it.
pub fn missing_kind(number: u32) -> String {
    format!("missing_{number}")
}
