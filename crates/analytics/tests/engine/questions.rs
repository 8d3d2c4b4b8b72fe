//! The questions of the published API about whole periods, for every tenant at once.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use trailkeeper_analytics::question::active_users::tenants::{ActiveUsersQuestion, active_users};
use trailkeeper_analytics::question::page_statistics::{PagesQuestion, Views, page_statistics};
use trailkeeper_analytics::question::userinfo::{UserinfoQuestion, userinfo};
use trailkeeper_analytics::sheet::Facet;
use trailkeeper_analytics::{EachTenant, Zone};
use trailkeeper_domain::activity::{ActiveUsers, Period};
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_testkit::visibility::{EVERYTHING, of_tenant};
use trailkeeper_testkit::{TestClock, day, tenant_id};

use crate::recount::{count, inside};
use crate::world::World;

trailkeeper_testkit::on_both!(crate::world::World::with_history => active_users_equal_the_recount, page_statistics_equal_the_recount, userinfo_equals_the_recount);

const TENANTS: u128 = 3;

fn tenants() -> Vec<TenantId> {
    std::iter::once(TenantId::NONE).chain((0..TENANTS).map(tenant_id)).collect()
}

fn periods(period: Period, first: NaiveDate, last: NaiveDate) -> Vec<NaiveDate> {
    std::iter::successors(Some(first), |day| Some(period.after(*day))).take_while(|day| *day <= last).collect()
}

fn range(period: Period, start: NaiveDate) -> TimeRange {
    match period {
        Period::Daily => TimeRange::of_days(start, start),
        Period::Monthly => TimeRange::of_days(start, period.after(start).pred_opt().unwrap()),
    }
}

fn active_users_equal_the_recount(world: &World) {
    let reported =
        ActiveUsers { start: day("2026-01-31"), tenant_id: tenant_id(1), env_id: EnvId(2), users: 1_000_000 };
    world.store.writing(|tx| tx.put_reported_active_users(Period::Daily, &reported)).unwrap();
    let clock = TestClock::at("2026-02-02T12:00:00Z");

    for (period, first, last) in
        [(Period::Daily, "2025-12-31", "2026-02-02"), (Period::Monthly, "2025-12-01", "2026-02-01")]
    {
        let (date_from, last) = (day(first), day(last));
        let mut expected = Vec::new();
        for start in periods(period, date_from, last) {
            for tenant_id in tenants() {
                let scope = Scope::Tenant(tenant_id);
                let counts = count(inside(&world.events, scope, None, range(period, start)), scope, Facet::Active);
                for (env, (_, users)) in counts {
                    expected.push(ActiveUsers { start, tenant_id, env_id: EnvId::parse("env", &env).unwrap(), users });
                }
            }
        }
        if period == Period::Daily {
            let same = |cell: &ActiveUsers| (cell.start, cell.tenant_id, cell.env_id);
            expected.retain(|cell| same(cell) != same(&reported));
            expected.push(reported);
            expected.sort_by_key(same);
        }
        let question = ActiveUsersQuestion { period, date_from, date_to: None, zone: Zone::UTC };
        let ask = |visibility, tenants: Option<&[TenantId]>, env| {
            let tenants = EachTenant::of(visibility, tenants, env).unwrap();
            active_users(world.store.as_ref(), &clock, &question, &tenants).unwrap()
        };
        assert_eq!(ask(EVERYTHING, None, None), expected, "{period:?}");
        assert!(expected.len() > 20, "the history has too few active users");

        let own = |wanted: TenantId| expected.iter().filter(move |cell| cell.tenant_id == wanted).copied();
        for tenant in tenants() {
            assert_eq!(ask(EVERYTHING, Some(&[tenant]), None), own(tenant).collect::<Vec<_>>());
            assert_eq!(ask(of_tenant(tenant), None, None), own(tenant).collect::<Vec<_>>());
            let of_env = own(tenant).filter(|cell| cell.env_id == EnvId(2)).collect::<Vec<_>>();
            assert_eq!(ask(EVERYTHING, Some(&[tenant]), Some(EnvId(2))), of_env);
        }
        let two = ask(EVERYTHING, Some(&[tenant_id(2), tenant_id(1), tenant_id(2)]), None);
        let of_two = |cell: &&ActiveUsers| [tenant_id(1), tenant_id(2)].contains(&cell.tenant_id);
        assert_eq!(two, expected.iter().filter(of_two).copied().collect::<Vec<_>>());
        // Its id is the key of everyone's sheets: it must not open them.
        assert_eq!(ask(EVERYTHING, Some(&[TenantId::SYSTEM]), None), []);
        assert_eq!(ask(of_tenant(TenantId::SYSTEM), None, None), []);
    }
}

