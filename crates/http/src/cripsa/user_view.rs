//! Users as this contract shows them.

use serde::Serialize;
use trailkeeper_domain::time::rfc3339;
use trailkeeper_domain::user::User;
use utoipa::ToSchema;

use super::values;

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// The login name; the user's id where none is known.
    username: String,
    /// The e-mail address; null where none is known.
    #[schema(required)]
    email: Option<String>,
    /// The user pool's region.
    #[schema(required)]
    region: Option<String>,
    /// The user pool.
    #[schema(required)]
    user_pool_id: Option<String>,
    /// The attributes, by name. The e-mail address has a field of its own and is not among them.
    attributes: Vec<AttributeView>,
    /// Whether the user may log in to the application.
    enabled: bool,
    /// The status of the account.
    #[schema(value_type = values::UserStatusName, inline)]
    user_status: &'static str,
    /// The time of registration.
    #[schema(value_type = values::Instant, inline)]
    user_create_date: String,
    /// The time of the record's last change.
    #[schema(value_type = values::Instant, inline)]
    user_last_modified_date: String,
}

/// One attribute of a user.
#[derive(Serialize, ToSchema)]
#[schema(as = Attribute)]
pub struct AttributeView {
    /// The name.
    name: String,
    /// The value.
    value: String,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            username: user.shown_name().to_owned(),
            email: user.email,
            region: user.region,
            user_pool_id: user.user_pool_id.map(|pool| pool.to_string()),
            attributes: user
                .attributes
                .into_iter()
                .map(|attribute| AttributeView { name: attribute.name, value: attribute.value })
                .collect(),
            enabled: user.enabled,
            user_status: user.status.as_str(),
            user_create_date: rfc3339(user.registered_at),
            user_last_modified_date: rfc3339(user.updated_at),
        }
    }
}

impl UserView {
    /// A user as the document shows it.
    pub fn sample() -> Self {
        Self {
            username: "jane".to_owned(),
            email: Some("jane@example.com".to_owned()),
            region: Some("eu-west-1".to_owned()),
            user_pool_id: Some("eu-west-1_aBcD12345".to_owned()),
            attributes: vec![AttributeView { name: "department".to_owned(), value: "sales".to_owned() }],
            enabled: true,
            user_status: "CONFIRMED",
            user_create_date: "2026-01-31T12:00:00Z".to_owned(),
            user_last_modified_date: "2026-07-23T10:36:37Z".to_owned(),
        }
    }
}
