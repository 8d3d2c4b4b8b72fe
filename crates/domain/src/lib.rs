//! Trailkeeper's vocabulary: typed values, the ports that a database implements, and the use cases.
//!
//! This crate depends on no database, HTTP library or runtime, so that any Rust program can embed it. Time and
//! randomness are parameters ([`clock`]). Start reading at [`event`], [`ports`] and [`usecase::record_events`].

pub mod account;
pub mod activity;
pub mod address;
pub mod bucket;
pub mod bucket_store;
pub mod clock;
pub mod creation;
pub mod cursor;
pub mod deadline;
pub mod error;
pub mod event;
pub mod fact;
pub mod folding;
pub mod hex;
pub mod id;
pub mod indexed_event;
pub mod ingest;
pub mod json;
pub mod page;
pub mod ports;
pub mod retention;
pub mod scope;
pub mod stream;
pub mod tenant;
#[cfg(test)]
mod testing;
pub mod text;
pub mod throttle;
pub mod time;
pub mod usecase;
pub mod user;
pub mod visibility;

pub use error::{Error, ErrorDetail, Result};
