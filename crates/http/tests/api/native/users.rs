//! Users' records and the history of their attributes.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{ACME, Caller, START, TestApp, escaped};

const POOL: &str = "eu-west-1_aBcD12345";

fn ids(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = caller.get(&format!("/v1/users?limit=2{query}{cursor}")).ok();
        seen.extend(page["users"].as_array().unwrap().iter().map(|user| user["user_id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
    }
}

#[test]
fn a_user_is_created_replaced_and_removed() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        admin.get("/v1/users/u1").problem(404, "user_not_found", None);
        let full = json!({
            "email": "Jane@Example.com", "username": "jane", "attributes": {"department": "sales", "b": "", "address": "1 High St\r\n\tLisbon\n"},
            "user_pool_id": POOL, "status": "RESET_REQUIRED", "enabled": false, "registered_at": "2026-01-01T00:00:00Z",
        });
        let created = admin.put("/v1/users/u1", &full);
        assert_eq!(created.status, 201);
        let mut expected = full;
        expected["user_id"] = json!("u1");
        expected["region"] = json!("eu-west-1");
        expected["updated_at"] = json!(START);
        assert_eq!(created.ok(), expected);
        assert_eq!(admin.get("/v1/users/u1").ok(), expected);
        app.clock.advance(TimeDelta::hours(1));
        let replaced = admin.put("/v1/users/u1", &json!({}));
        assert_eq!(replaced.status, 200);
        let empty = json!({
            "user_id": "u1", "email": null, "username": null, "attributes": {}, "region": null, "user_pool_id": null,
            "status": "CONFIRMED", "enabled": true, "registered_at": "2026-01-01T00:00:00Z", "updated_at": "2026-07-23T11:00:00Z",
        });
        assert_eq!(replaced.ok(), empty);
        admin.delete("/v1/users/u1").no_content();
        admin.get("/v1/users/u1").problem(404, "user_not_found", None);
        admin.delete("/v1/users/u1").problem(404, "user_not_found", None);
    }
}

#[test]
fn ids_may_contain_any_characters_of_a_path() {
    let app = TestApp::new();
    let admin = app.admin();
    for id in ["a/b", "a b", "a+b", "a%b", "a%2Fb", "käse", "ip:203.0.113.7", "a?b#c", "auth0|5f7", "x@y.example", "👩"]
    {
        let path = format!("/v1/users/{}", escaped(id));
        assert_eq!(admin.put(&path, &json!({"username": id})).ok()["user_id"], id);
        assert_eq!(admin.get(&path).ok()["username"], id);
        admin.delete(&path).no_content();
    }
    let long = "ä".repeat(128);
    admin.put(&format!("/v1/users/{}", escaped(&long)), &json!({})).ok();
    for id in [escaped(&"ä".repeat(129)), "%00".to_owned(), "a%0Ab".to_owned(), "%FF".to_owned(), "%C3%28".to_owned()]
    {
        admin.put(&format!("/v1/users/{id}"), &json!({})).problem(400, "invalid_parameter", Some("user_id"));
    }
}

#[test]
fn invalid_records_name_their_field_and_store_nothing() {
    let app = TestApp::new();
    let admin = app.admin();
    let many: serde_json::Map<String, Value> = (0..101).map(|n| (format!("a{n}"), json!("x"))).collect();
    for (body, field) in [
        (json!({"email": "jane"}), "email"),
        (json!({"email": "@example.com"}), "email"),
        (json!({"email": "ja ne@example.com"}), "email"),
        (json!({"username": ""}), "username"),
        (json!({"attributes": []}), "attributes"),
        (json!({"attributes": many}), "attributes"),
        (json!({"attributes": {"a": 1}}), "attributes.a"),
        (json!({"attributes": {"a": "x\u{b}"}}), "attributes.a"),
        (json!({"attributes": {"a": "\n\u{0}"}}), "attributes.a"),
        (json!({"attributes": {"a": null}}), "attributes.a"),
        (json!({"attributes": {"": "x"}}), "attributes"),
        (json!({"attributes": {"a\n": "x"}}), "attributes.a\\n"),
        (json!({"attributes": {"n".repeat(33): "x"}}), "attributes.nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"),
        (json!({"attributes": {"email": "x"}}), "attributes.email"),
        (json!({"attributes": {"z": "x", "a": "x".repeat(2049)}}), "attributes.a"),
        (json!({"region": "eu west"}), "region"),
        (json!({"region": "us-east-1", "user_pool_id": POOL}), "region"),
        (json!({"user_pool_id": "pool"}), "user_pool_id"),
        (json!({"status": "confirmed"}), "status"),
        (json!({"enabled": "yes"}), "enabled"),
        (json!({"enabled": 1}), "enabled"),
        (json!({"registered_at": "now"}), "registered_at"),
        (json!({"registered_at": "2027-01-01T00:00:00Z"}), "registered_at"),
        (json!({"mail": "x"}), "mail"),
    ] {
        admin.put("/v1/users/u1", &body).problem(400, "invalid_parameter", Some(field));
    }
    admin.call("PUT", "/v1/users/u1").send().problem(400, "malformed_json", None);
    admin.get("/v1/users/u1").problem(404, "user_not_found", None);
}

