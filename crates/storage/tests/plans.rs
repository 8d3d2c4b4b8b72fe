//! Every query finds its rows by an index, over a million events on both databases.
//!
//! The store records the statements that the ports run, and asks the database for their plans: with the index of events and
//! no other index for lists, and without it, as in a database of an older version until its index is complete.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "plans/database.rs"]
mod database;
#[path = "plans/postings.rs"]
mod postings;

use chrono::TimeDelta;
use trailkeeper_domain::Result;
use trailkeeper_domain::account::SessionFilter;
use trailkeeper_domain::activity::{ActiveUsersQuery, Period};
use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::creation::CreationKind;
use trailkeeper_domain::event::{EventFilter, EventKind, EventPosition, Values};
use trailkeeper_domain::id::{AccountId, CredentialId, EnvId, EventId, SessionId, TenantId, UserId};
use trailkeeper_domain::ports::{ReadTx, Scopes, SheetKey, SheetQuery, SourceQuery};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::user::{PoolId, UserFilter};
use trailkeeper_storage::{DatabaseUrl, plans};
use trailkeeper_testkit::{DatabaseKind, all_events, all_users, day, user_id, visibility};
use uuid::Uuid;

#[path = "plans/filters.rs"]
mod filters;

use filters::filters;

trailkeeper_testkit::on_both!(every_query_has_an_index);

/// The question whose statement reads only an index.
const SHEET_KEYS: &str = "sheet keys";

/// A question, and the name that identifies it if it fails.
type Question = (String, Box<dyn Fn(&mut dyn ReadTx) -> Result<()>>);

fn question(name: impl Into<String>, ask: impl Fn(&mut dyn ReadTx) -> Result<()> + 'static) -> Question {
    (name.into(), Box::new(ask))
}

fn tenant() -> TenantId {
    TenantId(Uuid::from_u128(7))
}

fn user() -> UserId {
    user_id("user-777")
}

fn any() -> EventFilter {
    all_events()
}

fn range() -> TimeRange {
    TimeRange::of_days(day("2026-03-01"), day("2026-03-02"))
}

fn network(text: &str) -> AddressRange {
    AddressRange::parse("source", text).unwrap()
}

fn kinds(names: &[&str]) -> Values<EventKind> {
    Values::any_of(names.iter().map(|name| EventKind::known(*name)))
}

fn event_questions() -> Vec<Question> {
    let mut questions = Vec::new();
    for (name, _, filter) in filters() {
        let first = filter.clone();
        questions.push(question(format!("events by {name}"), move |tx| tx.events(&first, None, 100).map(drop)));
        let next = filter.clone();
        let after = EventPosition { occurred_at: range().end, seq: 500_000 };
        questions
            .push(question(format!("next events by {name}"), move |tx| tx.events(&next, Some(after), 100).map(drop)));
        let skipped = filter.clone();
        questions.push(question(format!("events at an offset by {name}"), move |tx| {
            tx.events_at_offset(&skipped, 50, 50).map(drop)
        }));
        // Without a condition that has an index, a number counts every event of the range.
        let by_index = !["everything", "customers", "env", "outcome", "failed", "network", "types"].contains(&name);
        let (from, until) =
            if by_index { (filter.from, filter.until) } else { (Some(range().start), Some(range().end)) };
        let counted = EventFilter { from, until, ..filter };
        questions.push(question(format!("numbers by {name}"), move |tx| {
            tx.count_events(&counted)?;
            tx.distinct_users(&counted)?;
            let edges = [range().start, range().start + TimeDelta::hours(1), range().end];
            tx.event_histogram(&counted, &edges).map(drop)
        }));
    }
    let id = EventId(Uuid::from_u128(4_242));
    questions.push(question("event by id", move |tx| tx.events_by_id(id, None).map(drop)));
    questions.push(question("event by id and tenant", move |tx| tx.events_by_id(id, Some(tenant())).map(drop)));
    questions
}

