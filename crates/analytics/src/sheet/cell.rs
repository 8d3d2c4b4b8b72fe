//! What a sheet counts: facets, the keys of cells, cells.

use trailkeeper_domain::scope::Part;

use super::set::IdSet;

/// What a cell counts and whose ordinals its set holds.
///
/// The numbers are those on disk: never give one a new meaning, never use one twice. A new facet takes
/// the next number; a program that does not know it refuses the sheet rather than answer without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Facet {
    /// Per page: its views, whatever their outcome, and the users who had them.
    Views = 1,
    /// Views and users over all pages.
    AllViews = 2,
    /// Per environment: events of users that did not fail, and the active users. Tenants only.
    Active = 3,
    /// The same over all environments.
    ActiveAll = 4,
    /// Per event type: events and their users.
    Kind = 5,
    /// Calls of userinfo and their users.
    Userinfo = 6,
    /// Successful logins and their users.
    Logins = 7,
    /// Refused logins and their users.
    FailedLogins = 8,
    /// Successful logins and their sources: the set holds ordinals of sources.
    LoginSources = 9,
    /// Refused logins and their sources: the set holds ordinals of sources.
    FailedLoginSources = 10,
}

impl Facet {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Views,
        Self::AllViews,
        Self::Active,
        Self::ActiveAll,
        Self::Kind,
        Self::Userinfo,
        Self::Logins,
        Self::FailedLogins,
        Self::LoginSources,
        Self::FailedLoginSources,
    ];

    /// The number on disk.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The facet with this number on disk, if we know it.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|facet| facet.code() == code)
    }

    /// In which half of a sheet it is kept.
    pub fn part(self) -> Part {
        if self == Self::Views { Part::Pages } else { Part::Totals }
    }

    /// Whether there is one cell at most, with id 0.
    pub fn is_single(self) -> bool {
        !matches!(self, Self::Views | Self::Active | Self::Kind)
    }
}

/// Which cell of a sheet. Ordered by facet, then by id, as on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// What is counted.
    pub facet: Facet,
    /// Of which page, environment or type; 0 where the facet has one cell.
    pub id: u64,
}

impl CellKey {
    /// The key of one of many cells of a facet.
    pub fn new(facet: Facet, id: u64) -> Self {
        Self { facet, id }
    }

    /// The key of the only cell of a facet.
    pub fn single(facet: Facet) -> Self {
        Self { facet, id: 0 }
    }
}

/// How many events, and of how many distinct users or sources.
///
/// Inside a sheet `1 <= count` and `set.len() <= count`: each id was brought by an event. The codec
/// relies on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// Events, those without a user included.
    pub count: u64,
    /// The distinct ordinals.
    pub set: IdSet,
}

impl Cell {
    /// Adds what another cell of the same key counted in other events.
    pub fn merge(&mut self, other: &Self) {
        // Saturating keeps the sum associative; 2^64 events come from a forged payload alone.
        self.count = self.count.saturating_add(other.count);
        self.set.unite(&other.set);
    }
}
