//! Parsers of input that strangers send: to the server over HTTP, or to the command line in a file.
//!
//! They know no HTTP framework and no database, so that the server, the command line and the fuzz targets under `fuzz/`
//! run the same code. Each parser is total: any input gives a value or an error that names the fault, and memory
//! follows the limits, not the input.

pub mod access_log;
pub mod auth_log;
pub mod cloud_events;
pub mod derived_id;
mod details;
pub mod event_body;
pub mod forwarded;
pub mod gzip;
pub mod identity;
pub mod json_records;
pub mod lines;
pub mod otlp;
pub mod query;
