//! The start of a line: time, machine, program and process.

use chrono::{Datelike as _, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use trailkeeper_domain::text::shown;
use trailkeeper_domain::time::{self, Timestamp};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A line, split at the start of its message.
#[derive(Debug)]
pub struct Head<'a> {
    pub at: Timestamp,
    pub host: &'a str,
    /// `None` for `last message repeated`.
    pub program: Option<&'a str>,
    pub pid: Option<u32>,
    /// The message.
    pub rest: &'a str,
}

impl<'a> Head<'a> {
    /// Splits a line. The error says what is missing.
    pub fn parse<Z: TimeZone>(line: &'a str, clock: &mut Clock<Z>) -> Result<Self, String> {
        let (at, rest) = clock.split_at_time(line)?;
        let (host, rest) = rest
            .split_once(' ')
            .filter(|(host, _)| !host.is_empty())
            .ok_or("has no message after the time; expected the machine, the program and a message")?;
        if rest.starts_with("last message repeated ") {
            return Ok(Self { at, host, program: None, pid: None, rest });
        }
        let (tag, message) = rest.split_once(": ").unwrap_or((rest.strip_suffix(':').unwrap_or(rest), ""));
        let (program, pid) = match tag.strip_suffix(']').and_then(|tag| tag.rsplit_once('[')) {
            Some((program, pid)) => (program, pid.parse().ok()),
            None => (tag, None),
        };
        Ok(Self { at, host, program: Some(program), pid, rest: message })
    }
}

/// The times of a log.
#[derive(Debug)]
pub struct Clock<Z> {
    zone: Z,
    year: Option<i32>,
    now: Timestamp,
    /// The local time of the line before, of those without a year.
    before: Option<NaiveDateTime>,
}

impl<Z: TimeZone> Clock<Z> {
    pub fn new(zone: Z, year: Option<i32>, now: Timestamp) -> Self {
        Self { zone, year, now, before: None }
    }

    /// Splits a line behind its time: RFC 3339, or `Apr  2 13:28:31`.
    fn split_at_time<'a>(&mut self, line: &'a str) -> Result<(Timestamp, &'a str), String> {
        if line.starts_with(|c: char| c.is_ascii_digit()) {
            let (written, rest) = line.split_once(' ').unwrap_or((line, ""));
            let at = time::parse_rfc3339("time", written).map_err(|error| error.to_string())?;
            return Ok((at, rest));
        }
        let (written, rest) = line.split_at_checked(15).unwrap_or((line, ""));
        let without_year = read(written).filter(|_| rest.starts_with(' '));
        let (month, day, clock) = without_year.ok_or_else(|| {
            format!(
                "'{}' does not start with a time such as 'Apr  2 13:28:31' or 2026-04-02T13:28:31+00:00",
                shown(written)
            )
        })?;
        let local = self.with_year(month, day, clock).ok_or_else(|| {
            format!(
                "time: '{}' is in none of the years around the lines before; send the year by --year",
                shown(written)
            )
        })?;
        let at = match self.zone.from_local_datetime(&local) {
            // When clocks go back, an hour comes twice: the first of the two is assumed.
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.with_timezone(&Utc),
            LocalResult::None => {
                return Err(format!(
                    "time: {local} does not exist in this time zone; send the log's zone by --timezone"
                ));
            }
        };
        let at = time::from_unix_seconds("time", at.timestamp()).map_err(|error| error.to_string())?;
        self.before = Some(local);
        Ok((at, rest.trim_start_matches(' ')))
    }

    /// The local time in the year that fits best: the next lines are near the line before, so a log may cross the end of
    /// a year.
    fn with_year(&self, month: u32, day: u32, clock: NaiveTime) -> Option<NaiveDateTime> {
        let in_year = |year| Some(NaiveDate::from_ymd_opt(year, month, day)?.and_time(clock));
        match (self.before, self.year) {
            (Some(before), _) => {
                let years = before.year() - 1..=before.year() + 1;
                years.filter_map(in_year).min_by_key(|local| (*local - before).abs())
            }
            (None, Some(year)) => in_year(year),
            (None, None) => {
                let latest = self.now.checked_add_days(Days::new(1)).unwrap_or(self.now).naive_utc();
                // A leap day is at most eight years ago.
                (latest.year() - 8..=latest.year()).rev().filter_map(in_year).find(|local| *local <= latest)
            }
        }
    }
}

