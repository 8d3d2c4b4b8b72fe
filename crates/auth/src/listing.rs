//! Lists of accounts and credentials, by id, page by page.

use trailkeeper_domain::cursor;
use trailkeeper_domain::id::parse_uuid;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

/// The largest page.
const MAX_PAGE: usize = 1000;

/// The id behind which a page begins. `kind` tells the lists apart.
pub(crate) fn after(kind: char, cursor: Option<&str>) -> Result<Option<Uuid>> {
    cursor.map(|cursor| parse_uuid("cursor", &cursor::decode("cursor", kind, cursor)?)).transpose()
}

/// Refuses pages that would be empty or unbounded.
pub(crate) fn checked_limit(limit: usize) -> Result<usize> {
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::invalid("limit", format!("{limit} is out of range; send 1 to {MAX_PAGE}")))
}

/// The id just before this one: a list behind it begins with this id, where it exists. `None` stands for
/// the beginning of the list.
pub(crate) fn just_before(id: Uuid) -> Option<Uuid> {
    id.as_u128().checked_sub(1).map(Uuid::from_u128)
}
