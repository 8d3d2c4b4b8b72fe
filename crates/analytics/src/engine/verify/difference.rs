//! The findings of a verification.

use std::fmt;

use trailkeeper_domain::ports::{IdFault, MissingName, PostingRunKey};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::{self, Timestamp};

use crate::engine::postings::run_name;
use crate::engine::scope_name;
use crate::sheet::{Cell, CellKey, Facet};

/// A difference of sheets, or of the index of events, from the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A row cannot be read.
    Unreadable {
        /// The row and its error.
        row: String,
    },
    /// Events refer to a name that its dictionary does not have.
    MissingName(MissingName),
    /// Events may not be found by their ids, and could be stored twice.
    Id(IdFault),
    /// An event of a waiting delta is not as in its row.
    Column {
        /// The number of the delta.
        delta: i64,
        /// The number of the event.
        event: i64,
        /// Whether the event has a row.
        has_row: bool,
    },
    /// A period without events has sheets.
    Stray {
        /// The scope of the sheets.
        scope: Scope,
        /// The level of the period.
        level: Level,
        /// The half that the sheets are.
        part: Part,
        /// The start of the period.
        start: Timestamp,
    },
    /// The counts of all tenants in a period are not those of its sheets.
    TenantCounts {
        /// The level of the period.
        level: Level,
        /// The start of the period.
        start: Timestamp,
    },
    /// The sheets of everyone's quarter or year are not those of its months.
    LongSheets {
        /// The level of the period.
        level: Level,
        /// The start of the period.
        start: Timestamp,
    },
    /// A cell of a period differs from the events.
    Cell {
        /// The scope of the sheets.
        scope: Scope,
        /// The level of the period.
        level: Level,
        /// The start of the period.
        start: Timestamp,
        /// The cell.
        cell: CellKey,
        /// The counts of the sheets and deltas.
        sheets: Counts,
        /// The counts of the events. If they equal those of the sheets, the users or sources are different ones.
        events: Counts,
    },
    /// A run of the index of events is not what the rows of its events give.
    Run {
        /// The run.
        key: PostingRunKey,
        /// What is wrong.
        mismatch: Mismatch,
    },
    /// Events of a waiting delta are in a run already, or in another delta.
    Delta {
        /// The number of the delta.
        number: i64,
        /// What is wrong.
        mismatch: Mismatch,
    },
    /// Events are in no run and no waiting delta of a scope.
    NotIndexed {
        /// The scope.
        scope: Scope,
        /// The start of their month.
        month: Timestamp,
        /// The events.
        events: SomeEvents,
    },
}

/// What is wrong with a run of the index of events, or with a waiting delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// The number of events is not the one of the run's row.
    Count {
        /// The number in the row.
        listed: u32,
        /// The number in the run.
        events: u32,
    },
    /// There are no rows of these events.
    WithoutRow(SomeEvents),
    /// Another run or delta has these events too.
    Twice(SomeEvents),
    /// These events have other fields than their rows.
    Different(SomeEvents),
    /// The events are right, and this page is not the one that they give.
    Page(u32),
    /// The events and the pages are right, and the header is not the one that they give.
    Header,
}

/// Some events: their count, and one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SomeEvents {
    /// Their count.
    pub count: u64,
    /// The least number of them.
    pub first: i64,
}

impl SomeEvents {
    /// Adds the event with this number.
    pub(super) fn add(&mut self, seq: i64) {
        self.first = if self.count == 0 { seq } else { self.first.min(seq) };
        self.count += 1;
    }
}

impl fmt::Display for SomeEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events (seq {} is the first)", self.count, self.first)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { listed, events } => write!(f, "its row says {listed} events, and it has {events}"),
            Self::WithoutRow(events) => write!(f, "{events} have no rows"),
            Self::Twice(events) => write!(f, "{events} are in another run or delta too"),
            Self::Different(events) => write!(f, "{events} differ from their rows"),
            Self::Page(page) => write!(f, "page {page} is not the one that its events give"),
            Self::Header => f.write_str("the header is not the one that its events give"),
        }
    }
}

/// The counts of a cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of events.
    pub count: u64,
    /// The number of distinct users or sources.
    pub distinct: u64,
}

impl Counts {
    /// The counts of a cell; zeros without one.
    pub(super) fn of(cell: Option<&Cell>) -> Self {
        cell.map_or_else(Self::default, |cell| Self { count: cell.count, distinct: cell.set.len() as u64 })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { row } | Self::Id(IdFault::Unreadable(row)) => f.write_str(row),
            Self::MissingName(MissingName { field, table, number, events, first: (at, id) }) => write!(
                f,
                "table {table} has no row {number}, the {} of {events} events, first of the event {id} at {}",
                field.as_str(),
                time::rfc3339(*at)
            ),
            Self::Id(IdFault::Gap { after, until }) => {
                write!(f, "the ids of the events after number {after} up to {until} are in no run of ids, or in two")
            }
            Self::Id(IdFault::Lost { seq, id }) => write!(f, "the event {id} (number {seq}) is not in its run of ids"),
            Self::Id(IdFault::Extra { entries }) => {
                write!(f, "the runs of ids have {entries} more entries than events")
            }
            Self::Column { delta, event, has_row: true } => {
                write!(f, "delta {delta}: event {event} differs from its row")
            }
            Self::Column { delta, event, has_row: false } => write!(f, "delta {delta}: event {event} has no row"),
            Self::Stray { scope, level, part, start } => {
                let part = match part {
                    Part::Totals => "totals",
                    Part::Pages => "pages",
                };
                write!(f, "{}: sheets of {part}, but no events", period(*scope, *level, *start))
            }
            Self::TenantCounts { level, start } => write!(
                f,
                "counts of all tenants, {} {}: they are not those of the sheets",
                level.as_str(),
                time::rfc3339(*start)
            ),
            Self::LongSheets { level, start } => write!(
                f,
                "sheets of everyone, {} {}: they are not those of its months",
                level.as_str(),
                time::rfc3339(*start)
            ),
            Self::Run { key, mismatch } => write!(f, "{}: {mismatch}", run_name(*key)),
            Self::Delta { number, mismatch } => write!(f, "delta {number}: {mismatch}"),
            Self::NotIndexed { scope, month, events } => {
                let period = period(*scope, Level::Month, *month);
                write!(f, "{period}: no posting run and no waiting delta has {events}")
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
                write!(f, "the recount has {} of {}", b.count, b.distinct)
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