fn sheet_questions() -> Vec<Question> {
    let mut questions =
        vec![question("span", |tx| tx.span().map(drop)), question("generation", |tx| tx.generation().map(drop))];
    for scope in [Scope::Everyone, Scope::Tenant(tenant())] {
        let (level, part, start) = (Level::Day, Part::Pages, range().start);
        let key = SheetKey { scope, level, part, start, run: 0 };
        questions.push(question("facts", move |tx| tx.facts(scope, range(), &mut |_| Ok(()))));
        questions.push(question("deltas", move |tx| tx.deltas(scope, &mut |_| Ok(()))));
        questions.push(question("unclaimed deltas", move |tx| tx.unclaimed_deltas(7, 10).map(drop)));
        questions.push(question("deltas by number", move |tx| tx.deltas_by_number(&[7, 8]).map(drop)));
        let other = SheetKey { scope: Scope::Tenant(TenantId(Uuid::from_u128(8))), ..key };
        questions.push(question("runs", move |tx| tx.runs(1, &[key.period(), other.period()]).map(drop)));
        questions.push(question("sheets by key", move |tx| tx.sheets_by_key(1, &[key, other]).map(drop)));
        questions.push(question(SHEET_KEYS, move |tx| tx.sheet_keys(scope, level, part, range()).map(drop)));
        for scopes in [Scopes::One(scope), Scopes::EveryTenant] {
            let query = SheetQuery { scopes, level, part, starts: range() };
            questions.push(question("sheets", move |tx| tx.sheets(&query, &mut |_, _| Ok(()))));
        }
    }
    for tenant_id in [None, Some(tenant())] {
        questions.push(question("facts of a user", move |tx| {
            tx.facts_of_user(&user(), tenant_id, range(), &mut |_| Ok(()))
        }));
        questions.push(question("span of a user", move |tx| tx.span_of_user(&user(), tenant_id).map(drop)));
    }
    for level in [Level::Day, Level::Month] {
        questions.push(question("counts of tenants", move |tx| tx.tenant_counts(level, range(), &mut |_, _| Ok(()))));
        questions.push(question("periods with counts", move |tx| tx.counted_periods(level).map(drop)));
    }
    questions.push(question("pages", |tx| tx.page_keys(&[7, 8]).map(drop)));
    questions.push(question("names of sources", |tx| tx.source_names(&[7, 8]).map(drop)));
    questions
}

fn activity_questions() -> Vec<Question> {
    let mut questions = Vec::new();
    for tenant_id in [None, Some(tenant())] {
        let query = ActiveUsersQuery {
            period: Period::Daily,
            first: day("2026-03-01"),
            last: day("2026-03-02"),
            tenant_id,
            env_id: None,
        };
        questions.push(question("reported active users", move |tx| tx.reported_active_users(&query).map(drop)));
        questions.push(question("behaviors", move |tx| tx.behaviors(&user(), range(), tenant_id).map(drop)));
        questions.push(question("registered users", move |tx| {
            tx.registered_users(range(), "eu", "eu_7", tenant_id).map(drop)
        }));
        for env_id in [None, Some(EnvId(2))] {
            // A few minutes: for many sources, reading the whole table of their addresses costs less than its index.
            let (start, minutes) = (range().start, TimeDelta::minutes(10));
            let range = TimeRange { start, end: start + minutes };
            let query = SourceQuery { tenant_id, env_id, range, previous_start: Some(start - minutes) };
            let whose = if tenant_id.is_some() { "of a tenant" } else { "of everyone" };
            questions.push(question(format!("activity of sources {whose}"), move |tx| {
                tx.source_activity(&query, 100).map(drop)
            }));
            questions
                .push(question(format!("totals of sources {whose}"), move |tx| tx.source_totals(&query).map(drop)));
        }
        let tenants = tenant_id.map(|tenant| vec![tenant, TenantId(Uuid::from_u128(8))]);
        for kind in [CreationKind::Tenant, CreationKind::TenantUser, CreationKind::SaasUser] {
            for tenants in [tenants.clone(), tenant_id.map(|tenant| vec![tenant])] {
                let some = tenants.clone();
                questions.push(question(format!("{kind:?} per day"), move |tx| {
                    tx.creations_per_day(kind, range(), some.as_deref()).map(drop)
                }));
                questions.push(question(format!("{kind:?} one by one"), move |tx| {
                    tx.creations(kind, range(), tenants.as_deref(), &mut |_| Ok(()))
                }));
            }
        }
    }
    questions
}

