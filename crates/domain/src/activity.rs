//! Questions about active users, and the values of reported numbers and behaviour histories.

use chrono::NaiveDate;

use crate::error::{Error, Result};
use crate::id::{EnvId, TenantId};
use crate::text;
use crate::time::{self, TimeRange, Timestamp};

/// The length of the periods in which active users are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// Days, of UTC or of another time zone.
    Daily,
    /// Months, of UTC or of another time zone.
    Monthly,
}

impl Period {
    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Monthly => "monthly",
        }
    }

    /// Parses the name; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        [Self::Daily, Self::Monthly].into_iter().find(|period| period.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!("'{}' is not a kind of active users; send daily or monthly", text::shown(value)),
            )
        })
    }

    /// Parses a day for [`Period::Daily`] or a month for [`Period::Monthly`], as its first day.
    pub fn parse_date(self, field: &str, value: &str) -> Result<NaiveDate> {
        match self {
            Self::Daily => time::parse_day(field, value),
            Self::Monthly => time::parse_month(field, value),
        }
    }

    /// The first day of the period that contains `day`.
    pub fn start_of(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Daily => day,
            Self::Monthly => time::month_of(day),
        }
    }

    /// The first day of the period after the one that contains `day`.
    pub fn after(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Daily => time::next_day(day),
            Self::Monthly => time::next_month(day),
        }
    }
}

/// A query for active users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveUsersQuery {
    /// The length of the periods.
    pub period: Period,
    /// The first day of the first period.
    pub first: NaiveDate,
    /// The first day of the last period, which is included.
    pub last: NaiveDate,
    /// Only the users of this tenant.
    pub tenant_id: Option<TenantId>,
    /// Only the users of this environment.
    pub env_id: Option<EnvId>,
}

impl ActiveUsersQuery {
    /// All periods of the query as one range of UTC.
    pub fn range(&self) -> TimeRange {
        TimeRange { start: time::midnight(self.first), end: time::midnight(self.period.after(self.last)) }
    }
}

/// The number of distinct active users in one period, tenant and environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveUsers {
    /// The first day of the period.
    pub start: NaiveDate,
    /// The tenant; [`TenantId::NONE`] outside any tenant.
    pub tenant_id: TenantId,
    /// The environment.
    pub env_id: EnvId,
    /// The number of active users.
    pub users: u64,
}

/// An entry of a behaviour history: a page that a user visited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behavior {
    /// The time of the visit.
    pub at: Timestamp,
    /// The page as it was sent.
    pub page: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: &str) -> NaiveDate {
        time::parse_day("day", day).unwrap()
    }

    #[test]
    fn a_period_decides_the_form_of_its_dates() {
        assert_eq!(Period::Daily.parse_date("date_from", "2026-02-28").unwrap(), day("2026-02-28"));
        assert_eq!(Period::Monthly.parse_date("date_from", "2026-02").unwrap(), day("2026-02-01"));
        assert!(Period::Daily.parse_date("date_from", "2026-02").is_err());
        assert!(Period::Monthly.parse_date("date_from", "2026-02-28").is_err());
    }

    #[test]
    fn periods_start_and_follow_each_other() {
        for (period, start, after) in
            [(Period::Daily, "2026-12-31", "2027-01-01"), (Period::Monthly, "2026-12-01", "2027-01-01")]
        {
            assert_eq!(period.start_of(day("2026-12-31")), day(start));
            assert_eq!(period.after(day("2026-12-31")), day(after));
        }
    }

    #[test]
    fn the_range_of_a_query_includes_its_last_period() {
        let query = |period, first, last| ActiveUsersQuery {
            period,
            first: day(first),
            last: day(last),
            tenant_id: None,
            env_id: None,
        };
        let daily = query(Period::Daily, "2026-01-01", "2026-01-31").range();
        assert_eq!(daily, TimeRange::of_days(day("2026-01-01"), day("2026-01-31")));
        let monthly = query(Period::Monthly, "2026-01-01", "2026-02-01").range();
        assert_eq!(monthly, TimeRange::of_days(day("2026-01-01"), day("2026-02-28")));
    }

    #[test]
    fn names_lead_back_and_others_are_rejected() {
        for period in [Period::Daily, Period::Monthly] {
            assert_eq!(Period::parse("type", period.as_str()).unwrap(), period);
        }
        let error = Period::parse("type", "weekly").unwrap_err().to_string();
        assert_eq!(error, "type: 'weekly' is not a kind of active users; send daily or monthly");
    }
}
