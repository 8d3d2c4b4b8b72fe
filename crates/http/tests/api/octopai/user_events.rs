//! The list of user events.

use serde_json::{Value, json};

use crate::support::contracts::{octopai_refused, record};
use crate::support::{Caller, TestApp};

const PATH: &str = "/api/UserAccount/UserEvents";

fn list(caller: &Caller<'_>, body: &Value) -> Vec<Value> {
    caller.post(PATH, body).ok().as_array().unwrap().clone()
}

/// The events without the audit events of the test's preparation.
fn of_users(events: Vec<Value>) -> Vec<Value> {
    events.into_iter().filter(|event| !event["type"].as_str().unwrap().starts_with("TOKEN")).collect()
}

#[test]
fn events_of_every_type_are_listed_newest_first_in_the_terms_of_this_contract() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let login = |name: &str| json!({"Username": name, "Password": "wrong"});
        let failed = app
            .anon()
            .call("POST", "/api/UserAccount/Login")
            .peer("2001:db8::7")
            .json(&login("typed@example.com"))
            .send();
        assert_eq!(failed.status, 401);
        record(
            &admin,
            &[
                (
                    "u1",
                    "page_load",
                    "2026-07-23T09:00:00.123456Z",
                    json!({"source": "203.0.113.7", "user_name": "Jane"}),
                ),
                ("u2", "userinfo", "2026-07-23T09:30:00Z", json!({"source": "::ffff:203.0.113.8"})),
                ("u3", "billing.invoice_paid", "2026-07-23T08:00:00Z", json!({})),
            ],
        );
        let events = of_users(list(&admin, &json!({"PageNumber": "1", "RowsInPage": "50"})));
        let expected = [
            json!({"type": "LOGIN FAIL", "userName": "UNKNOWN USER", "source": "2001:db8::7", "time": "2026-07-23T10:00:00.0000000Z"}),
            json!({"type": "USERINFO", "userName": "u2", "source": "203.0.113.8", "time": "2026-07-23T09:30:00.0000000Z"}),
            json!({"type": "PAGE LOAD", "userName": "Jane", "source": "203.0.113.7", "time": "2026-07-23T09:00:00.1234560Z"}),
            json!({"type": "BILLING.INVOICE PAID", "userName": "u3", "source": "198.51.100.20", "time": "2026-07-23T08:00:00.0000000Z"}),
        ];
        assert_eq!(events, expected);
    }
}

#[test]
fn an_event_without_a_user_has_no_name() {
    let app = TestApp::new();
    let admin = app.admin();
    admin.record(&json!({"type": "page_load", "occurred_at": "2026-07-23T10:05:00Z"}));
    let newest = &list(&admin, &json!({}))[0];
    assert_eq!((&newest["type"], &newest["userName"]), (&json!("PAGE LOAD"), &Value::Null));
}

#[test]
fn pages_neither_skip_nor_repeat_and_end_empty() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let events: Vec<Value> = (0..120)
            .map(|n| json!({"type": "page_load", "user_id": format!("u{n}"), "occurred_at": "2026-07-23T10:01:00Z"}))
            .collect();
        admin.record(&json!(events));
        let all = list(&admin, &json!({"RowsInPage": 1000}));
        assert!(all.len() > 120, "audit events are among them");
        assert_eq!(list(&admin, &json!({})), all[..50]);
        let mut paged = Vec::new();
        for page in 1.. {
            let body = if page % 2 == 0 {
                json!({"pagenumber": page, "ROWSINPAGE": 50})
            } else {
                json!({"PageNumber": page.to_string(), "RowsInPage": "50"})
            };
            let rows = list(&admin, &body);
            if rows.is_empty() {
                break;
            }
            paged.extend(rows);
        }
        assert_eq!(paged, all);
        assert_eq!(
            list(&admin, &json!({"PageNumber": 999_999_999_999_999_i64, "RowsInPage": 1000})),
            Vec::<Value>::new()
        );
    }
}

#[test]
fn a_body_may_be_empty() {
    let app = TestApp::new();
    let admin = app.admin();
    let first = list(&admin, &json!({}));
    for body in ["", "null", " {} ", "{\"PageNumber\":null}"] {
        let answer = admin.call("POST", PATH).body(body).send();
        assert_eq!(answer.ok(), json!(first), "{body}");
    }
}

#[test]
fn invalid_numbers_name_the_field_and_the_remedy() {
    let app = TestApp::new();
    let admin = app.admin();
    for value in [
        json!(0),
        json!(-1),
        json!("0"),
        json!("x"),
        json!(""),
        json!(1.5),
        json!("1.0"),
        json!([1]),
        json!({}),
        json!(true),
        json!("1e3"),
        json!(" 1"),
    ] {
        octopai_refused(&admin.post(PATH, &json!({"PageNumber": value})), 400, "PageNumber: ");
        octopai_refused(&admin.post(PATH, &json!({"RowsInPage": value})), 400, "RowsInPage: ");
    }
    octopai_refused(
        &admin.post(PATH, &json!({"RowsInPage": 1001})),
        400,
        "RowsInPage: '1001' is not allowed; send a whole number from 1 to 1000",
    );
    octopai_refused(&admin.post(PATH, &json!({"PageNumber": 10_i64.pow(15)})), 400, "PageNumber: ");
    octopai_refused(&admin.post(PATH, &json!({"PageNumber": "99999999999999999999999"})), 400, "PageNumber: ");
    octopai_refused(&admin.post(PATH, &json!({"PageNumber": 1, "pageNumber": 1})), 400, "PageNumber: stands twice");
    octopai_refused(&admin.post(PATH, &json!([])), 400, "");
}
