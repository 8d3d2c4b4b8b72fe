//! A user's record as readers see it. Every field is always present, and null if it is unknown.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::user::User;
use utoipa::ToSchema;

use crate::native::schemas;

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(example = UserView::sample)]
pub struct UserView {
    /// The identity provider's id.
    #[schema(value_type = schemas::UserId)]
    user_id: String,
    /// The e-mail address, as it was sent.
    #[schema(required, value_type = Option<schemas::Email>)]
    email: Option<String>,
    /// The login name.
    #[schema(required, value_type = Option<schemas::Username>)]
    username: Option<String>,
    /// Further attributes, by name.
    #[schema(value_type = schemas::Attributes)]
    attributes: BTreeMap<String, String>,
    /// The region of the pool.
    #[schema(required, value_type = Option<schemas::Region>)]
    region: Option<String>,
    /// The user pool.
    #[schema(required, value_type = Option<schemas::UserPoolId>)]
    user_pool_id: Option<String>,
    /// The status of the user's account.
    #[schema(value_type = schemas::AccountStatus)]
    status: &'static str,
    /// Whether the user may log in to the application.
    enabled: bool,
    /// The time of registration. The user counts as created on this day.
    #[schema(value_type = schemas::Instant)]
    registered_at: Timestamp,
    /// The time of the record's last change.
    #[schema(value_type = schemas::Instant)]
    updated_at: Timestamp,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            user_id: user.id.as_str().to_owned(),
            email: user.email,
            username: user.username,
            attributes: user.attributes.into_iter().map(|attribute| (attribute.name, attribute.value)).collect(),
            region: user.region,
            user_pool_id: user.user_pool_id.map(|pool| pool.as_str().to_owned()),
            status: user.status.as_str(),
            enabled: user.enabled,
            registered_at: user.registered_at,
            updated_at: user.updated_at,
        }
    }
}

impl UserView {
    /// The example of the documentation.
    pub fn sample() -> Value {
        let at = Timestamp::from_timestamp(1_769_860_800, 0).unwrap_or_default();
        json!(Self {
            user_id: "u-4711".to_owned(),
            email: Some("jane@example.com".to_owned()),
            username: Some("jane".to_owned()),
            attributes: BTreeMap::from([("department".to_owned(), "sales".to_owned())]),
            region: Some("eu-west-1".to_owned()),
            user_pool_id: Some("eu-west-1_aBcD12345".to_owned()),
            status: "CONFIRMED",
            enabled: true,
            registered_at: at,
            updated_at: at,
        })
    }
}
