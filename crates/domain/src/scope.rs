//! Whom a summary is about, over how long, and which half of it.

use chrono::{DateTime, Datelike, Months, TimeDelta, Utc};

use crate::id::TenantId;
use crate::time::{self, TimeRange, Timestamp};

/// Whom a sheet is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All tenants, and what happened outside any; never the system tenant.
    Everyone,
    /// One tenant. [`TenantId::NONE`] is the scope of what happened outside any.
    Tenant(TenantId),
}

impl Scope {
    /// The key under which a database keeps it. The system tenant has no sheets of its own, so its id
    /// is free to stand for everyone; no customer can have it.
    pub fn key(self) -> TenantId {
        match self {
            Self::Everyone => TenantId::SYSTEM,
            Self::Tenant(tenant) => tenant,
        }
    }

    /// The scope with this key.
    pub fn of_key(key: TenantId) -> Self {
        if key == TenantId::SYSTEM { Self::Everyone } else { Self::Tenant(key) }
    }

    /// The scope of one tenant, or of everyone where there is none.
    pub fn of(tenant: Option<TenantId>) -> Self {
        tenant.map_or(Self::Everyone, Self::Tenant)
    }

    /// Whether it is one tenant or everyone.
    pub fn kind(self) -> ScopeKind {
        match self {
            Self::Everyone => ScopeKind::Everyone,
            Self::Tenant(_) => ScopeKind::Tenant,
        }
    }
}

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
///
/// The numbers are those in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// From one full hour to the next.
    Hour = 1,
    /// From midnight to midnight.
    Day = 2,
    /// A calendar month.
    Month = 3,
}

impl Level {
    /// All of them, shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// The number in the database.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The level with this number.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

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

/// The two halves of a sheet, kept apart so that a question about totals never reads the pages.
///
/// The numbers are those in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Part {
    /// Everything but the pages: small.
    Totals = 1,
    /// The pages: most of the bytes.
    Pages = 2,
}

impl Part {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Totals, Self::Pages];

    /// The number in the database.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The part with this number.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.code() == code)
    }
}
