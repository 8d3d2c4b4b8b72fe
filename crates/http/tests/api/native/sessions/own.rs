//! Logging in and out, and the caller's own sessions.

use chrono::TimeDelta;
use serde_json::{Value, json};
use trailkeeper_domain::account::Role;

use crate::support::{ACME, PASSWORD, START, TestApp, numbered};

#[test]
fn a_login_begins_a_session_and_a_logout_ends_it() {
    for app in TestApp::on_both() {
        let jane = app.person("Jane@Example.com", Role::Auditor, Some(ACME));
        let answer = app
            .anon()
            .call("POST", "/v1/sessions")
            .header("User-Agent", "Browser/1")
            .peer("2001:db8::7")
            .json(&json!({"email": "jane@example.COM", "password": PASSWORD}))
            .send();
        assert_eq!((answer.status, answer.header("cache-control")), (201, Some("no-store")));
        let mut login = answer.ok();
        let id = login["session_id"].as_str().unwrap().to_owned();
        let path = format!("/v1/sessions/{id}");
        assert_eq!(answer.header("location"), Some(path.as_str()));
        let (access, refresh) = (login["access_token"].take(), login["refresh_token"].take());
        let expected = json!({
            "session_id": id, "access_token": null, "access_token_expires_at": "2026-07-23T12:00:00Z",
            "refresh_token": null, "refresh_token_expires_at": "2026-08-22T10:00:00Z",
            "account": jane.caller.get("/v1/accounts/me").ok(),
        });
        assert_eq!(login, expected);
        let caller = app.bearer(access.as_str().unwrap());
        let session = json!({
            "session_id": id, "account_id": jane.account_id, "state": "live", "current": true, "source": "2001:db8::7",
            "user_agent": "Browser/1", "started_at": START, "refreshed_at": START, "expires_at": "2026-08-22T10:00:00Z",
            "ended_at": null,
        });
        assert_eq!(caller.get(&path).ok(), session);

        caller.delete("/v1/sessions/current").no_content();
        caller.get("/v1/accounts/me").problem(401, "unauthorized", None);
        app.refresh(refresh.as_str().unwrap()).problem(401, "unauthorized", None);
        let ended = jane.caller.get(&path).ok();
        assert_eq!((&ended["state"], &ended["current"]), (&json!("ended"), &json!(false)));
        assert_eq!(ended["ended_at"], START);
        assert!(jane.is_in(), "the other session continues");
    }
}

#[test]
fn a_refresh_continues_the_session() {
    for app in TestApp::on_both() {
        let jane = app.person("jane@example.com", Role::Ingest, None);
        app.clock.advance(TimeDelta::hours(3));
        assert!(!jane.is_in(), "the access token expired");
        let answer = app.refresh(&jane.refresh_token);
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
        let tokens = answer.ok();
        assert_eq!(tokens["session_id"], jane.session_id);
        assert_eq!(tokens["access_token_expires_at"], "2026-07-23T15:00:00Z");
        let caller = app.bearer(tokens["access_token"].as_str().unwrap());
        let session = caller.get(&format!("/v1/sessions/{}", jane.session_id)).ok();
        assert_eq!((&session["started_at"], &session["refreshed_at"]), (&json!(START), &json!("2026-07-23T13:00:00Z")));
        assert_eq!(session["expires_at"], "2026-08-22T13:00:00Z");
        app.refresh(tokens["refresh_token"].as_str().unwrap()).ok();
        app.clock.advance(TimeDelta::minutes(1));
        app.refresh(&jane.refresh_token).problem(401, "unauthorized", None);
        caller.get("/v1/accounts/me").problem(401, "unauthorized", None);
    }
}

#[test]
fn a_refresh_whose_answer_was_lost_is_repeated_once() {
    for app in TestApp::on_both() {
        let jane = app.person("jane@example.com", Role::Analyst, None);
        let refresh = |token: &str| {
            let tokens = app.refresh(token).ok();
            ["refresh_token", "access_token"].map(|name| tokens[name].as_str().unwrap().to_owned())
        };
        let [lost, _] = refresh(&jane.refresh_token);
        app.clock.advance(TimeDelta::hours(1));
        let [again, access] = refresh(&jane.refresh_token);
        assert_ne!(again, lost);
        let caller = app.bearer(&access);
        caller.get("/v1/accounts/me").ok();
        app.clock.advance(TimeDelta::minutes(1));
        let [next, _] = refresh(&again);
        // The first answer was not lost after all: somebody else has it.
        app.refresh(&lost).problem(401, "unauthorized", None);
        app.refresh(&next).problem(401, "unauthorized", None);
        caller.get("/v1/accounts/me").problem(401, "unauthorized", None);
    }
}

