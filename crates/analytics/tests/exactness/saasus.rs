//! Random questions of the published API.

use chrono::{Duration, Months};
use trailkeeper_analytics::Source;
use trailkeeper_analytics::query::active_users::{ActiveUsersQuestion, active_users};
use trailkeeper_analytics::query::behavior::behaviors;
use trailkeeper_analytics::query::metrics::{MetricsQuestion, metrics};
use trailkeeper_analytics::query::page_statistics::page_statistics;
use trailkeeper_analytics::query::userinfo::{UserinfoQuestion, userinfo};
use trailkeeper_domain::activity::Period;
use trailkeeper_domain::creation::CreationKind;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time::{TimeRange, just_after, rfc3339};
use trailkeeper_testkit::TestClock;

use crate::model::Model;
use crate::random::Random;

/// Asks one question, and compares the answer with the recount.
pub(crate) fn ask(random: &Random, source: Source<'_>, model: &Model) {
    let tenant_scoped = random.maybe(25, || random.tenant());
    match random.below(7) {
        0 | 1 => ask_active_users(random, source, model, tenant_scoped),
        2 | 3 => ask_page_statistics(random, source, model, tenant_scoped),
        4 => ask_userinfo(random, source, model, tenant_scoped),
        5 => ask_behaviors(random, source, model, tenant_scoped),
        _ => ask_metrics(random, source, model, tenant_scoped),
    }
}

fn ask_active_users(random: &Random, source: Source<'_>, model: &Model, tenant_scoped: Option<TenantId>) {
    let (date_from, date_to) = random.days();
    let tenant_id = random.maybe(50, || random.tenant());
    let question = ActiveUsersQuestion {
        period: random.pick(&[Period::Daily, Period::Monthly]),
        date_from,
        date_to: Some(date_to),
        tenant_id,
        env_id: tenant_id.and_then(|_| random.maybe(50, || random.env())),
    };
    let answer = active_users(source.store, &TestClock::default(), &question, tenant_scoped).unwrap();
    assert_eq!(answer, model.active_users(&question, tenant_scoped), "{question:?}, scoped to {tenant_scoped:?}");
}

fn ask_page_statistics(random: &Random, source: Source<'_>, model: &Model, tenant_scoped: Option<TenantId>) {
    let (first, last) = random.days();
    let range = if random.chance(50) { random.range() } else { TimeRange::of_days(first, last) };
    // Whole seconds, both inside, at most ten years.
    let end = range.end - Duration::microseconds(range.end.timestamp_subsec_micros().into());
    let end = end - Duration::seconds(i64::from(random.chance(70)));
    let start = range.start - Duration::microseconds(range.start.timestamp_subsec_micros().into());
    let start = start.max(end - Duration::days(3_200)).min(end);
    let answer = page_statistics(source, start, end, tenant_scoped).unwrap();
    let range = TimeRange { start, end: end + Duration::seconds(1) };
    assert_eq!(answer, model.page_statistics(range, tenant_scoped), "{range:?}, scoped to {tenant_scoped:?}");
}

fn some_tenants(random: &Random) -> Option<Vec<TenantId>> {
    random.maybe(50, || (0..=random.below(3)).map(|_| random.tenant()).collect())
}

fn ask_userinfo(random: &Random, source: Source<'_>, model: &Model, tenant_scoped: Option<TenantId>) {
    let (start_date, end_date) = random.days();
    let question = UserinfoQuestion { start_date, end_date, tenant_ids: some_tenants(random) };
    let answer = userinfo(source.store, &question, tenant_scoped).unwrap();
    assert_eq!(answer, model.userinfo(&question, tenant_scoped), "{question:?}, scoped to {tenant_scoped:?}");
}

fn ask_behaviors(random: &Random, source: Source<'_>, model: &Model, tenant_scoped: Option<TenantId>) {
    let (user, now) = (random.user(), random.moment());
    let clock = TestClock::at("1970-01-01T00:00:00Z");
    clock.set(&rfc3339(now));
    let range = TimeRange { start: now - Months::new(1), end: just_after(now) };
    let answer = behaviors(source.store, &clock, &user, tenant_scoped).unwrap();
    assert_eq!(answer, model.behaviors(&user, range, tenant_scoped), "{user}, {range:?}, scoped to {tenant_scoped:?}");
}

fn ask_metrics(random: &Random, source: Source<'_>, model: &Model, tenant_scoped: Option<TenantId>) {
    let (start_date, end_date) = random.days();
    let kind = random.pick(&CreationKind::ALL);
    let question = MetricsQuestion { kind, start_date, end_date, tenant_ids: some_tenants(random) };
    let answer = metrics(source.store, &question, tenant_scoped).unwrap();
    assert_eq!(answer, model.metrics(&question, tenant_scoped), "{question:?}, scoped to {tenant_scoped:?}");
}
