//! `PATCH /users/attributes`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
use trailkeeper_domain::Result;
use trailkeeper_domain::json::JsonObject;
use trailkeeper_domain::usecase::{ChangeAttributes, change_attributes};
use trailkeeper_domain::user::{Attribute, PoolId};
use utoipa::ToSchema;

use super::error_responses::{ChangeErrorResponses, ErrorResponses, UserErrorResponses};
use super::user_view::UserView;
use super::values;
use crate::api_error::ApiResult;
use crate::error_formats::Cripsa;
use crate::extract::caller::{Caller, ChangeUsers};
use crate::operation::{Body, FromBody, operation};
use crate::settings::MAX_BODY_BYTES;
use crate::state::AppState;

/// The user and the changes of the user's attributes.
#[derive(ToSchema, Body)]
#[body(name = "an update of attributes", max_bytes = MAX_BODY_BYTES)]
pub struct UpdateAttributesRequest {
    /// The user's e-mail address. Upper and lower case are the same.
    #[schema(value_type = values::Email, inline)]
    #[body(expected = "the user's e-mail address in quotes")]
    email: String,
    /// The attributes to set. Attributes that are not named stay as they are.
    #[schema(value_type = Vec<AttributeUpdate>, min_items = 1, max_items = 100)]
    #[body(with = updates)]
    attributes: Vec<Attribute>,
    /// The user's region. It is needed if the e-mail address is in several regions.
    #[schema(value_type = Option<values::Region>, inline)]
    #[body(expected = "a region in quotes, for example \"eu-west-1\"")]
    region: Option<String>,
    /// The user's pool. It is needed if the e-mail address is in several pools.
    #[schema(value_type = Option<values::UserPoolId>, inline)]
    #[body(with = pool)]
    user_pool_id: Option<PoolId>,
}

/// One attribute to set or clear.
#[derive(ToSchema, Body)]
#[body(name = "an attribute")]
pub struct AttributeUpdate {
    /// The name of the attribute. `email` changes the e-mail address; `sub` cannot change.
    #[schema(value_type = values::AttributeName, inline)]
    #[body(expected = "the attribute's name in quotes")]
    name: String,
    /// The new value. An empty value clears the attribute.
    #[schema(value_type = values::AttributeValue, inline)]
    #[body(expected = "the attribute's value in quotes, \"\" to clear it")]
    value: String,
}

impl From<AttributeUpdate> for Attribute {
    fn from(update: AttributeUpdate) -> Self {
        Self { name: update.name, value: update.value }
    }
}

impl UpdateAttributesRequest {
    fn sample() -> Value {
        json!({
            "email": "jane@example.com",
            "attributes": [{"name": "department", "value": "sales"}, {"name": "nickname", "value": ""}],
            "user_pool_id": "eu-west-1_aBcD12345",
        })
    }

    /// The conditions that the audit event keeps, as of a read by e-mail.
    fn conditions(&self) -> Vec<(&'static str, &str)> {
        let region = self.region.as_deref().map(|region| ("region", region));
        let pool = self.user_pool_id.as_ref().map(|pool| ("user_pool_id", pool.as_str()));
        [("email", self.email.as_str())].into_iter().chain(region).chain(pool).collect()
    }
}

impl From<UpdateAttributesRequest> for ChangeAttributes {
    fn from(input: UpdateAttributesRequest) -> Self {
        let UpdateAttributesRequest { email, attributes: updates, region, user_pool_id } = input;
        Self { email, region, user_pool_id, updates }
    }
}

fn pool(json: &mut JsonObject, name: &str) -> Result<Option<PoolId>> {
    json.parsed(name, "a user pool in quotes, for example \"eu-west-1_aBcD12345\"", |field, pool| {
        PoolId::parse(field, pool)
    })
}

fn updates(json: &mut JsonObject, name: &str) -> Result<Vec<Attribute>> {
    let expected = "a list such as [{\"name\":\"department\",\"value\":\"sales\"}]";
    let updates = json.required(name, expected, JsonObject::objects)?;
    updates.into_iter().map(|update| AttributeUpdate::read(update).map(Attribute::from)).collect()
}

/// User Attributes Update
///
/// Sets attributes of the user with this e-mail address, clears those with an empty value, and returns the changed
/// user. The server applies all changes or none. It keeps the author and the time of each change, with the old and the
/// new value. A credential that is scoped to a tenant cannot change users, because users belong to all tenants (403).
#[operation(patch, "/users/attributes", operation_id = "UpdateUserAttributes", tag = "users",
    unknown_parameters = "ignored",
    request_body(content = UpdateAttributesRequest, example = json!(UpdateAttributesRequest::sample())),
    responses(
        (status = 200, description = "The user with the new attributes.", body = UserView,
            example = json!(UserView::sample())),
        ErrorResponses,
        UserErrorResponses,
        ChangeErrorResponses,
    ))]
pub async fn update_user_attributes(
    caller: Caller<ChangeUsers, Cripsa>,
    FromBody(input): FromBody<UpdateAttributesRequest>,
    state: Data<AppState>,
) -> ApiResult<Cripsa> {
    caller.audit_conditions(&input.conditions());
    let (visibility, wanted) = (caller.principal.visibility(), ChangeAttributes::from(input));
    let user = caller.changing(&state, move |change| change_attributes(change, visibility, &wanted)).await?;
    Ok(HttpResponse::Ok().json(UserView::from(user)))
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::user::MAX_ATTRIBUTES;

    use super::*;

    #[test]
    fn the_documented_limit_is_the_real_one() {
        let document = serde_json::to_value(<UpdateAttributesRequest as utoipa::PartialSchema>::schema()).unwrap();
        assert_eq!(document["properties"]["attributes"]["maxItems"], MAX_ATTRIBUTES);
    }
}
