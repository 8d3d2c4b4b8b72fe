//! The subject, the period and the half of a sheet.

use chrono::{DateTime, Datelike, Months, TimeDelta, Utc};

use crate::id::TenantId;
use crate::time::{self, TimeRange, Timestamp};

/// The subject of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All tenants and the events outside any tenant, but not the system tenant.
    Everyone,
    /// One tenant. [`TenantId::NONE`] is the scope of the events outside any tenant.
    Tenant(TenantId),
}

impl Scope {
    /// The key of the scope in the database. The system tenant has no sheets, so its id stands for everyone; no
    /// customer can have it.
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

    /// The scope of a tenant, or everyone for `None`.
    pub fn of(tenant: Option<TenantId>) -> Self {
        tenant.map_or(Self::Everyone, Self::Tenant)
    }

    /// Whether the scope is one tenant or everyone.
    pub fn kind(self) -> ScopeKind {
        match self {
            Self::Everyone => ScopeKind::Everyone,
            Self::Tenant(_) => ScopeKind::Tenant,
        }
    }
}

/// Whether the subject of a sheet is one tenant or everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// All tenants and the events outside any tenant.
    Everyone,
    /// One tenant.
    Tenant,
}

impl ScopeKind {
    /// The levels whose sheets are complete at any time, coarsest first. A tenant has no hour sheets: they would be many and
    /// small.
    pub fn levels(self) -> &'static [Level] {
        match self {
            Self::Everyone => &[Level::Month, Level::Day, Level::Hour],
            Self::Tenant => &[Level::Month, Level::Day],
        }
    }

    /// The finest level that has sheets. Pieces of a range that fill no such period are answered from events.
    pub fn finest(self) -> Level {
        match self {
            Self::Everyone => Level::Hour,
            Self::Tenant => Level::Day,
        }
    }
}

/// The length of a sheet's period, in UTC. Longer ones are greater.
///
/// The discriminants are stored in the database.
///
/// ```
/// use trailkeeper_domain::scope::Level;
/// use trailkeeper_domain::time::{parse_rfc3339, rfc3339};
///
/// let month = Level::Month.range(Level::Month.floor(parse_rfc3339("at", "2024-02-29T12:34:56Z")?));
/// assert_eq!((rfc3339(month.start), rfc3339(month.end)), ("2024-02-01T00:00:00Z".into(), "2024-03-01T00:00:00Z".into()));
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// A full hour.
    Hour = 1,
    /// A calendar day.
    Day = 2,
    /// A calendar month.
    Month = 3,
    /// Three calendar months, from January, April, July or October on.
    Quarter = 4,
    /// A calendar year.
    Year = 5,
}

impl Level {
    /// All levels, shortest first.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Month, Self::Quarter, Self::Year];

    /// The levels whose sheets are complete at any time, shortest first: merging writes them.
    pub const MERGED: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// The levels whose sheets are made of those of months, when a period is over, shortest first. Only everyone has them,
    /// and each may be missing.
    pub const LONG: [Self; 2] = [Self::Quarter, Self::Year];

    /// The code in the database.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The level with this code.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }

    /// The name, for messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The number of calendar months of a period; `None` for a part of a month.
    fn months(self) -> Option<u32> {
        match self {
            Self::Hour | Self::Day => None,
            Self::Month => Some(1),
            Self::Quarter => Some(3),
            Self::Year => Some(12),
        }
    }

    /// The first instant of the period that contains `at`.
    pub fn floor(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Hour => {
                let hour = at.timestamp().div_euclid(3_600) * 3_600;
                DateTime::from_timestamp(hour, 0).unwrap_or(DateTime::<Utc>::MIN_UTC)
            }
            Self::Day => time::midnight(at.date_naive()),
            Self::Month | Self::Quarter | Self::Year => {
                let month = time::month_of(at.date_naive());
                let inside = self.months().map_or(0, |months| month.month0() % months);
                time::midnight(month.checked_sub_months(Months::new(inside)).unwrap_or(month))
            }
        }
    }

    /// The first instant after the period that begins at `start`; `None` beyond chrono's calendar.
    pub fn end(self, start: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Hour => start.checked_add_signed(TimeDelta::hours(1)),
            Self::Day => start.checked_add_signed(TimeDelta::days(1)),
            Self::Month | Self::Quarter | Self::Year => start.checked_add_months(Months::new(self.months()?)),
        }
    }

    /// Whether a period begins at exactly this instant.
    pub fn begins(self, at: Timestamp) -> bool {
        let second = at.timestamp();
        let whole = at.timestamp_subsec_nanos() == 0;
        match self {
            Self::Hour => whole && second.rem_euclid(3_600) == 0,
            Self::Day => whole && second.rem_euclid(86_400) == 0,
            Self::Month | Self::Quarter | Self::Year => {
                whole
                    && second.rem_euclid(86_400) == 0
                    && at.day() == 1
                    && self.months().is_some_and(|months| at.month0().is_multiple_of(months))
            }
        }
    }

    /// The period that begins at `start`, as a range.
    pub fn range(self, start: Timestamp) -> TimeRange {
        TimeRange { start, end: self.end(start).unwrap_or(DateTime::<Utc>::MAX_UTC) }
    }
}

