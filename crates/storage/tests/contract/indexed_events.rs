//! Events by their numbers: in words, and as the index knows them.

use std::collections::{BTreeSet, HashMap};

use chrono::Duration;
use trailkeeper_domain::event::{Event, EventPosition, Target};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::page::{Page, PageRule};
use trailkeeper_domain::{Error, Result};
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{DatabaseKind, TestEntropy, all_events, at, event};

use crate::{TestStore, random};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    events_are_found_by_their_numbers,
    a_walk_sees_every_event_once_in_the_order_of_numbers,
    the_index_knows_the_fields_of_the_rows,
    long_walks_are_read_in_chunks,
    an_error_ends_a_walk,
);

impl TestStore {
    fn walk(&self, after: i64, limit: usize) -> Vec<IndexedEvent> {
        self.store
            .reading(|tx| {
                let mut found = Vec::new();
                tx.indexed_events(after, limit, &mut |event| {
                    found.push(*event);
                    Ok(())
                })?;
                Ok(found)
            })
            .unwrap()
    }
}

/// A history with the system tenant, late events and targets, in batches, and the same events as a list shows them.
fn stored(t: &TestStore, seed: u64) -> TestEntropy {
    let random = TestEntropy::new(seed);
    let mut events = random::events(&random, 400);
    for event in &mut events {
        let kind = random.chance(50).then(|| random.pick(&["user", "s1", "file"]).to_owned());
        let id = random.chance(50).then(|| random.pick(&["7", "s1", "file"]).to_owned());
        event.target = (kind.is_some() || id.is_some()).then_some(Target { kind, id, name: None });
    }
    for batch in events.chunks(70) {
        assert!(t.insert(batch).into_iter().all(|new| new));
    }
    random
}

fn events_are_found_by_their_numbers(t: &TestStore) {
    let random = stored(t, 1);
    let listed = t.store.reading(|tx| tx.events(&all_events(), None, 1_000)).unwrap();
    assert_eq!(listed.len(), 400);
    let by_seq = |seqs: &[i64]| t.store.reading(|tx| tx.events_by_seq(seqs)).unwrap();
    let all: Vec<i64> = listed.iter().map(|stored| stored.seq).collect();
    assert_eq!(by_seq(&all), listed, "in the order of the numbers");
    let known: BTreeSet<i64> = all.iter().copied().collect();
    let unknown = [i64::MIN, -1, known.last().unwrap() + 1, i64::MAX];
    for _ in 0..20 {
        let some: Vec<_> = listed.iter().filter(|_| random.below(3) == 0).cloned().rev().collect();
        let mut seqs: Vec<i64> = some.iter().map(|stored| stored.seq).collect();
        seqs.insert(seqs.len() / 2, random.pick(&unknown));
        assert_eq!(by_seq(&seqs), some);
    }
    assert_eq!((by_seq(&[]), by_seq(&unknown)), (Vec::new(), Vec::new()));
}

fn a_walk_sees_every_event_once_in_the_order_of_numbers(t: &TestStore) {
    assert_eq!(t.walk(i64::MIN, 10), []);
    assert_eq!(t.store.reading(|tx| tx.last_seq()).unwrap(), 0);
    let random = stored(t, 2);
    let mut positions: Vec<EventPosition> = t
        .store
        .reading(|tx| tx.events(&all_events(), None, 1_000))
        .unwrap()
        .into_iter()
        .map(|stored| stored.position())
        .collect();
    positions.sort_unstable_by_key(|position| position.seq);
    let last = t.store.reading(|tx| tx.last_seq()).unwrap();
    assert_eq!(last, positions[399].seq);
    let walked = |after, limit| t.walk(after, limit).iter().map(IndexedEvent::position).collect::<Vec<_>>();
    assert_eq!(walked(i64::MIN, 1_000), positions);
    assert_eq!(walked(positions[99].seq, 1_000), positions[100..]);
    assert_eq!(walked(positions[99].seq, 7), positions[100..107]);
    assert_eq!(walked(positions[99].seq - 1, 1), positions[99..100]);
    assert_eq!(walked(positions[99].seq, 0), []);
    assert_eq!(walked(positions[399].seq, 10), []);
    let mut steps = Vec::new();
    while let Some(last) = walked(steps.last().map_or(0, |last: &EventPosition| last.seq), 64).last() {
        let after = steps.last().map_or(0, |last: &EventPosition| last.seq);
        steps.extend(walked(after, 64));
        assert_eq!(steps.last(), Some(last));
    }
    assert_eq!(steps, positions);
    let all = t.walk(i64::MIN, 1_000);
    let some: Vec<IndexedEvent> = all.iter().filter(|_| random.below(4) == 0).copied().collect();
    let mut seqs: Vec<i64> = some.iter().map(|event| event.seq).rev().collect();
    seqs.extend([-1, last + 1, i64::MAX]);
    let mut found = Vec::new();
    let by_seq = t.store.reading(|tx| {
        tx.indexed_events_by_seq(&seqs, &mut |event| {
            found.push(*event);
            Ok(())
        })
    });
    by_seq.unwrap();
    found.sort_unstable_by_key(|event| event.seq);
    assert_eq!(found, some);
}

