//! What a check found.

use std::fmt;

use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{self, Timestamp};

use crate::engine::scope_name;
use crate::sheet::{Cell, CellKey, Facet};

/// How a sheet differs from the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A row cannot be read.
    Unreadable {
        /// Which one, and what is wrong with it.
        row: String,
    },
    /// There are sheets of a period in which nothing happened, or which should have none.
    Stray {
        /// Of whom.
        scope: Scope,
        /// How long the period is.
        level: Level,
        /// Which half they are.
        part: Part,
        /// Where it begins.
        start: Timestamp,
    },
    /// A cell counts something else than the events.
    Cell {
        /// Of whom.
        scope: Scope,
        /// How long the period is.
        level: Level,
        /// Where it begins.
        start: Timestamp,
        /// What is counted.
        cell: CellKey,
        /// What sheets and deltas say.
        sheets: Counts,
        /// What the events say. Where it is the same, the users or sources are others.
        events: Counts,
    },
}

/// What a cell counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events.
    pub count: u64,
    /// Distinct users or sources.
    pub distinct: u64,
}

impl Counts {
    /// Those of a cell; zeros where there is none.
    pub(super) fn of(cell: Option<&Cell>) -> Self {
        cell.map_or_else(Self::default, |cell| Self { count: cell.count, distinct: cell.set.len() as u64 })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { row } => f.write_str(row),
            Self::Stray { scope, level, part, start } => {
                let part = match part {
                    Part::Totals => "totals",
                    Part::Pages => "pages",
                };
                write!(f, "{}: sheets of {part} where there are no events", period(*scope, *level, *start))
            }
            Self::Cell { scope, level, start, cell, sheets, events } => {
                write!(f, "{}, {}: ", period(*scope, *level, *start), cell_name(*cell))?;
                let ids = id_noun(cell.facet);
                if sheets == events {
                    return write!(
                        f,
                        "same counts ({} events of {} {ids}), different {ids}",
                        events.count, events.distinct
                    );
                }
                let (a, b) = (sheets, events);
                write!(f, "the sheets have {} events of {} {ids}, ", a.count, a.distinct)?;
                write!(f, "the events themselves are {} of {}", b.count, b.distinct)
            }
        }
    }
}

fn period(scope: Scope, level: Level, start: Timestamp) -> String {
    format!("{}, {} {}", scope_name(scope), level.as_str(), time::rfc3339(start))
}

fn cell_name(cell: CellKey) -> String {
    match cell.facet {
        Facet::Views => format!("views of page {}", cell.id),
        Facet::AllViews => "all views".to_owned(),
        Facet::Active => format!("active in environment {}", cell.id),
        Facet::ActiveAll => "active".to_owned(),
        Facet::Kind => format!("event type {}", cell.id),
        Facet::Userinfo => "userinfo".to_owned(),
        Facet::Logins => "logins".to_owned(),
        Facet::FailedLogins => "failed logins".to_owned(),
        Facet::LoginSources => "sources of logins".to_owned(),
        Facet::FailedLoginSources => "sources of failed logins".to_owned(),
    }
}

fn id_noun(facet: Facet) -> &'static str {
    match facet {
        Facet::LoginSources | Facet::FailedLoginSources => "sources",
        _ => "users",
    }
}