/// One of the two halves of a sheet. They are stored separately, so that questions about totals never read the pages.
///
/// The discriminants are stored in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Part {
    /// Everything except the pages: small.
    Totals = 1,
    /// The pages: most of the bytes.
    Pages = 2,
}

impl Part {
    /// Both parts.
    pub const ALL: [Self; 2] = [Self::Totals, Self::Pages];

    /// The code in the database.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The part with this code.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at: &str) -> Timestamp {
        time::parse_rfc3339("at", at).unwrap()
    }

    #[test]
    fn everyone_has_the_key_of_the_system_tenant() {
        let tenant = TenantId(uuid::Uuid::from_u128(7));
        for (scope, key) in [
            (Scope::Everyone, TenantId::SYSTEM),
            (Scope::Tenant(TenantId::NONE), TenantId::NONE),
            (Scope::Tenant(tenant), tenant),
        ] {
            assert_eq!((scope.key(), Scope::of_key(key)), (key, scope));
        }
        assert_eq!((Scope::of(None), Scope::of(Some(tenant))), (Scope::Everyone, Scope::Tenant(tenant)));
    }

    #[test]
    fn only_everyone_has_hours_and_the_finest_level_is_the_last() {
        for (kind, hours) in [(ScopeKind::Everyone, true), (ScopeKind::Tenant, false)] {
            assert_eq!(kind.levels().contains(&Level::Hour), hours);
            assert!(kind.levels().is_sorted_by(|a, b| a > b), "coarsest first");
            assert_eq!(kind.levels().last(), Some(&kind.finest()));
        }
    }

    #[test]
    fn codes_are_those_in_databases_and_lead_back() {
        assert_eq!(Level::ALL.map(Level::code), [1, 2, 3, 4, 5]);
        assert_eq!(Part::ALL.map(Part::code), [1, 2]);
        for level in Level::ALL {
            assert_eq!(Level::of_code(level.code()), Some(level));
        }
        for part in Part::ALL {
            assert_eq!(Part::of_code(part.code()), Some(part));
        }
        assert_eq!((Level::of_code(0), Level::of_code(6), Part::of_code(3)), (None, None, None));
    }

    #[test]
    fn a_period_contains_its_start_and_ends_where_the_next_begins() {
        for (level, inside, start, end) in [
            (Level::Hour, "2026-01-31T23:59:59.999999Z", "2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z"),
            (Level::Day, "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
            (Level::Month, "2024-02-29T12:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            (Level::Month, "2026-12-31T23:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            (Level::Quarter, "2026-03-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            (Level::Quarter, "2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            (Level::Year, "2024-02-29T12:00:00Z", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
        ] {
            assert_eq!(level.floor(at(inside)), at(start), "{level:?}");
            assert_eq!(level.range(at(start)), TimeRange { start: at(start), end: at(end) }, "{level:?}");
            assert_eq!(level.floor(at(end)), at(end), "the end is the start of the next period");
            assert!(level.begins(at(start)) && level.begins(at(end)), "{level:?}");
        }
    }

    #[test]
    fn periods_begin_at_whole_hours_days_months_quarters_and_years() {
        for (instant, longest) in [
            ("2026-01-01T00:00:00Z", Some(Level::Year)),
            ("2026-04-01T00:00:00Z", Some(Level::Quarter)),
            ("2026-10-01T00:00:00Z", Some(Level::Quarter)),
            ("2026-02-01T00:00:00Z", Some(Level::Month)),
            ("2026-04-02T00:00:00Z", Some(Level::Day)),
            ("2026-04-01T01:00:00Z", Some(Level::Hour)),
            ("2026-01-01T00:00:00.000001Z", None),
            ("2026-01-01T00:00:01Z", None),
        ] {
            for level in Level::ALL {
                assert_eq!(level.begins(at(instant)), Some(level) <= longest, "{instant}: {level:?}");
            }
        }
    }

    #[test]
    fn times_before_1970_round_down_too() {
        let before = DateTime::from_timestamp(-1, 0).unwrap();
        assert_eq!(Level::Hour.floor(before), DateTime::from_timestamp(-3_600, 0).unwrap());
        assert_eq!(Level::Day.floor(before), DateTime::from_timestamp(-86_400, 0).unwrap());
        assert!(Level::Hour.begins(DateTime::from_timestamp(-3_600, 0).unwrap()));
    }

    #[test]
    fn the_calendar_ends() {
        assert_eq!(Level::ALL.map(|level| level.end(DateTime::<Utc>::MAX_UTC)), [None; 5]);
        assert_eq!(Level::Month.range(DateTime::<Utc>::MAX_UTC).end, DateTime::<Utc>::MAX_UTC);
    }
}
