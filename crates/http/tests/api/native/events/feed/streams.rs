//! Streams of events.

use std::time::Duration;

use serde_json::{Value, json};
use trailkeeper_auth::NewToken;
use trailkeeper_domain::account::Role;

use super::{FEED, STREAM, all_numbered, cursor_at_the_end, ids, record, text};
use crate::support::{ACME, Block, EventStream, OTHER, TestApp, numbered, operator};

/// Reads this many events of the feed.
#[track_caller]
fn take(stream: &mut EventStream<'_>, count: usize) -> Vec<Block> {
    let events: Vec<Block> = (0..count).map(|_| stream.event()).collect();
    assert!(events.iter().all(|event| event.event.as_deref() == Some("event")), "{events:?}");
    events
}

fn ids_of(events: &[Block]) -> Vec<String> {
    events.iter().map(|event| text(&event.data["id"]).to_owned()).collect()
}

/// The reason with which the stream ends.
#[track_caller]
fn end_of(stream: &mut EventStream<'_>) -> (String, Value) {
    let last = stream.block_in_no_time().unwrap();
    assert_eq!(last.event.as_deref(), Some("end"), "{last:?}");
    assert_eq!(stream.block(), None);
    assert_eq!(last.id.as_deref(), last.data["cursor"].as_str());
    assert!(!text(&last.data["detail"]).is_empty());
    (text(&last.data["reason"]).to_owned(), last.data["cursor"].clone())
}

#[test]
fn events_arrive_as_they_are_stored() {
    for app in TestApp::on_both() {
        let (admin, reader) = (app.admin(), app.token(Role::Analyst, None));
        record(&admin, ACME, [1]);
        let mut stream = reader.call("GET", &format!("{STREAM}?tenant_id={ACME}")).stream();
        for (name, value) in [("cache-control", "no-store"), ("x-accel-buffering", "no")] {
            assert_eq!(stream.headers.get(name).unwrap(), value);
        }
        // A client that is cut before the first event knows where it was.
        let first = stream.block().unwrap();
        assert_eq!((&first.event, &first.data), (&None, &Value::Null));
        record(&admin, OTHER, [2]);
        record(&admin, ACME, [4, 3]);
        let events = take(&mut stream, 2);
        assert_eq!(ids_of(&events), all_numbered([4, 3]));
        // The data are those of the feed, and the id is the position.
        let page = reader.get(&format!("{FEED}?tenant_id={ACME}&cursor={}", first.id.unwrap())).ok();
        assert_eq!(json!(events.iter().map(|event| &event.data).collect::<Vec<_>>()), page["events"]);
        for event in &events {
            assert_eq!(event.id.as_deref(), event.data["position"].as_str());
        }
    }
}

#[test]
fn a_stream_from_the_beginning_has_everything() {
    for app in TestApp::on_both() {
        record(&app.admin(), ACME, 1..=450);
        let mut stream =
            app.token(Role::Auditor, Some(ACME)).call("GET", &format!("{STREAM}?start=beginning")).stream();
        assert_eq!(ids_of(&take(&mut stream, 450)), all_numbered(1..=450));
        record(&app.admin(), ACME, [451]);
        assert_eq!(ids_of(&take(&mut stream, 1)), all_numbered([451]));
    }
}

#[test]
fn a_stream_resumes_by_the_last_event_id_without_loss() {
    for app in TestApp::on_both() {
        let (admin, reader) = (app.admin(), app.token(Role::Auditor, Some(ACME)));
        let mut stream = reader.call("GET", STREAM).stream();
        let start = stream.block().unwrap().id.unwrap();
        record(&admin, ACME, [1, 2, 3]);
        let first = take(&mut stream, 1).remove(0);
        drop(stream);
        record(&admin, ACME, [4]);
        let cursor = first.id.unwrap();
        let resumed = |query: &str, header: &str| {
            let mut stream = reader.call("GET", &format!("{STREAM}{query}")).header("Last-Event-ID", header).stream();
            ids_of(&take(&mut stream, 3))
        };
        assert_eq!(resumed("", &cursor), all_numbered([2, 3, 4]));
        // It goes before the query, which a client that reconnects sends as before.
        assert_eq!(resumed("?start=beginning", &cursor), all_numbered([2, 3, 4]));
        assert_eq!(resumed(&format!("?cursor={start}"), &cursor), all_numbered([2, 3, 4]));
        assert_eq!(resumed(&format!("?cursor={cursor}"), ""), all_numbered([2, 3, 4]));
    }
}

#[test]
fn a_silent_stream_sends_comments_and_its_position() {
    for app in TestApp::on_both() {
        let (admin, reader) = (app.admin(), app.token(Role::Analyst, None));
        let mut stream = reader.call("GET", &format!("{STREAM}?tenant_id={ACME}")).stream();
        stream.block().unwrap();
        let mut silent = || {
            let block = stream.block_in_no_time().unwrap();
            assert_eq!((block.comment.as_deref(), &block.data), (Some("keep-alive"), &Value::Null));
            block.id
        };
        // The audit event of this reading moves the position, too.
        app.settle();
        assert!(silent().is_some());
        assert_eq!([silent(), silent()], [None, None]);
        record(&admin, OTHER, [1]);
        let position = silent().unwrap();
        assert_eq!(silent(), None);
        record(&admin, ACME, [2]);
        assert_eq!(ids_of(&take(&mut stream, 1)), all_numbered([2]));
        let page = reader.get(&format!("{FEED}?tenant_id={ACME}&cursor={position}")).ok();
        assert_eq!(ids(&page), all_numbered([2]));
    }
}

