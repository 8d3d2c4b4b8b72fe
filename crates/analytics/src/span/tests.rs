use super::*;

const NOW: &str = "2026-07-23T10:00:00Z";
const WEEK: Granularity = Granularity::Week(WeekStart::Monday);

fn at(text: &str) -> Timestamp {
    time::parse_rfc3339("at", text).unwrap()
}

fn asked(zone: &str, from: Option<&str>, to: Option<&str>) -> Result<Span> {
    let edge = |field, value: Option<&str>| value.map(|value| Edge::parse(field, value)).transpose();
    Span::of(Zone::parse("timezone", zone)?, edge("from", from)?, edge("to", to)?, at(NOW))
}

fn span(zone: &str, from: &str, to: &str) -> Span {
    asked(zone, Some(from), Some(to)).unwrap()
}

/// The starts of the buckets and the end of the last one, in local time.
fn cuts(span: Span, granularity: Granularity) -> Vec<String> {
    let buckets = span.buckets(granularity).unwrap();
    assert!(buckets.windows(2).all(|pair| pair[0].end == pair[1].start), "no gaps");
    let ends = buckets.last().map(|last| last.end);
    buckets.iter().map(|bucket| bucket.start).chain(ends).map(|at| span.zone.rfc3339(at)).collect()
}

fn hours(span: Span, granularity: Granularity) -> Vec<i64> {
    span.buckets(granularity).unwrap().iter().map(|bucket| (bucket.end - bucket.start).num_hours()).collect()
}

#[test]
fn days_are_local_and_inclusive() {
    assert_eq!(
        cuts(span("Asia/Kolkata", "2026-01-30", "2026-01-31"), Granularity::Day),
        ["2026-01-30T00:00:00+05:30", "2026-01-31T00:00:00+05:30", "2026-02-01T00:00:00+05:30"]
    );
    assert_eq!(
        span("Asia/Tokyo", "2026-01-30", "2026-01-31").range,
        TimeRange { start: at("2026-01-29T15:00:00Z"), end: at("2026-01-31T15:00:00Z") }
    );
}

