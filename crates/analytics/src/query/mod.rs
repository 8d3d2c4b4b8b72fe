//! The questions, one file each, and the two reports that feed them.

pub mod active_users;
pub mod behavior;
pub mod metrics;
pub mod page_statistics;
pub mod reports;
pub mod userinfo;
