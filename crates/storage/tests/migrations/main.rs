//! The migrations of both databases: the same list, reversible, and safe to run from many servers at once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod added_columns;
mod expanding;

use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use std::fs;
use std::path::{Path, PathBuf};
use trailkeeper_domain::Error;
use trailkeeper_domain::account::{RefreshToken, SessionFilter};
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_domain::page::{Page, PageRule, PageRuleState};
use trailkeeper_domain::user::UserFilter;
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open};
use trailkeeper_testkit::{DatabaseKind, TempDatabase, all_events, at, event, run_on_postgres, visibility};
use uuid::Uuid;

trailkeeper_testkit::on_both!(
    migrations_are_reversible,
    sessions_survive_migrations,
    addresses_get_their_folded_keys,
    keys_of_pages_stay_those_of_the_older_version,
    a_new_database_has_postings_and_an_older_one_does_not,
    readiness_names_missing_migrations,
    of_many_servers_one_migrates,
    a_newer_schema_is_read_and_not_written,
    an_older_schema_is_not_written_until_it_is_migrated,
);

fn folder(kind: DatabaseKind) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(match kind {
        DatabaseKind::Sqlite => "sqlite",
        DatabaseKind::Postgres => "postgres",
    })
}

fn names(kind: DatabaseKind) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder(kind)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

fn parsed(database: &TempDatabase) -> DatabaseUrl {
    DatabaseUrl::parse(database.url()).unwrap()
}

#[test]
fn both_databases_have_the_same_list() {
    let names = names(DatabaseKind::Sqlite);
    assert_eq!(names, self::names(DatabaseKind::Postgres));
    for name in &names {
        // 2026-11-22-0001_create_directory
        let (number, what) = name.split_once('_').unwrap();
        let number = number.strip_suffix("-expand").unwrap_or(number);
        let parts: Vec<usize> = number.split('-').map(str::len).collect();
        assert_eq!(parts, [4, 2, 2, 4], "{name}");
        assert!(what.contains('_') && what.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert!(
            !(is_idle(DatabaseKind::Sqlite, name) && is_idle(DatabaseKind::Postgres, name)),
            "{name} changes neither database"
        );
    }
}

/// Whether a migration has nothing to do on this database: then its only statement is `SELECT 1;`.
fn is_idle(kind: DatabaseKind, name: &str) -> bool {
    let sql = fs::read_to_string(folder(kind).join(name).join("up.sql")).unwrap();
    let lines: Vec<&str> = sql.lines().filter(|line| !line.starts_with("--")).collect();
    lines == ["SELECT 1;"]
}

/// Runs statements without the code under test.
fn execute(kind: DatabaseKind, database: &TempDatabase, sql: &str) {
    match kind {
        DatabaseKind::Sqlite => {
            let mut conn = SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
            conn.batch_execute(sql).unwrap();
        }
        DatabaseKind::Postgres => {
            run_on_postgres(database.url(), sql);
        }
    }
}

const POSTGRES_SCHEMA: &str = "
SELECT format('%s.%s %s %s %s %s', table_name, column_name, data_type, is_nullable, collation_name, is_identity)
FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_\\_%'
UNION ALL
SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace AND conrelid::regclass::text NOT LIKE '\\_\\_%'
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename NOT LIKE '\\_\\_%'
UNION ALL
SELECT format('%s %s', viewname, definition) FROM pg_views WHERE schemaname = current_schema()
UNION ALL
SELECT format('%s partition by %s', oid::regclass, pg_get_partkeydef(oid)) FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'p'
UNION ALL
SELECT format('sequence %s', sequencename) FROM pg_sequences WHERE schemaname = current_schema()
ORDER BY 1";

const SQLITE_SCHEMA: &str = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS line FROM sqlite_schema
WHERE tbl_name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY 1";

fn schema(kind: DatabaseKind, database: &TempDatabase) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        line: String,
    }
    match kind {
        DatabaseKind::Sqlite => {
            let mut conn = SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
            let lines: Vec<Line> = diesel::sql_query(SQLITE_SCHEMA).load(&mut conn).unwrap();
            lines.into_iter().map(|line| line.line).collect()
        }
        DatabaseKind::Postgres => {
            run_on_postgres(database.url(), POSTGRES_SCHEMA).into_iter().flatten().flatten().collect()
        }
    }
}

