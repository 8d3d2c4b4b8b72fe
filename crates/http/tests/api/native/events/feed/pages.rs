//! Pages of the feed.

use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::ingest::EventSink as _;
use trailkeeper_testkit::event;

use super::{FEED, SYSTEM, all_numbered, ids, record, text};
use crate::support::{ACME, Caller, OTHER, TestApp, person};

/// Reads pages of this size until one says that nothing follows. Gives all events, and the last cursor.
fn read(caller: &Caller<'_>, query: &str) -> (Vec<Value>, String) {
    let (mut events, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let position = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = caller.get(&format!("{FEED}?{query}{position}")).ok();
        assert_eq!(page["gap"], false);
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        let next = text(&page["next_cursor"]).to_owned();
        if page["has_more"] == false {
            return (events, next);
        }
        cursor = Some(next);
    }
}

#[test]
fn pages_have_the_events_in_the_order_of_storage() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        // Not in the order of their ids, nor of their times.
        record(&admin, ACME, [3, 1]);
        record(&admin, OTHER, [5, 2]);
        record(&admin, ACME, [4]);
        let reader = app.token(Role::Analyst, None);
        let (events, end) = read(&reader, "limit=2");
        let found: Vec<&str> = events.iter().map(|event| text(&event["id"])).collect();
        assert_eq!(found, all_numbered([3, 1, 5, 2, 4]));
        // An event is that of the list, with its position.
        let mut first = events[0].clone();
        let position = first.as_object_mut().unwrap().remove("position").unwrap();
        assert_eq!(first, reader.get(&format!("/v1/events/{}", text(&events[0]["id"]))).ok());
        let rest = reader.get(&format!("{FEED}?cursor={}", text(&position))).ok();
        assert_eq!(ids(&rest), all_numbered([1, 5, 2, 4]));
        let nothing = reader.get(&format!("{FEED}?cursor={end}")).ok();
        // The audit event of this reading, which it does not see, may have moved the position.
        let moved = text(&nothing["next_cursor"]);
        assert_eq!(nothing, json!({"events": [], "next_cursor": moved, "has_more": false, "gap": false}));
        record(&admin, OTHER, [6]);
        assert_eq!(ids(&reader.get(&format!("{FEED}?cursor={end}")).ok()), all_numbered([6]));
    }
}

#[test]
fn filters_are_those_of_the_list() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        admin.record(&json!([
            {"type": "page_load", "tenant_id": ACME, "user_id": "ann", "page": "/a?x=1"},
            {"type": "userinfo", "tenant_id": ACME, "user_id": "bob", "source": "192.0.2.7"},
            {"type": "page_load", "tenant_id": OTHER, "user_id": "bob", "page": "/b", "outcome": "failure"},
            {"type": "logout", "user_id": "cid", "session_id": "s1", "target": {"type": "door", "id": "7"}},
        ]));
        app.settle();
        let analyst = app.token(Role::Analyst, None);
        for query in [
            format!("tenant_id={ACME}"),
            "type=page_load,logout".to_owned(),
            "type!=page_load".to_owned(),
            "user_id=bob&outcome!=failure".to_owned(),
            "page=/a".to_owned(),
            "source=192.0.2.0/24".to_owned(),
            "session_id=s1&target_type=door&target_id=7".to_owned(),
            "from=2026-07-23&to=2026-07-23&timezone=UTC".to_owned(),
            "from=2026-08-01".to_owned(),
        ] {
            let listed = analyst.get(&format!("/v1/events?{query}")).ok();
            let mut expected = ids(&listed);
            expected.reverse();
            let (events, _) = read(&analyst, &format!("{query}&limit=1"));
            assert_eq!(ids(&json!({"events": events})), expected, "{query}");
        }
        analyst.get(&format!("{FEED}?from=2026-07-02&to=2026-07-01")).problem(400, "invalid_parameter", Some("from"));
        analyst.get(&format!("{FEED}?typo=1")).problem(400, "invalid_parameter", Some("typo"));
    }
}

