//! Users: the subjects of events, and their membership of tenants.

mod json;

use std::fmt;

use crate::error::{Error, Result};
use crate::id::{CreationId, TenantId, UserId};
use crate::text;
use crate::time::Timestamp;
use crate::visibility::Visibility;

/// The longest attribute name, in characters (as Cognito).
pub const MAX_ATTRIBUTE_NAME: usize = 32;
/// The longest attribute value, in characters (as Cognito).
pub const MAX_ATTRIBUTE_VALUE: usize = 2048;
/// How many attributes a user may have.
pub const MAX_ATTRIBUTES: usize = 100;

/// Where a user account stands. The names are Cognito's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UserStatus {
    /// Signed up, not yet confirmed.
    Unconfirmed,
    /// In use.
    #[default]
    Confirmed,
    /// No longer in use.
    Archived,
    /// Disabled for a suspected compromise.
    Compromised,
    /// Not known.
    Unknown,
    /// Must ask for a code and reset the password.
    ResetRequired,
    /// Must change the password at the first login.
    ForceChangePassword,
    /// Signs in through another provider.
    ExternalProvider,
}

impl UserStatus {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Unconfirmed,
        Self::Confirmed,
        Self::Archived,
        Self::Compromised,
        Self::Unknown,
        Self::ResetRequired,
        Self::ForceChangePassword,
        Self::ExternalProvider,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::Archived => "ARCHIVED",
            Self::Compromised => "COMPROMISED",
            Self::Unknown => "UNKNOWN",
            Self::ResetRequired => "RESET_REQUIRED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
            Self::ExternalProvider => "EXTERNAL_PROVIDER",
        }
    }

    /// Reads the name; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == value).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid(field, format!("'{}' is not a user status; send one of {names}", text::shown(value)))
        })
    }
}

/// A user pool: `<region>_<id>`, for example `eu-west-1_aBcD12345`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolId(String);

