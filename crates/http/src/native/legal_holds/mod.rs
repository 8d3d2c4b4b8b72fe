//! Legal holds: events that nothing may remove.

mod get;
mod lift;
mod list;
mod place;
mod view;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![list::list_legal_holds, place::place_legal_hold, get::get_legal_hold, lift::lift_legal_hold]
}
