//! The analytic questions, as functions over the ports of `trailkeeper-domain`.
//!
//! - [`question`]: the questions and their answers. Each takes an [`Audience`] or [`EachTenant`], which contains the
//!   tenants that the caller may see.
//! - [`engine`]: makes, merges, reads, rebuilds and verifies the summaries from which most questions are answered.
//! - [`sheet`]: the summaries themselves; independent of any database.
//! - [`report`]: facts that callers report in addition to events.
//!
//! Errors name fields as the published API does.

// The macro that opens the store of a test names this crate.
#[cfg(test)]
extern crate self as trailkeeper_analytics;

pub mod engine;
pub mod question;
pub mod report;
pub mod sheet;
mod span;

pub use engine::{Audience, EachTenant, FoldCache};
pub use span::{Edge, Granularity, MAX_BUCKETS, Span, WeekStart, Zone};
