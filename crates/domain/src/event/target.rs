//! Targets of events.

/// The object of the action that an event records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// The type of the object, for example `invoice`.
    pub kind: Option<String>,
    /// The id of the object.
    pub id: Option<String>,
    /// The name of the object, for display.
    pub name: Option<String>,
}
