//! Random questions of the native API about pages, sources, cohorts and single users.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;

use chrono::{Datelike, Duration, Timelike};
use trailkeeper_analytics::question::SeriesSpec;
use trailkeeper_analytics::question::page_statistics::{PagesQuestion, page_statistics};
use trailkeeper_analytics::question::profile::{Profile, ProfileQuestion, ProfileTotals, SourceUse, profile};
use trailkeeper_analytics::question::ranking::{Named, Ranking};
use trailkeeper_analytics::question::retention::retention;
use trailkeeper_analytics::question::sources::{SourceStatistics, SourcesQuestion, sources};
use trailkeeper_analytics::question::timeline::{TimelineQuestion, timeline};
use trailkeeper_analytics::{Edge, Granularity, WeekStart};
use trailkeeper_domain::event::{Event, EventKind, LOGIN_FAIL, LOGIN_SUCCESS, PAGE_LOAD};
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::ports::{SourceActivity, SourceCounts, SourceTotals};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_testkit::at;

use crate::history::Server;
use crate::model::{Counted, Model};
use crate::native::Asked;
use crate::random::Random;

/// The most pages and source addresses of a profile.
const MOST: usize = 10;

/// Asks one question, and compares the answer with the recount.
pub(crate) fn ask(random: &Random, server: Server<'_>, model: &Model) {
    let asked = Asked::draw(random, server);
    match random.below(6) {
        0 | 1 => ask_page_statistics(random, &asked, server, model),
        2 => ask_sources(random, &asked, server, model),
        3 => ask_retention(random, &asked, server, model),
        4 => ask_profile(&asked, &random.user(), server, model),
        _ => ask_timeline(random, &asked, server, model),
    }
}

/// All time before an instant.
fn until(end: trailkeeper_domain::time::Timestamp) -> TimeRange {
    TimeRange { start: at("1970-01-01T00:00:00Z"), end }
}

fn ask_page_statistics(random: &Random, asked: &Asked, server: Server<'_>, model: &Model) {
    let SeriesSpec { span, compare, .. } = asked.series;
    let question = PagesQuestion {
        span,
        previous: compare.then(|| span.previous(Granularity::Day)),
        limit: random.pick(&[1, 3, 10_000]),
    };
    let answer = page_statistics(server.store, &question, &asked.audience).unwrap();
    let previous = question.previous.map(|span| span.range);
    let expected =
        model.page_statistics(span.range, previous, question.limit, asked.audience.tenant(), asked.audience.env());
    assert_eq!(answer, expected, "{question:?} of {asked:?}");
}

fn source_counts(events: &[&Counted], source: Option<IpAddr>) -> SourceCounts {
    let of_source = |counted: &&&Counted| match source {
        Some(_) => counted.event.source == source,
        None => counted.event.source.is_some(),
    };
    let events: Vec<_> = events.iter().filter(of_source).collect();
    let of_kind = |kind: &str| events.iter().filter(|counted| counted.event.kind.as_str() == kind).count() as u64;
    let users: HashSet<&UserId> = events.iter().filter_map(|counted| counted.event.user_id.as_ref()).collect();
    SourceCounts {
        events: events.len() as u64,
        users: users.len() as u64,
        logins: of_kind(LOGIN_SUCCESS),
        failed_logins: of_kind(LOGIN_FAIL),
        seen: events.first().zip(events.last()).map(|(first, last)| (first.at(), last.at())),
    }
}

fn ask_sources(random: &Random, asked: &Asked, server: Server<'_>, model: &Model) {
    let SeriesSpec { mut span, compare, .. } = asked.series;
    if asked.audience.tenant().is_none() {
        span.range.start = span.range.start.max(span.range.end - Duration::days(30));
    }
    let previous = compare.then(|| span.previous(Granularity::Day));
    let question = SourcesQuestion { span, previous, limit: random.pick(&[1, 3, 10_000]) };
    let answer = sources(server.store, &question, &asked.audience).unwrap();
    let events = asked.events(model, span.range);
    let before = previous.map(|span| asked.events(model, span.range));
    let sources_of = |events: &[&Counted]| -> BTreeSet<IpAddr> {
        events.iter().filter_map(|counted| counted.event.source).collect()
    };
    let totals = |events: &[&Counted]| SourceTotals {
        sources: sources_of(events).len() as u64,
        counts: source_counts(events, None),
    };
    let row = |source| SourceActivity {
        source: Some(source),
        current: source_counts(&events, Some(source)),
        previous: source_counts(before.as_deref().unwrap_or_default(), Some(source)),
    };
    let mut rows: Vec<SourceActivity> = sources_of(&events).into_iter().map(row).collect();
    // The sort is stable: by address where the numbers of events are equal.
    rows.sort_by_key(|row| Reverse(row.current.events));
    rows.truncate(question.limit);
    let expected = SourceStatistics { totals: totals(&events), previous: before.as_deref().map(totals), sources: rows };
    assert_eq!(answer, expected, "{question:?} of {asked:?}");
}

