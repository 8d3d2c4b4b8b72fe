//! The fields that the index knows.

/// A field with posting lists: for each of its values, the positions of the events that have it.
///
/// The number is that in the format of runs. New dimensions take the next number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Dimension {
    /// The environment.
    Env = 1,
    /// The id of the type.
    Kind = 2,
    /// The outcome: 0 (success), 1 (failure) or 2 (unknown).
    Outcome = 3,
    /// The ordinal of the user.
    User = 4,
    /// The ordinal of the source address.
    Source = 5,
    /// The id of the counted page.
    Page = 6,
    /// The hash of the key of a page that counts as `(other)`.
    OtherPage = 7,
    /// The hash of the session's id.
    Session = 8,
    /// The hash of the target's type.
    TargetType = 9,
    /// The hash of the target's id.
    TargetId = 10,
    /// 1: the event is of the system tenant. Only in the runs of everyone.
    System = 11,
}

impl Dimension {
    /// All dimensions, in ascending order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Env,
        Self::Kind,
        Self::Outcome,
        Self::User,
        Self::Source,
        Self::Page,
        Self::OtherPage,
        Self::Session,
        Self::TargetType,
        Self::TargetId,
        Self::System,
    ];

    /// Whether values are hashes, which different texts may share.
    pub fn is_hashed(self) -> bool {
        matches!(self, Self::OtherPage | Self::Session | Self::TargetType | Self::TargetId)
    }
}

/// A field whose value can be read at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Column {
    /// The environment.
    Env = 1,
    /// The id of the type.
    Kind = 2,
    /// The outcome: 0 (success), 1 (failure) or 2 (unknown).
    Outcome = 3,
    /// The ordinal of the user.
    User = 4,
    /// The ordinal of the source address.
    Source = 5,
    /// The id of the counted page.
    Page = 6,
}