#[test]
fn a_failed_login_reveals_nothing() {
    let app = TestApp::new();
    let jane = app.person("jane@example.com", Role::Admin, None);
    app.person("root@example.com", Role::Admin, None);
    app.admin().patch(&format!("/v1/accounts/{}", jane.account_id), &json!({"disabled": true})).ok();
    app.person("joe@example.com", Role::Admin, None);
    let refusals: Vec<_> = [
        app.log_in("joe@example.com", "hunter2hunter2"),
        app.log_in("nobody@example.com", PASSWORD),
        app.log_in("jane@example.com", PASSWORD),
        app.log_in("'; --", PASSWORD),
    ]
    .iter()
    .map(|answer| {
        assert!(answer.header("www-authenticate").is_some());
        answer.problem(401, "unauthorized", None)
    })
    .collect();
    assert!(refusals.iter().all(|detail| *detail == refusals[0]), "{refusals:?}");
    app.refresh("rt_nonsense").problem(401, "unauthorized", None);
}

#[test]
fn too_many_failed_logins_are_delayed() {
    for app in TestApp::on_both() {
        let jane = app.person("jane@example.com", Role::Ingest, None);
        let refused = (0..20).map(|_| app.log_in("jane@example.com", "hunter2hunter2")).find(|one| one.status != 401);
        let refused = refused.unwrap();
        let detail = refused.problem(429, "too_many_attempts", None);
        assert!(!detail.contains("jane"), "{detail}");
        let seconds: i64 = refused.header("retry-after").unwrap().parse().unwrap();
        app.log_in("jane@example.com", PASSWORD).problem(429, "too_many_attempts", None);
        app.clock.advance(TimeDelta::seconds(seconds));
        assert_eq!(app.log_in("jane@example.com", PASSWORD).status, 201);

        let change = |current: &str| {
            let body = json!({"current_password": current, "new_password": "another horse entirely"});
            jane.caller.put("/v1/accounts/me/password", &body)
        };
        let refused = (0..20).map(|_| change("hunter2hunter2")).find(|one| one.status != 403).unwrap();
        refused.problem(429, "too_many_attempts", None);
        let seconds: i64 = refused.header("retry-after").unwrap().parse().unwrap();
        change(PASSWORD).problem(429, "too_many_attempts", None);
        assert!(jane.is_in(), "requests without a password are not delayed");
        app.clock.advance(TimeDelta::seconds(seconds));
        change(PASSWORD).no_content();
    }
}

#[test]
fn bad_logins_name_the_field_and_never_the_secret() {
    let app = TestApp::new();
    let long = "hunter2".repeat(200);
    for (path, body, field) in [
        ("/v1/sessions", json!({"password": "hunter2"}), "email"),
        ("/v1/sessions", json!({"email": "x"}), "password"),
        ("/v1/sessions", json!({"email": "x", "password": null}), "password"),
        ("/v1/sessions", json!({"email": "x", "password": {"hunter2": 1}}), "password"),
        ("/v1/sessions", json!({"email": "x", "password": ""}), "password"),
        ("/v1/sessions", json!({"email": "x", "password": long}), "password"),
        ("/v1/sessions", json!({"email": ["hunter2"], "password": "x"}), "email"),
        ("/v1/sessions", json!({"email": "x", "password": "hunter2", "username": "x"}), "username"),
        ("/v1/sessions/refresh", json!({}), "refresh_token"),
        ("/v1/sessions/refresh", json!({"refresh_token": 5}), "refresh_token"),
        ("/v1/sessions/refresh", json!({"refresh_token": long}), "refresh_token"),
        ("/v1/sessions/refresh", json!({"refresh_token": "hunter2", "token": "x"}), "token"),
    ] {
        let answer = app.anon().post(path, &body);
        answer.problem(400, "invalid_parameter", Some(field));
        assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    }
    for path in ["/v1/sessions", "/v1/sessions/refresh"] {
        let send = |body: &str| app.anon().call("POST", path).body(body).send();
        send("").problem(400, "malformed_json", None);
        send("{\"password\":\"hunter2").problem(400, "malformed_json", None);
        send("5").problem(400, "not_an_object", None);
        send(&" ".repeat(70_000)).problem(413, "body_too_large", None);
        app.anon().post(&format!("{path}?x=1"), &json!({})).problem(400, "invalid_parameter", Some("x"));
    }
}