fn ask_retention(random: &Random, asked: &Asked, server: Server<'_>, model: &Model) {
    let periods = random.pick(&[1, 3, 12]);
    let mut series = asked.series;
    let long = series.span.range.end - series.span.range.start > Duration::days(390);
    let short = random.pick(&Granularity::ALL[1..]).with_weeks_from(random.pick(&WeekStart::ALL));
    series.granularity = if long { Granularity::Month } else { short };
    let answer = retention(server.store, series, periods, &asked.audience).unwrap();
    assert_eq!(answer.previous.is_some(), series.compare);
    for retention in answer.previous.iter().chain([&answer.current]) {
        let ranges: Vec<TimeRange> = retention.cohorts.iter().map(|cohort| cohort.range).collect();
        assert_eq!(ranges, retention.span.buckets(series.granularity).unwrap());
        for (period, cohort) in retention.cohorts.iter().enumerate() {
            let before = asked.active(model, until(cohort.range.start));
            let members: HashSet<&UserId> = asked.active(model, cohort.range).difference(&before).copied().collect();
            let followed = ranges[period..].iter().take(periods + 1);
            let expected: Vec<u64> =
                followed.map(|range| asked.active(model, *range).intersection(&members).count() as u64).collect();
            assert_eq!(cohort.active, expected, "{:?}, {periods} periods, {series:?} of {asked:?}", cohort.range);
        }
    }
}

fn of_user<'a>(asked: &Asked, user: &UserId, model: &'a Model, range: TimeRange) -> Vec<&'a Counted> {
    let mut events = asked.events(model, range);
    events.retain(|counted| counted.event.user_id.as_ref() == Some(user));
    events
}

fn ranked<T>(counted: BTreeMap<String, T>, most: usize, count: impl Fn(&T) -> u64) -> Ranking<T> {
    let distinct = counted.len() as u64;
    let mut top: Vec<Named<T>> = counted.into_iter().map(|(name, counted)| Named { name, counted }).collect();
    top.sort_by_key(|named| Reverse(count(&named.counted)));
    top.truncate(most);
    Ranking { top, distinct }
}

fn ask_profile(asked: &Asked, user: &UserId, server: Server<'_>, model: &Model) {
    let SeriesSpec { span, compare, .. } = asked.series;
    let question =
        ProfileQuestion { user: user.clone(), span, previous: compare.then(|| span.previous(Granularity::Day)) };
    let answer = profile(server.store, &question, &asked.audience).unwrap();
    let totals = |range: TimeRange| {
        let events = of_user(asked, user, model, range);
        let days: HashSet<_> =
            events.iter().filter(|counted| !counted.failed()).map(|counted| asked.day(counted.at())).collect();
        let failed = events.iter().filter(|counted| counted.failed()).count();
        ProfileTotals { events: events.len() as u64, failed_events: failed as u64, active_days: days.len() as u64 }
    };
    let ever = of_user(asked, user, model, until(at("9999-12-31T00:00:00Z")));
    let mut expected = Profile {
        seen: ever.first().zip(ever.last()).map(|(first, last)| (first.at(), last.at())),
        totals: totals(span.range),
        previous: question.previous.map(|span| totals(span.range)),
        ..Profile::default()
    };
    let (mut pages, mut kinds) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
    let mut sources = BTreeMap::<String, SourceUse>::new();
    for counted in of_user(asked, user, model, span.range) {
        let local = counted.at().with_timezone(&asked.zone);
        if !counted.failed() {
            expected.hours[local.weekday().num_days_from_monday() as usize][local.hour() as usize] += 1;
        }
        counted.page.iter().for_each(|page| *pages.entry(page.clone()).or_default() += 1);
        *kinds.entry(counted.event.kind.to_string()).or_default() += 1;
        if let Some(source) = counted.event.source {
            let seen = sources.entry(source.to_string()).or_insert(SourceUse {
                events: 0,
                failed_events: 0,
                first_seen: counted.at(),
                last_seen: counted.at(),
            });
            seen.events += 1;
            seen.failed_events += u64::from(counted.failed());
            seen.last_seen = counted.at();
        }
    }
    expected.pages = ranked(pages, MOST, |count| *count);
    expected.kinds = ranked(kinds, 100, |count| *count);
    expected.sources = ranked(sources, MOST, |used| used.events);
    assert_eq!(answer, expected, "{question:?} of {asked:?}");
}

/// Asks for all pages of a timeline, one after the other.
fn ask_timeline(random: &Random, asked: &Asked, server: Server<'_>, model: &Model) {
    let range = asked.series.span.range;
    let mut question = TimelineQuestion {
        user: random.user(),
        kinds: if random.chance(30) {
            vec![EventKind::known(PAGE_LOAD), EventKind::known("sign_up")]
        } else {
            Vec::new()
        },
        from: Some(Edge::Instant(range.start)),
        to: Some(Edge::Instant(range.end)),
        zone: asked.series.span.zone,
        cursor: None,
        limit: random.pick(&[1, 3, 100]),
    };
    let mut listed: Vec<Event> = Vec::new();
    loop {
        let page = timeline(server.store, &question, &asked.audience).unwrap();
        for day in page.days {
            assert!(day.events.iter().all(|stored| asked.day(stored.event.occurred_at) == day.date), "{day:?}");
            listed.extend(day.events.into_iter().map(|stored| stored.event));
        }
        question.cursor = page.next.as_deref().map(str::to_owned);
        if question.cursor.is_none() {
            break;
        }
    }
    let wanted = |counted: &&&Counted| question.kinds.is_empty() || question.kinds.contains(&counted.event.kind);
    let events = of_user(asked, &question.user, model, range);
    // Of events at equal times, the one that was stored last comes first.
    let expected: Vec<Event> = events.iter().filter(wanted).rev().map(|counted| counted.event.clone()).collect();
    assert_eq!(listed, expected, "{question:?} of {asked:?}");
}
