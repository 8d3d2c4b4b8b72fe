//! Targets of events.

/// On which object something was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// What kind of object, for example `invoice`.
    pub kind: Option<String>,
    /// Which one.
    pub id: Option<String>,
    /// Its name, for people.
    pub name: Option<String>,
}