/// Month, day and time of `Apr  2 13:28:31`.
fn read(text: &str) -> Option<(u32, u32, NaiveTime)> {
    let (month, rest) = text.split_once(' ')?;
    let month = (1..).zip(MONTHS).find(|(_, name)| *name == month)?.0;
    let (day, clock) = rest.trim_start_matches(' ').split_once(' ')?;
    Some((month, day.parse().ok()?, NaiveTime::parse_from_str(clock, "%H:%M:%S").ok()?))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn at(clock: &mut Clock<Utc>, text: &str) -> Result<String, String> {
        clock.split_at_time(&format!("{text} web1 sshd[1]: x")).map(|(at, _)| time::rfc3339(at))
    }

    #[test]
    fn a_log_crosses_the_end_of_a_year() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let mut clock = Clock::new(Utc, Some(2024), now);
        assert_eq!(at(&mut clock, "Dec 31 23:59:59").unwrap(), "2024-12-31T23:59:59Z");
        assert_eq!(at(&mut clock, "Jan  1 00:00:01").unwrap(), "2025-01-01T00:00:01Z");
        assert_eq!(at(&mut clock, "Dec 31 23:59:58").unwrap(), "2024-12-31T23:59:58Z");
        assert_eq!(at(&mut clock, "Jun 30 00:00:00").unwrap(), "2025-06-30T00:00:00Z");
        assert_eq!(at(&mut clock, "2026-01-02T03:04:05.678901+02:00").unwrap(), "2026-01-02T01:04:05.678901Z");
        assert_eq!(at(&mut clock, "Jul  1 00:00:00").unwrap(), "2025-07-01T00:00:00Z");
    }

    #[test]
    fn the_default_is_the_last_year_that_is_not_in_the_future() {
        let now = time::parse_rfc3339("now", "2026-09-21T12:00:00Z").unwrap();
        for (written, read) in [
            ("Sep 22 11:00:00", "2026-09-22T11:00:00Z"),
            ("Sep 22 13:00:00", "2025-09-22T13:00:00Z"),
            ("Feb 29 00:00:00", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(at(&mut Clock::new(Utc, None, now), written).unwrap(), read);
        }
        assert!(at(&mut Clock::new(Utc, Some(2025), now), "Feb 29 00:00:00").is_err());
    }

    #[test]
    fn times_are_local_ones_of_the_zone() {
        let now = time::parse_rfc3339("now", "2026-09-21T12:00:00Z").unwrap();
        let zone = chrono::FixedOffset::east_opt(9 * 3_600).unwrap();
        let mut clock = Clock::new(zone, Some(2026), now);
        let (at, rest) = clock.split_at_time("Jan  1 00:00:00 web1 x").unwrap();
        assert_eq!((time::rfc3339(at).as_str(), rest), ("2025-12-31T15:00:00Z", "web1 x"));
    }

    #[test]
    fn other_starts_are_refused() {
        let now = time::parse_rfc3339("now", "2026-09-21T12:00:00Z").unwrap();
        for written in [
            "",
            "x",
            "Apr 31 00:00:00",
            "Foo  1 00:00:00",
            "Apr  1 25:00:00",
            "2026-04-01T00:00:00",
            "é".repeat(9).as_str(),
        ] {
            assert!(at(&mut Clock::new(Utc, Some(2026), now), written).is_err(), "{written}");
        }
    }
}