fn directory_questions() -> Vec<Question> {
    let mut questions = vec![
        question("tenants", |tx| tx.tenants(None, 100).map(drop)),
        question("next tenants", |tx| tx.tenants(Some(tenant()), 100).map(drop)),
        question("tenant", |tx| tx.tenant(tenant()).map(drop)),
        question("user", |tx| tx.user(&user()).map(drop)),
        question("membership", |tx| tx.membership(tenant(), &user()).map(drop)),
        question("memberships", |tx| tx.memberships(tenant(), None, 100).map(drop)),
        question("first tenant with members", |tx| tx.next_tenant_with_members(None).map(drop)),
        question("next tenant with members", |tx| tx.next_tenant_with_members(Some(tenant())).map(drop)),
        question("next memberships", |tx| tx.memberships(tenant(), Some(&user()), 100).map(drop)),
    ];
    for tenant in [None, Some(TenantId(Uuid::from_u128(1)))] {
        questions.push(question("attribute changes", move |tx| {
            tx.attribute_changes(&user_id("user-1"), tenant, None, 100).map(drop)
        }));
        questions.push(question("next attribute changes", move |tx| {
            tx.attribute_changes(&user_id("user-1"), tenant, Some(20_001), 100).map(drop)
        }));
    }
    let pool = || PoolId::parse("user_pool_id", "eu_7").ok();
    let none = all_users;
    for (name, filter) in [
        ("all", none()),
        ("e-mail", UserFilter { email: Some("user-7@example.org".into()), ..none() }),
        ("e-mail, pool", UserFilter::by_email(visibility::EVERYTHING, "user-7@example.org", None, pool())),
        ("pool", UserFilter { user_pool_id: pool(), ..none() }),
        ("region", UserFilter { region: Some("eu".into()), ..none() }),
        ("member", UserFilter { visibility: visibility::of_tenant(tenant()), ..none() }),
        ("member, pool", UserFilter { visibility: visibility::of_tenant(tenant()), user_pool_id: pool(), ..none() }),
        ("member, e-mail", UserFilter::by_email(visibility::of_tenant(tenant()), "user-7@example.org", None, None)),
    ] {
        let next = filter.clone();
        questions.push(question(format!("users by {name}"), move |tx| tx.users(&filter, None, 100).map(drop)));
        questions
            .push(question(format!("next users by {name}"), move |tx| tx.users(&next, Some(&user()), 100).map(drop)));
    }
    questions
}

fn access_questions() -> Vec<Question> {
    let id = Uuid::from_u128(77);
    let mut questions = vec![
        question("account", move |tx| tx.account(AccountId(id)).map(drop)),
        question("account by e-mail", |tx| tx.account_by_email("account-7@example.org").map(drop)),
        question("accounts", move |tx| tx.accounts(Some(AccountId(id)), 100).map(drop)),
        question("API token by hash", |tx| tx.api_token_by_hash(&[7; 32]).map(drop)),
        question("API tokens", move |tx| tx.api_tokens(Some(CredentialId(id)), 100).map(drop)),
        question("signing key by API key", |tx| tx.signing_key_by_api_key("api-7").map(drop)),
        question("signing keys", move |tx| tx.signing_keys(Some(CredentialId(id)), 100).map(drop)),
        question("API token", move |tx| tx.api_token(CredentialId(id)).map(drop)),
        question("signing key", move |tx| tx.signing_key(CredentialId(id)).map(drop)),
        question("cursor key", |tx| tx.cursor_key().map(drop)),
        question("session", move |tx| tx.session(SessionId(id)).map(drop)),
        question("refresh token", |tx| tx.refresh_token(&[7; 32]).map(drop)),
    ];
    let (next, live_at) = (Some(SessionId(Uuid::from_u128(50_077))), Some(range().start));
    for (name, filter) in [
        ("", SessionFilter { account_id: None, live_at: None }),
        (" that live", SessionFilter { account_id: None, live_at }),
        (" of an account", SessionFilter { account_id: Some(AccountId(id)), live_at: None }),
        (" of an account that live", SessionFilter { account_id: Some(AccountId(id)), live_at }),
    ] {
        questions.push(question(format!("sessions{name}"), move |tx| tx.sessions(filter, next, 100).map(drop)));
        if filter.account_id.is_some() {
            questions
                .push(question(format!("first sessions{name}"), move |tx| tx.sessions(filter, None, 100).map(drop)));
        }
    }
    questions
}

