//! Access logs.

#[path = "../../../bins/trailkeeper/src/import/access_log/convert.rs"]
pub mod convert;
#[path = "../../../bins/trailkeeper/src/import/access_log/parse.rs"]
pub mod parse;