fn apply(kind: DatabaseKind, database: &TempDatabase, name: &str, file: &str) {
    let sql = fs::read_to_string(folder(kind).join(name).join(file)).unwrap();
    execute(kind, database, &sql);
}

/// The indexes that a database without events does not need: of ids on SQLite, and of lists.
const DROPPED: [&str; 8] = [
    "events_by_id",
    "events_by_tenant",
    "events_by_time",
    "events_by_user",
    "events_by_kind",
    "events_by_source",
    "events_by_page",
    "events_by_session",
];

fn migrations_are_reversible(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let empty = schema(kind, &database);
    let mut steps = Vec::new();
    for name in names(kind) {
        let before = schema(kind, &database);
        apply(kind, &database, &name, "up.sql");
        let after = schema(kind, &database);
        assert_eq!(before == after, is_idle(kind, &name), "{name} changes nothing and is not marked as idle");
        apply(kind, &database, &name, "down.sql");
        assert_eq!(schema(kind, &database), before, "down.sql of {name} does not restore the schema");
        apply(kind, &database, &name, "up.sql");
        assert_eq!(schema(kind, &database), after, "{name} gives another schema the second time");
        steps.push(name);
    }
    let full = schema(kind, &database);
    assert!(full.len() > 30, "the schema was not read: {full:?}");
    for name in steps.iter().rev() {
        apply(kind, &database, name, "down.sql");
    }
    assert_eq!(schema(kind, &database), empty);
    // The embedded migrations are the files.
    let applied = migrate(&parsed(&database)).unwrap();
    assert_eq!(applied, steps);
    // Beside them, the program drops the indexes of the table of events that only rows of older versions need.
    let dropped = |line: &String| line.split_whitespace().any(|word| DROPPED.contains(&word));
    let kept: Vec<String> = full.into_iter().filter(|line| !dropped(line)).collect();
    assert_eq!(schema(kind, &database), kept);
}

