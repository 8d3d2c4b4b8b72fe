//! Time zones: the local time of an instant, and the start of a local day.

use chrono::{
    Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat, TimeDelta, TimeZone, Utc,
};
use chrono_tz::{TZ_VARIANTS, Tz};
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::{Error, Result, text};

/// A time zone of the IANA database, with its whole history of offsets.
///
/// ```
/// use trailkeeper_analytics::Zone;
/// use trailkeeper_domain::time::{parse_day, rfc3339};
///
/// let berlin = Zone::parse("timezone", "Europe/Berlin")?;
/// let start = berlin.start_of(parse_day("day", "2026-07-01")?);
/// assert_eq!(rfc3339(start), "2026-06-30T22:00:00Z");
/// assert_eq!(berlin.rfc3339(start), "2026-07-01T00:00:00+02:00");
/// assert!(Zone::parse("timezone", "Mars/Olympus").is_err());
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// Parses an IANA name in its exact spelling; `field` is the name of the parameter in errors.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        value.parse().map(Self).map_err(|_| {
            let near = TZ_VARIANTS.iter().map(|zone| zone.name()).find(|name| name.eq_ignore_ascii_case(value));
            // Names are sent in URL queries, where an unescaped plus is read as a space.
            let way_out = match near {
                Some(name) => format!("send '{name}'"),
                None if value.contains(' ') => {
                    "send an IANA name such as Etc/GMT+5, with '+' written as %2B".to_owned()
                }
                None => "send an IANA name such as Europe/Berlin, Asia/Tokyo or UTC".to_owned(),
            };
            Error::invalid(field, format!("'{}' is not a time zone; {way_out}", text::shown(value)))
        })
    }

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The local date and time at an instant.
    pub fn local(self, at: Timestamp) -> NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }

    /// The local day of an instant.
    pub fn day_of(self, at: Timestamp) -> NaiveDate {
        self.local(at).date()
    }

    /// The start of a local day: the first instant at midnight or, where clocks skip midnight, the first instant after the
    /// skipped time. A day that clocks skip as a whole starts where the next day starts.
    pub fn start_of(self, day: NaiveDate) -> Timestamp {
        let midnight = day.and_time(NaiveTime::MIN);
        match self.0.from_local_datetime(&midnight) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.with_timezone(&Utc),
            LocalResult::None => self.after_skip(midnight),
        }
    }

    /// RFC 3339 with the local time and its offset, or `Z` where the offset is zero. An offset with seconds (Liberia
    /// until 1972), which RFC 3339 cannot express, is written in UTC.
    pub fn rfc3339(self, at: Timestamp) -> String {
        let local = at.with_timezone(&self.0);
        if local.offset().fix().local_minus_utc() % 60 != 0 {
            return time::rfc3339(at);
        }
        local.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }

    /// The first instant after the skipped time that contains `local`.
    fn after_skip(self, local: NaiveDateTime) -> Timestamp {
        // Offsets lie between -16 and +16 hours, and so does the instant when clocks are set forward.
        let (mut before, mut after) = (-16 * 3_600_i64, 16 * 3_600_i64);
        let at = |seconds: i64| Utc.from_utc_datetime(&local) + TimeDelta::seconds(seconds);
        while after - before > 1 {
            let middle = i64::midpoint(before, after);
            if self.local(at(middle)) < local { before = middle } else { after = middle }
        }
        at(after)
    }
}

/// The day `days` later.
pub(super) fn later(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// The day `days` earlier.
pub(super) fn earlier(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
}

/// The Monday of a day's week, as ISO 8601 counts weeks.
pub(super) fn monday_of(day: NaiveDate) -> NaiveDate {
    earlier(day, day.weekday().num_days_from_monday().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse("timezone", name).unwrap()
    }

    fn start(name: &str, day: &str) -> String {
        let day = time::parse_day("day", day).unwrap();
        time::rfc3339(zone(name).start_of(day))
    }

    #[test]
    fn days_begin_at_local_midnight() {
        assert_eq!(start("UTC", "2026-01-31"), "2026-01-31T00:00:00Z");
        assert_eq!(start("Asia/Tokyo", "2026-01-31"), "2026-01-30T15:00:00Z");
        assert_eq!(start("Asia/Kolkata", "2026-01-31"), "2026-01-30T18:30:00Z");
        assert_eq!(start("Asia/Kathmandu", "2026-01-31"), "2026-01-30T18:15:00Z");
        assert_eq!(start("America/New_York", "2026-03-08"), "2026-03-08T05:00:00Z");
        assert_eq!(start("America/New_York", "2026-03-09"), "2026-03-09T04:00:00Z");
    }

    #[test]
    fn a_skipped_midnight_is_the_first_instant_after_it() {
        // Clocks went from 00:00 to 01:00.
        assert_eq!(start("America/Sao_Paulo", "2018-11-04"), "2018-11-04T03:00:00Z");
        assert_eq!(start("Asia/Beirut", "2022-03-27"), "2022-03-26T22:00:00Z");
        // Samoa crossed the date line: there was no 30 December 2011.
        assert_eq!(start("Pacific/Apia", "2011-12-29"), "2011-12-29T10:00:00Z");
        assert_eq!(start("Pacific/Apia", "2011-12-30"), "2011-12-30T10:00:00Z");
        assert_eq!(start("Pacific/Apia", "2011-12-31"), "2011-12-30T10:00:00Z");
    }

    #[test]
    fn of_two_midnights_the_first_counts() {
        // Clocks went from 01:00 back to 00:00.
        assert_eq!(start("America/Havana", "2026-11-01"), "2026-11-01T04:00:00Z");
    }

    #[test]
    fn instants_are_written_with_their_offset() {
        let at = |text| time::parse_rfc3339("at", text).unwrap();
        let written = |name: &str, text| zone(name).rfc3339(at(text));
        assert_eq!(written("UTC", "2026-01-31T12:00:00Z"), "2026-01-31T12:00:00Z");
        assert_eq!(written("Asia/Kolkata", "2026-01-31T12:00:00.5Z"), "2026-01-31T17:30:00.500+05:30");
        assert_eq!(written("America/New_York", "2026-11-01T05:59:59Z"), "2026-11-01T01:59:59-04:00");
        assert_eq!(written("America/New_York", "2026-11-01T06:00:00Z"), "2026-11-01T01:00:00-05:00");
        assert_eq!(written("Africa/Monrovia", "1971-01-01T00:44:30Z"), "1971-01-01T00:44:30Z");
    }

    #[test]
    fn unknown_names_are_rejected_with_a_hint() {
        let refused = |name| Zone::parse("timezone", name).unwrap_err().to_string();
        assert_eq!(
            refused("Mars/Olympus"),
            "timezone: 'Mars/Olympus' is not a time zone; send an IANA name such as Europe/Berlin, Asia/Tokyo or UTC"
        );
        assert_eq!(refused("asia/tokyo"), "timezone: 'asia/tokyo' is not a time zone; send 'Asia/Tokyo'");
        assert!(refused("Etc/GMT 5").ends_with("with '+' written as %2B"));
        assert!(refused("").contains("''") && refused("+09:00").contains("IANA"));
    }
}
