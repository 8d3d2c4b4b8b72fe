//! The list parameter `tenant_ids`, as published clients send it.

use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;

use crate::request::query::Query;

/// Reads the ids of tenants. Clients repeat the parameter (with or without an index in brackets, as the published PHP
/// client writes it), join the ids with commas in one parameter, or do both. An empty list (`tenant_ids=`, as some
/// clients write it) names no tenant and means all tenants, like a missing parameter.
pub fn read(query: &Query, name: &str) -> Result<Option<Vec<TenantId>>> {
    match query.list(name).as_slice() {
        [] | [""] => Ok(None),
        values => values.iter().map(|value| TenantId::parse(name, value)).collect::<Result<_>>().map(Some),
    }
}
