//! Random questions of the native API.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;

use chrono::{Datelike, Duration, NaiveDate, Offset, Timelike, Weekday};
use chrono_tz::Tz;
use trailkeeper_analytics::question::active_users::{ActiveUsers, ActiveUsersTotals, Stickiness, active_users};
use trailkeeper_analytics::question::logins::{Attempts, Logins, logins};
use trailkeeper_analytics::question::registrations::{Memberships, Registrations, RegistrationsFilter, registrations};
use trailkeeper_analytics::question::traffic::{Traffic, TypeTraffic, traffic};
use trailkeeper_analytics::question::{Compared, Series, SeriesSpec};
use trailkeeper_analytics::{Audience, Granularity, Span, WeekStart, Zone};
use trailkeeper_domain::creation::CreationKind;
use trailkeeper_domain::event::{EventKind, LOGIN_FAIL, LOGIN_SUCCESS, PAGE_LOAD, USERINFO};
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::user::PoolId;
use trailkeeper_testkit::at;
use trailkeeper_testkit::visibility::{EVERYTHING, of_tenant};

use crate::history::Server;
use crate::model::{Counted, Model};
use crate::random::Random;

/// Offsets of whole hours, half hours and quarters; clock changes in the winter of the histories.
pub(crate) const ZONES: [&str; 7] =
    ["UTC", "Asia/Tokyo", "Asia/Kathmandu", "Asia/Kolkata", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"];

/// A question for a range, and its audience.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) audience: Audience,
    pub(crate) series: SeriesSpec,
    pub(crate) zone: Tz,
}

impl Asked {
    pub(crate) fn draw(random: &Random, server: Server<'_>) -> Self {
        let own = random.maybe(25, || random.tenant());
        // The caller's own tenant, or none: another one does not exist for a caller who sees one tenant.
        let asked = random.maybe(60, || own.unwrap_or_else(|| random.tenant()));
        let env = asked.or(own).and_then(|_| random.maybe(35, || random.env()));
        let zone = random.pick(&ZONES);
        let (span, granularity) = span(random, zone);
        Self {
            audience: server.audience(own.map_or(EVERYTHING, of_tenant), asked, env),
            series: SeriesSpec { span, granularity, compare: random.chance(40) },
            zone: zone.parse().unwrap(),
        }
    }

    /// The counted events of a range.
    pub(crate) fn events<'a>(&self, model: &'a Model, range: TimeRange) -> Vec<&'a Counted> {
        model.events(range, self.audience.tenant(), self.audience.env())
    }

    pub(crate) fn active<'a>(&self, model: &'a Model, range: TimeRange) -> HashSet<&'a UserId> {
        self.events(model, range).into_iter().filter_map(Counted::active_user).collect()
    }

    pub(crate) fn day(&self, at: Timestamp) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// Identifies the local period of an instant. Hours that come twice differ by their offset.
    pub(crate) fn period(&self, granularity: Granularity, at: Timestamp) -> (NaiveDate, u32, i32) {
        let (local, day) = (at.with_timezone(&self.zone), self.day(at));
        match granularity {
            Granularity::Hour => (day, local.hour(), local.offset().fix().local_minus_utc()),
            Granularity::Day => (day, 0, 0),
            Granularity::Week(start) => {
                let first = match start {
                    WeekStart::Monday => Weekday::Mon,
                    WeekStart::Sunday => Weekday::Sun,
                    WeekStart::Saturday => Weekday::Sat,
                };
                let days = std::iter::successors(Some(day), NaiveDate::pred_opt);
                (days.take(7).find(|day| day.weekday() == first).unwrap(), 0, 0)
            }
            Granularity::Month => (day.with_day(1).unwrap(), 0, 0),
        }
    }

    /// Compares both periods of an answer, their buckets and their totals with the recount.
    fn compare<T: Debug + PartialEq, B: Debug + PartialEq>(
        &self,
        answer: &Compared<Series<T, B>>,
        totals: impl Fn(TimeRange) -> T,
        bucket: impl Fn(TimeRange) -> B,
    ) {
        let SeriesSpec { span, granularity, compare } = self.series;
        assert_eq!(answer.previous.is_some(), compare, "{self:?}");
        assert_eq!((answer.current.span, answer.zone, answer.granularity), (span, span.zone, granularity), "{self:?}");
        for series in answer.previous.iter().chain([&answer.current]) {
            let TimeRange { mut start, end } = series.span.range;
            for (range, counted) in &series.buckets {
                assert_eq!(range.start, start, "buckets leave no gap: {self:?}");
                assert!(range.start < range.end && range.end <= end, "{range:?} of {self:?}");
                let last = range.end - Duration::microseconds(1);
                let (first, last) = (self.period(granularity, range.start), self.period(granularity, last));
                assert_eq!(first, last, "{range:?} is of one period: {self:?}");
                assert!(range.end == end || self.period(granularity, range.end) != last, "{range:?} is cut: {self:?}");
                assert_eq!(*counted, bucket(*range), "{range:?} of {self:?}");
                start = range.end;
            }
            assert_eq!(start, end, "buckets cover the range: {self:?}");
            assert_eq!(series.totals, totals(series.span.range), "{:?} of {self:?}", series.span);
        }
        if let Some(previous) = &answer.previous {
            assert_eq!(previous.span.range.end, span.range.start, "{self:?}");
        }
    }
}

