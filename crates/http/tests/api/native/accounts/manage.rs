//! Management of accounts by administrators.

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::{ACME, PASSWORD, START, TestApp, numbered};

#[test]
fn an_account_is_created_read_changed_and_removed() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let new = json!({"email": "Jane@Example.com", "display_name": "Jane", "role": "auditor", "tenant_id": ACME, "password": PASSWORD});
        let made = admin.post("/v1/accounts", &new);
        assert_eq!((made.status, made.header("cache-control")), (201, Some("no-store")));
        let account = made.ok()["account"].clone();
        let path = format!("/v1/accounts/{}", account["account_id"].as_str().unwrap());
        assert_eq!(made.header("location"), Some(path.as_str()));
        let expected = json!({
            "account_id": account["account_id"], "email": "Jane@Example.com", "display_name": "Jane", "role": "auditor",
            "tenant_id": ACME, "disabled": false, "disabled_at": null, "created_at": START, "updated_at": START,
        });
        assert_eq!(made.ok(), json!({"account": expected, "password": null}), "a password that was sent is not echoed");
        assert_eq!(admin.get(&path).ok(), expected);
        assert_eq!(admin.get("/v1/accounts").ok(), json!({"accounts": [expected], "next_cursor": null}));
        assert_eq!(app.log_in("jane@example.com", PASSWORD).status, 201);

        app.clock.set("2026-07-23T11:00:00Z");
        let change = json!({"email": "joe@example.com", "display_name": "Joe", "role": "analyst", "tenant_id": null, "disabled": true, "password": "another horse entirely"});
        let changed = admin.patch(&path, &change).ok();
        let expected = json!({
            "account_id": account["account_id"], "email": "joe@example.com", "display_name": "Joe", "role": "analyst",
            "tenant_id": null, "disabled": true, "disabled_at": "2026-07-23T11:00:00Z", "created_at": START,
            "updated_at": "2026-07-23T11:00:00Z",
        });
        assert_eq!(changed, expected);
        assert_eq!(admin.get(&path).ok(), expected);
        app.log_in("joe@example.com", "another horse entirely").problem(401, "unauthorized", None);
        assert_eq!(admin.patch(&path, &json!({"disabled": false})).ok()["disabled_at"], Value::Null);
        assert_eq!(app.log_in("joe@example.com", "another horse entirely").status, 201);
        app.log_in("joe@example.com", PASSWORD).problem(401, "unauthorized", None);

        admin.delete(&path).no_content();
        admin.get(&path).problem(404, "account_not_found", None);
        admin.delete(&path).problem(404, "account_not_found", None);
        admin.patch(&path, &json!({})).problem(404, "account_not_found", None);
        assert_eq!(admin.get("/v1/accounts").ok()["accounts"], json!([]));
        app.log_in("joe@example.com", "another horse entirely").problem(401, "unauthorized", None);
    }
}

#[test]
fn a_generated_password_is_shown_once() {
    let app = TestApp::new();
    let admin = app.admin();
    let made = admin.post("/v1/accounts", &json!({"email": "jane@example.com", "role": "admin"}));
    assert_eq!((made.status, made.header("cache-control")), (201, Some("no-store")));
    let made = made.ok();
    assert_eq!(made["account"]["display_name"], "jane@example.com");
    let password = made["password"].as_str().unwrap();
    assert_eq!(password.len(), 20);
    assert_eq!(app.log_in("jane@example.com", password).status, 201);
    let path = format!("/v1/accounts/{}", made["account"]["account_id"].as_str().unwrap());
    for answer in [admin.get("/v1/accounts"), admin.get(&path), admin.patch(&path, &json!({}))] {
        let text = answer.ok().to_string();
        assert!(!text.contains(password) && !text.contains("password") && !text.contains("$2"), "{text}");
    }
    let other =
        admin.post("/v1/accounts", &json!({"email": "joe@example.com", "role": "admin", "password": null})).ok();
    assert_ne!(other["password"], made["password"]);
}

#[test]
fn invalid_accounts_name_their_field_and_store_nothing() {
    let app = TestApp::new();
    let admin = app.admin();
    let good = json!({"email": "jane@example.com", "role": "auditor", "password": PASSWORD});
    for (field, value) in [
        ("email", Value::Null),
        ("email", json!("jane")),
        ("email", json!("jane doe@example.com")),
        ("email", json!(5)),
        ("email", json!(format!("{}@example.com", "x".repeat(250)))),
        ("display_name", json!("")),
        ("display_name", json!("x".repeat(257))),
        ("display_name", json!("a\u{7}")),
        ("role", Value::Null),
        ("role", json!("root")),
        ("role", json!(["admin"])),
        ("tenant_id", json!("acme")),
        ("tenant_id", json!("00000000-0000-0000-0000-000000000000")),
        ("tenant_id", json!("ffffffff-ffff-ffff-ffff-ffffffffffff")),
        ("password", json!("")),
        ("password", json!("hunter2hunt")),
        ("password", json!("hunter2".repeat(11))),
        ("password", json!("hunter2hunter2\n")),
        ("password", json!("JANE@example.com")),
        ("password", json!(["hunter2hunter2"])),
        ("disabled", json!(true)),
        ("account_id", json!(numbered(1))),
    ] {
        let mut bad = good.clone();
        bad[field] = value.clone();
        let answer = admin.post("/v1/accounts", &bad);
        answer.problem(400, "invalid_parameter", Some(field));
        assert!(!answer.text().contains("hunter2"), "{}", answer.text());
        // The same field, changed.
        if !value.is_null() && !matches!(field, "disabled" | "account_id") {
            let person = app.person(&format!("{}@example.com", app.fresh_name()), Role::Ingest, None);
            let path = format!("/v1/accounts/{}", person.account_id);
            if value != json!("JANE@example.com") {
                let answer = admin.patch(&path, &json!({field: value}));
                answer.problem(400, "invalid_parameter", Some(field));
                assert!(!answer.text().contains("hunter2"), "{}", answer.text());
            }
            assert!(person.is_in(), "nothing changed");
            admin.delete(&path).no_content();
        }
    }
    let post = |body: &str| admin.call("POST", "/v1/accounts").body(body).send();
    post("").problem(400, "malformed_json", None);
    post("{\"email\":").problem(400, "malformed_json", None);
    post("[]").problem(400, "not_an_object", None);
    post("{\"role\":\"admin\",\"role\":\"admin\"}").problem(400, "invalid_parameter", Some("role"));
    post(&" ".repeat(70_000)).problem(413, "body_too_large", None);
    let form = admin.call("POST", "/v1/accounts").header("Content-Type", "text/plain").body(good.to_string()).send();
    form.problem(400, "invalid_parameter", Some("Content-Type"));
    admin.post("/v1/accounts?notify=true", &good).problem(400, "invalid_parameter", Some("notify"));
    assert_eq!(admin.get("/v1/accounts").ok()["accounts"], json!([]));
    for path in ["/v1/accounts/jane", "/v1/accounts/%20"] {
        admin.get(path).problem(400, "invalid_parameter", Some("account_id"));
        admin.patch(path, &json!({})).problem(400, "invalid_parameter", Some("account_id"));
        admin.delete(path).problem(400, "invalid_parameter", Some("account_id"));
    }
    admin.get(&format!("/v1/accounts/{}", numbered(1))).problem(404, "account_not_found", None);
}

