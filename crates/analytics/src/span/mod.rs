//! The range of a question in its time zone, and the cut of it into local hours, days, weeks or months.

pub(crate) mod bounds;
mod granularity;
#[cfg(test)]
mod tests;
mod zone;

use chrono::{Datelike, Months, NaiveDate, TimeDelta};
use trailkeeper_domain::time::{self, TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use bounds::MAX_YEARS_OF_DAYS;
pub use granularity::{Granularity, WeekStart};
use zone::earlier;
pub use zone::{Zone, days_of_any_zone};

/// The most buckets that one answer may have.
pub const MAX_BUCKETS: usize = 10_000;

/// The number of local days of a range without a start.
const DEFAULT_DAYS: u64 = 30;

/// One end of a range, as a request names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// A local day: its start as the start of a range, its end as the end of a range.
    Day(NaiveDate),
    /// An instant: included as the start of a range, excluded as the end of a range.
    Instant(Timestamp),
}

impl Edge {
    /// Parses `YYYY-MM-DD` or RFC 3339; `field` is the name of the parameter in errors.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        if value.len() == 10 {
            return time::parse_day(field, value).map(Self::Day);
        }
        time::parse_start(field, value).map(Self::Instant)
    }

    /// The first instant of a range that begins with this edge.
    pub fn start(self, zone: Zone) -> Timestamp {
        match self {
            Self::Day(day) => zone.start_of(day),
            Self::Instant(at) => at,
        }
    }

    /// The first instant after a range that ends with this edge. A day is included, an instant is not.
    pub fn end(self, zone: Zone) -> Timestamp {
        match self {
            Self::Day(day) => zone.start_of(time::next_day(day)),
            Self::Instant(at) => at,
        }
    }

    /// [`Self::end`], where an instant is included too.
    pub fn inclusive_end(self, zone: Zone) -> Timestamp {
        match self {
            Self::Day(_) => self.end(zone),
            Self::Instant(at) => time::just_after(at),
        }
    }
}

/// The range of a question, and the time zone of its days and hours.
///
/// ```
/// use trailkeeper_analytics::{Edge, Granularity, Span, Zone};
/// use trailkeeper_domain::clock::{Clock, SystemClock};
///
/// let edge = |field, value| Edge::parse(field, value).map(Some);
/// let zone = Zone::parse("timezone", "America/New_York")?;
/// let span = Span::of(zone, edge("from", "2026-03-07")?, edge("to", "2026-03-09")?, SystemClock.now())?;
/// let hours: Vec<i64> =
///     span.buckets(Granularity::Day)?.iter().map(|day| (day.end - day.start).num_hours()).collect();
/// assert_eq!(hours, [24, 23, 24], "clocks were set forward on 8 March");
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The time zone.
    pub zone: Zone,
    /// The range, which is not empty.
    pub range: TimeRange,
    /// Whether the request left out an end of the range.
    is_default: bool,
}

impl Span {
    /// This range, both ends of which were asked for.
    pub fn new(zone: Zone, range: TimeRange) -> Self {
        Self { zone, range, is_default: false }
    }

    /// The span from `from` to `to`. Without `to` it ends `now`; without `from` it covers its last 30 local days, of which
    /// the day of its last instant is one: it begins at a local midnight.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `from` or `to` if the range is empty, longer than ten years, or ends after the year 9999.
    pub fn of(zone: Zone, from: Option<Edge>, to: Option<Edge>, now: Timestamp) -> Result<Self> {
        let end = to.map_or(now, |to| to.end(zone));
        let start = from.map_or_else(|| last_days(zone, end, DEFAULT_DAYS).start, |from| from.start(zone));
        check(zone, start, end, to.is_some())?;
        Ok(Self { zone, range: TimeRange { start, end }, is_default: from.is_none() || to.is_none() })
    }

    /// Another range in the same time zone.
    #[must_use]
    pub fn over(self, range: TimeRange) -> Self {
        Self { range, ..self }
    }

    /// The range divided at local boundaries, ascending and without gaps. The first and the last bucket may be parts of an
    /// hour, day, week or month.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `granularity` if there are more than [`MAX_BUCKETS`].
    pub fn buckets(self, granularity: Granularity) -> Result<Vec<TimeRange>> {
        let Self { zone, range, .. } = self;
        let mut buckets = Vec::new();
        let mut start = range.start;
        while start < range.end {
            if buckets.len() == MAX_BUCKETS {
                return Err(Error::invalid(
                    "granularity",
                    format!(
                        "'{}' cuts this range into more than {MAX_BUCKETS} buckets; send a longer granularity or a shorter range",
                        granularity.as_str()
                    ),
                ));
            }
            let end = granularity.next_boundary(zone, start).min(range.end);
            buckets.push(TimeRange { start, end });
            start = end;
        }
        Ok(buckets)
    }

    /// The previous period, which ends where this one begins. It has the same number of whole periods of the granularity
    /// if this one consists of whole ones, else the same number of whole local days, else the same duration.
    ///
    /// If the request left out an end of the range, the last day of the range counts as a whole one: the previous period
    /// of thirty days until now has thirty whole days, and begins at a local midnight too.
    #[must_use]
    pub fn previous(self, granularity: Granularity) -> Self {
        let Self { zone, range: TimeRange { start, end }, is_default } = self;
        let ends = |unit: Granularity| unit.begins(zone, end) || (is_default && unit == Granularity::Day);
        let calendar = [granularity, Granularity::Day]
            .into_iter()
            .find(|unit| *unit != Granularity::Hour && unit.begins(zone, start) && ends(*unit));
        let counted = calendar.and_then(|unit| Some((unit, self.buckets(unit).ok()?.len())));
        let earlier = counted.map_or(start - (end - start), |(unit, count)| unit.back(zone, start, count));
        self.over(TimeRange { start: earlier, end: start })
    }

    /// The local days that the range touches, each limited to the range; errors as [`Self::buckets`].
    pub fn days(self) -> Result<Vec<TimeRange>> {
        self.buckets(Granularity::Day)
    }

    /// The last `days` local days of the range, up to its end.
    pub fn last_days(self, days: u64) -> TimeRange {
        last_days(self.zone, self.range.end, days)
    }
}

fn last_days(zone: Zone, end: Timestamp, days: u64) -> TimeRange {
    let last = zone.day_of(end - TimeDelta::microseconds(1));
    TimeRange { start: zone.start_of(earlier(last, days.saturating_sub(1))), end }
}

fn check(zone: Zone, start: Timestamp, end: Timestamp, ended: bool) -> Result<()> {
    if start >= end && ended {
        return Err(time::empty_range(start, end));
    }
    if start >= end {
        return Err(Error::invalid(
            "from",
            format!(
                "'{}' does not lie before now, where the range ends without 'to'; send 'to' too",
                time::rfc3339(start)
            ),
        ));
    }
    // A year has four digits in RFC 3339, in which the answer writes the end.
    if end.year() > 9999 || zone.day_of(end).year() > 9999 {
        return Err(Error::invalid(
            "to",
            "makes the range end beyond the year 9999 in this time zone; send an earlier 'to'",
        ));
    }
    let latest = zone.local(start).checked_add_months(Months::new(MAX_YEARS_OF_DAYS * 12));
    if latest.is_some_and(|latest| zone.local(end) > latest) {
        return Err(Error::invalid(
            if ended { "to" } else { "from" },
            format!("makes a range of more than {MAX_YEARS_OF_DAYS} years; ask for a shorter one"),
        ));
    }
    Ok(())
}