#[test]
fn own_sessions_are_listed_newest_first() {
    for app in TestApp::on_both() {
        let jane = app.person("jane@example.com", Role::Ingest, None);
        app.person("joe@example.com", Role::Admin, None);
        let mut ids = vec![jane.session_id.clone()];
        for _ in 0..4 {
            app.clock.advance(TimeDelta::minutes(1));
            ids.insert(0, app.again("jane@example.com").session_id);
        }
        let mut seen = Vec::new();
        let mut path = "/v1/sessions?limit=2".to_owned();
        loop {
            let page = jane.caller.get(&path).ok();
            seen.extend(page["sessions"].as_array().unwrap().clone());
            let Some(next) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/sessions?limit=2&cursor={next}");
        }
        let seen_ids: Vec<_> = seen.iter().map(|session| session["session_id"].as_str().unwrap()).collect();
        assert_eq!(seen_ids, ids);
        for session in &seen {
            assert_eq!(session["current"], session["session_id"] == jane.session_id);
            assert_eq!((&session["account_id"], &session["state"]), (&json!(jane.account_id), &json!("live")));
        }

        let count = |path: &str| jane.caller.get(path).ok()["sessions"].as_array().unwrap().len();
        jane.caller.delete(&format!("/v1/sessions/{}", ids[0])).no_content();
        jane.caller.delete(&format!("/v1/sessions/{}", ids[0])).no_content();
        assert_eq!((count("/v1/sessions"), count("/v1/sessions?past=true")), (4, 5));
        assert_eq!(count(&format!("/v1/sessions?account_id={}", jane.account_id)), 4, "to name oneself needs no role");
        jane.caller.delete("/v1/sessions").no_content();
        assert_eq!((count("/v1/sessions"), count("/v1/sessions?past=false&all=false")), (1, 1));
        let all = jane.caller.get("/v1/sessions?past=true").ok();
        let states: Vec<_> =
            all["sessions"].as_array().unwrap().iter().map(|session| session["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["ended", "ended", "ended", "ended", "live"]);
        assert!(jane.is_in());
    }
}

#[test]
fn an_expired_session_is_listed_as_past() {
    let app = TestApp::new();
    let old = app.person("jane@example.com", Role::Ingest, None);
    app.clock.advance(TimeDelta::days(30));
    let jane = app.again("jane@example.com");
    let live = jane.caller.get("/v1/sessions").ok();
    assert_eq!(live["sessions"].as_array().unwrap().len(), 1);
    let session = jane.caller.get(&format!("/v1/sessions/{}", old.session_id)).ok();
    assert_eq!((&session["state"], &session["ended_at"]), (&json!("expired"), &Value::Null));
}

#[test]
fn invalid_queries_name_their_field() {
    let app = TestApp::new();
    let jane = app.person("jane@example.com", Role::Admin, None);
    for (query, field) in [
        ("past=maybe", "past"),
        ("all=1", "all"),
        ("all=", "all"),
        ("past=true&past=true", "past"),
        ("account_id=jane", "account_id"),
        ("cursor=k6162", "cursor"),
        ("limit=1001", "limit"),
        ("live=true", "live"),
    ] {
        jane.caller.get(&format!("/v1/sessions?{query}")).problem(400, "invalid_parameter", Some(field));
    }
    let both = format!("/v1/sessions?all=true&account_id={}", jane.account_id);
    jane.caller.get(&both).problem(400, "invalid_parameter", Some("account_id"));
    for (method, path) in [
        ("DELETE", "/v1/sessions?all=true".to_owned()),
        ("DELETE", "/v1/sessions/current?all=true".to_owned()),
        ("DELETE", format!("/v1/sessions/{}?all=true", jane.session_id)),
    ] {
        jane.caller.call(method, &path).send().problem(400, "invalid_parameter", Some("all"));
    }
    jane.caller.get("/v1/sessions/x").problem(400, "invalid_parameter", Some("session_id"));
    jane.caller.get(&format!("/v1/sessions/{}", numbered(1))).problem(404, "session_not_found", None);
    assert!(jane.is_in());
}