#[test]
fn a_stream_ends_when_its_token_is_revoked() {
    for app in TestApp::on_both() {
        let access = app.state.access();
        let new = NewToken { name: "reader".to_owned(), role: Role::Analyst, tenant_id: None, expires_at: None };
        let (made, plain) = access.create_token(&operator(), new).unwrap();
        let mut stream = app.bearer(plain.expose()).call("GET", STREAM).stream();
        stream.block().unwrap();
        access.revoke_token(&operator(), made.id).unwrap();
        let (reason, cursor) = end_of(&mut stream);
        assert_eq!(reason, "unauthorized");
        drop(stream);
        assert_eq!(app.state.listener_count(), 0);
        // Another credential can go on.
        record(&app.admin(), ACME, [1]);
        let page = app.token(Role::Analyst, None).get(&format!("{FEED}?cursor={}", text(&cursor))).ok();
        assert_eq!(ids(&page), all_numbered([1]));
    }
}

#[test]
fn a_stream_ends_with_its_session_or_its_permission() {
    for app in TestApp::on_both() {
        let jane = app.person("jane@example.com", Role::Analyst, None);
        let (mut one, other) = (jane.caller.call("GET", STREAM).stream(), app.again("jane@example.com"));
        let mut two = other.caller.call("GET", STREAM).stream();
        assert!(one.block().is_some() && two.block().is_some());
        jane.caller.delete("/v1/sessions/current").no_content();
        assert_eq!(end_of(&mut one).0, "unauthorized");
        let change = json!({"role": "ingest"});
        app.admin().patch(&format!("/v1/accounts/{}", jane.account_id), &change).ok();
        let reason = end_of(&mut two).0;
        assert!(["permission_denied", "unauthorized"].contains(&reason.as_str()), "{reason}");
    }
}

#[test]
fn a_stream_ends_when_the_server_stops() {
    for app in TestApp::on_both() {
        let reader = app.token(Role::Analyst, None);
        let mut stream = reader.call("GET", STREAM).stream();
        let start = stream.block().unwrap().id.unwrap();
        app.state.stop_listeners();
        assert_eq!(end_of(&mut stream), ("stopping".to_owned(), json!(start)));
        // A later one, and one that has much to send, too.
        record(&app.admin(), ACME, 1..=450);
        let mut stream = reader.call("GET", &format!("{STREAM}?start=beginning")).stream();
        take(&mut stream, 200);
        stream.block().unwrap();
        let (reason, cursor) = end_of(&mut stream);
        assert_eq!(reason, "stopping");
        let rest = reader.get(&format!("{FEED}?limit=1000&cursor={}", text(&cursor))).ok();
        assert_eq!(ids(&rest), all_numbered(201..=450));
    }
}

#[test]
fn a_reader_that_does_not_read_is_cut_and_can_go_on() {
    for app in TestApp::on_both() {
        let (admin, reader) = (app.admin(), app.token(Role::Analyst, None));
        record(&admin, ACME, 1..=450);
        let mut stream = reader.call("GET", &format!("{STREAM}?start=beginning")).stream();
        take(&mut stream, 1);
        stream.does_not_read_for(Duration::from_secs(11));
        // The page that it had been sent, and no other.
        assert_eq!(ids_of(&take(&mut stream, 199)), all_numbered(2..=200));
        let behind = stream.event();
        assert_eq!(behind.event.as_deref(), Some("behind"));
        assert_eq!(behind.id.as_deref(), behind.data["cursor"].as_str());
        assert_eq!(stream.block(), None);
        let mut stream = reader.call("GET", STREAM).header("Last-Event-ID", &behind.id.unwrap()).stream();
        assert_eq!(ids_of(&take(&mut stream, 250)), all_numbered(201..=450));
    }
}

/// Two pages would be 8 MiB; a page ends early where its events are large.
#[test]
fn the_text_that_waits_for_a_reader_is_bounded() {
    let app = TestApp::new();
    let admin = app.admin();
    let large = json!({"text": "x".repeat(16_000)});
    let event = |number| json!({"id": numbered(number), "type": "page_load", "metadata": large});
    admin.record(&json!((1..=100).map(event).collect::<Vec<_>>()));
    let mut stream = app.token(Role::Analyst, None).call("GET", &format!("{STREAM}?start=beginning")).stream();
    take(&mut stream, 1);
    let waiting = stream.text_at_hand();
    assert!((16_000..300_000).contains(&waiting), "{waiting}");
    assert_eq!(ids_of(&take(&mut stream, 99)), all_numbered(2..=100));
}

#[test]
fn the_answer_to_head_has_no_body_and_needs_no_place_afterwards() {
    let app = TestApp::new();
    let answer = app.token(Role::Analyst, None).call("HEAD", STREAM).send();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(app.state.listener_count(), 0);
}

#[test]
fn other_filters_go_on_behind_the_same_position() {
    let app = TestApp::new();
    let admin = app.admin();
    let cursor = cursor_at_the_end(&admin, "");
    record(&admin, ACME, [1]);
    record(&admin, OTHER, [2]);
    let mut stream = admin.call("GET", &format!("{STREAM}?tenant_id={OTHER}&cursor={cursor}")).stream();
    assert_eq!(ids_of(&take(&mut stream, 1)), all_numbered([2]));
}
