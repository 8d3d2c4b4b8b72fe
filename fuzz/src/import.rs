//! Parsers of `bins/trailkeeper/src/import`, under the paths by which they know each other there.

pub mod access_log;
#[path = "../../bins/trailkeeper/src/import/lines.rs"]
pub mod lines;
