//! The statements that find the events of a filter do not depend on whether anybody uses its names. Otherwise the time of
//! an answer would show which users, types, pages and addresses other tenants have.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::event::{Event, EventFilter, EventKind, Values};
use trailkeeper_domain::page::Page;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::{Result, time};
use trailkeeper_storage::{DatabaseUrl, migrate, plans};
use trailkeeper_testkit::{DatabaseKind, TempDatabase, event, open_store, tenant_id, user_id, visibility};

trailkeeper_testkit::on_both!(statements_do_not_depend_on_names);

/// Names that two other tenants use.
const USED: [&str; 2] = ["one", "two"];
/// Names that nobody uses.
const UNUSED: [&str; 2] = ["three", "four"];

fn address(name: &str) -> String {
    format!("192.0.2.{}", name.len() * 16 + usize::from(name.starts_with('t')))
}

fn named(number: u128, name: &str) -> Event {
    Event {
        tenant_id: tenant_id(number),
        user_id: Some(user_id(name)),
        kind: EventKind::known(name),
        source: Some(address(name).parse().unwrap()),
        page: Some(Page::parse("page", format!("/{name}")).unwrap()),
        ..event(number)
    }
}

/// Each condition with names of its own, as a filter of a tenant without events.
fn filters(names: [&str; 2]) -> Vec<EventFilter> {
    let within = || EventFilter::within(visibility::of_tenant(tenant_id(9)));
    let range = |name: &str| AddressRange::parse("source", &address(name)).unwrap();
    let mut filters = vec![within()];
    for make in [Values::any_of as fn([String; 2]) -> Values<String>, Values::none_of] {
        let values = make(names.map(str::to_owned));
        let map = |values: &[String]| -> Vec<String> { values.iter().map(|name| format!("/{name}")).collect() };
        let page = Values { any_of: map(&values.any_of), none_of: map(&values.none_of) };
        let user = |values: &[String]| values.iter().map(|name| user_id(name)).collect();
        let kind = |values: &[String]| values.iter().map(|name| EventKind::known(name.as_str())).collect();
        let source = |values: &[String]| values.iter().map(|name| range(name)).collect();
        let user = Values { any_of: user(&values.any_of), none_of: user(&values.none_of) };
        let kind = Values { any_of: kind(&values.any_of), none_of: kind(&values.none_of) };
        let source = Values { any_of: source(&values.any_of), none_of: source(&values.none_of) };
        filters.extend([
            EventFilter { page: page.clone(), ..within() },
            EventFilter { user_id: user.clone(), ..within() },
            EventFilter { kind: kind.clone(), ..within() },
            EventFilter { source: source.clone(), ..within() },
            EventFilter { user_id: user, kind, source, page, ..within() },
        ]);
    }
    // The types of the whole server: one list per type.
    filters.push(EventFilter {
        kind: Values::any_of(names.map(EventKind::known)),
        from: Some(time::parse_rfc3339("from", "2027-01-01T00:00:00Z").unwrap()),
        ..EventFilter::within(visibility::CUSTOMERS)
    });
    filters
}

fn ask(tx: &mut dyn ReadTx, filter: &EventFilter) -> Result<()> {
    assert_eq!(tx.events(filter, None, 10)?, []);
    assert_eq!((tx.count_events(filter)?, tx.distinct_users(filter)?), (0, 0));
    Ok(())
}

fn statements_do_not_depend_on_names(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = DatabaseUrl::parse(database.url()).unwrap();
    migrate(&url).unwrap();
    let store = open_store!(database);
    store.writing(|tx| tx.insert_events(&[named(1, USED[0]), named(2, USED[1])])).unwrap();
    for (used, unused) in filters(USED).iter().zip(&filters(UNUSED)) {
        // The first time the store does not know the names, and the second time it remembers those that exist.
        let statements = |filter: &EventFilter| {
            let found = plans(&url, &mut |tx| (0..2).try_for_each(|_| ask(tx, filter))).unwrap();
            found.into_iter().map(|(statement, _)| statement).collect::<Vec<_>>()
        };
        let of_used = statements(used);
        assert!(!of_used.is_empty());
        assert_eq!(of_used, statements(unused), "{used:?}");
    }
}
