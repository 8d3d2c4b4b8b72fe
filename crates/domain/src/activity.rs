//! The shapes of analytic questions and of the facts that answer them.

use chrono::NaiveDate;

use crate::error::{Error, Result};
use crate::id::{EnvId, TenantId};
use crate::text;
use crate::time::{self, TimeRange, Timestamp};

/// By what periods active users are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// UTC days.
    Daily,
    /// UTC months.
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

    /// Reads the name; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        [Self::Daily, Self::Monthly].into_iter().find(|period| period.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!("'{}' is not a kind of active users; send daily or monthly", text::shown(value)),
            )
        })
    }

    /// Reads a day or a month, whichever the period asks for, as the first day of it.
    pub fn parse_date(self, field: &str, value: &str) -> Result<NaiveDate> {
        match self {
            Self::Daily => time::parse_day(field, value),
            Self::Monthly => time::parse_month(field, value),
        }
    }

    /// The first day of the period that holds `day`.
    pub fn start_of(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Daily => day,
            Self::Monthly => time::month_of(day),
        }
    }

    /// The first day of the period after the one that holds `day`.
    pub fn after(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Daily => time::next_day(day),
            Self::Monthly => time::next_month(day),
        }
    }
}

/// Which active users are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveUsersQuery {
    /// By day or by month.
    pub period: Period,
    /// The first day of the first period.
    pub first: NaiveDate,
    /// The first day of the last period, included.
    pub last: NaiveDate,
    /// Only this tenant's.
    pub tenant_id: Option<TenantId>,
    /// Only this environment's.
    pub env_id: Option<EnvId>,
}

impl ActiveUsersQuery {
    /// All periods of the question as one range.
    pub fn range(&self) -> TimeRange {
        TimeRange { start: time::midnight(self.first), end: time::midnight(self.period.after(self.last)) }
    }
}

/// How many distinct users were active in one period, tenant and environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveUsers {
    /// The first day of the period.
    pub start: NaiveDate,
    /// The tenant; [`TenantId::NONE`] outside any.
    pub tenant_id: TenantId,
    /// The environment.
    pub env_id: EnvId,
    /// How many.
    pub users: u64,
}

/// One page that a user was on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behavior {
    /// When.
    pub at: Timestamp,
    /// The page as it was sent.
    pub page: String,
}
