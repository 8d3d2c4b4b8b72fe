//! Pages of events: nothing is skipped or repeated, whatever arrives meanwhile.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{ACME, Caller, TestApp, numbered};

fn ids(page: &Value) -> Vec<String> {
    page["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

fn page(caller: &Caller<'_>, cursor: Option<&str>, limit: usize) -> Value {
    let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    caller.get(&format!("/v1/events?tenant_id={ACME}&limit={limit}{cursor}")).ok()
}

/// `count` events from the number `first` on, all of the same instant.
fn simultaneous(first: u128, count: u128, at: &str) -> Value {
    let event = |number| json!({"id": numbered(number), "type": "x", "tenant_id": ACME, "occurred_at": at});
    json!((first..first + count).map(event).collect::<Vec<_>>())
}

#[test]
fn a_list_continues_where_it_stopped_while_events_arrive() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let at = "2026-07-01T12:00:00Z";
        admin.record(&simultaneous(0, 25, at));
        let before: Vec<String> = (0..25).rev().map(numbered).collect();
        let mut seen = Vec::new();
        let mut cursor: Option<String> = None;
        let mut next = 1_000;
        loop {
            let page = page(&admin, cursor.as_deref(), 4);
            seen.extend(ids(&page));
            // Newer ones, simultaneous ones and older ones arrive between two pages.
            for time in ["2026-07-02T00:00:00Z", at, "2026-06-01T00:00:00Z"] {
                admin.record(&simultaneous(next, 3, time));
                next += 3;
            }
            match page["next_cursor"].as_str() {
                Some(next) if seen.len() < 25 => cursor = Some(next.to_owned()),
                _ => break,
            }
        }
        seen.truncate(25);
        assert_eq!(seen, before, "in order of storage, latest first, none repeated, none missing");
    }
}

#[test]
fn pages_end_with_null_and_add_up() {
    let app = TestApp::new();
    let admin = app.admin();
    let events: Vec<Value> = (0..30)
        .map(|n| json!({"id": numbered(n), "type": "x", "tenant_id": ACME, "occurred_at": format!("2026-07-{:02}T00:00:00Z", n % 7 + 1)}))
        .collect();
    admin.record(&json!(events));
    for limit in [1, 7, 10, 29, 30, 31, 1000] {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        let mut pages = 0;
        loop {
            let page = page(&admin, cursor.as_deref(), limit);
            pages += 1;
            assert!(ids(&page).len() <= limit);
            all.extend(ids(&page));
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(pages, 30_usize.div_ceil(limit), "no empty last page");
        assert_eq!(all.len(), 30);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 30);
    }
    assert_eq!(ids(&admin.get(&format!("/v1/events?tenant_id={ACME}")).ok()).len(), 30);
}

#[test]
fn cursors_of_other_lists_and_forged_ones_are_rejected() {
    let app = TestApp::new();
    let admin = app.admin();
    let tenants = format!("t{}", "3".repeat(72));
    for cursor in [
        "",
        "e",
        "x",
        "e31",
        "e312e",
        "e2e31",
        "e312e31zz",
        "e%00",
        tenants.as_str(),
        "e39393939393939393939393939393939393939392e31",
    ] {
        admin.get(&format!("/v1/events?cursor={cursor}")).problem(400, "invalid_parameter", Some("cursor"));
    }
}

#[test]
fn a_page_has_one_to_a_thousand_events() {
    let app = TestApp::new();
    let admin = app.admin();
    for limit in ["0", "1001", "-1", "1.0", "ten", "", "99999999999999999999", "1e2", "+5"] {
        let detail = admin.get(&format!("/v1/events?limit={limit}")).problem(400, "invalid_parameter", Some("limit"));
        assert!(detail.contains("1 to 1000"), "{detail}");
    }
}
