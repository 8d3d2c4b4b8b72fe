//! Cursors of lists, which are opened and sealed only here.
//!
//! A caller that is scoped to a tenant gets sealed cursors, because plain ones reveal the number of rows of all tenants.
//! The types prevent that a list sends a plain one: use cases return a [`PlainCursor`], which cannot be serialized, and
//! only [`ListPosition::next`] converts it into a [`NextCursor`], which can. Positions in the feed have the same rule, with
//! [`FeedCursors`] and [`FeedCursor`].

use serde::Serialize;
use trailkeeper_auth::{Access, FeedSealer, Principal};
use trailkeeper_domain::Result;
use trailkeeper_domain::cursor::{self, FeedPosition, PlainCursor};

/// The lists with cursors. A sealed cursor of one list is invalid in the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// `GET /v1/accounts`.
    Accounts,
    /// `GET /v1/users/{user_id}/attribute-changes`.
    AttributeChanges,
    /// `GET /users/events` of Cripsa.
    AuthEvents,
    /// `GET /v1/events`.
    Events,
    /// `GET /v1/legal-holds`.
    LegalHolds,
    /// `GET /v1/tenants/{tenant_id}/users`.
    Memberships,
    /// `GET /v1/retention/rules`.
    RetentionRules,
    /// `GET /v1/sessions`.
    Sessions,
    /// `GET /v1/signing-keys`.
    SigningKeys,
    /// `GET /v1/streams`.
    Streams,
    /// `GET /v1/tenants`.
    Tenants,
    /// `GET /v1/analytics/users/{user_id}/timeline`.
    Timeline,
    /// `GET /v1/tokens`.
    Tokens,
    /// `GET /v1/users`.
    Users,
}

impl List {
    /// The name inside sealed cursors. Changing it invalidates the cursors that clients have.
    fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::AttributeChanges => "attribute_changes",
            Self::AuthEvents => "auth_events",
            Self::Events => "events",
            Self::LegalHolds => "legal_holds",
            Self::Memberships => "memberships",
            Self::RetentionRules => "retention_rules",
            Self::Sessions => "sessions",
            Self::SigningKeys => "signing_keys",
            Self::Streams => "streams",
            Self::Tenants => "tenants",
            Self::Timeline => "timeline",
            Self::Tokens => "tokens",
            Self::Users => "users",
        }
    }
}

/// The position from which a caller continues a list.
pub struct ListPosition {
    list: List,
    caller: Principal,
    field: &'static str,
    sent: Option<String>,
}

impl ListPosition {
    /// The cursor `sent` in the parameter `field`, or the beginning.
    pub fn new(sent: Option<String>, field: &'static str, list: List, caller: &Principal) -> Self {
        Self { list, caller: caller.clone(), field, sent }
    }

    /// The cursor as use cases read it; `None` at the start of the list. Blocks, because it may read the key files.
    pub fn opened(&self, access: &Access) -> Result<Option<String>> {
        let open = |sent| access.open_cursor(&self.caller, self.list.name(), self.field, sent);
        self.sent.as_deref().map(open).transpose()
    }

    /// The cursor after the page, in the form that the caller may see.
    pub fn next(&self, access: &Access, next: Option<PlainCursor>) -> Result<NextCursor> {
        let seal = |plain: PlainCursor| access.seal_cursor(&self.caller, self.list.name(), &plain);
        next.map(seal).transpose().map(NextCursor)
    }
}

/// A cursor in a response; null on the last page.
#[derive(Serialize, Default)]
#[serde(transparent)]
pub struct NextCursor(Option<String>);

impl NextCursor {
    /// Whether this is the last page.
    pub fn is_last(&self) -> bool {
        self.0.is_none()
    }

    /// A cursor for an example.
    pub fn sample(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

/// Writes positions in the feed as cursors, in the form that one caller may see.
pub struct FeedCursors(FeedSealer);

impl FeedCursors {
    /// The cursors of this caller. Blocks, because it may read the database.
    pub fn of(access: &Access, caller: &Principal) -> Result<Self> {
        access.feed_sealer(caller).map(Self)
    }

    /// The cursor of a position.
    pub fn cursor(&self, position: &FeedPosition) -> Result<FeedCursor> {
        self.0.seal(&PlainCursor::of_feed(position)).map(FeedCursor)
    }

    /// The position of the cursor that this caller sent in `field`. Blocks, because it may read the database.
    pub fn open(access: &Access, caller: &Principal, field: &str, sent: &str) -> Result<FeedPosition> {
        cursor::to_feed(field, &access.open_feed_cursor(caller, field, sent)?)
    }
}

/// The cursor of a position in the feed, in a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FeedCursor(String);

impl FeedCursor {
    /// The text of the cursor: a letter and hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A cursor for an example.
    pub fn sample(text: &str) -> Self {
        Self(text.to_owned())
    }
}
