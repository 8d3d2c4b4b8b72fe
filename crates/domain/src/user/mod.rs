//! Users: the subjects of events, and their membership of tenants.

mod json;

use std::fmt;

use crate::error::{Error, Result};
use crate::id::{AccountId, CreationId, TenantId, UserId};
use crate::text;
use crate::time::Timestamp;
use crate::visibility::Visibility;

/// The maximum length of an attribute name, in characters, as in Cognito.
pub const MAX_ATTRIBUTE_NAME: usize = 32;
/// The maximum length of an attribute value, in characters, as in Cognito.
pub const MAX_ATTRIBUTE_VALUE: usize = 2048;
/// The maximum number of attributes of a user.
pub const MAX_ATTRIBUTES: usize = 100;

/// The status of a user. The names are those of Cognito.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UserStatus {
    /// The user signed up and is not confirmed yet.
    Unconfirmed,
    /// The user is confirmed and in use.
    #[default]
    Confirmed,
    /// The user is no longer in use.
    Archived,
    /// The user is disabled because of a suspected compromise.
    Compromised,
    /// The status is not known.
    Unknown,
    /// The user must request a code and reset the password.
    ResetRequired,
    /// The user must change the password at the first login.
    ForceChangePassword,
    /// The user signs in through another provider.
    ExternalProvider,
}

impl UserStatus {
    /// All statuses.
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

    /// Parses the name; `field` names it in the error.
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
    /// Checks the form `[\w-]+_[0-9a-zA-Z]+` and the length of at most 55 characters, as Cognito does. `field` names
    /// the pool in the error.
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

    /// A pool from the database, which was checked before it was stored.
    pub fn stored(value: String) -> Self {
        Self(value)
    }

    /// The id as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region: the part before the last `_`.
    pub fn region(&self) -> &str {
        self.0.rsplit_once('_').map_or("", |(region, _)| region)
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks the form of a region, and that it is the region of the pool if both are given. If only the pool is given,
/// returns the pool's region. `field` names the region in the error.
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
    /// The name, 1 to 32 characters.
    pub name: String,
    /// The value, up to 2,048 characters. It may be empty, and it may have several lines, as postal addresses do.
    pub value: String,
}

impl Attribute {
    /// Checks name and value; `field` names the attribute in the error.
    pub fn check(&self, field: &str) -> Result<()> {
        text::checked(&format!("{field}.name"), &self.name, MAX_ATTRIBUTE_NAME)?;
        text::checked_lines(&format!("{field}.value"), &self.value, MAX_ATTRIBUTE_VALUE)
    }
}

/// The record of a user, the subject of events, with the data that callers sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id of the user at the identity provider.
    pub id: UserId,
    /// The e-mail address as it was sent. It is unique in its pool, regardless of case; "no pool" counts as a pool too.
    pub email: Option<String>,
    /// The login name.
    pub username: Option<String>,
    /// The attributes, ordered by name. `email` is not among them.
    pub attributes: Vec<Attribute>,
    /// The region of the pool.
    pub region: Option<String>,
    /// The user pool.
    pub user_pool_id: Option<PoolId>,
    /// The status.
    pub status: UserStatus,
    /// Whether the user may log in to the application.
    pub enabled: bool,
    /// The time of the registration. The user counts in `create_saas_user` and in Cripsa's count on this day.
    pub registered_at: Timestamp,
    /// The time of the last change of the record.
    pub updated_at: Timestamp,
    /// The id of its entry in the ledger of creations. The entry stays when the record is removed.
    pub creation_id: CreationId,
}

impl User {
    /// The login name, or the id if the record has no login name.
    pub fn shown_name(&self) -> &str {
        self.username.as_deref().unwrap_or(self.id.as_str())
    }
}

/// A user's record as a caller sends it: always the whole record, because PUT replaces it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserDraft {
    /// The e-mail address.
    pub email: Option<String>,
    /// The login name.
    pub username: Option<String>,
    /// All attributes.
    pub attributes: Vec<Attribute>,
    /// The region. If absent, it is the region of the pool.
    pub region: Option<String>,
    /// The user pool.
    pub user_pool_id: Option<PoolId>,
    /// The status. If absent, it is [`UserStatus::Confirmed`].
    pub status: Option<UserStatus>,
    /// Whether the user may log in to the application. If absent, the user may.
    pub enabled: Option<bool>,
    /// The time of the registration. If absent, it stays unchanged, or is now for a new user.
    pub registered_at: Option<Timestamp>,
}

/// Checks an e-mail address as far as it matters here: it can be found again and distinguished from others.
///
/// Deliverability is not checked, because identity providers hold addresses of every kind. `field` names the address in
/// the error.
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

/// A user's membership of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The id of the tenant. The tenant need not have a record: Trailkeeper is not the authority on tenants.
    pub tenant_id: TenantId,
    /// The id of the user. The user need not have a record either.
    pub user_id: UserId,
    /// The time at which the membership began. It counts in `create_tenant_user` on this day.
    pub created_at: Timestamp,
    /// The id of its entry in the ledger of creations. The entry stays when the membership is removed.
    pub creation_id: CreationId,
}

/// The conditions of a list of users. Every condition that is present must hold.
///
/// A filter always contains the caller's [`Visibility`], so that no list can be read without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFilter {
    /// The tenants that the caller may see. If it is only one, the list shows only its members.
    pub visibility: Visibility,
    /// Only users with this e-mail address, compared by its [folded](crate::folding) form.
    pub email: Option<String>,
    /// Only users of this region.
    pub region: Option<String>,
    /// Only users of this pool.
    pub user_pool_id: Option<PoolId>,
}

impl UserFilter {
    /// All users that may be seen.
    pub fn within(visibility: Visibility) -> Self {
        Self { visibility, email: None, region: None, user_pool_id: None }
    }

    /// The users with this e-mail address in any case. The parameters are those by which the Cripsa contract names
    /// users.
    pub fn by_email(visibility: Visibility, email: &str, region: Option<String>, user_pool_id: Option<PoolId>) -> Self {
        Self { visibility, email: Some(email.to_owned()), region, user_pool_id }
    }
}

/// An e-mail address with several owners: users of one pool, or accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedEmail {
    /// The pool of the users; `None` for users without a pool and for accounts.
    pub user_pool_id: Option<PoolId>,
    /// The ids of the owners with the address of each, in ascending order of id.
    pub owners: Vec<(EmailOwner, String)>,
}

/// The owner of an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EmailOwner {
    /// A user.
    User(UserId),
    /// An account.
    Account(AccountId),
}

/// One change of one attribute of a user: its author, its time, and the old and new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeChange {
    /// The id of the user.
    pub user_id: UserId,
    /// The time of the change.
    pub changed_at: Timestamp,
    /// The name of the caller that made the change.
    pub changed_by: String,
    /// The name of the attribute.
    pub name: String,
    /// The value before the change; `None` if the attribute had no value.
    pub old_value: Option<String>,
    /// The value after the change; `None` if the change cleared the attribute.
    pub new_value: Option<String>,
}

#[cfg(test)]
mod tests;