#[test]
fn days_are_23_or_25_hours_where_clocks_change() {
    assert_eq!(hours(span("America/New_York", "2026-03-07", "2026-03-09"), Granularity::Day), [24, 23, 24]);
    assert_eq!(hours(span("America/New_York", "2026-10-31", "2026-11-02"), Granularity::Day), [24, 25, 24]);
    assert_eq!(hours(span("America/Sao_Paulo", "2018-11-03", "2018-11-04"), Granularity::Day), [24, 23]);
    assert_eq!(
        cuts(span("America/Sao_Paulo", "2018-11-03", "2018-11-04"), Granularity::Day),
        ["2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]
    );
    assert_eq!(
        cuts(span("Asia/Beirut", "2022-03-27", "2022-03-27"), Granularity::Day),
        ["2022-03-27T01:00:00+03:00", "2022-03-28T00:00:00+03:00"]
    );
    // Samoa skipped 30 December 2011: the day has no bucket, and a range of only this day is empty.
    let days = cuts(span("Pacific/Apia", "2011-12-29", "2011-12-31"), Granularity::Day);
    assert_eq!(days, ["2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00"]);
    assert!(asked("Pacific/Apia", Some("2011-12-30"), Some("2011-12-30")).is_err());
    // Clocks were set from 00:01 back to 23:01: the day that had begun continues.
    assert_eq!(hours(span("America/St_Johns", "2010-11-06", "2010-11-08"), Granularity::Day), [24, 25, 24]);
    let evening = span("America/St_Johns", "2010-11-07T02:31:30Z", "2010-11-08T12:00:00Z");
    assert_eq!(
        cuts(evening, Granularity::Day),
        ["2010-11-06T23:01:30-03:30", "2010-11-08T00:00:00-03:30", "2010-11-08T08:30:00-03:30"]
    );
}

#[test]
fn hours_are_sixty_minutes() {
    let spring = span("America/New_York", "2026-03-08T06:30:00Z", "2026-03-08T08:30:00Z");
    assert_eq!(
        cuts(spring, Granularity::Hour),
        [
            "2026-03-08T01:30:00-05:00",
            "2026-03-08T03:00:00-04:00",
            "2026-03-08T04:00:00-04:00",
            "2026-03-08T04:30:00-04:00"
        ]
    );
    let autumn = span("America/New_York", "2026-11-01", "2026-11-01");
    assert_eq!(hours(autumn, Granularity::Hour), [1; 25]);
    assert_eq!(
        cuts(autumn, Granularity::Hour)[1..3],
        ["2026-11-01T01:00:00-04:00".to_owned(), "2026-11-01T01:00:00-05:00".to_owned()]
    );
    assert_eq!(
        cuts(span("Asia/Kolkata", "2026-01-31T00:10:00.5Z", "2026-01-31T01:00:00Z"), Granularity::Hour),
        ["2026-01-31T05:40:00.500+05:30", "2026-01-31T06:00:00+05:30", "2026-01-31T06:30:00+05:30"]
    );
    // Clocks on Lord Howe Island change by half an hour.
    let half = span("Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T16:30:00Z");
    assert_eq!(
        cuts(half, Granularity::Hour),
        [
            "2026-04-05T01:00:00+11:00",
            "2026-04-05T01:30:00+10:30",
            "2026-04-05T02:00:00+10:30",
            "2026-04-05T03:00:00+10:30"
        ]
    );
}

#[test]
fn weeks_begin_on_monday_also_at_the_turn_of_a_year() {
    assert_eq!(
        cuts(span("UTC", "2026-12-24", "2027-01-05T12:00:00Z"), WEEK),
        ["2026-12-24T00:00:00Z", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z", "2027-01-05T12:00:00Z"]
    );
    assert_eq!(hours(span("Europe/Berlin", "2026-03-23", "2026-04-05"), WEEK), [167, 168]);
}

#[test]
fn weeks_may_begin_on_sunday_or_saturday() {
    // 24 December 2026 is a Thursday, and a Saturday follows on 2 January.
    let turn = span("UTC", "2026-12-24", "2027-01-05T12:00:00Z");
    for (start, cuts_at) in [
        (WeekStart::Sunday, ["2026-12-24", "2026-12-27", "2027-01-03", "2027-01-05T12:00:00Z"]),
        (WeekStart::Saturday, ["2026-12-24", "2026-12-26", "2027-01-02", "2027-01-05T12:00:00Z"]),
    ] {
        let expected = cuts_at.map(|at| if at.len() == 10 { format!("{at}T00:00:00Z") } else { at.to_owned() });
        assert_eq!(cuts(turn, WEEK.with_weeks_from(start)), expected);
    }
    // Clocks are set forward on Sunday, 29 March 2026: the week from that day on has the short day.
    let berlin = span("Europe/Berlin", "2026-03-22", "2026-04-04");
    assert_eq!(hours(berlin, WEEK.with_weeks_from(WeekStart::Sunday)), [168, 167]);
    let saturdays = span("Europe/Berlin", "2026-03-21", "2026-04-03");
    assert_eq!(hours(saturdays, WEEK.with_weeks_from(WeekStart::Saturday)), [168, 167]);
    assert_eq!(Granularity::Month.with_weeks_from(WeekStart::Sunday), Granularity::Month);
}

#[test]
fn names_of_week_starts_lead_back() {
    for start in WeekStart::ALL {
        assert_eq!(WeekStart::parse("week_start", start.as_str()).unwrap(), start);
    }
    let error = WeekStart::parse("week_start", "Sunday").unwrap_err().to_string();
    assert_eq!(error, "week_start: 'Sunday' is not a start of weeks; send monday, sunday or saturday");
}

#[test]
fn months_are_calendar_months() {
    assert_eq!(
        cuts(span("Asia/Tokyo", "2027-12-15", "2028-02-29"), Granularity::Month),
        [
            "2027-12-15T00:00:00+09:00",
            "2028-01-01T00:00:00+09:00",
            "2028-02-01T00:00:00+09:00",
            "2028-03-01T00:00:00+09:00"
        ]
    );
}

#[test]
fn a_range_without_ends_is_the_last_thirty_days_until_now() {
    let month = asked("Asia/Tokyo", None, None).unwrap();
    assert_eq!(month.range, TimeRange { start: at("2026-06-23T15:00:00Z"), end: at(NOW) });
    assert_eq!(month.buckets(Granularity::Day).unwrap().len(), 30);
    let before = asked("UTC", None, Some("2026-03-31")).unwrap();
    assert_eq!(before.range, span("UTC", "2026-03-02", "2026-03-31").range);
    assert_eq!(before.last_days(30), before.range);
    assert_eq!(before.last_days(1).start, at("2026-03-31T00:00:00Z"));
    let since = asked("UTC", Some("2026-07-23"), None).unwrap();
    assert_eq!(since.range, TimeRange { start: at("2026-07-23T00:00:00Z"), end: at(NOW) });
}

#[test]
fn the_previous_period_ends_where_this_one_begins() {
    let previous = |span: Span, granularity| cuts(span.previous(granularity), Granularity::Month);
    let march = span("America/New_York", "2026-03-01", "2026-03-31");
    assert_eq!(previous(march, Granularity::Month), ["2026-02-01T00:00:00-05:00", "2026-03-01T00:00:00-05:00"]);
    // 31 days.
    assert_eq!(march.previous(Granularity::Day).range.start, at("2026-01-29T05:00:00Z"));
    assert_eq!(march.previous(Granularity::Hour), march.previous(Granularity::Day));
    // No whole weeks, but whole days.
    assert_eq!(march.previous(WEEK), march.previous(Granularity::Day));
    let weeks = span("America/New_York", "2026-03-09", "2026-03-22");
    assert_eq!(weeks.previous(WEEK).range.start, at("2026-02-23T05:00:00Z"));
    let odd = span("America/New_York", "2026-03-08T05:00:00Z", "2026-03-08T06:00:01Z");
    assert_eq!(odd.previous(Granularity::Day).range.start, at("2026-03-08T03:59:59Z"));
    // Samoa skipped 30 December 2011: the day before the 31st is the 29th.
    for (from, to, before) in [("2011-12-31", "2011-12-31", "2011-12-29"), ("2011-12-31", "2012-01-02", "2011-12-27")] {
        let days = span("Pacific/Apia", from, to);
        let previous = days.previous(Granularity::Day);
        assert_eq!(previous.range.start, span("Pacific/Apia", before, to).range.start);
        assert_eq!(previous.days().unwrap().len(), days.days().unwrap().len());
    }
    for span in [march, weeks, odd] {
        assert_eq!(span.previous(Granularity::Month).range.end, span.range.start);
    }
}

#[test]
fn the_previous_period_of_a_default_range_begins_at_a_local_midnight() {
    let previous = |zone, from, to, granularity| {
        let span = asked(zone, from, to).unwrap();
        let previous = span.previous(granularity);
        assert_eq!(previous.range.end, span.range.start);
        assert_eq!(previous.days().unwrap().len(), span.days().unwrap().len());
        span.zone.rfc3339(previous.range.start)
    };
    for granularity in [Granularity::Hour, Granularity::Day, WEEK, Granularity::Month] {
        assert_eq!(previous("Asia/Tokyo", None, None, granularity), "2026-05-25T00:00:00+09:00");
        // The days in New York begin at 04:00Z.
        assert_eq!(previous("America/New_York", None, None, granularity), "2026-05-25T00:00:00-04:00");
    }
    assert_eq!(previous("UTC", Some("2026-07-23"), None, Granularity::Day), "2026-07-22T00:00:00Z");
    let day = Granularity::Day;
    assert_eq!(previous("UTC", None, Some("2026-03-31T08:08:43.521822Z"), day), "2026-01-31T00:00:00Z");
    // An odd instant that was asked for stays the start, so both have the same duration.
    let odd = asked("UTC", Some("2026-07-23T09:00:00Z"), None).unwrap();
    assert_eq!(odd.previous(day).range.start, at("2026-07-23T08:00:00Z"));
    let both = span("UTC", "2026-07-23", "2026-07-23T10:00:00Z");
    assert_eq!(both.previous(day).range.start, at("2026-07-22T14:00:00Z"));
}

#[test]
fn weeks_of_another_start_are_compared_with_as_many_weeks() {
    let sundays = WEEK.with_weeks_from(WeekStart::Sunday);
    let weeks = span("America/New_York", "2026-03-08", "2026-03-21");
    assert_eq!(weeks.previous(sundays).range.start, at("2026-02-22T05:00:00Z"));
}

#[test]
fn wrong_ranges_name_their_field() {
    let field = |zone, from, to| {
        let error = asked(zone, from, to).unwrap_err();
        let fault = error.detail().unwrap();
        (fault.field.clone().unwrap(), fault.detail.clone())
    };
    let (from, detail) = field("UTC", Some("2026-01-02"), Some("2026-01-01"));
    assert_eq!((from.as_str(), detail.contains("'to'")), ("from", true));
    assert_eq!(field("UTC", Some("2026-07-24"), None).0, "from");
    assert_eq!(field("UTC", Some("2016-01-01"), Some("2026-01-01")).0, "to");
    assert_eq!(field("UTC", Some("2016-01-01"), None).0, "from");
    assert_eq!(field("UTC", None, Some("9999-12-31")).0, "to");
    assert_eq!(field("Asia/Tokyo", None, Some("9999-12-31T15:00:00Z")).0, "to");
    assert_eq!(field("UTC", Some("2026-13-01"), None).0, "from");
    assert!(asked("Asia/Tokyo", Some("2016-01-01"), Some("2025-12-31")).is_ok(), "ten years to the day");
    let year = span("UTC", "2025-01-01", "2026-02-21T16:00:01Z");
    assert_eq!(year.buckets(Granularity::Hour).unwrap_err().detail().unwrap().field.as_deref(), Some("granularity"));
    assert_eq!(
        span("UTC", "2025-01-01", "2026-02-21T16:00:00Z").buckets(Granularity::Hour).unwrap().len(),
        MAX_BUCKETS
    );
}
