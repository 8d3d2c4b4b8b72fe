//! The list parameter `type`.

use trailkeeper_domain::event::EventKind;
use trailkeeper_domain::{Error, Result};

use crate::extract::query::Query;

/// How many types one question may name.
const MAX_KINDS: usize = 50;

/// The event types named; none means all.
pub fn of(query: &Query) -> Result<Vec<EventKind>> {
    let names = query.list("type");
    if names.len() > MAX_KINDS {
        return Err(Error::invalid("type", format!("has {} types; at most {MAX_KINDS} are allowed", names.len())));
    }
    names.into_iter().map(|name| EventKind::parse("type", name)).collect()
}
