//! JSON from strangers: objects that are read field by field, and values that keep every digit.

mod canonical;
mod list;
mod number;
mod object;
mod value;
mod walk;

pub use canonical::canonical;
pub use list::Items;
pub use number::written_out;
pub use object::{A_TIME, JsonObject, MALFORMED_JSON};
pub use value::{JsonValue, compact, repaired, utf8_or_escapes, without_mark};
pub use walk::{Token, Walk, has_unique_keys};
