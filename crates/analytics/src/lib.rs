//! Every analytic question, as functions over the ports of `trailkeeper-domain`.
//!
//! Each question takes one read transaction, so that an answer is of one snapshot, and knows the
//! tenant that its asker is confined to, so that no route can forget it. Errors name the fields as
//! the published API does, because these questions are that API's.

pub mod engine;
pub mod question;
pub mod report;
pub mod sheet;
mod span;

pub use engine::{Audience, EachTenant, FoldCache};
pub use span::{Edge, Granularity, MAX_BUCKETS, Span, Zone};
