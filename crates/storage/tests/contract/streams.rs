//! Forwarding streams.

use trailkeeper_domain::cursor::FeedPosition;
use trailkeeper_domain::event::{EventKind, Values};
use trailkeeper_domain::id::StreamId;
use trailkeeper_domain::stream::{
    Conditions, Destination, Failures, LastError, SealedSecrets, Stream, StreamDraft, StreamFormat, StreamState,
};
use trailkeeper_testkit::{at, tenant_id, uuid};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    streams_are_stored_whole_and_listed_by_page,
    a_change_names_the_revision_that_it_changes,
    no_row_says_what_a_stream_cannot_be,
);

fn stream(number: u128) -> Stream {
    Stream {
        id: StreamId(uuid(number)),
        revision: 0,
        about: StreamDraft {
            name: None,
            tenant_id: None,
            conditions: Conditions::default(),
            destination: Destination::parse("destination", "https://siem.example/in?key=7").unwrap(),
            format: StreamFormat::Native,
        },
        secrets: SealedSecrets { current: vec![1, 2, 3], previous: None },
        state: StreamState::Active,
        position: FeedPosition { history: uuid(77), after: 0, removed: 0, reader: 0 },
        pending_until: None,
        failures: None,
        last_success_at: None,
        last_error: None,
        gap_at: None,
        created_at: at("2026-03-01T12:00:00Z"),
        changed_at: at("2026-03-01T12:00:00Z"),
    }
}

/// A stream in which every field has a value.
fn full(number: u128) -> Stream {
    let time = |second: u32| at(&format!("2026-03-01T12:00:{second:02}.123456Z"));
    Stream {
        about: StreamDraft {
            name: Some("SIEM".to_owned()),
            tenant_id: Some(tenant_id(1)),
            conditions: Conditions {
                kind: Values { any_of: vec![EventKind::known("login_fail")], none_of: vec![EventKind::known("x")] },
                ..Conditions::default()
            },
            ..stream(number).about
        },
        secrets: SealedSecrets { current: vec![9; 60], previous: Some((vec![8; 60], time(1))) },
        state: StreamState::Failing,
        position: FeedPosition { history: uuid(78), after: i64::MAX - 1, removed: 12, reader: 0 },
        pending_until: Some(i64::MAX),
        failures: Some(Failures { since: time(2), count: 30, next_at: time(3) }),
        last_success_at: Some(time(4)),
        last_error: Some(LastError { at: time(5), text: "answered 500".to_owned() }),
        gap_at: Some(time(6)),
        ..stream(number)
    }
}

fn insert(t: &TestStore, streams: &[Stream]) {
    t.store.writing(|tx| streams.iter().try_for_each(|stream| tx.insert_stream(stream))).unwrap();
}

fn streams_are_stored_whole_and_listed_by_page(t: &TestStore) {
    let all = [stream(1), full(2), stream(3)];
    insert(t, &[all[2].clone(), all[0].clone(), all[1].clone()]);
    let page = |after: Option<StreamId>, limit| t.store.reading(|tx| tx.streams(after, limit)).unwrap();
    assert_eq!(page(None, 2), all[..2]);
    assert_eq!(page(Some(all[1].id), 2), all[2..]);
    let one = |id| t.store.reading(|tx| tx.stream(id)).unwrap();
    assert_eq!(one(all[1].id).as_ref(), Some(&all[1]));
    let delete = |id| t.store.writing(|tx| tx.delete_stream(id)).unwrap();
    assert_eq!((delete(all[1].id), delete(all[1].id)), (true, false));
    assert_eq!((one(all[1].id), page(None, 10).len()), (None, 2));
}

fn a_change_names_the_revision_that_it_changes(t: &TestStore) {
    insert(t, &[full(1), full(2)]);
    let update = |stream: &Stream| t.store.writing(|tx| tx.update_stream(stream)).unwrap();
    let emptied = stream(1);
    assert!(update(&emptied));
    assert!(!update(&full(1)), "the revision is not that of the record any more");
    assert!(!update(&full(3)), "there is no such stream");
    let stored = t.store.reading(|tx| tx.streams(None, 10)).unwrap();
    assert_eq!(stored, [Stream { revision: 1, ..emptied }, full(2)], "null takes the place of values");
    assert!(update(&Stream { revision: 1, ..full(1) }));
}

fn no_row_says_what_a_stream_cannot_be(t: &TestStore) {
    let wrong = [
        Stream { position: FeedPosition { after: -1, ..stream(1).position }, ..stream(1) },
        Stream { last_error: Some(LastError { at: at("2026-03-01T12:00:00Z"), text: String::new() }), ..stream(1) },
        Stream { about: StreamDraft { name: Some(String::new()), ..stream(1).about }, ..stream(1) },
    ];
    for stream in wrong {
        t.store.writing(|tx| tx.insert_stream(&stream)).unwrap_err();
    }
}
