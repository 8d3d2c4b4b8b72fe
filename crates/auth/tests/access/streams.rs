//! Forwarding streams: their progress, and their secrets when the master key is replaced.

use chrono::TimeDelta;
use serde_json::json;
use trailkeeper_auth::{StreamChange, StreamSecret, StreamStep};
use trailkeeper_domain::Error;
use trailkeeper_domain::cursor::FeedPosition;
use trailkeeper_domain::stream::{
    Conditions, DeliveryFailure, Destination, Stream, StreamDraft, StreamFormat, StreamStart, StreamState,
};
use trailkeeper_testkit::{metadata_of, tenant_id};

use crate::master_keys::{Files, over, server};
use crate::world::{World, operator};

fn about() -> StreamDraft {
    StreamDraft {
        name: None,
        tenant_id: None,
        conditions: Conditions::default(),
        destination: Destination::parse("destination", "https://siem.example/in?key=SECRET").unwrap(),
        format: StreamFormat::Native,
    }
}

fn stream(world: &World) -> Stream {
    world.access.create_stream(&operator(), about(), StreamStart::Now).unwrap().0
}

fn behind(position: FeedPosition, numbers: i64) -> FeedPosition {
    FeedPosition { after: position.after + numbers, ..position }
}

fn step(world: &World, stream: &Stream, step: &StreamStep) -> Stream {
    world.access.record_stream_step(stream.id, stream.position, step).unwrap().unwrap()
}

fn temporary() -> StreamStep {
    let failure = DeliveryFailure::Temporary("siem.example answered 500".to_owned());
    StreamStep::Failed { failure, until: Some(7) }
}

/// The changes of the state by the server, oldest first.
fn changes(world: &World) -> Vec<serde_json::Value> {
    let mut events = world.system_events();
    events.retain(|event| event.kind.as_str() == "stream_change");
    events.iter().rev().map(|event| metadata_of(event).unwrap()).collect()
}

#[test]
fn a_delivery_moves_the_position_and_makes_no_event() {
    let world = World::new();
    let before = stream(&world);
    let failed = step(&world, &before, &temporary());
    assert_eq!((failed.position, failed.pending_until, failed.state), (before.position, Some(7), StreamState::Active));
    let failures = failed.failures.unwrap();
    assert_eq!((failures.count, failures.since), (1, world.now()));
    assert!(!failed.is_due(world.now()) && failed.is_due(world.now() + TimeDelta::seconds(1)));
    assert_eq!(failed.last_error.as_ref().unwrap().text, "siem.example answered 500");
    let next = behind(before.position, 7);
    let sent = step(&world, &failed, &StreamStep::Accepted { next, gap: true });
    assert_eq!((sent.position, sent.pending_until, sent.failures), (next, None, None));
    assert_eq!(
        (sent.last_success_at, sent.gap_at, &sent.last_error),
        (Some(world.now()), Some(world.now()), &failed.last_error)
    );
    // Another server that sent the same message meanwhile.
    let late = StreamStep::Accepted { next: behind(before.position, 3), gap: false };
    let kept = world.access.record_stream_step(before.id, before.position, &late).unwrap().unwrap();
    assert_eq!(kept, sent);
    assert_eq!(changes(&world), [json!(null); 0]);
    world.access.delete_stream(&operator(), before.id).unwrap();
    assert_eq!(world.access.record_stream_step(before.id, next, &late).unwrap(), None);
}

#[test]
fn a_day_of_failures_makes_a_stream_fail_and_a_success_ends_it() {
    let world = World::new();
    let mut stream = stream(&world);
    stream = step(&world, &stream, &temporary());
    world.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    stream = step(&world, &stream, &temporary());
    assert_eq!(stream.state, StreamState::Active);
    world.advance(TimeDelta::seconds(1));
    stream = step(&world, &stream, &temporary());
    assert_eq!((stream.state, stream.failures.unwrap().count), (StreamState::Failing, 3));
    assert!(stream.is_due(world.now() + TimeDelta::hours(1)), "it tries again");
    let next = behind(stream.position, 7);
    stream = step(&world, &stream, &StreamStep::Accepted { next, gap: false });
    assert_eq!(stream.state, StreamState::Active);
    let change = |from: &str, to: &str| json!({"from": from, "to": to});
    let expected = [
        json!({"changed": ["state"], "state": change("active", "failing"), "host": "siem.example", "reason": "siem.example answered 500"}),
        json!({"changed": ["state"], "state": change("failing", "active"), "host": "siem.example"}),
    ];
    assert_eq!(changes(&world), expected);
}

