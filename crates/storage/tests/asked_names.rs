//! The statements that find events do not depend on whether anybody uses the names that are asked for. Otherwise the time
//! of an answer would show which users, types, pages and addresses other tenants have.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::event::{Event, EventFilter, EventKind, Values};
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::page::Page;
use trailkeeper_domain::ports::{PostingRunKey, ReadTx, Scopes, SheetQuery, SourceQuery};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Result, time};
use trailkeeper_storage::{DatabaseUrl, migrate, plans};
use trailkeeper_testkit::{DatabaseKind, TempDatabase, at, event, open_store, tenant_id, user_id, visibility};

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
    for has_postings in [false, true] {
        let database = TempDatabase::new(kind);
        let url = DatabaseUrl::parse(database.url()).unwrap();
        migrate(&url).unwrap();
        let store = open_store!(database);
        store.writing(|tx| tx.generation().and_then(|old| tx.set_generation(old + 1, has_postings))).unwrap();
        store.writing(|tx| tx.insert_events(&[named(1, USED[0]), named(2, USED[1])])).unwrap();
        // The first time the store does not know the names, and the second time it remembers those that exist.
        let statements = |ask: &dyn Fn(&mut dyn ReadTx) -> Result<()>| {
            let found = plans(&url, &mut |tx| (0..2).try_for_each(|_| ask(tx))).unwrap();
            let found: Vec<String> = found.into_iter().map(|(statement, _)| statement).collect();
            assert!(!found.is_empty());
            found
        };
        for (used, unused) in filters(USED).iter().zip(&filters(UNUSED)) {
            assert_eq!(statements(&|tx| ask(tx, used)), statements(&|tx| ask(tx, unused)), "{used:?}");
        }
        // The user of one tenant in the other one, and a user and a tenant that nobody has.
        let known = asks(tenant_id(1), &user_id(USED[1]));
        let unknown = asks(tenant_id(8), &user_id(UNUSED[1]));
        for ((name, known), (_, unknown)) in known.iter().zip(&unknown) {
            assert_eq!(statements(known), statements(unknown), "{name}, {has_postings}");
        }
    }
}

type Ask = Box<dyn Fn(&mut dyn ReadTx) -> Result<()>>;

/// Questions about a user in a tenant, who has no events there, and about a tenant at a time when it has no events.
fn asks(tenant: TenantId, user: &UserId) -> Vec<(&'static str, Ask)> {
    let range = TimeRange { start: at("2020-01-01T00:00:00Z"), end: at("2020-03-01T00:00:00Z") };
    let always = TimeRange { end: at("2030-01-01T00:00:00Z"), ..range };
    let scope = Scope::Tenant(tenant);
    let sources = SourceQuery { tenant_id: Some(tenant), env_id: None, range, previous_start: None };
    let user = || user.clone();
    let (of, behaving, everywhere, spanning) = (user(), user(), user(), user());
    let sheets = SheetQuery { scopes: Scopes::One(scope), level: Level::Day, part: Part::Totals, starts: range };
    let key = PostingRunKey { scope, month: range.start, run: 1 };
    let none = |_: &EventFact| -> Result<()> { panic!("there is no such event") };
    vec![
        ("facts", Box::new(move |tx| tx.facts(scope, range, &mut none.clone()))),
        ("facts of a user", Box::new(move |tx| tx.facts_of_user(&of, Some(tenant), always, &mut none.clone()))),
        ("facts everywhere", Box::new(move |tx| tx.facts_of_user(&everywhere, None, range, &mut none.clone()))),
        ("span", Box::new(move |tx| tx.span_of_user(&spanning, Some(tenant)).map(|span| assert_eq!(span, None)))),
        ("pages", Box::new(move |tx| tx.behaviors(&behaving, always, Some(tenant)).map(|all| assert_eq!(all, [])))),
        ("sources", Box::new(move |tx| tx.source_activity(&sources, 9).map(|all| assert_eq!(all, [])))),
        ("totals of sources", Box::new(move |tx| tx.source_totals(&sources).map(drop))),
        ("id", Box::new(move |tx| tx.events_by_id(event(7).id, Some(tenant)).map(|all| assert_eq!(all, [])))),
        ("sheets", Box::new(move |tx| tx.sheets(&sheets, &mut |_, _| Ok(())))),
        ("keys", Box::new(move |tx| tx.sheet_keys(scope, Level::Day, Part::Totals, range).map(drop))),
        ("deltas", Box::new(move |tx| tx.deltas(scope, &mut |_| Ok(())))),
        ("runs", Box::new(move |tx| tx.posting_runs(1, scope, range).map(|all| assert!(all.is_empty())))),
        ("keys of runs", Box::new(move |tx| tx.posting_run_keys(1, &[scope]).map(|all| assert!(all.is_empty())))),
        ("pages of runs", Box::new(move |tx| tx.posting_pages(1, key, &[7]).map_or(Ok(()), |_| panic!("no run")))),
    ]
}
