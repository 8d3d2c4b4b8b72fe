//! The migrations of both databases: the same list, undone without a trace, safe to run from many servers at once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use trailkeeper_analytics::engine::Summary;
use trailkeeper_domain::Error;
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open, pending_migrations};
use trailkeeper_testkit::{DatabaseKind, TempDatabase, run_on_postgres};

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
        let parts: Vec<usize> = number.split('-').map(str::len).collect();
        assert_eq!(parts, [4, 2, 2, 4], "{name}");
        assert!(what.contains('_') && what.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
    }
}

/// Runs statements past everything that is tested.
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
FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'
UNION ALL
SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE '\\_\\_%'
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%'
UNION ALL
SELECT format('%s %s', viewname, definition) FROM pg_views WHERE schemaname = 'public'
UNION ALL
SELECT format('%s partition by %s', oid::regclass, pg_get_partkeydef(oid)) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'p'
UNION ALL
SELECT format('sequence %s', sequencename) FROM pg_sequences WHERE schemaname = 'public'
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

fn up_down_up(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let empty = schema(kind, &database);
    let mut steps = Vec::new();
    for name in names(kind) {
        let before = schema(kind, &database);
        apply(kind, &database, &name, "up.sql");
        let after = schema(kind, &database);
        assert_ne!(before, after, "{name} changes nothing");
        apply(kind, &database, &name, "down.sql");
        assert_eq!(schema(kind, &database), before, "down.sql of {name} leaves something behind");
        apply(kind, &database, &name, "up.sql");
        assert_eq!(schema(kind, &database), after, "{name} does not come back the same");
        steps.push(name);
    }
    let full = schema(kind, &database);
    assert!(full.len() > 30, "the schema was not read: {full:?}");
    for name in steps.iter().rev() {
        apply(kind, &database, name, "down.sql");
    }
    assert_eq!(schema(kind, &database), empty);
    // The embedded ones are the same.
    let applied = migrate(&parsed(&database)).unwrap();
    assert_eq!(applied, steps);
    assert_eq!(schema(kind, &database), full);
}

#[test]
fn migrations_are_undone_without_a_trace_on_sqlite() {
    up_down_up(DatabaseKind::Sqlite);
}

#[test]
fn migrations_are_undone_without_a_trace_on_postgres() {
    up_down_up(DatabaseKind::Postgres);
}

fn pending_ones_are_told(kind: DatabaseKind) {
    let database = TempDatabase::new(kind);
    let url = parsed(&database);
    assert_eq!(pending_migrations(&url).unwrap(), names(kind));
    if kind == DatabaseKind::Sqlite {
        assert!(!database.path().exists(), "asking makes no file");
    }
    let store = open(&url, &StoreOptions::default(), Arc::new(Summary)).unwrap();
    match store.ready() {
        Err(Error::Unavailable { cause }) => assert!(cause.contains("create_events"), "{cause}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(migrate(&url).unwrap(), names(kind));
    assert_eq!(migrate(&url).unwrap(), [""; 0]);
    assert_eq!(pending_migrations(&url).unwrap(), [""; 0]);
    store.ready().unwrap();
}

#[test]
fn pending_ones_are_told_on_sqlite() {
    pending_ones_are_told(DatabaseKind::Sqlite);
}

#[test]
fn pending_ones_are_told_on_postgres() {
    pending_ones_are_told(DatabaseKind::Postgres);
}

fn many_servers_start_at_once(kind: DatabaseKind) {
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

#[test]
fn many_servers_start_at_once_on_sqlite() {
    many_servers_start_at_once(DatabaseKind::Sqlite);
}

#[test]
fn many_servers_start_at_once_on_postgres() {
    many_servers_start_at_once(DatabaseKind::Postgres);
}