impl PoolId {
    /// Checks the form `[\w-]+_[0-9a-zA-Z]+` and at most 55 characters (as Cognito).
    pub fn parse(field: &str, value: impl Into<String>) -> Result<Self> {
        let value = value.into();
        let good = value.rsplit_once('_').is_some_and(|(region, id)| {
            !region.is_empty()
                && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
                && !id.is_empty()
                && id.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        if good && value.len() <= 55 {
            return Ok(Self(value));
        }
        Err(Error::invalid(
            field,
            format!(
                "'{}' is not a user pool; send <region>_<id>, for example eu-west-1_aBcD12345",
                text::shown(&value)
            ),
        ))
    }

    /// A pool that comes from the database.
    pub fn stored(value: String) -> Self {
        Self(value)
    }

    /// The id as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the last `_`.
    pub fn region(&self) -> &str {
        self.0.rsplit_once('_').map_or("", |(region, _)| region)
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks a region against the pool, where both are named, and fills it in from the pool.
pub fn checked_region(field: &str, region: Option<String>, pool: Option<&PoolId>) -> Result<Option<String>> {
    if let Some(region) = &region {
        let good = (1..=32).contains(&region.len())
            && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !good {
            return Err(Error::invalid(
                field,
                format!(
                    "'{}' is not a region; send 1 to 32 letters, digits, '-' and '_', for example eu-west-1",
                    text::shown(region)
                ),
            ));
        }
        if let Some(pool) = pool.filter(|pool| pool.region() != region) {
            return Err(Error::invalid(
                field,
                format!("'{region}' contradicts user_pool_id '{pool}', whose region is '{}'", pool.region()),
            ));
        }
    }
    Ok(region.or_else(|| pool.map(|pool| pool.region().to_owned())))
}

/// One attribute of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// 1 to 32 characters.
    pub name: String,
    /// Up to 2,048 characters.
    pub value: String,
}

impl Attribute {
    /// Checks name and value; `field` names the attribute in the error.
    pub fn check(&self, field: &str) -> Result<()> {
        text::checked(&format!("{field}.name"), &self.name, MAX_ATTRIBUTE_NAME)?;
        text::checked_or_empty(&format!("{field}.value"), &self.value, MAX_ATTRIBUTE_VALUE)
    }
}

/// Someone whom events are about, as far as we were told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The identity provider's id.
    pub id: UserId,
    /// As it was sent. Unique in its pool, without regard to case; "no pool" is a pool too.
    pub email: Option<String>,
    /// The login name.
    pub username: Option<String>,
    /// Ordered by name; `email` is not among them.
    pub attributes: Vec<Attribute>,
    /// Where the pool lives.
    pub region: Option<String>,
    /// The pool.
    pub user_pool_id: Option<PoolId>,
    /// Where the account stands.
    pub status: UserStatus,
    /// Whether the user may log in to the application.
    pub enabled: bool,
    /// When the user registered; this day counts in `create_saas_user` and in Cripsa's count.
    pub registered_at: Timestamp,
    /// When the record last changed.
    pub updated_at: Timestamp,
    /// Its entry among the counted creations, which outlives it.
    pub creation_id: CreationId,
}

impl User {
    /// The login name, or the id where none was told.
    pub fn shown_name(&self) -> &str {
        self.username.as_deref().unwrap_or(self.id.as_str())
    }
}

/// What a caller says of a user: the whole record, as PUT replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserDraft {
    /// E-mail.
    pub email: Option<String>,
    /// Login name.
    pub username: Option<String>,
    /// All attributes.
    pub attributes: Vec<Attribute>,
    /// Region; absent: the pool's.
    pub region: Option<String>,
    /// Pool.
    pub user_pool_id: Option<PoolId>,
    /// Status; absent: confirmed.
    pub status: Option<UserStatus>,
    /// Enabled; absent: yes.
    pub enabled: Option<bool>,
    /// When the user registered; absent: unchanged, or now for a new one.
    pub registered_at: Option<Timestamp>,
}

/// Checks an e-mail address as far as it matters here: it can be found again and told apart.
///
/// Deliverability is not ours to judge: identity providers hold addresses of every kind.
pub fn checked_email(field: &str, value: &str) -> Result<()> {
    text::checked(field, value, 320)?;
    let good = value.split_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
        && !value.contains(char::is_whitespace);
    if good {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        format!("'{}' is not an e-mail address; send name@host without spaces", text::shown(value)),
    ))
}

/// The form of an e-mail address by which it is found: lower case.
pub fn folded_email(email: &str) -> String {
    email.to_lowercase()
}

/// A user's membership of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The tenant. It need not have a record: the trail is no master of tenants.
    pub tenant_id: TenantId,
    /// The user. It need not have a record either.
    pub user_id: UserId,
    /// Since when; this day counts it in `create_tenant_user`.
    pub created_at: Timestamp,
    /// Its entry among the counted creations, which outlives it.
    pub creation_id: CreationId,
}

/// Which users a list shows. Every condition that is present must hold.
///
/// It begins with the caller's [`Visibility`]: there is no filter without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFilter {
    /// Where only one tenant is visible: only its members.
    pub visibility: Visibility,
    /// Only with this e-mail, in lower case.
    pub folded_email: Option<String>,
    /// Only of this region.
    pub region: Option<String>,
    /// Only of this pool.
    pub user_pool_id: Option<PoolId>,
}

impl UserFilter {
    /// All users that may be seen.
    pub fn within(visibility: Visibility) -> Self {
        Self { visibility, folded_email: None, region: None, user_pool_id: None }
    }

    /// The users with this e-mail in any case, by the parameters that name them in the Cripsa contract.
    pub fn by_email(visibility: Visibility, email: &str, region: Option<String>, user_pool_id: Option<PoolId>) -> Self {
        Self { visibility, folded_email: Some(folded_email(email)), region, user_pool_id }
    }
}

/// One change of one attribute: who, when, old and new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeChange {
    /// Whose attribute.
    pub user_id: UserId,
    /// When.
    pub changed_at: Timestamp,
    /// By whom: the caller's name.
    pub changed_by: String,
    /// Which attribute.
    pub name: String,
    /// The value before; absent where there was none.
    pub old_value: Option<String>,
    /// The value since; absent where it was cleared.
    pub new_value: Option<String>,
}
