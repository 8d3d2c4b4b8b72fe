//! Points in time, ranges, days and months, all in UTC with microsecond precision.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, SubsecRound, TimeZone, Utc};

use crate::error::{Error, Result};
use crate::text;

/// A point in time, in UTC, in whole microseconds.
pub type Timestamp = DateTime<Utc>;

/// The largest accepted UNIX second: 9999-12-31T23:59:59Z, in the last year of RFC 3339.
pub const MAX_UNIX_SECONDS: i64 = 253_402_300_799;

/// Truncates to whole microseconds: the databases store no finer fractions.
pub fn truncated(at: Timestamp) -> Timestamp {
    at.trunc_subsecs(6)
}

/// A half-open range: `start <= t < end`. Inclusive ends are converted where they are read.
///
/// ```
/// use chrono::NaiveDate;
/// use trailkeeper_domain::time::{TimeRange, parse_inclusive_end, parse_start, rfc3339};
///
/// let range = TimeRange { start: parse_start("from", "2026-01-30")?, end: parse_inclusive_end("to", "2026-01-31")? };
/// assert_eq!(rfc3339(range.end), "2026-02-01T00:00:00Z");
/// let day = |day| NaiveDate::from_ymd_opt(2026, 1, day).unwrap();
/// assert_eq!(range, TimeRange::of_days(day(30), day(31)));
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl TimeRange {
    /// The whole days from `first` to `last`, both included.
    pub fn of_days(first: NaiveDate, last: NaiveDate) -> Self {
        Self { start: midnight(first), end: midnight(next_day(last)) }
    }
}

/// The error of a range that ends at its start or before it. `end` is exclusive: for a day that was sent as the last
/// one, it is the midnight after that day.
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

/// The day after; the last day of the calendar is its own successor.
pub fn next_day(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX)
}

/// The first day of the month of `day`.
pub fn month_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// The first day of the month that follows the month of `day`.
pub fn next_month(day: NaiveDate) -> NaiveDate {
    month_of(day).checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX)
}

/// Days since 1970-01-01; negative for earlier days.
pub fn day_number(day: NaiveDate) -> i64 {
    midnight(day).timestamp().div_euclid(86_400)
}

/// The day with this number of days since 1970-01-01; `None` beyond the calendar.
pub fn day_of_number(number: i64) -> Option<NaiveDate> {
    DateTime::from_timestamp(number.checked_mul(86_400)?, 0).map(|at| at.date_naive())
}

/// Parses exactly `YYYY-MM-DD`, from 1970 to 9999.
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

/// Parses exactly `YYYY-MM`, from 1970 to 9999, as the first day of that month.
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

/// Converts UNIX seconds from 0 to [`MAX_UNIX_SECONDS`].
pub fn from_unix_seconds(field: &str, seconds: i64) -> Result<Timestamp> {
    match DateTime::from_timestamp(seconds, 0) {
        Some(at) if (0..=MAX_UNIX_SECONDS).contains(&seconds) => Ok(at),
        _ => Err(Error::invalid(
            field,
            format!("{seconds} is out of range; send UNIX seconds from 0 to {MAX_UNIX_SECONDS} (not milliseconds)"),
        )),
    }
}

/// Parses RFC 3339 with any offset, from 1970 to 9999, as UTC. A leap second becomes the second after it.
pub fn parse_rfc3339(field: &str, value: &str) -> Result<Timestamp> {
    let parsed = DateTime::parse_from_rfc3339(value).ok().filter(|_| value.is_ascii() && value.len() <= 64);
    // chrono represents a leap second as second 59 with a fraction of 1 s or more; the databases reject or fold it. The
    // range is checked after the conversion: the last leap second of 9999 would be in the year 10000.
    match parsed.and_then(|at| DateTime::from_timestamp_micros(truncated(at.with_timezone(&Utc)).timestamp_micros())) {
        Some(at) if (0..=MAX_UNIX_SECONDS).contains(&at.timestamp()) => Ok(at),
        _ if lacks_offset(value) => Err(without_offset(field, value)),
        _ => Err(Error::invalid(
            field,
            format!(
                "'{}' is not a time; send RFC 3339 with an offset, for example 2026-01-31T12:00:00Z, from 1970 to 9999",
                text::shown(value)
            ),
        )),
    }
}

