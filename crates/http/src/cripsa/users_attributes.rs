//! `PATCH /users/attributes`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use trailkeeper_domain::Result;
use trailkeeper_domain::json::JsonObject;
use trailkeeper_domain::usecase::{ChangeAttributes, change_attributes};
use trailkeeper_domain::user::{Attribute, PoolId};
use utoipa::ToSchema;

use super::error_responses::{BodyErrorResponses, ErrorResponses, UserErrorResponses};
use super::user_view::UserView;
use super::values;
use crate::api_error::ApiResult;
use crate::audit;
use crate::error_formats::Cripsa;
use crate::extract::body;
use crate::extract::caller::{Caller, ChangeUsers};
use crate::settings::MAX_BODY_BYTES;
use crate::state::AppState;

/// Whose attributes change, and how.
#[derive(Serialize, ToSchema)]
pub struct UpdateAttributesRequest {
    /// The user's e-mail address, in any case.
    #[schema(value_type = values::Email, inline)]
    email: String,
    /// What to set; attributes that are not named stay as they are.
    #[schema(min_items = 1, max_items = 100)]
    attributes: Vec<AttributeUpdate>,
    /// The user's region, where the e-mail address is in several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<values::Region>, inline)]
    region: Option<String>,
    /// The user's pool, where the e-mail address is in several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<values::UserPoolId>, inline)]
    user_pool_id: Option<String>,
}

/// One attribute to set or clear.
#[derive(Serialize, ToSchema)]
pub struct AttributeUpdate {
    /// Its name: `email` changes the e-mail address, `sub` cannot change.
    #[schema(value_type = values::AttributeName, inline)]
    name: String,
    /// Its value from now on; an empty one clears it.
    #[schema(value_type = values::AttributeValue, inline)]
    value: String,
}

impl UpdateAttributesRequest {
    fn sample() -> Self {
        let update = |name: &str, value: &str| AttributeUpdate { name: name.to_owned(), value: value.to_owned() };
        Self {
            email: "jane@example.com".to_owned(),
            attributes: vec![update("department", "sales"), update("nickname", "")],
            region: None,
            user_pool_id: Some("eu-west-1_aBcD12345".to_owned()),
        }
    }
}

/// User Attributes Update
///
/// Sets attributes of the user with this e-mail address, clears those with an empty value, and
/// answers the user as they are then. All or nothing. Who changed what from what to what, and when, is
/// kept. A credential that is confined to a tenant changes no users, as they are everyone's (403).
#[utoipa::path(
    patch, path = "/users/attributes", operation_id = "UpdateUserAttributes", tag = "users",
    request_body(content = UpdateAttributesRequest, example = json!(UpdateAttributesRequest::sample())),
    responses(
        (status = 200, description = "The user with the new attributes.", body = UserView,
            example = json!(UserView::sample())),
        ErrorResponses,
        UserErrorResponses,
        BodyErrorResponses,
    ),
    security(("Bearer" = [])),
)]
pub async fn update(
    caller: Caller<ChangeUsers, Cripsa>,
    request: HttpRequest,
    state: Data<AppState>,
    payload: Payload,
) -> ApiResult<Cripsa> {
    body::must_be_json(&request)?;
    let visibility = caller.principal.visibility();
    visibility.check_all_tenants()?;
    let body = body::read(&request, payload, MAX_BODY_BYTES).await?;
    let wanted = change_in(&body)?;
    audit::asked_in_body(&request, &scope_filter(&wanted));
    let user = caller.changing(&state, move |change| change_attributes(change, visibility, &wanted)).await?;
    Ok(HttpResponse::Ok().json(UserView::from(user)))
}

/// What the trail tells of whose attributes they are: as of a read by e-mail.
fn scope_filter(wanted: &ChangeAttributes) -> Vec<(&'static str, &str)> {
    let region = wanted.region.as_deref().map(|region| ("region", region));
    let pool = wanted.user_pool_id.as_ref().map(|pool| ("user_pool_id", pool.as_str()));
    [("email", wanted.email.as_str())].into_iter().chain(region).chain(pool).collect()
}

fn change_in(body: &[u8]) -> Result<ChangeAttributes> {
    let mut json = JsonObject::parse("an update of attributes", body)?;
    let an_email = "the user's e-mail address in quotes";
    let updates = "a list such as [{\"name\":\"department\",\"value\":\"sales\"}]";
    let change = ChangeAttributes {
        email: json.text("email", an_email)?.ok_or_else(|| json.missing("email", an_email))?,
        region: json.text("region", "a region in quotes, for example \"eu-west-1\"")?,
        user_pool_id: json.parsed(
            "user_pool_id",
            "a user pool in quotes, for example \"eu-west-1_aBcD12345\"",
            |field, pool| PoolId::parse(field, pool),
        )?,
        updates: json
            .objects("attributes", updates)?
            .ok_or_else(|| json.missing("attributes", updates))?
            .into_iter()
            .map(update_in)
            .collect::<Result<_>>()?,
    };
    json.finish(&["email", "attributes", "region", "user_pool_id"])?;
    Ok(change)
}

fn update_in(mut json: JsonObject) -> Result<Attribute> {
    let (a_name, a_value) = ("the attribute's name in quotes", "the attribute's value in quotes, \"\" to clear it");
    let update = Attribute {
        name: json.text("name", a_name)?.ok_or_else(|| json.missing("name", a_name))?,
        value: json.text("value", a_value)?.ok_or_else(|| json.missing("value", a_value))?,
    };
    json.finish(&["name", "value"])?;
    Ok(update)
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
