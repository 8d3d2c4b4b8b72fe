//! Settings of pages: the database has one rule, and `rebuild` changes it.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};

use crate::support::Program;

/// Six spellings of `/café`, four of `/foo` (two with a slash), and a route.
const PAGES: [&str; 11] = [
    "/caf%C3%A9",
    "/caf%c3%a9",
    "/café",
    "/caf%C3%A9?x=1",
    "/./café",
    "/café#top",
    "/%66oo",
    "/foo",
    "/foo/",
    "/a/../foo/",
    "/app#/users",
];

fn import(program: &Program, name: &str, arguments: &[&str]) -> crate::support::Done {
    let lines: Vec<String> = PAGES
        .iter()
        .map(|page| {
            format!(r#"{{"type":"page_load","user_id":"u","page":"{page}","occurred_at":"2026-02-01T10:30:00Z"}}"#)
        })
        .collect();
    let file = program.file(name, lines.join("\n"));
    // Each file is a log of its own: equal lines of one log would be known.
    program.run(&[&["import", "events", &file, "--log-name", name], arguments].concat())
}

fn connect(program: &Program) -> SqliteConnection {
    SqliteConnection::establish(program.data_dir().join("trailkeeper.db").to_str().unwrap()).unwrap()
}

/// The counted pages with their number of events, from the rows, as other tools read them.
fn counted(program: &Program) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        line: String,
    }
    let sql = "SELECT counted_page || ' ' || count(*) AS line FROM event_log WHERE page IS NOT NULL GROUP BY counted_page ORDER BY counted_page";
    let lines: Vec<Line> = diesel::sql_query(sql).load(&mut connect(program)).unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

fn assert_clean(program: &Program) {
    let printed = program.run(&["verify"]).good().stdout;
    assert!(printed.ends_with("and 0 deltas were compared: 0 differences\n"), "{printed}");
}

#[test]
fn a_database_has_one_rule_and_rebuild_changes_it() {
    let program = Program::new();
    import(&program, "a", &[]).good();
    assert_eq!(counted(&program), ["/app 1", "/café 6", "/foo 2", "/foo/ 2"]);

    // Another setting is refused by every command that records, with both ways out, and nothing is recorded.
    for arguments in [&["--page-trailing-slash", "drop"][..], &["--page-hash=keep-routes"], &["--keep-page-queries"]] {
        let error = import(&program, "b", arguments).failed(1);
        assert!(error.contains("leave the setting out") && error.contains("`trailkeeper rebuild --"), "{error}");
    }
    let error = program.run(&["serve", "--listen", "127.0.0.1:0", "--page-trailing-slash", "drop"]).failed(1);
    assert!(
        error.contains(
            "--page-trailing-slash=drop: the pages of this database were counted with --page-trailing-slash=keep"
        ),
        "{error}"
    );
    assert_eq!(counted(&program).len(), 4);

    let printed = program.run(&["rebuild", "--page-trailing-slash", "drop", "--page-hash=keep-routes"]).good().stdout;
    assert!(printed.contains("3 events have another page key now"), "{printed}");
    assert!(printed.contains("trailing slash drop, hash keep-routes"), "{printed}");
    assert_eq!(counted(&program), ["/app#/users 1", "/café 6", "/foo 4"]);
    assert_clean(&program);

    // From now on the settings may be left out, or be these ones, and old ones are refused.
    import(&program, "c", &[]).good();
    import(&program, "d", &["--page-trailing-slash=drop"]).good();
    import(&program, "e", &["--page-trailing-slash=keep"]).failed(1);
    assert_eq!(counted(&program), ["/app#/users 3", "/café 18", "/foo 12"]);
    // A rebuild without settings changes no key.
    let printed = program.run(&["rebuild"]).good().stdout;
    assert!(!printed.contains("page key") && printed.contains(" from 33 events"), "{printed}");
    assert_clean(&program);
}

#[test]
fn a_lost_name_of_a_page_does_not_stop_a_change_of_the_rule() {
    let program = Program::new();
    import(&program, "a", &[]).good();
    connect(&program).batch_execute("DELETE FROM dict_pages WHERE name = '/foo/'").unwrap();
    // One event has `/a/../foo/` as it was sent, the other one only the number of its page.
    let printed = program.run(&["rebuild", "--page-trailing-slash", "drop"]).good().stdout;
    let counts = "\n1 events have another page key now\n1 events keep their page key, because the name of their page is missing; `trailkeeper verify` finds the missing names\n";
    assert!(printed.contains(counts) && printed.contains(" from 11 events"), "{printed}");
    assert_eq!(counted(&program), ["/app 1", "/café 6", "/foo 3"]);
    // The sheets equal the recount: only the name differs.
    let done = program.run(&["verify"]);
    let found = done.stdout.clone();
    let message = done.failed(1);
    assert!(found.contains("table dict_pages has no row ") && found.contains(", the page of 1 events,"), "{found}");
    assert!(found.ends_with(": 1 differences\n") && message.contains("from a backup"), "{found}{message}");
    let printed = program.run(&["rebuild"]).good().stdout;
    assert!(!printed.contains("page key"), "{printed}");
}

#[test]
fn an_older_database_is_served_as_it_is_until_a_rebuild() {
    let program = Program::new();
    program.run(&["migrate"]).good();
    // As migration leaves a database with events of an older version.
    connect(&program).batch_execute("UPDATE page_rule SET version = 0, queries = NULL").unwrap();
    let done = import(&program, "a", &["--keep-page-queries"]).good();
    assert!(done.stderr.contains("`trailkeeper rebuild` makes them one"), "{}", done.stderr);
    let old = [
        "/%66oo 1",
        "/./café 1",
        "/a/../foo/ 1",
        "/app 1",
        "/caf%C3%A9 1",
        "/caf%C3%A9?x=1 1",
        "/caf%c3%a9 1",
        "/café 2",
        "/foo 1",
        "/foo/ 1",
    ];
    assert_eq!(counted(&program), old);
    import(&program, "b", &["--keep-page-queries=false"]).failed(1);
    let printed = program.run(&["rebuild"]).good().stdout;
    assert!(printed.starts_with("pages get other keys: version 1, queries keep,"), "{printed}");
    assert_eq!(counted(&program), ["/app 1", "/café 5", "/café?x=1 1", "/foo 2", "/foo/ 2"]);
    assert_clean(&program);
}

#[test]
fn an_interrupted_change_is_finished_by_the_next_rebuild() {
    let program = Program::new();
    import(&program, "a", &[]).good();
    connect(&program).batch_execute("UPDATE page_rule SET trailing_slash = 'drop', rewriting = 1").unwrap();
    let error = program.run(&["verify"]).failed(1);
    assert!(error.contains("`trailkeeper rebuild`"), "{error}");
    let done = import(&program, "b", &[]).good();
    assert!(done.stderr.contains("run it again if it is not running"), "{}", done.stderr);
    let printed = program.run(&["rebuild"]).good().stdout;
    assert!(printed.starts_with("pages get other keys, which an interrupted rebuild began"), "{printed}");
    assert_eq!(counted(&program), ["/app 2", "/café 12", "/foo 8"]);
    assert_clean(&program);
}