/// Whether a step of a plan reads a whole table row by row. A scan of `tenants` is right, because its rows are stored in
/// the order of their list, and so are a scan of a subquery and of the few runs of ids. Reading a table of a few rows costs less than reading its
/// index.
fn reads_a_whole_table(step: &str, plan: &str) -> bool {
    let few = ["tenants", "id_runs", "sqlite_schema"];
    let is_subquery = |name: &str| plan.lines().any(|step| step.trim_start() == format!("CO-ROUTINE {name}"));
    let sqlite = step
        .strip_prefix("SCAN ")
        .is_some_and(|table| !table.contains(" USING ") && !few.contains(&table) && !is_subquery(table));
    let small = ["buckets", "cursor_keys", "dict_kinds", "dict_pages", "hash_key", "page_rule", "sheet_generation"];
    let postgres =
        step.split_once("Seq Scan on ").is_some_and(|(_, table)| !small.iter().any(|s| table.starts_with(s)));
    sqlite || postgres
}

fn every_query_has_an_index(kind: DatabaseKind) {
    let database = database::with_rows(kind);
    let url = DatabaseUrl::parse(database.url()).unwrap();
    let all = || {
        [
            event_questions(),
            sheet_questions(),
            postings::questions(),
            activity_questions(),
            directory_questions(),
            access_questions(),
        ]
        .into_iter()
        .flatten()
    };
    let (seen, keys_listed) = check_plans(kind, &url, all(), true);
    assert!(seen > 120, "{seen}");
    assert_eq!(keys_listed, 2, "one list of everyone and one of a tenant");
    database::index_events(kind, &database);
    // Other questions do not depend on it.
    check_plans(kind, &url, all().filter(|(name, _)| is_about_events(name)), false);
}

fn is_about_events(name: &str) -> bool {
    ["event", "numbers by", "fact", "span", "behaviors", "sources"].iter().any(|part| name.contains(part))
}

/// Checks the plans of all statements of these questions. Returns how many there are, and how many of them list the keys of
/// sheets.
fn check_plans(
    kind: DatabaseKind,
    url: &DatabaseUrl,
    questions: impl Iterator<Item = Question>,
    by_rows: bool,
) -> (usize, usize) {
    let mut wrong = Vec::new();
    let (mut seen, mut keys_listed) = (0, 0);
    for (name, ask) in questions {
        let found = plans(url, &mut |tx| ask(tx)).unwrap();
        assert!(!found.is_empty(), "{name}: no statement was recorded");
        for (statement, plan) in found {
            seen += 1;
            println!("{name}\n{plan}\n");
            let index = match name.as_str() {
                "activity of sources of everyone" | "totals of sources of everyone" | "numbers by network" => {
                    Some("events_by_time")
                }
                "activity of sources of a tenant" | "totals of sources of a tenant" => Some("events_by_tenant"),
                name => filters()
                    .into_iter()
                    .find(|(filter, ..)| {
                        name == format!("events by {filter}") || name == format!("numbers by {filter}")
                    })
                    .map(|(_, index, _)| index),
            };
            // Other statements of the question look names up.
            let lists = by_rows && kind == DatabaseKind::Sqlite && statement.contains("FROM `events`");
            let expected = index.filter(|_| lists).unwrap_or_default();
            // The table would cost more: its payloads lie between the keys.
            let keys_only = match kind {
                DatabaseKind::Sqlite => "USING COVERING INDEX sheets_by_scope",
                DatabaseKind::Postgres => "Index Only Scan using sheets_pkey",
            };
            let lists_keys = name == SHEET_KEYS && statement.contains("ORDER BY");
            keys_listed += usize::from(lists_keys);
            let reads_rows = lists_keys && !plan.contains(keys_only);
            // There are many sessions: reading a page must not sort all of them.
            let sorts = name.contains("sessions") && plan.contains("TEMP B-TREE");
            if plan.lines().any(|step| reads_a_whole_table(step, &plan))
                || !plan.contains(expected)
                || reads_rows
                || sorts
            {
                wrong.push(format!("{name}\n{statement}\n{plan}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {seen} statements do not use the right index:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    (seen, keys_listed)
}
