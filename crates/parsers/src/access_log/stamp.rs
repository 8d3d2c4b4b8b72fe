//! The time of a line.

use chrono::{DateTime, TimeDelta, Utc};
use trailkeeper_domain::time::{self, Timestamp};

/// The form of the common format: `17/May/2015:10:05:03 +0000`. The fraction of a second is optional.
const COMMON: &str = "%d/%b/%Y:%H:%M:%S%.f %z";

/// Splits a line at its time: the fields before it, the time, and the rest of the line.
///
/// The time is the first one in brackets before a quote. A client can choose a name with another time in it, but no
/// name with a quote: servers escape it.
pub fn split_at_time(line: &str) -> Result<(&str, Timestamp, &str), String> {
    let mut from = 0;
    let mut found = false;
    while let Some(open) = line.get(from..).and_then(|rest| rest.find('[')).map(|at| from + at) {
        let (before, after) = line.split_at(open);
        if let Some((inside, rest)) = after.strip_prefix('[').and_then(|after| after.split_once(']'))
            && let Some(at) = time_of(inside)
        {
            found = true;
            if rest.trim_start_matches([' ', '\t']).starts_with('"') {
                return Ok((before, at?, rest));
            }
        }
        from = open + 1;
    }
    Err(if found {
        "request: is missing after the time; expected a text in quotes"
    } else {
        "has no time such as [17/May/2015:10:05:03 +0000]; this is not the common or the combined log format"
    }
    .to_owned())
}

/// The time in the form of the common format or of RFC 3339; `None` if it is neither. The error says that it is out of
/// range.
pub(super) fn time_of(text: &str) -> Option<Result<Timestamp, String>> {
    let Ok(at) = DateTime::parse_from_str(text, COMMON) else {
        return time::parse_rfc3339("time", text).ok().map(Ok);
    };
    // chrono represents a leap second as a second with a fraction of 1 s or more.
    let micros = time::truncated(at.with_timezone(&Utc)).timestamp_micros();
    let second = time::from_unix_seconds("time", micros.div_euclid(1_000_000)).map_err(|error| error.to_string());
    Some(second.map(|second| second + TimeDelta::microseconds(micros.rem_euclid(1_000_000))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_a_fraction() {
        for (written, read) in [
            ("10/Oct/2026:13:55:36 +0000", "2026-10-10T13:55:36Z"),
            ("10/Oct/2026:13:55:36.123 +0000", "2026-10-10T13:55:36.123Z"),
            ("10/Oct/2026:13:55:36.123456789 +0200", "2026-10-10T11:55:36.123456Z"),
            ("29/Feb/2024:23:59:59 -0130", "2024-03-01T01:29:59Z"),
            ("31/Dec/2025:23:59:60 +0000", "2026-01-01T00:00:00Z"),
            ("2026-10-10T13:55:36+09:00", "2026-10-10T04:55:36Z"),
            ("2026-10-10T13:55:36.5Z", "2026-10-10T13:55:36.500Z"),
        ] {
            let line = format!("before [{written}] \"after");
            let (before, at, rest) = split_at_time(&line).unwrap();
            assert_eq!((before, rest), ("before ", " \"after"));
            assert_eq!(at, time::parse_rfc3339("t", read).unwrap(), "{written}");
        }
    }

    #[test]
    fn the_time_stands_before_the_request() {
        let forged =
            r#"x [01/Jan/2020:00:00:00 +0000] [10/Oct/2026:13:55:36 +0000] "GET /[01/Jan/2021:00:00:00 +0000] "#;
        let (before, at, rest) = split_at_time(forged).unwrap();
        assert_eq!(before, "x [01/Jan/2020:00:00:00 +0000] ");
        assert_eq!(time::rfc3339(at), "2026-10-10T13:55:36Z");
        assert!(rest.starts_with(" \"GET"));
        let forged = r#"x [01/Jan/2020:00:00:00 +0000] \"GET / [10/Oct/2026:13:55:36 +0000] "GET /"#;
        assert_eq!(time::rfc3339(split_at_time(forged).unwrap().1), "2026-10-10T13:55:36Z");
    }

    #[test]
    fn other_forms_are_refused() {
        for written in [
            "31/Feb/2026:00:00:00 +0000",
            "10/Oct/2026:13:55:36",
            "10/Oct/2026 13:55:36",
            "2026-10-10T13:55:36",
            "10/10/2026:13:55:36 +0000",
            "06/Feb/2009:12:14:14.655",
            "1791640536",
        ] {
            let message = split_at_time(&format!("h - - [{written}] \"GET /\" 200 1")).unwrap_err();
            assert!(message.starts_with("has no time such as"), "{written}: {message}");
        }
        let message = split_at_time(r#"h - - [01/Jan/0001:00:00:00 +0000] "GET /" 200 1"#).unwrap_err();
        assert!(message.starts_with("time: "), "{message}");
        let message = split_at_time("h - - [10/Oct/2026:13:55:36 +0000] GET / 200 1").unwrap_err();
        assert!(message.starts_with("request: is missing"), "{message}");
    }
}
