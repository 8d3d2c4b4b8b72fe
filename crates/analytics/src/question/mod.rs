//! The analytic questions, one module each; and the parts that several of them use.
//!
//! Every question runs in one read transaction, so that an answer is of one snapshot, and takes its [`Audience`] or
//! [`EachTenant`]: it counts no event that its caller may not see, and none of the system tenant. A question that only
//! one contract asks stands next to the general one about the same thing: [`active_users::tenants`] next to
//! [`active_users`].
//!
//! [`Audience`]: crate::Audience
//! [`EachTenant`]: crate::EachTenant

pub mod active_users;
pub mod behavior;
mod daily_counts;
mod local_periods;
pub mod logins;
pub mod metrics;
pub mod page_statistics;
pub mod profile;
pub mod ranking;
pub mod registrations;
pub mod retention;
mod series;
pub mod sources;
mod tally;
pub mod timeline;
pub mod traffic;
pub mod userinfo;

pub use daily_counts::TenantCounts;
pub use series::{Compared, Series, SeriesSpec};
