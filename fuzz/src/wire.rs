//! Parsers of `crates/http`.

#[path = "../../crates/http/src/extract/forwarded.rs"]
pub mod forwarded;
#[path = "../../crates/http/src/native/events/items.rs"]
pub mod items;
#[path = "../../crates/http/src/extract/query.rs"]
pub mod query;
