//! Verification finds differences between the index of events and the rows, and a rebuild repairs them.

use std::time::Duration;

use trailkeeper_analytics::engine::rebuild::rebuild;
use trailkeeper_analytics::engine::verify::{Difference, Mismatch, SomeEvents};
use trailkeeper_domain::Result;
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::{PostingRun, PostingRunKey, WriteTx};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_postings::positions::PositionSet;
use trailkeeper_postings::run::{RunBuilder, encode_removed};
use trailkeeper_testkit::{DatabaseKind, at, tenant_id};

use crate::world::World;

trailkeeper_testkit::on_both!(crate::index::filled =>
    a_rebuilt_index_has_every_event,
    events_of_a_missing_run_are_reported,
    a_run_that_is_there_twice_is_reported,
    other_fields_than_those_of_the_rows_are_reported,
    events_of_another_scope_or_month_are_reported,
    events_without_rows_are_reported,
    a_wrong_number_of_events_is_reported,
    damaged_runs_are_reported,
    removed_events_count_as_events_of_their_run,
);

/// A world with a rebuilt index, whose runs of everyone have pages.
fn filled(kind: DatabaseKind) -> World {
    let world = World::new(kind);
    world.store.writing(|tx| tx.set_generation(2, true)).unwrap();
    for _ in 0..4 {
        world.insert(400);
    }
    rebuilt(&world);
    world
}

fn rebuilt(world: &World) {
    rebuild(world.store.as_ref(), world.clock.as_ref(), world.entropy.as_ref(), Duration::ZERO, &mut |_| ()).unwrap();
}

fn runs_of(world: &World, scope: Scope) -> Vec<PostingRun> {
    let months = TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("9999-12-31T00:00:00Z") };
    let runs = world.store.reading(|tx| {
        let generation = tx.generation()?;
        tx.posting_runs(generation, scope, months)
    });
    runs.unwrap()
}

fn rows(world: &World) -> Vec<IndexedEvent> {
    let mut rows = Vec::new();
    let walked = world.store.reading(|tx| {
        rows.clear();
        tx.indexed_events(i64::MIN, usize::MAX, &mut |row| {
            rows.push(*row);
            Ok(())
        })
    });
    walked.unwrap();
    rows
}

/// The rows of a run of a tenant.
fn rows_of(world: &World, key: PostingRunKey) -> Vec<IndexedEvent> {
    let mut rows = rows(world);
    rows.retain(|row| Scope::Tenant(row.tenant_id) == key.scope && Level::Month.floor(row.occurred_at) == key.month);
    rows
}

/// The largest run of a tenant, whose pages lie in its header.
fn small_run(world: &World) -> PostingRun {
    runs_of(world, Scope::Tenant(tenant_id(1))).into_iter().max_by_key(|run| run.events).unwrap()
}

/// A run of these events, which are few.
fn run_of(key: PostingRunKey, events: &[IndexedEvent]) -> PostingRun {
    let mut builder = RunBuilder::new(key.scope);
    for event in events {
        builder.add(event).unwrap();
    }
    let header = builder.finish(&mut |_, _| panic!("the pages of a small run lie in its header")).unwrap();
    PostingRun { key, events: u32::try_from(events.len()).unwrap(), header, removed: None }
}

fn next(key: PostingRunKey) -> PostingRunKey {
    PostingRunKey { run: key.run + 1, ..key }
}

/// Changes the database, and returns the differences that a verification reports. A rebuild removes them.
fn found(world: &World, mut change: impl FnMut(&mut dyn WriteTx, i64) -> Result<()>) -> Vec<Difference> {
    world.assert_clean();
    let changed = world.store.writing(|tx| {
        let generation = tx.generation()?;
        change(tx, generation)
    });
    changed.unwrap();
    let (_, differences) = world.verify();
    rebuilt(world);
    world.assert_clean();
    differences
}

fn some(events: &[IndexedEvent]) -> SomeEvents {
    SomeEvents { count: events.len() as u64, first: events.iter().map(|event| event.seq).min().unwrap() }
}

fn a_rebuilt_index_has_every_event(world: &World) {
    let verified = world.assert_clean();
    let months = runs_of(world, Scope::Everyone).len();
    assert!(verified.runs > 10 && months >= 3, "{verified:?}");
    assert!(world.store.reading(|tx| tx.has_postings()).unwrap());
    // Waiting deltas have what is newer.
    world.insert(50);
    world.assert_clean();
}

fn events_of_a_missing_run_are_reported(world: &World) {
    let run = small_run(world);
    let lost = rows_of(world, run.key);
    let (scope, month) = (run.key.scope, run.key.month);
    let differences = found(world, |tx, generation| tx.delete_posting_runs(generation, &[run.key]));
    assert_eq!(differences, [Difference::NotIndexed { scope, month, events: some(&lost) }]);
    let text = differences[0].to_string();
    assert!(text.contains("no posting run and no waiting delta has") && text.contains("month 20"), "{text}");
}

fn a_run_that_is_there_twice_is_reported(world: &World) {
    let run = small_run(world);
    let (key, events) = (next(run.key), rows_of(world, run.key));
    let copy = PostingRun { key, ..run };
    let differences = found(world, |tx, generation| tx.put_posting_runs(generation, std::slice::from_ref(&copy)));
    assert_eq!(differences, [Difference::Run { key, mismatch: Mismatch::Twice(some(&events)) }]);
}

