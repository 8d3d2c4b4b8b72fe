//! Migrations that call themselves expanding only add. An older program ignores them and goes on writing.

use std::fs;
use std::path::Path;

/// The beginnings of statements that an older program need not know of.
const ADDING: [&str; 5] = ["CREATE TABLE ", "CREATE INDEX ", "CREATE VIEW ", "INSERT INTO ", "COMMENT ON "];

/// The statements of a migration that do more than add.
fn changing(sql: &str) -> Vec<String> {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join(" ");
    let words = |statement: &str| statement.split_whitespace().collect::<Vec<_>>().join(" ");
    text.split(';').map(words).filter(|statement| !statement.is_empty() && !adds(&statement.to_uppercase())).collect()
}

fn adds(statement: &str) -> bool {
    if let Some(column) = statement.strip_prefix("ALTER TABLE ") {
        // An older program leaves the column out.
        let fills_itself = !column.contains("NOT NULL") || column.contains("DEFAULT");
        let checks = ["CHECK", "UNIQUE", "REFERENCES", "PRIMARY"].iter().any(|word| column.contains(word));
        let is_one_column = column.split_whitespace().nth(1) == Some("ADD") && !column.contains(" DROP ");
        return is_one_column && column.contains(" ADD COLUMN ") && fills_itself && !checks;
    }
    // Rows that an older program writes must keep fitting.
    !statement.starts_with("CREATE UNIQUE ") && ADDING.iter().any(|beginning| statement.starts_with(beginning))
}

#[test]
fn expanding_migrations_only_add() {
    for kind in ["sqlite", "postgres"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(kind);
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let (version, _) = name.split_once('_').unwrap();
            if version.ends_with("expand") {
                let found = changing(&fs::read_to_string(path.join("up.sql")).unwrap());
                assert!(found.is_empty(), "{kind}/{name} says that it only adds, and does more: {found:?}");
            }
        }
    }
}

#[test]
fn statements_that_change_or_remove_are_found() {
    let adding = "
        -- DROP TABLE of a comment
        CREATE TABLE a (b TEXT NOT NULL, UNIQUE (b)); CREATE INDEX a_by_b ON a (b);
        ALTER TABLE events ADD COLUMN note TEXT;
        ALTER TABLE events ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;";
    assert!(changing(adding).is_empty(), "{:?}", changing(adding));
    for sql in [
        "DROP TABLE a",
        "ALTER TABLE events DROP COLUMN page_id",
        "ALTER TABLE events ADD COLUMN a INTEGER, DROP COLUMN b",
        "ALTER TABLE events ADD COLUMN a INTEGER NOT NULL",
        "ALTER TABLE events ADD COLUMN a INTEGER CHECK (a > 0)",
        "ALTER TABLE events RENAME TO old_events",
        "ALTER TABLE events ADD CONSTRAINT a CHECK (env_id > 0)",
        "CREATE UNIQUE INDEX a ON events (user_id)",
        "UPDATE events SET env_id = 1",
        "DELETE FROM events",
        "DO $$ BEGIN NULL; END $$",
    ] {
        assert!(!changing(sql).is_empty(), "{sql}");
    }
}
