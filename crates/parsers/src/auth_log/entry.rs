//! What a line says.

use trailkeeper_domain::time::Timestamp;

use crate::auth_log::message::Action;

/// The events of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The time of the line. Repeated messages have the time at which the last of them was written.
    pub at: Timestamp,
    /// Name of the machine.
    pub host: String,
    /// Id of the process, if the line has it.
    pub pid: Option<u32>,
    /// What happened.
    pub action: Action,
    /// How often it happened, at least once.
    pub count: u32,
}
