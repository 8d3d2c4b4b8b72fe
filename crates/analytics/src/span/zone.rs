//! Time zones: the local time of an instant, and the start of a local day.

use chrono::{Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use trailkeeper_domain::time::{self, TimeRange, Timestamp};
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

    /// All zones of the database.
    fn all() -> impl Iterator<Item = Self> {
        TZ_VARIANTS.iter().copied().map(Self)
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

    /// The local day in which an instant is counted: the one that started last. It differs from [`Self::day_of`] only where
    /// clocks are set back over midnight: the day that has begun goes on.
    pub fn counted_day_of(self, at: Timestamp) -> NaiveDate {
        let day = self.day_of(at);
        let next = time::next_day(day);
        if self.start_of(next) <= at { next } else { day }
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

/// The local days, of any time zone, that an instant can stand for: those that hold it, and those that have the date of
/// its UTC day. Sorted and distinct; at most some hundred.
pub fn days_of_any_zone(at: Timestamp) -> Vec<TimeRange> {
    let utc = at.date_naive();
    let days = Zone::all().flat_map(|zone| {
        let held = zone.counted_day_of(at);
        let range = move |day| TimeRange { start: zone.start_of(day), end: zone.start_of(time::next_day(day)) };
        std::iter::once(range(held)).chain((held != utc).then(|| range(utc)))
    });
    let mut days: Vec<TimeRange> = days.collect();
    days.sort_unstable_by_key(|day| (day.start, day.end));
    days.dedup();
    days
}

/// The day `days` later.
pub(super) fn later(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// The day `days` earlier.
pub(super) fn earlier(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
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
    fn an_instant_is_counted_in_the_day_that_started_last() {
        let at = |text| time::parse_rfc3339("at", text).unwrap();
        let day = |name: &str, text| zone(name).counted_day_of(at(text)).to_string();
        assert_eq!(day("Asia/Tokyo", "2026-01-30T14:59:59.999999Z"), "2026-01-30");
        assert_eq!(day("Asia/Tokyo", "2026-01-30T15:00:00Z"), "2026-01-31");
        assert_eq!(day("Pacific/Apia", "2011-12-30T09:59:59Z"), "2011-12-29");
        assert_eq!(day("Pacific/Apia", "2011-12-30T10:00:00Z"), "2011-12-31");
        // Clocks were set from 00:01 on 7 November back to 23:01 on 6 November.
        assert_eq!(zone("America/St_Johns").day_of(at("2010-11-07T02:31:30Z")).to_string(), "2010-11-06");
        assert_eq!(day("America/St_Johns", "2010-11-07T02:29:59Z"), "2010-11-06");
        assert_eq!(day("America/St_Johns", "2010-11-07T02:31:30Z"), "2010-11-07");
    }

    #[test]
    fn an_instant_can_stand_for_a_day_of_any_zone() {
        let at = |text| time::parse_rfc3339("at", text).unwrap();
        let days = days_of_any_zone(at("2026-01-31T00:00:00Z"));
        let has = |start, end| days.contains(&TimeRange { start: at(start), end: at(end) });
        assert!(has("2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"), "UTC");
        assert!(has("2026-01-30T15:00:00Z", "2026-01-31T15:00:00Z"), "31 January in Tokyo");
        assert!(has("2026-01-30T05:00:00Z", "2026-01-31T05:00:00Z"), "30 January in New York holds it");
        assert!(has("2026-01-31T05:00:00Z", "2026-02-01T05:00:00Z"), "31 January in New York has its date");
        assert!(!has("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"));
        let (first, last) = (days.iter().map(|day| day.start).min(), days.iter().map(|day| day.end).max());
        assert_eq!(first, Some(at("2026-01-30T01:00:00Z")), "30 January at UTC-1 is the earliest that holds it");
        assert_eq!(last, Some(at("2026-02-01T12:00:00Z")), "31 January at UTC-12 ends last");
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
