//! Exports of events.

mod body;
pub mod get;
mod params;