/// A range that is not empty, and a granularity that does not cut it into too many buckets.
fn span(random: &Random, zone: &str) -> (Span, Granularity) {
    let mut range = random.range();
    if range.start == range.end {
        range.end += Duration::microseconds(1);
    }
    range.start = range.start.max(range.end - Duration::days(3_200));
    let days = (range.end - range.start).num_days();
    let fine = if days <= 60 { &Granularity::ALL[..] } else { &Granularity::ALL[1..] };
    let coarse = if days <= 500 { fine } else { &Granularity::ALL[3..] };
    let granularity = random.pick(coarse).with_weeks_from(random.pick(&WeekStart::ALL));
    (Span::new(Zone::parse("timezone", zone).unwrap(), range), granularity)
}

/// Asks one question, and compares the answer with the recount.
pub(crate) fn ask(random: &Random, server: Server<'_>, model: &Model) {
    let asked = Asked::draw(random, server);
    match random.below(8) {
        0 | 1 => ask_active_users(&asked, server, model),
        2 | 3 => ask_traffic(random, &asked, server, model),
        4 => ask_registrations(random, &asked, server, model),
        _ => ask_logins(&asked, server, model),
    }
}

fn ask_active_users(asked: &Asked, server: Server<'_>, model: &Model) {
    let answer = active_users(server.store, asked.series, &asked.audience).unwrap();
    let users = |range: TimeRange| {
        let active = asked.active(model, range);
        let before = asked.active(model, TimeRange { start: at("1970-01-01T00:00:00Z"), end: range.start });
        let new = active.difference(&before).count() as u64;
        ActiveUsers { active: active.len() as u64, new, returning: active.len() as u64 - new }
    };
    let totals = |range: TimeRange| {
        let mut days: BTreeMap<NaiveDate, HashSet<&UserId>> = BTreeMap::new();
        for counted in asked.events(model, range) {
            days.entry(asked.day(counted.at())).or_default().extend(counted.active_user());
        }
        let last = asked.day(range.end - Duration::microseconds(1));
        let month = TimeRange { start: at("1970-01-01T00:00:00Z"), end: range.end };
        let of_month = |counted: &&Counted| asked.day(counted.at()) > last - Duration::days(30);
        let monthly: HashSet<&UserId> =
            asked.events(model, month).into_iter().filter(of_month).filter_map(Counted::active_user).collect();
        let stickiness = Stickiness {
            daily_users: days.values().map(|users| users.len() as u64).sum(),
            days: (last - asked.day(range.start)).num_days().cast_unsigned() + 1,
            monthly_users: monthly.len() as u64,
        };
        ActiveUsersTotals { users: users(range), stickiness }
    };
    asked.compare(&answer, totals, users);
}