#[test]
fn an_email_is_unique_in_its_pool() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let user = |email: &str, pool: Option<&str>| json!({"email": email, "user_pool_id": pool});
        admin.put("/v1/users/u1", &user("Jane@example.com", Some(POOL))).ok();
        admin.put("/v1/users/u2", &user("jANE@example.com", Some(POOL))).problem(409, "alias_exists", Some("email"));
        admin.get("/v1/users/u2").problem(404, "user_not_found", None);
        admin.put("/v1/users/u2", &user("jane@example.com", Some("eu-west-1_other"))).ok();
        admin.put("/v1/users/u3", &user("jane@example.com", None)).ok();
        admin.put("/v1/users/u4", &user("jane@example.com", None)).problem(409, "alias_exists", Some("email"));
        admin.put("/v1/users/u1", &user("JANE@example.com", Some(POOL))).ok();
        assert_eq!(ids(&admin, "&email=jAnE%40example.com"), ["u1", "u2", "u3"]);
    }
}

#[test]
fn emails_that_differ_in_case_or_composition_are_one() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let user = |email: &str| json!({"email": email, "user_pool_id": POOL});
        for (first, second) in [
            ("straße@x.example", "STRASSE@x.example"),
            ("οδος@x.example", "οδοσ@x.example"),
            ("ren\u{e9}@x.example", "rene\u{301}@x.example"),
        ] {
            admin.put("/v1/users/u1", &user(first)).ok();
            admin.put("/v1/users/u2", &user(second)).problem(409, "alias_exists", Some("email"));
            assert_eq!(admin.get("/v1/users/u1").ok()["email"], first);
            assert_eq!(ids(&admin, &format!("&email={}", escaped(second))), ["u1"]);
            admin.put("/v1/users/u1", &user(second)).ok();
        }
    }
}

#[test]
fn the_list_filters_and_is_sorted_by_the_bytes_of_ids() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        for (id, pool, member) in [
            ("b", Some(POOL), true),
            ("a", Some(POOL), false),
            ("Z", Some("eu-west-1_other"), true),
            ("é", Some("us-east-1_x"), true),
            ("z", None, false),
            ("👩", None, true),
        ] {
            admin.put(&format!("/v1/users/{}", escaped(id)), &json!({"user_pool_id": pool})).ok();
            if member {
                admin.put(&format!("/v1/tenants/{ACME}/users/{}", escaped(id)), &json!({})).ok();
            }
        }
        admin.put(&format!("/v1/tenants/{ACME}/users/unrecorded"), &json!({})).ok();
        assert_eq!(ids(&admin, ""), ["Z", "a", "b", "z", "é", "👩"]);
        assert_eq!(ids(&admin, "&region=eu-west-1"), ["Z", "a", "b"]);
        assert_eq!(ids(&admin, &format!("&user_pool_id={POOL}")), ["a", "b"]);
        assert_eq!(ids(&admin, &format!("&tenant_id={ACME}")), ["Z", "b", "é", "👩"]);
        assert_eq!(ids(&admin, &format!("&tenant_id={ACME}&region=eu-west-1&user_pool_id={POOL}")), ["b"]);
        assert!(ids(&admin, &format!("&region=us-east-1&user_pool_id={POOL}")).is_empty());
        for (query, field) in [
            ("email=x", "email"),
            ("region=", "region"),
            ("user_pool_id=x", "user_pool_id"),
            ("tenant_id=x", "tenant_id"),
            ("cursor=t61", "cursor"),
            ("limit=1001", "limit"),
            ("username=x", "username"),
        ] {
            admin.get(&format!("/v1/users?{query}")).problem(400, "invalid_parameter", Some(field));
        }
    }
}

#[test]
fn attribute_changes_are_stored_with_actor_and_time() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let path = "/v1/users/u1/attribute-changes";
        admin.get(path).problem(404, "user_not_found", None);
        admin.put("/v1/users/u1", &json!({"email": "a@example.com", "attributes": {"a": "1", "b": "1"}})).ok();
        assert_eq!(admin.get(path).ok(), json!({"attribute_changes": [], "next_cursor": null}));
        app.clock.advance(TimeDelta::hours(1));
        admin.put("/v1/users/u1", &json!({"email": "b@example.com", "attributes": {"a": "2", "c": "3"}})).ok();
        app.clock.advance(TimeDelta::hours(1));
        admin
            .put("/v1/users/u1", &json!({"email": "b@example.com", "attributes": {"a": "2"}, "username": "jane"}))
            .ok();
        let change = |at: &str, name: &str, old: Option<&str>, new: Option<&str>| json!({"changed_at": at, "changed_by": "test admin", "name": name, "old_value": old, "new_value": new});
        let (first, second) = ("2026-07-23T11:00:00Z", "2026-07-23T12:00:00Z");
        let all = admin.get(path).ok();
        let changes = all["attribute_changes"].as_array().unwrap();
        assert_eq!(changes[0], change(second, "c", Some("3"), None));
        let mut earlier = changes[1..].to_vec();
        earlier.sort_by_key(|change| change["name"].as_str().unwrap().to_owned());
        let expected = [
            change(first, "a", Some("1"), Some("2")),
            change(first, "b", Some("1"), None),
            change(first, "c", None, Some("3")),
            change(first, "email", Some("a@example.com"), Some("b@example.com")),
        ];
        assert_eq!(earlier, expected);
        let mut paged = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = admin.get(&format!("{path}?limit=2{cursor}")).ok();
            paged.extend(page["attribute_changes"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(&paged, changes);
        admin.get(&format!("{path}?cursor=c6162")).problem(400, "invalid_parameter", Some("cursor"));
        admin.delete("/v1/users/u1").no_content();
        admin.get(path).problem(404, "user_not_found", None);
    }
}
