//! Random questions of the published API.

use chrono::{Duration, Months};
use chrono_tz::Tz;
use trailkeeper_analytics::question::active_users::tenants::{ActiveUsersQuestion, active_users};
use trailkeeper_analytics::question::behavior::behaviors;
use trailkeeper_analytics::question::metrics::{MetricsQuestion, metrics};
use trailkeeper_analytics::question::page_statistics::{PagesQuestion, page_statistics};
use trailkeeper_analytics::question::userinfo::{UserinfoQuestion, userinfo};
use trailkeeper_analytics::{Audience, EachTenant, Zone};
use trailkeeper_domain::Error;
use trailkeeper_domain::activity::Period;
use trailkeeper_domain::creation::CreationKind;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::time::{TimeRange, just_after, rfc3339};
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_testkit::TestClock;
use trailkeeper_testkit::visibility::{EVERYTHING, of_tenant};

use crate::history::Server;
use crate::model::Model;
use crate::native::ZONES;
use crate::random::Random;

/// A time zone, often UTC, as the server and as chrono know it.
fn some_zone(random: &Random) -> (Zone, Tz) {
    let name = if random.chance(40) { "UTC" } else { random.pick(&ZONES) };
    (Zone::parse("timezone", name).unwrap(), name.parse().unwrap())
}

/// Asks one question, and compares the answer with the recount.
pub(crate) fn ask(random: &Random, server: Server<'_>, model: &Model) {
    let visibility = random.maybe(25, || random.tenant()).map_or(EVERYTHING, of_tenant);
    match random.below(7) {
        0 | 1 => ask_active_users(random, server, model, visibility),
        2 | 3 => ask_page_statistics(random, server, model, visibility),
        4 => ask_userinfo(random, server, model, visibility),
        5 => ask_behaviors(random, server, model, visibility),
        _ => ask_metrics(random, server, model, visibility),
    }
}

/// The tenants of a question as the server and as the model knows them; `None` where one of them may not be seen.
fn tenants(
    visibility: Visibility,
    asked: Option<&[TenantId]>,
    env: Option<EnvId>,
) -> Option<(EachTenant, Option<Vec<TenantId>>)> {
    match EachTenant::of(visibility, asked, env) {
        Ok(tenants) => {
            let expected = asked.map(<[_]>::to_vec).or(visibility.tenant().map(|own| vec![own]));
            Some((tenants, expected))
        }
        Err(error) => {
            assert!(matches!(error, Error::NotFound(_)), "{error:?}");
            assert!(asked.unwrap().iter().any(|tenant| Some(*tenant) != visibility.tenant()));
            None
        }
    }
}

fn ask_active_users(random: &Random, server: Server<'_>, model: &Model, visibility: Visibility) {
    let (date_from, date_to) = random.days();
    let tenant = random.maybe(50, || random.tenant());
    let env = tenant.and_then(|_| random.maybe(50, || random.env()));
    let period = random.pick(&[Period::Daily, Period::Monthly]);
    let (zone, tz) = some_zone(random);
    let question = ActiveUsersQuestion { period, date_from, date_to: Some(date_to), zone };
    let Some((asked, tenants)) = tenants(visibility, tenant.as_ref().map(std::slice::from_ref), env) else { return };
    let answer = active_users(server.store, &TestClock::default(), &question, &asked).unwrap();
    assert_eq!(answer, model.active_users(&question, tz, tenants.as_deref(), env), "{question:?} of {asked:?}");
}

fn ask_page_statistics(random: &Random, server: Server<'_>, model: &Model, visibility: Visibility) {
    let (first, last) = random.days();
    let range = if random.chance(50) { random.range() } else { TimeRange::of_days(first, last) };
    // Whole seconds, both included, at most ten years.
    let end = range.end - Duration::microseconds(range.end.timestamp_subsec_micros().into());
    let end = end - Duration::seconds(i64::from(random.chance(70)));
    let start = range.start - Duration::microseconds(range.start.timestamp_subsec_micros().into());
    let start = start.max(end - Duration::days(3_200)).min(end);
    let audience = server.audience(visibility, None, None);
    let answer = page_statistics(server.store, &PagesQuestion::of_seconds(start, end).unwrap(), &audience).unwrap();
    let range = TimeRange { start, end: end + Duration::seconds(1) };
    assert_eq!(
        answer,
        model.page_statistics(range, None, usize::MAX, visibility.tenant(), None),
        "{range:?} {visibility:?}"
    );
}

fn some_tenants(random: &Random) -> Option<Vec<TenantId>> {
    random.maybe(50, || (0..=random.below(3)).map(|_| random.tenant()).collect())
}

fn ask_userinfo(random: &Random, server: Server<'_>, model: &Model, visibility: Visibility) {
    let (start_date, end_date) = random.days();
    let (zone, tz) = some_zone(random);
    let question = UserinfoQuestion { start_date, end_date, zone };
    let Some((asked, tenants)) = tenants(visibility, some_tenants(random).as_deref(), None) else { return };
    let answer = userinfo(server.store, &question, &asked).unwrap();
    assert_eq!(answer, model.userinfo(question, tz, tenants.as_deref()), "{question:?} of {asked:?}");
}

fn ask_behaviors(random: &Random, server: Server<'_>, model: &Model, visibility: Visibility) {
    let (user, now) = (random.user(), random.moment());
    let clock = TestClock::at("1970-01-01T00:00:00Z");
    clock.set(&rfc3339(now));
    let range = TimeRange { start: now - Months::new(1), end: just_after(now) };
    let audience = Audience::of(visibility, None, None).unwrap();
    let (zone, tz) = some_zone(random);
    let answer = behaviors(server.store, &clock, &user, zone, &audience).unwrap();
    assert_eq!(answer, model.behaviors(&user, range, tz, visibility.tenant()), "{user}, {range:?} of {visibility:?}");
}

fn ask_metrics(random: &Random, server: Server<'_>, model: &Model, visibility: Visibility) {
    let (start_date, end_date) = random.days();
    let (zone, tz) = some_zone(random);
    let question = MetricsQuestion { kind: random.pick(&CreationKind::ALL), start_date, end_date, zone };
    let Some((asked, tenants)) = tenants(visibility, some_tenants(random).as_deref(), None) else { return };
    let answer = metrics(server.store, &question, &asked).unwrap();
    assert_eq!(answer, model.metrics(&question, tz, tenants.as_deref()), "{question:?} of {asked:?}");
}