/// The migrations that an opened store reports as missing.
fn missing(kind: DatabaseKind, database: &TempDatabase) -> Vec<String> {
    let store = open(&parsed(database), &StoreOptions::default()).unwrap();
    match store.ready() {
        Ok(()) => Vec::new(),
        Err(Error::Unavailable { cause, .. }) => {
            names(kind).into_iter().filter(|name| cause.to_string().contains(name)).collect()
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// Reverts the migration whose name begins with `first`, and all later ones.
fn undo_from(kind: DatabaseKind, database: &TempDatabase, first: &str) {
    for name in names(kind).iter().rev().take_while(|name| name.as_str() >= first) {
        apply(kind, database, name, "down.sql");
        let (version, _) = name.split_once('_').unwrap();
        let version = version.replace('-', "");
        execute(kind, database, &format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"));
    }
    assert!(missing(kind, database).first().unwrap().starts_with(first));
}

const OLD_SESSIONS_SQLITE: &str = "
INSERT INTO accounts VALUES (unhex(printf('%032x', 1)), 'a@b.c', 'a@b.c', 'A', 'x', 'admin', NULL, NULL, 0, 0);
INSERT INTO sessions SELECT unhex(printf('%032x', value)), unhex(printf('%032x', 1)), value * 1000000,
    iif(value = 2, 9000000, NULL) FROM json_each('[1, 2, 3]');
INSERT INTO refresh_tokens VALUES (zeroblob(32), unhex(printf('%032x', 1)), 1000000, 60000000, 2000000),
    (randomblob(32), unhex(printf('%032x', 1)), 2000000, 70000000, NULL),
    (randomblob(32), unhex(printf('%032x', 2)), 2000000, 80000000, NULL);";

const OLD_SESSIONS_POSTGRES: &str = "
INSERT INTO accounts VALUES (lpad('1', 32, '0')::uuid, 'a@b.c', 'a@b.c', 'A', 'x', 'admin', NULL, NULL, now(), now());
INSERT INTO sessions SELECT lpad(i::text, 32, '0')::uuid, lpad('1', 32, '0')::uuid, to_timestamp(i),
    CASE i WHEN 2 THEN to_timestamp(9) END FROM generate_series(1, 3) AS i;
INSERT INTO refresh_tokens VALUES
    (decode(repeat('00', 32), 'hex'), lpad('1', 32, '0')::uuid, to_timestamp(1), to_timestamp(60), to_timestamp(2)),
    (sha256('2'), lpad('1', 32, '0')::uuid, to_timestamp(2), to_timestamp(70), NULL),
    (sha256('3'), lpad('2', 32, '0')::uuid, to_timestamp(2), to_timestamp(80), NULL);";

/// A migration logs nobody out.
fn sessions_survive_migrations(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = parsed(&database);
    migrate(&url).unwrap();
    undo_from(kind, &database, "2026-11-22-0008");
    execute(
        kind,
        &database,
        match kind {
            DatabaseKind::Sqlite => OLD_SESSIONS_SQLITE,
            DatabaseKind::Postgres => OLD_SESSIONS_POSTGRES,
        },
    );
    for round in ["forth", "back and forth again"] {
        migrate(&url).unwrap();
        let store = open(&url, &StoreOptions::default()).unwrap();
        let sessions = store.reading(|tx| tx.sessions(SessionFilter::default(), None, 10)).unwrap();
        let seconds: Vec<_> = sessions
            .iter()
            .map(|s| [Some(s.started_at), Some(s.refreshed_at), Some(s.expires_at), s.ended_at])
            .map(|times| times.map(|at| at.map(|at| at.timestamp())))
            .collect();
        let expected = [
            [Some(3), Some(3), Some(3), None],
            [Some(2), Some(2), Some(80), Some(9)],
            [Some(1), Some(1), Some(70), None],
        ];
        assert_eq!(seconds, expected, "{round}");
        assert!(sessions.iter().all(|session| session.source.is_none() && session.user_agent.is_none()));
        drop(store);
        undo_from(kind, &database, "2026-11-22-0008");
    }
    migrate(&url).unwrap();
    let store = open(&url, &StoreOptions::default()).unwrap();
    let (account_id, session_id) = (AccountId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(77)));
    let token = store.reading(|tx| tx.refresh_token(&[0; 32])).unwrap();
    assert_eq!(token.unwrap().spent_at.unwrap().timestamp(), 2);
    let now = at("2026-01-01T00:00:00Z");
    let orphan = RefreshToken {
        token_hash: vec![9; 32],
        session_id,
        issued_at: now,
        expires_at: now,
        spent_at: None,
        successor_hash: None,
        reissued_at: None,
        superseded_at: None,
    };
    assert!(store.writing(|tx| tx.insert_refresh_token(&orphan)).is_err(), "a token still needs its session");
    assert!(store.writing(|tx| tx.delete_account(account_id)).unwrap());
}

/// Users and accounts as the old rule stored them. The columns after the third are those of every new row.
fn old_addresses(kind: DatabaseKind) -> String {
    let (json, yes, now, uuid) = match kind {
        DatabaseKind::Sqlite => ("'{}'", "1", "0", "zeroblob(16)"),
        DatabaseKind::Postgres => ("'{}'", "true", "now()", "gen_random_uuid()"),
    };
    let user = |id: &str, email: &str, old: &str, pool: &str| {
        format!(
            "INSERT INTO users VALUES ('{id}', '{email}', '{old}', NULL, {json}, NULL, {pool}, 'CONFIRMED', {yes}, {now}, {now}, {uuid});"
        )
    };
    let account = |number: u8, email: &str, old: &str| {
        let id = match kind {
            DatabaseKind::Sqlite => format!("unhex(printf('%032x', {number}))"),
            DatabaseKind::Postgres => format!("lpad('{number}', 32, '0')::uuid"),
        };
        format!("INSERT INTO accounts VALUES ({id}, '{email}', '{old}', 'A', 'x', 'admin', NULL, NULL, {now}, {now});")
    };
    [
        user("a", "Straße@x", "straße@x", "'eu_1'"),
        user("b", "STRASSE@x", "strasse@x", "'eu_1'"),
        user("c", "Straße@x", "straße@x", "'eu_2'"),
        user("d", "Straße@x", "straße@x", "NULL"),
        user("e", "ΟΔΟΣ@x", "οδος@x", "NULL"),
        user("f", "οδοσ@x", "οδοσ@x", "NULL"),
        user("g", "Rene\u{301}@x", "rene\u{301}@x", "NULL"),
        user("h", "René@x", "rené@x", "NULL"),
        user("i", "Jane@x", "jane@x", "NULL"),
        account(1, "Straße@x", "straße@x"),
        account(2, "strasse@x", "strasse@x"),
        account(3, "Größe@x", "größe@x"),
    ]
    .concat()
}

fn addresses_get_their_folded_keys(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = parsed(&database);
    migrate(&url).unwrap();
    undo_from(kind, &database, "2026-11-29-0013");
    execute(kind, &database, &old_addresses(kind));
    for round in ["forth", "back and forth again"] {
        migrate(&url).unwrap();
        assert_eq!(migrate(&url).unwrap(), [""; 0], "{round}");
        let store = open(&url, &StoreOptions::default()).unwrap();
        let found = |email: &str| {
            let filter = UserFilter::by_email(visibility::EVERYTHING, email, None, None);
            let users = store.reading(|tx| tx.users(&filter, None, 10)).unwrap();
            users.into_iter().map(|user| user.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found("STRASSE@X"), ["b", "c", "d"], "{round}");
        assert_eq!(found("straße@x"), ["a", "b", "c", "d"], "{round}");
        assert_eq!(found("ΟΔΟΣ@x"), ["e", "f"], "{round}");
        assert_eq!(found("JANE@x"), ["i"], "{round}");
        let shared = store.reading(|tx| tx.shared_emails()).unwrap();
        let owners: Vec<Vec<&str>> =
            shared.iter().map(|shared| shared.owners.iter().map(|(_, email)| email.as_str()).collect()).collect();
        assert_eq!(
            owners,
            [
                vec!["Rene\u{301}@x", "René@x"],
                vec!["ΟΔΟΣ@x", "οδοσ@x"],
                vec!["Straße@x", "STRASSE@x"],
                vec!["Straße@x", "strasse@x"],
            ],
            "{round}"
        );
        let account = |email: &str| store.reading(|tx| tx.account_by_email(email)).unwrap().unwrap().email;
        assert_eq!([account("STRASSE@x"), account("straße@x")], ["strasse@x", "Straße@x"], "{round}");
        assert_eq!(account("GRÖSSE@x"), "Größe@x", "{round}");
        drop(store);
        undo_from(kind, &database, "2026-11-29-0013");
    }
}

/// No run has the events of an older version: lists need the rows until a rebuild has made the runs.
fn a_new_database_has_postings_and_an_older_one_does_not(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = parsed(&database);
    migrate(&url).unwrap();
    let store = open(&url, &StoreOptions::default()).unwrap();
    let has_postings = || store.reading(|tx| tx.has_postings()).unwrap();
    assert!(has_postings());
    store.writing(|tx| tx.insert_events(&[event(1)])).unwrap();
    undo_from(kind, &database, "2026-11-29-0032");
    migrate(&url).unwrap();
    assert!(!has_postings());
}

/// An upgrade must not mix keys: those of stored events are of version 0, so those of new events are too.
fn keys_of_pages_stay_those_of_the_older_version(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = parsed(&database);
    let rule = || {
        migrate(&url).unwrap();
        let store = open(&url, &StoreOptions::default()).unwrap();
        let state = store.reading(|tx| tx.page_rule()).unwrap();
        undo_from(kind, &database, "2026-11-29-0023");
        state
    };
    let newest = PageRuleState { rule: PageRule::default(), rewriting: false, presumed: false };
    assert_eq!(rule(), newest);
    migrate(&url).unwrap();
    let store = open(&url, &StoreOptions::default()).unwrap();
    let insert = |event: &Event| store.writing(|tx| tx.insert_events(std::slice::from_ref(event))).unwrap();
    insert(&event(1));
    undo_from(kind, &database, "2026-11-29-0023");
    assert_eq!(rule(), newest, "an event without a page has no key");
    migrate(&url).unwrap();
    insert(&Event { page: Some(Page::parse("page", "/a").unwrap()), ..event(2) });
    undo_from(kind, &database, "2026-11-29-0023");
    let old = PageRule { version: 0, ..PageRule::default() };
    assert_eq!(rule(), PageRuleState { rule: old, rewriting: false, presumed: true });
    migrate(&url).unwrap();
}

fn readiness_names_missing_migrations(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = parsed(&database);
    let store = open(&url, &StoreOptions::default()).unwrap();
    assert_eq!(missing(kind, &database), names(kind));
    assert_eq!(migrate(&url).unwrap(), names(kind));
    assert_eq!(migrate(&url).unwrap(), [""; 0]);
    store.ready().unwrap();
}

fn of_many_servers_one_migrates(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = parsed(&database);
    let applied: Vec<Vec<String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| migrate(&url).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut worked: Vec<&Vec<String>> = applied.iter().filter(|names| !names.is_empty()).collect();
    assert_eq!(worked.pop(), Some(&names(kind)), "{applied:?}");
    assert!(worked.is_empty(), "{applied:?}");
}

/// The cause of a call that is unavailable.
fn unavailable<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Unavailable { cause, .. }) => cause.to_string(),
        other => panic!("{other:?}"),
    }
}

fn a_newer_schema_is_read_and_not_written(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = parsed(&database);
    migrate(&url).unwrap();
    let store = open(&url, &StoreOptions::default()).unwrap();
    let write = |number| store.writing(|tx| tx.insert_events(&[event(number)]));
    write(1).unwrap();
    execute(kind, &database, "INSERT INTO __diesel_schema_migrations (version) VALUES ('209912310001')");
    for outcome in [store.ready(), write(2).map(drop), store.ready(), migrate(&url).map(drop)] {
        let cause = unavailable(outcome);
        assert!(cause.contains("a newer version of trailkeeper") && cause.contains("209912310001"), "{cause}");
    }
    assert_eq!(store.reading(|tx| Ok(tx.events(&all_events(), None, 10)?.len())).unwrap(), 1);
    execute(kind, &database, "DELETE FROM __diesel_schema_migrations WHERE version = '209912310001'");
    assert_eq!(write(2).unwrap(), [true]);
    store.ready().unwrap();
}

fn an_older_schema_is_not_written_until_it_is_migrated(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = parsed(&database);
    migrate(&url).unwrap();
    let store = open(&url, &StoreOptions::default()).unwrap();
    let write = |number| store.writing(|tx| tx.insert_events(&[event(number)]));
    write(1).unwrap();
    let last = names(kind).pop().unwrap();
    undo_from(kind, &database, &last);
    for outcome in [store.ready(), write(2).map(drop)] {
        let cause = unavailable(outcome);
        assert!(cause.contains("trailkeeper migrate") && cause.contains(&last), "{cause}");
    }
    assert_eq!(migrate(&url).unwrap(), [last]);
    store.ready().unwrap();
    assert_eq!(write(2).unwrap(), [true]);
}
