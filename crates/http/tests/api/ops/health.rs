//! Health and readiness.

use chrono::TimeDelta;
use serde_json::json;
use trailkeeper_testkit::{DatabaseKind, run_on_postgres};

use crate::support::TestApp;

#[test]
fn a_server_with_its_database_is_healthy_and_ready() {
    for kind in DatabaseKind::ALL {
        let app = TestApp::on(kind);
        for path in ["/healthz", "/readyz"] {
            assert_eq!(app.anon().get(path).ok(), json!({"status": "ok"}));
            assert_eq!(app.bearer("not even a token").get(path).status, 200);
        }
    }
}

#[test]
fn a_server_without_its_database_is_healthy_answers_503_and_recovers() {
    let app = TestApp::on(DatabaseKind::Postgres);
    let admin = app.admin();
    app.database.allow_connections(false);
    app.database.end_connections();
    for answer in [app.anon().get("/readyz"), admin.get("/v1/events"), admin.post("/v1/events", &json!({"type": "x"}))]
    {
        let detail = answer.problem(503, "unavailable", None);
        assert!(answer.header("retry-after").is_some());
        assert!(!detail.contains("postgres") && !detail.contains("connect"), "no internals: {detail}");
    }
    assert_eq!(app.anon().get("/healthz").status, 200);
    app.database.allow_connections(true);
    app.clock.advance(TimeDelta::seconds(3));
    assert_eq!(app.anon().get("/readyz").status, 200);
    assert_eq!(admin.record(&json!({"type": "x"}))["stored"], 1);
}

#[test]
fn a_database_without_its_tables_is_not_ready() {
    let app = TestApp::on(DatabaseKind::Postgres);
    run_on_postgres(app.database.url(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    app.anon().get("/readyz").problem(503, "unavailable", None);
    assert_eq!(app.anon().get("/healthz").status, 200);
}
