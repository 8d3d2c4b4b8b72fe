//! Lists of accounts, credentials and sessions, by id, page by page.

use trailkeeper_domain::cursor;
use trailkeeper_domain::id::parse_uuid;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

/// The largest page.
const MAX_PAGE: usize = 1000;

/// The longest name of a credential, in characters.
pub(crate) const MAX_NAME: usize = 128;

/// The id behind which a page begins. `kind` tells the lists apart.
pub(crate) fn beyond(kind: char, cursor: Option<&str>) -> Result<Option<Uuid>> {
    cursor.map(|cursor| parse_uuid("cursor", &cursor::decode("cursor", kind, cursor)?)).transpose()
}

/// Refuses pages that would be empty or unbounded.
pub(crate) fn checked_limit(limit: usize) -> Result<usize> {
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::invalid("limit", format!("{limit} is out of range; send 1 to {MAX_PAGE}")))
}
