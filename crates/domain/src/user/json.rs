//! Users' records as JSON, in one place for `PUT /v1/users/{user_id}` and `import users`.

use crate::error::{Error, Result};
use crate::json::{A_TIME, JsonObject, JsonValue};
use crate::user::{Attribute, PoolId, UserDraft, UserStatus};
use crate::{text, time};

impl UserDraft {
    /// The fields of a record, in the order of the documentation.
    pub const FIELDS: [&str; 8] =
        ["email", "username", "attributes", "region", "user_pool_id", "status", "enabled", "registered_at"];

    /// Takes the record's fields out of an object. The object may have other fields, so the caller takes those and
    /// calls [`JsonObject::finish`].
    pub fn take_from(json: &mut JsonObject) -> Result<Self> {
        Ok(Self {
            email: json.text("email", "name@host in quotes")?,
            username: json.text("username", "the login name in quotes")?,
            attributes: json
                .object("attributes", "an object such as {\"department\":\"sales\"}")?
                .map_or(Ok(Vec::new()), attributes)?,
            region: json.text("region", "a region such as \"eu-west-1\"")?,
            user_pool_id: json.parsed("user_pool_id", "a pool such as \"eu-west-1_aBcD12345\"", |field, pool| {
                PoolId::parse(field, pool)
            })?,
            status: json.parsed("status", "a status such as \"CONFIRMED\"", UserStatus::parse)?,
            enabled: json.boolean("enabled")?,
            registered_at: json.parsed("registered_at", A_TIME, time::parse_rfc3339)?,
        })
    }
}

fn attributes(named: JsonObject) -> Result<Vec<Attribute>> {
    named
        .into_fields()
        .into_iter()
        .map(|(name, value)| match value {
            JsonValue::Text(value) => Ok(Attribute { name, value }),
            other => Err(Error::invalid(
                format!("attributes.{}", text::shown(&name)),
                format!("{} is not a text; send the value in quotes", text::shown(&other.to_string())),
            )),
        })
        .collect()
}
