//! Local hours, days, weeks and months: where they begin and end.

use chrono::{NaiveDate, TimeDelta, Timelike};
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::{Error, Result, text};

use super::zone::{Zone, later, monday_of};

/// How long a bucket is, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// From one full hour of the local clock to the next: a real hour, also where clocks change by an hour.
    Hour,
    /// From midnight to midnight: 23 or 25 hours where clocks change.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
}

impl Granularity {
    /// All of them, shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Reads the name; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|granularity| granularity.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!("'{}' is not a granularity; send hour, day, week or month", text::shown(value)),
            )
        })
    }

    /// The first day of the period that holds `day`; an hour's is the day itself.
    fn first_day(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Hour | Self::Day => day,
            Self::Week => monday_of(day),
            Self::Month => time::month_of(day),
        }
    }

    /// The first day of the period after the one that holds `day`.
    fn next_first_day(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Hour | Self::Day => time::next_day(day),
            Self::Week => later(monday_of(day), 7),
            Self::Month => time::next_month(day),
        }
    }

    /// The first local boundary after `at`.
    pub(super) fn next_boundary(self, zone: Zone, at: Timestamp) -> Timestamp {
        if self == Self::Hour {
            return next_hour(zone, at);
        }
        let mut day = self.next_first_day(zone.day_of(at));
        // More than once only where clocks go back over midnight: then that day has begun already.
        loop {
            let start = zone.start_of(day);
            if start > at || day == NaiveDate::MAX {
                return start;
            }
            day = self.next_first_day(day);
        }
    }

    /// Whether a local day, week or month begins at exactly this instant.
    pub(super) fn begins(self, zone: Zone, at: Timestamp) -> bool {
        zone.start_of(self.first_day(zone.day_of(at))) == at
    }

    /// The start of the `count`th period before the one that begins at `at`. A day that clocks leap over as a whole
    /// is none.
    pub(super) fn back(self, zone: Zone, at: Timestamp, count: usize) -> Timestamp {
        (0..count).fold(at, |start, _| {
            let last_day = zone.day_of(start - TimeDelta::microseconds(1));
            zone.start_of(self.first_day(last_day))
        })
    }
}

/// The next instant at which the local clock shows a full hour by the offset at `at`: an hour later at most.
/// Where clocks change by a part of an hour, the next bucket is that much shorter, and full hours go on.
fn next_hour(zone: Zone, at: Timestamp) -> Timestamp {
    let local = zone.local(at);
    let inside = TimeDelta::seconds(i64::from(local.minute() * 60 + local.second()))
        + TimeDelta::nanoseconds(i64::from(local.nanosecond()));
    at + TimeDelta::hours(1) - inside
}