fn ask_traffic(random: &Random, asked: &Asked, server: Server<'_>, model: &Model) {
    let names = [PAGE_LOAD, USERINFO, "invoice.paid", "never.happened"];
    let chosen: Vec<EventKind> = names.into_iter().filter(|_| random.chance(25)).map(EventKind::known).collect();
    let answer = traffic(server.store, asked.series, &chosen, &asked.audience).unwrap();
    let recount = |range: TimeRange| {
        let (mut users, mut types) = (HashSet::new(), BTreeMap::<String, (u64, HashSet<&UserId>)>::new());
        let mut events = 0;
        for Counted { event, .. } in asked.events(model, range) {
            if chosen.is_empty() || chosen.contains(&event.kind) {
                events += 1;
                users.extend(&event.user_id);
                let of_type = types.entry(event.kind.to_string()).or_default();
                of_type.0 += 1;
                of_type.1.extend(&event.user_id);
            }
        }
        let types = types.into_iter().map(|(name, (events, users))| {
            let users = users.len() as u64;
            (name, TypeTraffic { events, users })
        });
        Traffic { events, users: users.len() as u64, types: types.collect() }
    };
    asked.compare(&answer, recount, recount);
}

fn ask_logins(asked: &Asked, server: Server<'_>, model: &Model) {
    let answer = logins(server.store, asked.series, &asked.audience).unwrap();
    let attempts = |range: TimeRange, kind: &str| {
        let events = asked.events(model, range);
        let events: Vec<_> = events.into_iter().filter(|counted| counted.event.kind.as_str() == kind).collect();
        let users: HashSet<_> = events.iter().filter_map(|counted| counted.event.user_id.as_ref()).collect();
        let sources: HashSet<_> = events.iter().filter_map(|counted| counted.event.source).collect();
        Attempts { logins: events.len() as u64, users: users.len() as u64, sources: sources.len() as u64 }
    };
    let recount = |range| Logins { success: attempts(range, LOGIN_SUCCESS), failure: attempts(range, LOGIN_FAIL) };
    asked.compare(&answer, recount, recount);
}

fn ask_registrations(random: &Random, asked: &Asked, server: Server<'_>, model: &Model) {
    let filter = RegistrationsFilter {
        region: random.maybe(20, || "eu-central-1".to_owned()),
        user_pool_id: random.maybe(20, || PoolId::stored("pool_a".to_owned())),
    };
    let answer = registrations(server.store, &filter, asked.series, &asked.audience);
    if asked.audience.env().is_some() {
        let error = answer.unwrap_err();
        assert_eq!(error.detail().unwrap().field.as_deref(), Some("env_id"), "{error:?}");
        return;
    }
    let answer = answer.unwrap();
    let tenants = asked.audience.tenant().map(|tenant| vec![tenant]);
    let users = model.creations(CreationKind::SaasUser, tenants.as_deref());
    let members = model.creations(CreationKind::TenantUser, tenants.as_deref());
    let recount = |range: TimeRange| {
        let mut counted = Registrations::default();
        for user in users.iter().filter(|user| range.start <= user.created_at && user.created_at < range.end) {
            if filter.region.as_ref().is_none_or(|region| user.region.as_ref() == Some(region))
                && filter.user_pool_id.as_ref().is_none_or(|pool| user.user_pool_id.as_ref() == Some(pool))
            {
                counted.users += 1;
                *counted.regions.entry(user.region.clone()).or_default() += 1;
                let pool = user.user_pool_id.as_ref().map(|pool| pool.as_str().to_owned());
                *counted.user_pools.entry(pool).or_default() += 1;
            }
        }
        if filter.region.is_none() && filter.user_pool_id.is_none() {
            let mut memberships = Memberships::default();
            for one in members.iter().filter(|one| range.start <= one.created_at && one.created_at < range.end) {
                memberships.count += 1;
                *memberships.tenants.entry(one.tenant_id).or_default() += 1;
            }
            counted.memberships = Some(memberships);
        }
        counted
    };
    asked.compare(&answer, recount, recount);
}
