//! Local hours, days, weeks and months, and their boundaries.

use chrono::{Datelike, NaiveDate, TimeDelta, Timelike, Weekday};
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::{Error, Result, text};

use super::zone::{Zone, earlier, later};

/// The day on which weeks begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum WeekStart {
    /// Monday, as in ISO 8601.
    #[default]
    Monday,
    /// Sunday, as in North America and Japan.
    Sunday,
    /// Saturday, as in much of the Middle East.
    Saturday,
}

impl WeekStart {
    /// All starts, the default first.
    pub const ALL: [Self; 3] = [Self::Monday, Self::Sunday, Self::Saturday];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Sunday => "sunday",
            Self::Saturday => "saturday",
        }
    }

    /// Parses the name; `field` is the name of the parameter in errors.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|start| start.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!("'{}' is not a start of weeks; send monday, sunday or saturday", text::shown(value)),
            )
        })
    }

    /// The first day of the week that contains `day`.
    fn first_day(self, day: NaiveDate) -> NaiveDate {
        let first = match self {
            Self::Monday => Weekday::Mon,
            Self::Sunday => Weekday::Sun,
            Self::Saturday => Weekday::Sat,
        };
        earlier(day, day.weekday().days_since(first).into())
    }
}

/// The length of a bucket, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// From one full hour of the local clock to the next: 60 minutes, also where clocks change by an hour.
    Hour,
    /// From midnight to midnight: 23 or 25 hours where clocks change.
    Day,
    /// Seven days from this start of weeks on.
    Week(WeekStart),
    /// A calendar month.
    Month,
}

impl Granularity {
    /// All granularities, shortest first. The weeks begin on Monday.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week(WeekStart::Monday), Self::Month];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week(_) => "week",
            Self::Month => "month",
        }
    }

    /// Parses the name; `field` is the name of the parameter in errors. The weeks begin on Monday.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|granularity| granularity.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!("'{}' is not a granularity; send hour, day, week or month", text::shown(value)),
            )
        })
    }

    /// The same granularity; weeks begin on this day.
    #[must_use]
    pub fn with_weeks_from(self, start: WeekStart) -> Self {
        match self {
            Self::Week(_) => Self::Week(start),
            Self::Hour | Self::Day | Self::Month => self,
        }
    }

    /// The first day of the period that contains `day`; for an hour, the day itself.
    fn first_day(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Hour | Self::Day => day,
            Self::Week(start) => start.first_day(day),
            Self::Month => time::month_of(day),
        }
    }

    /// The first day of the period after the one that contains `day`.
    fn next_first_day(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Hour | Self::Day => time::next_day(day),
            Self::Week(start) => later(start.first_day(day), 7),
            Self::Month => time::next_month(day),
        }
    }

    /// The first local boundary after `at`.
    pub(super) fn next_boundary(self, zone: Zone, at: Timestamp) -> Timestamp {
        if self == Self::Hour {
            return next_hour(zone, at);
        }
        let mut day = self.next_first_day(zone.day_of(at));
        // Repeated only where clocks are set back over midnight: then the next day has begun before.
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

    /// The start of the `count`th period before the one that begins at `at`. A day that clocks skip as a whole does not
    /// count.
    pub(super) fn back(self, zone: Zone, at: Timestamp, count: usize) -> Timestamp {
        (0..count).fold(at, |start, _| {
            let last_day = zone.day_of(start - TimeDelta::microseconds(1));
            zone.start_of(self.first_day(last_day))
        })
    }
}

/// The next instant with a full hour of the local clock by the offset at `at`, at most an hour later. Where clocks change
/// by a part of an hour, the next bucket is shorter by that part, and full hours follow.
fn next_hour(zone: Zone, at: Timestamp) -> Timestamp {
    let local = zone.local(at);
    let inside = TimeDelta::seconds(i64::from(local.minute() * 60 + local.second()))
        + TimeDelta::nanoseconds(i64::from(local.nanosecond()));
    at + TimeDelta::hours(1) - inside
}
