//! Payloads that the disk returned damaged: the error names them, and no answer is made from them. A page that has lost its
//! name is counted under a placeholder.

use chrono::{DateTime, Utc};
use trailkeeper_analytics::engine::read;
use trailkeeper_analytics::question::active_users::tenants::{ActiveUsersQuestion, active_users};
use trailkeeper_analytics::question::page_statistics::{PageUse, PagesQuestion, Views, page_statistics};
use trailkeeper_analytics::sheet::{Facet, Fact, Fold, ScopeKind, Sheet};
use trailkeeper_analytics::{EachTenant, Zone};
use trailkeeper_domain::activity::Period;
use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_testkit::visibility::EVERYTHING;
use trailkeeper_testkit::{DatabaseKind, TestClock, at, day, tenant_id};

use crate::world::World;

trailkeeper_testkit::on_both!(crate::world::World::with_history => a_damaged_sheet_is_named, a_page_without_a_name_has_a_placeholder);

const DAY: &str = "2026-02-01T00:00:00Z";

fn key(scope: Scope, part: Part) -> SheetKey {
    SheetKey { scope, level: Level::Day, part, start: at(DAY), run: 1_000 }
}

fn a_damaged_sheet_is_named(world: &World) {
    let tenant = Scope::Tenant(tenant_id(1));
    world
        .store
        .writing(|tx| {
            let generation = tx.generation()?;
            tx.put_sheets(generation, &[(key(tenant, Part::Totals), vec![1, 0, 0, 0, 0])])
        })
        .unwrap();
    let range = TimeRange { start: at(DAY), end: at("2026-02-02T00:00:00Z") };
    let fold =
        |scope, facet| world.store.reading(|tx| read::fold::<Fold>(tx, &World::audience(scope, None), range, &[facet]));
    assert_eq!(
        fold(tenant, Facet::Kind).unwrap_err().chain().to_string(),
        format!(
            "internal error: sheet of tenant {}, day {DAY}, totals, run 1000: the sheet's payload is unreadable at byte \
             1: the checksum differs from its bytes; rebuild the sheet from its events",
            tenant_id(1)
        )
    );
    // Questions that do not need the sheet are answered.
    assert!(fold(tenant, Facet::Views).is_ok());
    assert!(fold(Scope::Everyone, Facet::Kind).is_ok());
}

/// A world whose deltas the disk returns without their last byte.
fn damaged(kind: DatabaseKind) -> World {
    let mut world = World::new(kind);
    world.grow(50);
    world.database.execute("UPDATE deltas SET payload = substr(payload, 1, length(payload) - 1)");
    world
}

#[test]
fn a_damaged_delta_is_named() {
    for world in DatabaseKind::ALL.map(damaged) {
        let delta = world.store.reading(|tx| tx.unclaimed_deltas(i64::MIN, 1)).unwrap()[0].number;
        let named = format!("internal error: delta {delta}: unreadable at byte ");
        let always = TimeRange { start: DateTime::<Utc>::UNIX_EPOCH, end: at("9999-01-01T00:00:00Z") };
        for scope in [Scope::Everyone, Scope::Tenant(tenant_id(1))] {
            let audience = World::audience(scope, None);
            let folded = world.store.reading(|tx| read::fold::<Fold>(tx, &audience, always, &[Facet::Kind]));
            let message = folded.unwrap_err().chain().to_string();
            assert!(message.starts_with(&named), "{message}");
        }
        let question = ActiveUsersQuestion {
            period: Period::Monthly,
            date_from: day("2025-01-01"),
            date_to: None,
            zone: Zone::UTC,
        };
        let tenants = EachTenant::of(EVERYTHING, None, None).unwrap();
        let clock = TestClock::at("2026-11-22T00:00:00Z");
        let message = active_users(world.store.as_ref(), &clock, &question, &tenants).unwrap_err().chain().to_string();
        assert!(message.starts_with(&named), "{message}");
    }
}

fn a_page_without_a_name_has_a_placeholder(world: &World) {
    let question = PagesQuestion::of_seconds(at(DAY), at("2026-02-01T23:59:59Z")).unwrap();
    let everyone = World::audience(Scope::Everyone, None);
    let ask = || page_statistics(world.store.as_ref(), &question, &everyone).unwrap();
    let before = ask();
    let fact = Fact {
        page: Some(4_000_000_000),
        env: 1,
        kind: 4,
        userinfo: false,
        login: None,
        failed: false,
        user: None,
        source: None,
    };
    let (pages, _) = Sheet::of(ScopeKind::Everyone, [&fact]).partition(|facet| facet.part() == Part::Pages);
    world
        .store
        .writing(|tx| {
            let generation = tx.generation()?;
            tx.put_sheets(generation, &[(key(Scope::Everyone, Part::Pages), pages.encode())])
        })
        .unwrap();
    let mut after = ask();
    let lost = after.pages.iter().position(|page| page.name == "(missing 4000000000)").unwrap();
    let lost = after.pages.remove(lost).counted;
    assert_eq!(lost, PageUse { current: Views { views: 1, users: 0 }, previous: None });
    assert!(!before.pages.is_empty());
    assert_eq!(after.pages, before.pages, "the other pages keep their names and counts");
    assert_eq!(after.totals.pages, before.totals.pages + 1);
}