/// The number of each name, as the dictionaries have them.
fn numbers(t: &TestStore, sql: &str) -> HashMap<String, u32> {
    t.ask(sql).into_iter().map(|row| (row[1].clone(), row[0].parse().unwrap())).collect()
}

/// Whether two fields have equal hashes exactly where they have equal texts.
fn assert_hashes(pairs: &[(Option<String>, Option<u32>)]) {
    let (texts, hashes): (BTreeSet<_>, BTreeSet<_>) = (
        pairs.iter().filter_map(|(text, _)| text.as_ref()).collect(),
        pairs.iter().filter_map(|(_, hash)| *hash).collect(),
    );
    let both: BTreeSet<_> = pairs.iter().filter_map(|(text, hash)| Some((text.as_ref()?, (*hash)?))).collect();
    assert!(texts.len() > 1, "{texts:?}");
    assert_eq!([texts.len(), hashes.len()], [both.len(); 2], "{both:?}");
    assert!(pairs.iter().all(|(text, hash)| text.is_some() == hash.is_some()));
}

fn the_index_knows_the_fields_of_the_rows(t: &TestStore) {
    stored(t, 3);
    // Two pages beyond the limit of new ones, which count as `(other)`.
    let limited = t.another(&StoreOptions { new_pages_per_day: 0, ..StoreOptions::default() });
    let page = |sent: &str| Some(Page::parse("page", sent).unwrap());
    let others = [
        Event { page: page("/beyond?a=1"), ..event(1_001) },
        Event { page: page("/beyond"), ..event(1_002) },
        Event { page: page("/far"), ..event(1_003) },
    ];
    limited.writing(|tx| tx.insert_events(&others)).unwrap();
    let listed = t.store.reading(|tx| tx.events(&all_events(), None, 1_000)).unwrap();
    let rows: HashMap<i64, Event> = listed.into_iter().map(|stored| (stored.seq, stored.event)).collect();
    let walked = t.walk(i64::MIN, 1_000);
    assert_eq!((walked.len(), rows.len()), (403, 403));
    let users = numbers(t, "SELECT CAST(id AS text), name FROM dict_users");
    let kinds = numbers(t, "SELECT CAST(id AS text), name FROM dict_kinds");
    let pages = numbers(t, "SELECT CAST(id AS text), name FROM dict_pages");
    let address = match t.kind {
        DatabaseKind::Sqlite => "hex(address)",
        DatabaseKind::Postgres => "host(address)",
    };
    let sources = numbers(t, &format!("SELECT CAST(id AS text), {address} FROM dict_sources"));
    let mut by_source: HashMap<u32, BTreeSet<String>> = HashMap::new();
    for indexed in &walked {
        let row = &rows[&indexed.seq];
        assert_eq!(
            (indexed.occurred_at, indexed.tenant_id, indexed.env, indexed.outcome),
            (row.occurred_at, row.tenant_id, row.env_id, row.outcome)
        );
        assert_eq!(indexed.kind, kinds[row.kind.as_str()]);
        assert_eq!(indexed.user, row.user_id.as_ref().map(|user| users[user.as_str()]));
        assert_eq!(indexed.source.is_some(), row.source.is_some());
        if let (Some(number), Some(source)) = (indexed.source, row.source) {
            assert!(sources.values().any(|known| *known == number));
            by_source.entry(number).or_default().insert(source.to_string());
        }
        let counted = row.page.as_ref().map(|page| page.key(&PageRule::default()));
        let expected = counted.map(|counted| pages.get(&counted).copied().unwrap_or(1));
        assert_eq!(indexed.page, expected, "{:?}", row.page);
        assert_eq!(indexed.other_page.is_some(), indexed.page == Some(1));
    }
    assert!(by_source.values().all(|texts| texts.len() == 1), "{by_source:?}");
    assert_eq!(by_source.len(), sources.len());
    let pairs = |text: fn(&Event) -> Option<String>, hash: fn(&IndexedEvent) -> Option<u32>| -> Vec<_> {
        walked.iter().map(|indexed| (text(&rows[&indexed.seq]), hash(indexed))).collect()
    };
    let sessions = pairs(|row| row.session_id.clone(), |indexed| indexed.session);
    let types = pairs(|row| row.target.as_ref()?.kind.clone(), |indexed| indexed.target_type);
    let ids = pairs(|row| row.target.as_ref()?.id.clone(), |indexed| indexed.target_id);
    for pairs in [&sessions, &types, &ids] {
        assert_hashes(pairs);
    }
    let same = "s1".to_owned();
    let of_same = |pairs: &[(Option<String>, Option<u32>)]| {
        pairs.iter().find(|(text, _)| text.as_ref() == Some(&same)).and_then(|(_, hash)| *hash)
    };
    let hashes: BTreeSet<_> = [of_same(&sessions), of_same(&types), of_same(&ids)].into_iter().flatten().collect();
    assert_eq!(hashes.len(), 3, "equal texts of different fields have different hashes");
    let beyond: Vec<Option<u32>> = walked[400..].iter().map(|indexed| indexed.other_page).collect();
    assert!(beyond[0].is_some() && beyond[0] == beyond[1] && beyond[2].is_some() && beyond[2] != beyond[0]);
    // Hashes do not depend on the store that computes them.
    let again = t.another(&StoreOptions::default()).reading(|tx| {
        let mut found = Vec::new();
        tx.indexed_events(i64::MIN, 1_000, &mut |event| {
            found.push(*event);
            Ok(())
        })?;
        Ok(found)
    });
    assert_eq!(again.unwrap(), walked);
}