fn other_fields_than_those_of_the_rows_are_reported(world: &World) {
    let key = small_run(world).key;
    let events = rows_of(world, key);
    let changes: [fn(&mut IndexedEvent); 7] = [
        |event| event.kind += 1,
        |event| event.user = Some(event.user.unwrap_or_default() + 1),
        |event| event.outcome = if event.outcome == Outcome::Success { Outcome::Failure } else { Outcome::Success },
        |event| event.session = Some(7),
        |event| event.target_id = Some(7),
        |event| event.occurred_at += chrono::Duration::microseconds(1),
        |event| event.env.0 += 1,
    ];
    for change in changes {
        let mut forged = events.clone();
        change(&mut forged[3]);
        let key = next(small_run(world).key);
        let run = run_of(key, &forged);
        let differences = found(world, |tx, generation| {
            tx.put_posting_runs(generation, std::slice::from_ref(&run))?;
            tx.delete_posting_runs(generation, &[PostingRunKey { run: key.run - 1, ..key }])
        });
        assert_eq!(differences, [Difference::Run { key, mismatch: Mismatch::Different(some(&events[3..4])) }]);
    }
}

fn events_of_another_scope_or_month_are_reported(world: &World) {
    let run = small_run(world);
    let events = rows_of(world, run.key);
    for key in [
        PostingRunKey { scope: Scope::Tenant(TenantId::NONE), run: 99, ..run.key },
        PostingRunKey { month: at("2031-01-01T00:00:00Z"), run: 0, ..run.key },
    ] {
        let forged = run_of(key, &events);
        let differences = found(world, |tx, generation| tx.put_posting_runs(generation, std::slice::from_ref(&forged)));
        assert_eq!(differences, [Difference::Run { key, mismatch: Mismatch::Different(some(&events)) }]);
    }
}

fn events_without_rows_are_reported(world: &World) {
    let run = small_run(world);
    let key = next(run.key);
    let events = rows_of(world, run.key);
    let strangers: Vec<IndexedEvent> =
        events[..2].iter().map(|event| IndexedEvent { seq: event.seq + 1_000_000_000, ..*event }).collect();
    let all: Vec<IndexedEvent> = events.iter().chain(&strangers).copied().collect();
    let forged = run_of(key, &all);
    let differences = found(world, |tx, generation| {
        tx.put_posting_runs(generation, std::slice::from_ref(&forged))?;
        tx.delete_posting_runs(generation, &[run.key])
    });
    assert_eq!(differences, [Difference::Run { key, mismatch: Mismatch::WithoutRow(some(&strangers)) }]);
}

fn a_wrong_number_of_events_is_reported(world: &World) {
    let run = small_run(world);
    let (key, listed, events) = (next(run.key), run.events + 1, run.events);
    let forged = PostingRun { key, events: listed, ..run.clone() };
    let differences = found(world, |tx, generation| {
        tx.put_posting_runs(generation, std::slice::from_ref(&forged))?;
        tx.delete_posting_runs(generation, &[run.key])
    });
    assert_eq!(differences, [Difference::Run { key, mismatch: Mismatch::Count { listed, events } }]);
}

fn damaged_runs_are_reported(world: &World) {
    let run = small_run(world);
    let mut forged = PostingRun { key: next(run.key), ..run.clone() };
    let middle = forged.header.len() / 2;
    forged.header[middle] ^= 0x10;
    let differences = found(world, |tx, generation| {
        tx.put_posting_runs(generation, std::slice::from_ref(&forged))?;
        tx.delete_posting_runs(generation, &[run.key])
    });
    let [Difference::Unreadable { row }, Difference::NotIndexed { .. }] = &differences[..] else {
        panic!("{differences:?}")
    };
    assert!(row.contains(&format!("run {} of tenant", forged.key.run)), "{row}");

    // A page is missing.
    let large = runs_of(world, Scope::Everyone).into_iter().max_by_key(|run| run.events).unwrap();
    let key = next(large.key);
    let forged = PostingRun { key, ..large.clone() };
    let differences = found(world, |tx, generation| {
        let first = tx.posting_pages(generation, large.key, &[0])?;
        tx.put_posting_pages(generation, key, 0, &first)?;
        tx.put_posting_runs(generation, std::slice::from_ref(&forged))?;
        tx.delete_posting_runs(generation, &[large.key])
    });
    let [Difference::Unreadable { row }, Difference::NotIndexed { events, .. }] = &differences[..] else {
        panic!("{differences:?}")
    };
    assert!(row.contains("has no page"), "{row}");
    assert_eq!(events.count, u64::from(large.events));
}

/// Only the run lacks the events here: their rows and everyone's run still have them.
fn removed_events_count_as_events_of_their_run(world: &World) {
    let run = small_run(world);
    let mut rows = rows_of(world, run.key);
    rows.sort_unstable_by_key(|row| (row.occurred_at, row.seq));
    let removed = Some(encode_removed(&PositionSet::Sparse(vec![0, 2])));
    let without = PostingRun { key: next(run.key), removed, ..run.clone() };
    let differences = found(world, |tx, generation| {
        tx.put_posting_runs(generation, std::slice::from_ref(&without))?;
        tx.delete_posting_runs(generation, &[run.key])
    });
    let (scope, month, events) = (run.key.scope, run.key.month, some(&[rows[0], rows[2]]));
    assert_eq!(differences, [Difference::NotIndexed { scope, month, events }]);
}
