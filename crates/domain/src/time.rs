//! Points, ranges, days and months. Everything inside is UTC with microseconds.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, SubsecRound, TimeZone, Utc};

use crate::error::{Error, Result};
use crate::text;

/// A point in time, in UTC, in whole microseconds.
pub type Timestamp = DateTime<Utc>;

/// The largest UNIX second that is accepted: 9999-12-31T23:59:59Z, the end of RFC 3339's years.
pub const MAX_UNIX_SECONDS: i64 = 253_402_300_799;

/// Cuts off what is finer than a microsecond, as neither database keeps it.
pub fn truncated(at: Timestamp) -> Timestamp {
    at.trunc_subsecs(6)
}

/// A half-open range: `start <= t < end`. Inclusive ends are turned into it at the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl TimeRange {
    /// The range of whole days from the first to the last one, both inside.
    pub fn of_days(first: NaiveDate, last: NaiveDate) -> Self {
        Self { start: midnight(first), end: midnight(next_day(last)) }
    }
}

/// The refusal of a range that ends before it begins, or when it does. `end` is the first instant after it, as it was
/// read: a day that was sent as the last one has become the midnight after it.
pub fn empty_range(start: Timestamp, end: Timestamp) -> Error {
    Error::invalid(
        "from",
        format!(
            "'{}' does not lie before the range's end, '{}'; send an earlier 'from' or a later 'to'",
            rfc3339(start),
            rfc3339(end)
        ),
    )
}

/// The first instant of a day.
pub fn midnight(day: NaiveDate) -> Timestamp {
    Utc.from_utc_datetime(&day.and_time(NaiveTime::MIN))
}

/// The day after.
pub fn next_day(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX)
}

/// The first day of the month of `day`.
pub fn month_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// The first day of the month after the one of `day`.
pub fn next_month(day: NaiveDate) -> NaiveDate {
    month_of(day).checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX)
}

/// Days since 1970-01-01, negative before it.
pub fn day_number(day: NaiveDate) -> i64 {
    midnight(day).timestamp().div_euclid(86_400)
}

/// The day with this number of days since 1970-01-01.
pub fn day_of_number(number: i64) -> Option<NaiveDate> {
    DateTime::from_timestamp(number.checked_mul(86_400)?, 0).map(|at| at.date_naive())
}

/// Reads `YYYY-MM-DD`, exactly so.
pub fn parse_day(field: &str, value: &str) -> Result<NaiveDate> {
    let shape = value.len() == 10 && digits_and_dashes(value, &[4, 7]);
    match NaiveDate::parse_from_str(value, "%Y-%m-%d") {
        Ok(day) if shape && plausible(day) => Ok(day),
        _ => Err(Error::invalid(
            field,
            format!("'{}' is not a date; send YYYY-MM-DD, for example 2026-01-31, from 1970 on", text::shown(value)),
        )),
    }
}

/// Reads `YYYY-MM`, exactly so, as the first day of that month.
pub fn parse_month(field: &str, value: &str) -> Result<NaiveDate> {
    let shape = value.len() == 7 && digits_and_dashes(value, &[4]);
    match NaiveDate::parse_from_str(&format!("{value}-01"), "%Y-%m-%d") {
        Ok(day) if shape && plausible(day) => Ok(day),
        _ => Err(Error::invalid(
            field,
            format!("'{}' is not a month; send YYYY-MM, for example 2026-01, from 1970 on", text::shown(value)),
        )),
    }
}

/// Reads UNIX seconds from 0 to [`MAX_UNIX_SECONDS`].
pub fn from_unix_seconds(field: &str, seconds: i64) -> Result<Timestamp> {
    match DateTime::from_timestamp(seconds, 0) {
        Some(at) if (0..=MAX_UNIX_SECONDS).contains(&seconds) => Ok(at),
        _ => Err(Error::invalid(
            field,
            format!("{seconds} is out of range; send UNIX seconds from 0 to {MAX_UNIX_SECONDS} (not milliseconds)"),
        )),
    }
}

/// Reads RFC 3339 with any offset, as UTC, from 1970 to 9999. Leap seconds become the next second.
pub fn parse_rfc3339(field: &str, value: &str) -> Result<Timestamp> {
    let parsed = DateTime::parse_from_rfc3339(value).ok().filter(|_| value.is_ascii() && value.len() <= 64);
    // chrono keeps a leap second as 59.999 + 1 s; both databases would refuse or fold it. The range is checked
    // behind that: the last leap second of 9999 would be in the year 10000.
    match parsed.and_then(|at| DateTime::from_timestamp_micros(truncated(at.with_timezone(&Utc)).timestamp_micros())) {
        Some(at) if (0..=MAX_UNIX_SECONDS).contains(&at.timestamp()) => Ok(at),
        _ => Err(Error::invalid(
            field,
            format!(
                "'{}' is not a time; send RFC 3339 with an offset, for example 2026-01-31T12:00:00Z, from 1970 to 9999",
                text::shown(value)
            ),
        )),
    }
}

/// Reads a day or an RFC 3339 time as the start of an inclusive range.
pub fn parse_start(field: &str, value: &str) -> Result<Timestamp> {
    if value.len() == 10 { parse_day(field, value).map(midnight) } else { parse_day_or_time(field, value) }
}

/// Reads a day (to its end) or an RFC 3339 time (itself included) as the exclusive end of an inclusive range.
pub fn parse_inclusive_end(field: &str, value: &str) -> Result<Timestamp> {
    if value.len() == 10 {
        return parse_day(field, value).map(|day| midnight(next_day(day)));
    }
    parse_day_or_time(field, value).map(just_after)
}

/// The instant one microsecond later: turns an inclusive end into an exclusive one.
pub fn just_after(at: Timestamp) -> Timestamp {
    at + chrono::Duration::microseconds(1)
}

/// RFC 3339 with `Z` and as many fraction digits as it needs.
pub fn rfc3339(at: Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

fn parse_day_or_time(field: &str, value: &str) -> Result<Timestamp> {
    parse_rfc3339(field, value).map_err(|_| {
        // These stand in queries, where a plus that is not escaped reads as a space.
        let escape = if value.get(19..).is_some_and(|end| end.contains(' ')) { "; write '+' as %2B" } else { "" };
        Error::invalid(
            field,
            format!(
                "'{}' is neither a date nor a time; send YYYY-MM-DD or RFC 3339, for example 2026-01-31 or 2026-01-31T12:00:00Z{escape}",
                text::shown(value)
            ),
        )
    })
}

fn digits_and_dashes(value: &str, dashes: &[usize]) -> bool {
    value.bytes().enumerate().all(|(at, b)| if dashes.contains(&at) { b == b'-' } else { b.is_ascii_digit() })
}

fn plausible(day: NaiveDate) -> bool {
    (1970..=9999).contains(&day.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_seconds_are_the_next_second_and_9999_is_the_last_year() {
        let read = |text| parse_rfc3339("at", text).map(rfc3339).map_err(|error| error.to_string());
        assert_eq!(read("2016-12-31T23:59:60.5Z"), Ok("2017-01-01T00:00:00.500Z".to_owned()));
        assert_eq!(read("9999-12-31T23:59:59.9999999Z"), Ok("9999-12-31T23:59:59.999999Z".to_owned()));
        for beyond in ["9999-12-31T23:59:60Z", "9999-12-31T23:59:59-00:01", "1969-12-31T23:59:59.999999Z"] {
            assert!(read(beyond).unwrap_err().contains("from 1970 to 9999"), "{beyond}");
        }
    }
}
