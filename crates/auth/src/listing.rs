//! Pagination of the lists of accounts, credentials and sessions.

use trailkeeper_domain::cursor;
use trailkeeper_domain::id::parse_uuid;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

/// The largest page, in items.
const MAX_PAGE: usize = 1000;

/// The longest name of a credential, in characters.
pub(crate) const MAX_NAME: usize = 128;

/// The id of the last item of the page before; `None` for the first page. `kind` is the mark of the list's cursors.
pub(crate) fn start_after(kind: char, cursor: Option<&str>) -> Result<Option<Uuid>> {
    cursor.map(|cursor| parse_uuid("cursor", &cursor::decode("cursor", kind, cursor)?)).transpose()
}

/// Checks the size of a page: 1 to [`MAX_PAGE`] items.
pub(crate) fn checked_limit(limit: usize) -> Result<usize> {
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::invalid("limit", format!("{limit} is out of range; send 1 to {MAX_PAGE}")))
}
