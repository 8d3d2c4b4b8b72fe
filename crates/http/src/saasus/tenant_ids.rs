//! The list parameter `tenant_ids`, as published clients send it.

use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;

use crate::request::query::Query;

/// The tenants named, by repeated parameters (with or without an index in brackets, as the published
/// PHP client writes it), by one joined with commas, or both. An empty list (`tenant_ids=`, as some
/// clients write it) names none and means all, like no parameter at all.
pub fn read(query: &Query, name: &str) -> Result<Option<Vec<TenantId>>> {
    match query.list(name).as_slice() {
        [] | [""] => Ok(None),
        values => values.iter().map(|value| TenantId::parse(name, value)).collect::<Result<_>>().map(Some),
    }
}