fn page_statistics_equal_the_recount(world: &World) {
    let scopes = [None, Some(tenant_id(1)), Some(TenantId::NONE), Some(TenantId::SYSTEM), Some(tenant_id(99))];
    for round in 0..40 {
        let scope = Scope::of(scopes[round % scopes.len()]);
        let (a, b) = (world.instant(), world.instant());
        let [start, end] = [a.min(b), a.max(b)].map(|at| chrono::DateTime::from_timestamp(at.timestamp(), 0).unwrap());
        let question = PagesQuestion::of_seconds(start, end).unwrap();
        let statistics = page_statistics(world.store.as_ref(), &question, &World::audience(scope, None)).unwrap();

        let range = TimeRange { start, end: end + chrono::TimeDelta::seconds(1) };
        let counts = |facet| count(inside(&world.events, scope, None, range), scope, facet);
        let all = counts(Facet::AllViews).get("").copied().unwrap_or_default();
        let Views { views, users } = statistics.totals.seen;
        assert_eq!((views, users), all, "{scope:?} {range:?}");
        let mut expected: Vec<_> = counts(Facet::Views).into_iter().collect();
        expected.sort_by_key(|(page, (views, _))| (std::cmp::Reverse(*views), page.clone()));
        let counted = statistics.pages.into_iter().map(|page| {
            let Views { views, users } = page.counted.current;
            (page.name, (views, users))
        });
        assert_eq!(counted.collect::<Vec<_>>(), expected, "{scope:?} {range:?}");
    }
}

fn userinfo_equals_the_recount(world: &World) {
    let (start_date, end_date) = (day("2025-12-30"), day("2026-02-02"));
    let lists = [
        None,
        Some(vec![]),
        Some(vec![tenant_id(2), TenantId::NONE, tenant_id(2), tenant_id(99)]),
        Some(vec![TenantId::SYSTEM]),
    ];
    for tenant_ids in lists {
        for visibility in [EVERYTHING, of_tenant(tenant_id(2)), of_tenant(TenantId::SYSTEM)] {
            let asked = tenant_ids.as_deref().unwrap_or_default();
            let Ok(tenants) = EachTenant::of(visibility, tenant_ids.as_deref(), None) else {
                assert!(asked.iter().any(|tenant| !visibility.sees(*tenant)), "{asked:?} {visibility:?}");
                continue;
            };
            let question = UserinfoQuestion { start_date, end_date, zone: Zone::UTC };
            let days = userinfo(world.store.as_ref(), &question, &tenants).unwrap();
            assert_eq!(days.first().map(|day| day.date), Some(start_date));
            assert_eq!(days.last().map(|day| day.date), Some(end_date));
            for day in days {
                let mut expected = BTreeMap::new();
                let seen = |tenant: &TenantId| {
                    visibility.sees(*tenant) && tenant_ids.as_ref().is_none_or(|tenants| tenants.contains(tenant))
                };
                for tenant in self::tenants().into_iter().filter(seen) {
                    let scope = Scope::Tenant(tenant);
                    let range = TimeRange::of_days(day.date, day.date);
                    let counts = count(inside(&world.events, scope, None, range), scope, Facet::Userinfo);
                    expected.extend(counts.get("").map(|(count, _)| (tenant, *count)));
                }
                assert_eq!(day.details, expected, "{} {tenant_ids:?} {visibility:?}", day.date);
            }
        }
    }
}