fn long_walks_are_read_in_chunks(t: &TestStore) {
    let events: Vec<Event> = (0..23_000_u32)
        .map(|number| Event {
            occurred_at: at("2026-01-01T00:00:00Z") + Duration::seconds(i64::from(number)),
            ..event(u128::from(number))
        })
        .collect();
    for batch in events.chunks(8_000) {
        t.insert(batch);
    }
    let walked = t.walk(i64::MIN, usize::MAX);
    assert_eq!(walked.len(), 23_000);
    assert!(walked.iter().map(|event| event.occurred_at).eq(events.iter().map(|event| event.occurred_at)));
    assert_eq!(t.walk(i64::MIN, 20_000), walked[..20_000]);
    let seqs: Vec<i64> = walked.iter().step_by(9).map(|event| event.seq).collect();
    let found = t.store.reading(|tx| tx.events_by_seq(&seqs)).unwrap();
    assert_eq!(found.iter().map(|stored| stored.seq).collect::<Vec<_>>(), seqs);
}

fn an_error_ends_a_walk(t: &TestStore) {
    t.insert(&(1..=3).map(event).collect::<Vec<_>>());
    let mut calls = 0;
    let mut stop = || -> Result<()> {
        calls += 1;
        Err(Error::internal("enough"))
    };
    assert!(t.store.reading(|tx| tx.indexed_events(0, 10, &mut |_| stop())).is_err());
    assert_eq!(calls, 1);
}
