//! Audit events of reads, changes and reports by people.

pub mod changes;
pub mod reads;
mod reports;
mod visibility;