#[test]
fn an_e_mail_is_unique_among_accounts() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        app.person("jane@example.com", Role::Auditor, None);
        let joe = app.person("joe@example.com", Role::Auditor, None);
        let again = json!({"email": "JANE@example.com", "role": "auditor", "password": PASSWORD});
        admin.post("/v1/accounts", &again).problem(409, "email_taken", Some("email"));
        let path = format!("/v1/accounts/{}", joe.account_id);
        admin.patch(&path, &json!({"email": "Jane@Example.com"})).problem(409, "email_taken", Some("email"));
        assert_eq!(admin.patch(&path, &json!({"email": "JOE@example.com"})).ok()["email"], "JOE@example.com");
        assert!(joe.is_in(), "another spelling of the name ends nothing");
    }
}

#[test]
fn the_list_is_in_the_order_of_creation() {
    let app = TestApp::new();
    let admin = app.admin();
    let ids: Vec<_> = (0..5)
        .map(|number| {
            app.clock.advance(chrono::TimeDelta::seconds(1));
            let new = json!({"email": format!("a{}@example.com", 9 - number), "role": "ingest"});
            admin.post("/v1/accounts", &new).ok()["account"]["account_id"].as_str().unwrap().to_owned()
        })
        .collect();
    let mut seen = Vec::new();
    let mut path = "/v1/accounts?limit=2".to_owned();
    loop {
        let page = admin.get(&path).ok();
        seen.extend(
            page["accounts"].as_array().unwrap().iter().map(|one| one["account_id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/accounts?limit=2&cursor={next}");
    }
    assert_eq!(seen, ids);
    admin.get("/v1/accounts?cursor=k6162").problem(400, "invalid_parameter", Some("cursor"));
    admin.get("/v1/accounts?limit=0").problem(400, "invalid_parameter", Some("limit"));
    admin.get("/v1/accounts?role=admin").problem(400, "invalid_parameter", Some("role"));
}

#[test]
fn audit_events_have_actor_change_and_source() {
    for app in TestApp::on_both() {
        let root = app.person("root@example.com", Role::Admin, None);
        let send = |method: &str, path: &str, body: &Value| {
            root.caller
                .call(method, path)
                .header("User-Agent", "Console/1")
                .header("X-Request-Id", "r-1")
                .json(body)
                .send()
        };
        let made = send("POST", "/v1/accounts", &json!({"email": "jane@example.com", "role": "auditor"})).ok();
        let id = made["account"]["account_id"].as_str().unwrap();
        let path = format!("/v1/accounts/{id}");
        send("PATCH", &path, &json!({"role": "analyst", "disabled": true, "password": PASSWORD})).ok();
        root.caller
            .call("DELETE", &path)
            .header("User-Agent", "Console/1")
            .header("X-Request-Id", "r-1")
            .send()
            .no_content();
        let events = app.admin().get("/v1/events?tenant_id=ffffffff-ffff-ffff-ffff-ffffffffffff&limit=100").ok();
        let about_jane: Vec<_> =
            events["events"].as_array().unwrap().iter().filter(|event| event["target"]["id"] == id).collect();
        let mut kinds: Vec<_> = about_jane.iter().map(|event| event["type"].as_str().unwrap()).collect();
        kinds.sort_unstable();
        assert_eq!(
            kinds,
            ["account_change", "account_create", "account_delete", "account_disable", "account_password_change"]
        );
        for event in about_jane {
            assert_eq!((&event["user_id"], &event["user_name"]), (&json!(root.account_id), &json!("root@example.com")));
            assert_eq!((&event["source"], &event["user_agent"]), (&json!("198.51.100.20"), &json!("Console/1")));
            assert_eq!((&event["trace_id"], &event["outcome"]), (&json!("r-1"), &json!("success")));
            assert_eq!(event["target"]["name"], "jane@example.com");
        }
        let message = events.to_string();
        assert!(!message.contains(PASSWORD) && !message.contains(made["password"].as_str().unwrap()));
    }
}
