//! Facets, the keys of cells, and cells.

use trailkeeper_domain::scope::Part;
use trailkeeper_postings::dimension::Column;

use super::set::IdSet;

/// The kind of a cell: which events it counts, and whether its set holds users or sources.
///
/// The numbers are those on disk: never change the meaning of one, and never use one twice. A new facet takes the next
/// number. A program that does not know a facet rejects the sheet instead of answering without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Facet {
    /// Per page: its views, failed ones included, and their users.
    Views = 1,
    /// Views and users over all pages.
    AllViews = 2,
    /// Per environment: events of users that did not fail, and the active users. Tenants only.
    Active = 3,
    /// Events of users that did not fail, and the active users, over all environments.
    ActiveAll = 4,
    /// Per event type: events and their users.
    Kind = 5,
    /// Events of type `userinfo` and their users.
    Userinfo = 6,
    /// Successful logins and their users.
    Logins = 7,
    /// Failed logins and their users.
    FailedLogins = 8,
    /// Successful logins and their sources: the set holds ordinals of sources.
    LoginSources = 9,
    /// Failed logins and their sources: the set holds ordinals of sources.
    FailedLoginSources = 10,
}

impl Facet {
    /// All facets, in the order of their numbers.
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

    /// The facet with this number on disk; `None` for an unknown one.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|facet| facet.code() == code)
    }

    /// The half of a sheet that contains it.
    pub fn part(self) -> Part {
        if self == Self::Views { Part::Pages } else { Part::Totals }
    }

    /// The columns of an event by which it counts.
    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Self::Views | Self::AllViews => &[Column::Page, Column::User],
            Self::Active => &[Column::Env, Column::Kind, Column::Outcome, Column::User],
            Self::ActiveAll => &[Column::Kind, Column::Outcome, Column::User],
            Self::Kind | Self::Userinfo | Self::Logins | Self::FailedLogins => &[Column::Kind, Column::User],
            Self::LoginSources | Self::FailedLoginSources => &[Column::Kind, Column::Source],
        }
    }

    /// Whether the facet has at most one cell, with id 0.
    pub fn is_single(self) -> bool {
        !matches!(self, Self::Views | Self::Active | Self::Kind)
    }
}

/// The key of a cell. Ordered by facet, then by id, as on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// The facet.
    pub facet: Facet,
    /// The id of the page, environment or type; 0 for a facet with one cell.
    pub id: u64,
}

impl CellKey {
    /// The key of a cell of a facet with many cells.
    pub fn new(facet: Facet, id: u64) -> Self {
        Self { facet, id }
    }

    /// The key of the only cell of a facet with one cell.
    pub fn single(facet: Facet) -> Self {
        Self { facet, id: 0 }
    }
}

/// A number of events, and the distinct users or sources of those events that name one.
///
/// In a sheet `1 <= count` and `set.len() <= count`, because each id comes from an event. The codec relies on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// The number of events, including those without a user or source.
    pub count: u64,
    /// The distinct ordinals.
    pub set: IdSet,
}

impl Cell {
    /// Adds another cell of the same key, which counts other events.
    pub fn merge(&mut self, other: &Self) {
        // Saturating keeps the sum associative; only a forged payload can reach 2^64 events.
        self.count = self.count.saturating_add(other.count);
        self.set.unite(&other.set);
    }
}