#[test]
fn what_an_administrator_does_meanwhile_stays() {
    let world = World::new();
    let sending = stream(&world);
    let pause = StreamChange { paused: Some(true), ..StreamChange::default() };
    world.access.change_stream(&operator(), sending.id, &pause).unwrap();
    let next = behind(sending.position, 7);
    let sent = step(&world, &sending, &StreamStep::Accepted { next, gap: false });
    assert_eq!((sent.state, sent.position), (StreamState::Paused, next), "the message arrived, and no other follows");
    assert!(!sent.is_due(world.now()));
    let restart = StreamChange { start: Some(StreamStart::Beginning), paused: Some(false), ..StreamChange::default() };
    let restarted = world.access.change_stream(&operator(), sending.id, &restart).unwrap();
    assert_eq!((restarted.state, restarted.position.after), (StreamState::Active, 0));
    let late = StreamStep::Accepted { next: behind(next, 1), gap: false };
    let kept = world.access.record_stream_step(sending.id, next, &late).unwrap().unwrap();
    assert_eq!(kept.position.after, 0);
}

#[test]
fn gone_pauses_a_stream_and_a_lost_position_needs_a_new_start() {
    let world = World::new();
    let gone = stream(&world);
    let failure = DeliveryFailure::Gone("siem.example answered 410".to_owned());
    let gone = step(&world, &gone, &StreamStep::Failed { failure, until: None });
    assert_eq!(gone.state, StreamState::Paused);
    let resume = StreamChange { paused: Some(false), ..StreamChange::default() };
    let resumed = world.access.change_stream(&operator(), gone.id, &resume).unwrap();
    assert!(resumed.is_due(world.now()));

    let failure = DeliveryFailure::Expired("restored".to_owned());
    let expired = step(&world, &resumed, &StreamStep::Failed { failure, until: None });
    assert_eq!(expired.state, StreamState::Failing, "at once");
    let start = StreamChange { start: Some(StreamStart::Now), ..StreamChange::default() };
    let started = world.access.change_stream(&operator(), gone.id, &start).unwrap();
    assert_eq!((started.state, started.failures), (StreamState::Active, None));
}

#[test]
fn a_stream_of_a_tenant_sends_no_other_events() {
    let world = World::new();
    let mut stream = stream(&world);
    let system = trailkeeper_domain::id::TenantId::SYSTEM;
    let sees = |stream: &Stream, tenant| world.access.stream_filter(stream).visibility.sees(tenant);
    assert!(sees(&stream, tenant_id(1)) && sees(&stream, system));
    stream.about.tenant_id = Some(tenant_id(1));
    assert!(sees(&stream, tenant_id(1)) && !sees(&stream, tenant_id(2)) && !sees(&stream, system));
}

#[test]
fn both_secrets_open_after_the_master_key_was_replaced() {
    let world = World::new();
    let files = Files::of(&world);
    let running = over(&world, &files);
    let (stream, first) = running.create_stream(&operator(), about(), StreamStart::Now).unwrap();
    let (_, second) = running.rotate_stream_secret(&operator(), stream.id).unwrap();
    for _ in 0..2 {
        files.rotate();
        assert_eq!(over(&world, &files).reseal(&operator()).unwrap(), 1);
    }
    let rotated = server(&world, files.current().into());
    let stream = rotated.stream(stream.id).unwrap();
    let opened = rotated.stream_secrets(&stream, world.now()).unwrap();
    let opened: Vec<&str> = opened.iter().map(StreamSecret::expose).collect();
    assert_eq!(opened, [second.expose(), first.expose()]);
    rotated.check_master_key().unwrap();
    let other = world.server_with_another_master_key();
    assert!(matches!(other.stream_secrets(&stream, world.now()), Err(Error::Internal { .. })));
    assert!(other.check_master_key().is_err());
    let stored = world.bytes_on_disk();
    for secret in [first, second] {
        let bytes = secret.expose().as_bytes();
        assert!(!stored.windows(bytes.len()).any(|part| part == bytes), "no secret is stored as it is");
    }
}