/// Three threads store events while a reader follows. Their transactions end in another order than they begin.
#[test]
fn each_event_comes_once_while_several_threads_store() {
    const OF_EACH: u128 = 60;
    for app in TestApp::on_both() {
        let reader = app.token(Role::Analyst, None);
        let stores = [0, 1, 2].map(|part| {
            let (store, ingest) = (Arc::clone(&app.state.services.store), Arc::clone(&app.state.services.ingest));
            thread::spawn(move || {
                for number in (0..OF_EACH).map(|number| part * OF_EACH + number + 1) {
                    if part == 0 {
                        ingest.submit(vec![event(number)]).unwrap().wait().unwrap();
                    } else {
                        store.submit(vec![event(number)]).unwrap().wait().unwrap();
                    }
                }
            })
        });
        let (mut found, mut position) = (Vec::new(), String::new());
        while found.len() < 3 * usize::try_from(OF_EACH).unwrap() {
            let page = reader.get(&format!("{FEED}?limit=7{position}")).ok();
            found.extend(ids(&page));
            position = format!("&cursor={}", text(&page["next_cursor"]));
        }
        for store in stores {
            store.join().unwrap();
        }
        app.settle();
        let (again, _) = read(&reader, "limit=1000");
        assert_eq!(found, ids(&json!({"events": again})), "a later reading has the same order");
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 3 * usize::try_from(OF_EACH).unwrap());
    }
}

#[test]
fn a_reading_from_now_on_begins_behind_the_last_event() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        record(&admin, ACME, [1, 2]);
        let page = admin.get(&format!("{FEED}?start=now")).ok();
        assert_eq!((ids(&page), &page["has_more"]), (vec![], &json!(false)));
        record(&admin, ACME, [3]);
        let next = admin.get(&format!("{FEED}?cursor={}", text(&page["next_cursor"]))).ok();
        assert_eq!(ids(&next), all_numbered([3]));
        assert_eq!(ids(&admin.get(&format!("{FEED}?start=beginning")).ok()), all_numbered([1, 2, 3]));
    }
}

#[test]
fn the_system_tenant_is_for_admins_and_auditors() {
    for app in TestApp::on_both() {
        record(&app.admin(), ACME, [1]);
        let (_, jane) = person(&app, Role::Auditor, None);
        app.settle();
        for (role, sees) in [(Role::Admin, true), (Role::Auditor, true), (Role::Analyst, false)] {
            let (events, _) = read(&app.token(role, None), "limit=3");
            assert_eq!(events.iter().any(|event| event["tenant_id"] == SYSTEM), sees, "{}", role.as_str());
            assert_eq!(ids(&json!({"events": events})), all_numbered([1]));
        }
        let (events, _) = read(&app.token(Role::Auditor, Some(ACME)), "limit=3");
        assert_eq!(ids(&json!({"events": events})), all_numbered([1]));
        assert!(jane.get(&format!("{FEED}?tenant_id={SYSTEM}")).ok()["events"].as_array().unwrap().len() > 1);
    }
}

#[test]
fn wrong_parameters_are_refused_with_the_way_out() {
    let app = TestApp::new();
    let admin = app.admin();
    let end = super::cursor_at_the_end(&admin, "");
    for (query, field, way_out) in [
        (format!("cursor={end}&start=now"), "start", "'now' contradicts the cursor; send one of the two"),
        ("start=yesterday".to_owned(), "start", "'yesterday' is not allowed; send beginning or now"),
        ("limit=1001".to_owned(), "limit", "'1001' is not allowed; send a whole number from 1 to 1000"),
        ("limit=0".to_owned(), "limit", "'0' is not allowed; send a whole number from 1 to 1000"),
        ("wait=61".to_owned(), "wait", "'61' is not allowed; send a whole number from 0 to 60"),
        ("wait=soon".to_owned(), "wait", "'soon' is not allowed; send a whole number from 0 to 60"),
    ] {
        let detail = admin.get(&format!("{FEED}?{query}")).problem(400, "invalid_parameter", Some(field));
        assert_eq!(detail, way_out, "{query}");
    }
}
