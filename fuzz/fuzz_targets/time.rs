//! Days, months, instants, time zones, and the ranges made of them. The input has the lines: zone, from, to,
//! granularity.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailkeeper_analytics::{Edge, Granularity, MAX_BUCKETS, Span, Zone};
use trailkeeper_domain::Result;
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_fuzz::{now, refused, texts};

fuzz_target!(|data: &[u8]| {
    let Some([zone, from, to, granularity]) = texts(data) else { return };
    for text in [zone, from, to] {
        day_or_month(text);
        instant(text);
    }
    let edge = |field, text: &str| if text.is_empty() { Ok(None) } else { Edge::parse(field, text).map(Some) };
    let read = || -> Result<_> {
        let zone = Zone::parse("timezone", zone)?;
        let span = Span::of(zone, edge("from", from)?, edge("to", to)?, now())?;
        Ok((span, Granularity::parse("granularity", granularity)?))
    };
    match read() {
        Ok((span, granularity)) => {
            assert_eq!(span.zone.name(), zone);
            checked(span, granularity);
        }
        Err(error) => refused(&error),
    }
});

fn day_or_month(text: &str) {
    match time::parse_day("day", text) {
        Ok(day) => {
            assert_eq!(day.format("%Y-%m-%d").to_string(), text);
            assert_eq!(time::day_of_number(time::day_number(day)), Some(day));
        }
        Err(error) => refused(&error),
    }
    match time::parse_month("month", text) {
        Ok(month) => assert_eq!(month.format("%Y-%m").to_string(), text),
        Err(error) => refused(&error),
    }
}

fn instant(text: &str) {
    let read = |at: Timestamp| time::parse_rfc3339("at", &time::rfc3339(at));
    match time::parse_rfc3339("at", text) {
        Ok(at) => {
            assert!((0..=time::MAX_UNIX_SECONDS).contains(&at.timestamp()), "{text:?}");
            assert_eq!(at.timestamp_subsec_nanos() % 1_000, 0, "{text:?}");
            assert!(at.timestamp_subsec_nanos() < 1_000_000_000, "{text:?} is a leap second");
            assert_eq!(read(at).expect("what we write is read"), at, "{text:?}");
        }
        Err(error) => refused(&error),
    }
    match (time::parse_start("from", text), time::parse_inclusive_end("to", text)) {
        (Ok(start), Ok(end)) => assert!(start < end, "{text:?}"),
        (Err(start), Err(end)) => {
            refused(&start);
            refused(&end);
        }
        (start, end) => panic!("{text:?} is a start ({start:?}) or an end ({end:?}) alone"),
    }
}

fn checked(span: Span, granularity: Granularity) {
    let range = span.range;
    assert!(range.start < range.end);
    span.zone.rfc3339(range.start);
    match span.buckets(granularity) {
        Ok(buckets) => {
            assert!(!buckets.is_empty() && buckets.len() <= MAX_BUCKETS);
            assert_eq!(buckets.first().map(|bucket| bucket.start), Some(range.start));
            assert_eq!(buckets.last().map(|bucket| bucket.end), Some(range.end));
            assert!(buckets.iter().all(|bucket| bucket.start < bucket.end));
            assert!(buckets.windows(2).all(|pair| pair[0].end == pair[1].start), "no gaps");
        }
        Err(error) => refused(&error),
    }
    let previous = span.previous(granularity).range;
    assert_eq!(previous.end, range.start);
    assert!(previous.start < previous.end);
}