/// Whether the value is an RFC 3339 time as soon as it gets an offset.
fn lacks_offset(value: &str) -> bool {
    value.is_ascii() && value.len() < 64 && DateTime::parse_from_rfc3339(&format!("{value}Z")).is_ok()
}

fn without_offset(field: &str, value: &str) -> Error {
    Error::invalid(
        field,
        format!(
            "'{value}' has no offset, so it is not one instant; add Z for UTC or the offset of its zone, for example 2026-01-31T12:00:00Z or 2026-01-31T21:00:00+09:00"
        ),
    )
}

/// Parses a day or an RFC 3339 time as the start of an inclusive range.
pub fn parse_start(field: &str, value: &str) -> Result<Timestamp> {
    if value.len() == 10 { parse_day(field, value).map(midnight) } else { parse_day_or_time(field, value) }
}

/// Parses the inclusive end of a range, a day or an RFC 3339 time, and returns the exclusive end.
pub fn parse_inclusive_end(field: &str, value: &str) -> Result<Timestamp> {
    if value.len() == 10 {
        return parse_day(field, value).map(|day| midnight(next_day(day)));
    }
    parse_day_or_time(field, value).map(just_after)
}

/// One microsecond later: the exclusive end for an inclusive one.
pub fn just_after(at: Timestamp) -> Timestamp {
    at + chrono::Duration::microseconds(1)
}

