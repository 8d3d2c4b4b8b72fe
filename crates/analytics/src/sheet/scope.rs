//! Whom a sheet is about, and over how long.

use chrono::{DateTime, Datelike, Months, TimeDelta, Utc};
use trailkeeper_domain::time::{self, TimeRange, Timestamp};

/// Whether a sheet is about one tenant or about everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// All tenants, and what happened outside any.
    Everyone,
    /// One tenant.
    Tenant,
}

impl ScopeKind {
    /// The periods that have sheets, coarsest first. A tenant's hours would be too many small sheets.
    pub fn levels(self) -> &'static [Level] {
        match self {
            Self::Everyone => &[Level::Month, Level::Day, Level::Hour],
            Self::Tenant => &[Level::Month, Level::Day],
        }
    }

    /// The shortest period that has sheets: what does not fill one is answered from events.
    pub fn finest(self) -> Level {
        match self {
            Self::Everyone => Level::Hour,
            Self::Tenant => Level::Day,
        }
    }
}

/// The period of a sheet, in UTC. Longer ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// A calendar month.
    Month,
}

impl Level {
    /// The first instant of the period that holds `at`.
    pub fn floor(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Hour => {
                let hour = at.timestamp().div_euclid(3_600) * 3_600;
                DateTime::from_timestamp(hour, 0).unwrap_or(DateTime::<Utc>::MIN_UTC)
            }
            Self::Day => time::midnight(at.date_naive()),
            Self::Month => time::midnight(time::month_of(at.date_naive())),
        }
    }

    /// The first instant after the period that begins at `start`; `None` past the end of chrono's calendar.
    pub fn end(self, start: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Hour => start.checked_add_signed(TimeDelta::hours(1)),
            Self::Day => start.checked_add_signed(TimeDelta::days(1)),
            Self::Month => start.checked_add_months(Months::new(1)),
        }
    }

    /// Whether a period begins at exactly this instant.
    pub fn begins(self, at: Timestamp) -> bool {
        let second = at.timestamp();
        let whole = at.timestamp_subsec_nanos() == 0;
        match self {
            Self::Hour => whole && second.rem_euclid(3_600) == 0,
            Self::Day => whole && second.rem_euclid(86_400) == 0,
            Self::Month => whole && second.rem_euclid(86_400) == 0 && at.day() == 1,
        }
    }

    /// The period that begins at `start`, as a range.
    pub fn range(self, start: Timestamp) -> TimeRange {
        TimeRange { start, end: self.end(start).unwrap_or(DateTime::<Utc>::MAX_UTC) }
    }
}