/// Formats as RFC 3339 with `Z` and 0, 3 or 6 fraction digits, as few as are exact.
pub fn rfc3339(at: Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

fn parse_day_or_time(field: &str, value: &str) -> Result<Timestamp> {
    parse_rfc3339(field, value).map_err(|error| {
        if lacks_offset(value) {
            return error;
        }
        // These values come from query strings, where an unescaped plus means a space.
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

    fn day(day: &str) -> NaiveDate {
        parse_day("day", day).unwrap()
    }

    fn at(at: &str) -> Timestamp {
        parse_rfc3339("at", at).unwrap()
    }

    #[test]
    fn days_and_months_have_exactly_one_spelling() {
        assert_eq!(day("2024-02-29"), NaiveDate::from_ymd_opt(2024, 2, 29).unwrap());
        assert_eq!(parse_month("month", "2026-12").unwrap(), day("2026-12-01"));
        for bad in [
            "2026-2-03",
            "2026-02-3",
            "2026-02-30",
            "2023-02-29",
            "2026-13-01",
            "2026-00-01",
            "1969-12-31",
            "20260203",
            "+026-02-03",
            "2026-02-03 ",
            " 2026-02-03",
            "10000-01-01",
            "２０２６-01-01",
            "",
        ] {
            let error = parse_day("day", bad).unwrap_err().to_string();
            assert!(error.starts_with("day: ") && error.contains("is not a date"), "{bad}: {error}");
        }
        for bad in ["2026-1", "2026-13", "2026-00", "1969-12", "2026-01-01", "202601", "26-01", ""] {
            assert!(parse_month("month", bad).unwrap_err().to_string().contains("is not a month"), "{bad}");
        }
    }

    #[test]
    fn times_are_utc_in_whole_microseconds() {
        for (sent, read) in [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00+05:30", "2026-01-31T06:30:00Z"),
            ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"),
            ("2026-01-31T12:00:00.1234567Z", "2026-01-31T12:00:00.123456Z"),
            ("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(at(sent)), read, "{sent}");
        }
        for bad in ["2026-01-31T12:00:00", "2026-01-31", "2026-02-30T12:00:00Z", "2026-01-31T25:00:00Z", "now", ""] {
            assert!(parse_rfc3339("at", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_without_an_offset_is_refused_for_that_reason() {
        type Parse = fn(&str, &str) -> Result<Timestamp>;
        let parsers: [Parse; 3] = [parse_rfc3339, parse_start, parse_inclusive_end];
        for parse in parsers {
            for local in ["2026-01-31T12:00:00", "2026-01-31T12:00:00.123", "2026-01-31 12:00:00"] {
                let error = parse("at", local).unwrap_err().to_string();
                assert!(error.starts_with(&format!("at: '{local}' has no offset")), "{error}");
                for offset in ["Z", "+09:00"] {
                    assert!(parse("at", &format!("{local}{offset}")).is_ok(), "{local}{offset}");
                }
            }
            for other in ["2026-02-30T12:00:00", "2026-01-31T25:00:00", "2026-01-31T12:00", "12:00:00", ""] {
                let error = parse("at", other).unwrap_err().to_string();
                assert!(!error.contains("has no offset"), "{error}");
            }
        }
    }

    #[test]
    fn unix_seconds_end_with_the_year_9999() {
        let read = |seconds| from_unix_seconds("at", seconds).map(rfc3339);
        assert_eq!(read(0).unwrap(), "1970-01-01T00:00:00Z");
        assert_eq!(read(MAX_UNIX_SECONDS).unwrap(), "9999-12-31T23:59:59Z");
        for bad in [-1, MAX_UNIX_SECONDS + 1, i64::MAX, i64::MIN] {
            assert!(read(bad).unwrap_err().to_string().contains("not milliseconds"), "{bad}");
        }
    }

    #[test]
    fn inclusive_ends_become_exclusive_ones() {
        for (sent, end) in [
            ("2026-01-31", "2026-02-01T00:00:00Z"),
            ("2026-12-31", "2027-01-01T00:00:00Z"),
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000001Z"),
        ] {
            assert_eq!(rfc3339(parse_inclusive_end("to", sent).unwrap()), end);
        }
        assert_eq!(parse_start("from", "2026-01-31").unwrap(), at("2026-01-31T00:00:00Z"));
        assert_eq!(parse_start("from", "2026-01-31T12:00:00Z").unwrap(), at("2026-01-31T12:00:00Z"));
    }

    #[test]
    fn an_unescaped_plus_is_explained() {
        let error = |value| parse_start("from", value).unwrap_err().to_string();
        assert!(error("2026-01-31T12:00:00 02:00").ends_with("write '+' as %2B"));
        assert!(!error("2026-01-31 12:00:00").contains("%2B"), "the space is not where an offset begins");
    }

    #[test]
    fn days_and_months_follow_each_other() {
        for (this, next) in [("2024-02-28", "2024-02-29"), ("2023-02-28", "2023-03-01"), ("2026-12-31", "2027-01-01")] {
            assert_eq!(next_day(day(this)), day(next));
            assert_eq!(day_number(day(next)), day_number(day(this)) + 1);
        }
        assert_eq!(next_month(day("2026-12-15")), day("2027-01-01"));
        assert_eq!(month_of(day("2026-12-15")), day("2026-12-01"));
        assert_eq!(next_day(NaiveDate::MAX), NaiveDate::MAX);
    }

    #[test]
    fn days_have_numbers_from_1970_on() {
        assert_eq!(day_number(day("1970-01-01")), 0);
        assert_eq!(day_of_number(-1), NaiveDate::from_ymd_opt(1969, 12, 31));
        assert_eq!(day_number(NaiveDate::from_ymd_opt(1969, 12, 31).unwrap()), -1);
        assert_eq!(day_of_number(day_number(day("2026-07-23"))), Some(day("2026-07-23")));
        assert_eq!((day_of_number(i64::MAX), day_of_number(i64::MIN)), (None, None));
    }

    #[test]
    fn a_range_of_days_contains_both_days() {
        let range = TimeRange::of_days(day("2026-01-01"), day("2026-01-31"));
        assert_eq!(
            (rfc3339(range.start), rfc3339(range.end)),
            ("2026-01-01T00:00:00Z".into(), "2026-02-01T00:00:00Z".into())
        );
        let error = empty_range(range.end, range.start).to_string();
        assert!(error.starts_with("from: '2026-02-01T00:00:00Z' does not lie before"), "{error}");
    }
}
