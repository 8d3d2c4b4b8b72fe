//! Deltas of transactions, and the merges that claim them.

use std::collections::{BTreeMap, BTreeSet};

use trailkeeper_domain::event::{Event, Target};
use trailkeeper_domain::id::{EventId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::page::Page;
use trailkeeper_domain::ports::{Backlog, MergePass, OldDeltaKey};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::delta::Delta;
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{DatabaseKind, all_events, event, tenant_id, user_id};

use crate::TestStore;
use crate::sheets::{EVERYONE, of};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    every_transaction_leaves_one_delta_with_its_new_events,
    hashes_stand_for_texts,
    known_events_leave_no_delta,
    a_batch_that_is_rolled_back_leaves_no_delta,
    many_deltas_are_in_order,
    claimed_deltas_are_hidden_from_the_marked_scopes_only,
    passes_are_apart,
    only_the_named_deltas_are_deleted,
    old_deltas_are_in_order_until_they_are_deleted,
);

/// An event of this tenant.
pub(crate) fn in_tenant(number: u128, tenant: TenantId) -> Event {
    Event { tenant_id: tenant, ..event(number) }
}

impl TestStore {
    /// The numbers of the deltas that the sheets of a scope do not count.
    fn waiting(&self, scope: Scope) -> Vec<i64> {
        self.store
            .reading(|tx| {
                let mut numbers = Vec::new();
                tx.deltas(scope, &mut |delta| {
                    assert!(delta.merged.is_empty());
                    numbers.push(delta.number);
                    Ok(())
                })?;
                Ok(numbers)
            })
            .unwrap()
    }

    /// All deltas, each with the scopes whose sheets count it.
    fn all(&self) -> Vec<(i64, BTreeSet<Scope>)> {
        self.store
            .reading(|tx| {
                let mut found = Vec::new();
                tx.all_deltas(&mut |delta| {
                    found.push((delta.number, delta.merged.clone()));
                    Ok(())
                })?;
                Ok(found)
            })
            .unwrap()
    }

    /// The events of all deltas, each with the number of its delta.
    fn indexed(&self) -> Vec<(i64, IndexedEvent)> {
        self.store
            .reading(|tx| {
                let mut found = Vec::new();
                tx.all_deltas(&mut |waiting| {
                    let delta = Delta::read(waiting.payload).unwrap();
                    for section in delta.sections() {
                        found.extend(section.events().map(|event| (waiting.number, event.unwrap())));
                    }
                    Ok(())
                })?;
                Ok(found)
            })
            .unwrap()
    }

    fn backlog(&self) -> Backlog {
        self.store.reading(|tx| tx.backlog()).unwrap()
    }

    fn unclaimed(&self, after: i64, limit: usize) -> Vec<i64> {
        let sizes = self.store.reading(|tx| tx.unclaimed_deltas(after, limit)).unwrap();
        let numbers: Vec<i64> = sizes.iter().map(|size| size.number).collect();
        let payloads = self.store.reading(|tx| tx.deltas_by_number(&numbers)).unwrap();
        for (size, (number, payload)) in sizes.iter().zip(&payloads) {
            let delta = Delta::read(payload).unwrap();
            assert_eq!((size.number, size.events, size.bytes), (*number, delta.len() as u64, payload.len() as u64));
        }
        numbers
    }

    fn begin(&self, deltas: &[i64], scopes: &[Scope]) -> i64 {
        self.store
            .writing(|tx| {
                let pass = tx.begin_merge_pass(deltas)?;
                tx.mark_merged(pass, scopes)?;
                Ok(pass)
            })
            .unwrap()
    }
}

fn every_transaction_leaves_one_delta_with_its_new_events(t: &TestStore) {
    let page = |text: &str| Some(Page::parse("page", text).unwrap());
    let first = [
        Event { page: page("/a?x=1"), user_id: Some(user_id("ann")), ..in_tenant(1, tenant_id(2)) },
        Event { source: Some("198.51.100.7".parse().unwrap()), ..in_tenant(2, TenantId::SYSTEM) },
        in_tenant(3, TenantId::NONE),
        Event { user_id: Some(user_id("bob")), ..in_tenant(4, tenant_id(2)) },
    ];
    t.insert(&first);
    t.insert(&[in_tenant(5, tenant_id(1)), in_tenant(3, TenantId::NONE)]);
    let stored = t.store.reading(|tx| tx.events(&all_events(), None, 100)).unwrap();
    let expected: BTreeMap<i64, &Event> = stored.iter().map(|stored| (stored.seq, &stored.event)).collect();
    let indexed = t.indexed();
    assert_eq!((indexed.len(), expected.len()), (5, 5));
    for (delta, found) in &indexed {
        let event = expected[&found.seq];
        assert_eq!((found.tenant_id, found.occurred_at), (event.tenant_id, event.occurred_at));
        assert_eq!((found.env, found.outcome), (event.env_id, event.outcome));
        assert_eq!((found.user.is_some(), found.page.is_some()), (event.user_id.is_some(), event.page.is_some()));
        assert_eq!((found.source.is_some(), found.other_page), (event.source.is_some(), None));
        let names = t.store.reading(|tx| {
            Ok((
                tx.kind_names(&[found.kind])?,
                tx.page_keys(found.page.as_slice())?,
                tx.source_names(found.source.as_slice())?,
            ))
        });
        let (kinds, pages, sources) = names.unwrap();
        assert_eq!(kinds[&found.kind], event.kind.as_str());
        assert!(found.page.is_none_or(|page| pages[&page] == "/a"));
        assert!(found.source.is_none_or(|source| sources[&source] == "198.51.100.7"));
        // The number of a delta is that of its last event.
        let last = indexed.iter().filter(|(other, _)| other == delta).map(|(_, event)| event.seq).max();
        assert_eq!(last, Some(*delta));
    }
    let deltas: Vec<i64> = t.all().into_iter().map(|(number, _)| number).collect();
    assert_eq!(deltas.len(), 2);
    assert_eq!(indexed.iter().filter(|(delta, _)| *delta == deltas[0]).count(), 4);
    let users: BTreeSet<Option<u32>> = indexed.iter().map(|(_, event)| event.user).collect();
    let names: BTreeSet<_> = expected.values().map(|event| event.user_id.clone()).collect();
    assert!(users.len() == names.len() && names.len() > 1, "{users:?} {names:?}");
}

/// The hashes of the event with this id.
fn hashes(t: &TestStore, id: EventId) -> [Option<u32>; 4] {
    let stored = t.store.reading(|tx| tx.events_by_id(id, None)).unwrap().remove(0);
    let (_, found) = t.indexed().into_iter().find(|(_, event)| event.seq == stored.seq).unwrap();
    [found.session, found.target_type, found.target_id, found.other_page]
}

fn hashes_stand_for_texts(t: &TestStore) {
    let store = t.another(&StoreOptions { new_pages_per_day: 0, ..StoreOptions::default() });
    let with = |number, text: &str| Event {
        session_id: Some(text.to_owned()),
        target: Some(Target { kind: Some(text.to_owned()), id: Some(text.to_owned()), name: None }),
        page: Some(Page::parse("page", format!("/{text}")).unwrap()),
        ..event(number)
    };
    let events = [with(1, "one"), with(2, "other"), with(3, "one"), event(4)];
    store.writing(|tx| tx.insert_events(&events)).unwrap();
    let [one, other, again, none] = events.each_ref().map(|event| hashes(t, event.id));
    assert_eq!((one, none), (again, [None; 4]));
    assert!(one.iter().zip(&other).all(|(one, other)| one.is_some() && other.is_some() && one != other));
    let distinct: BTreeSet<Option<u32>> = one.into_iter().collect();
    assert_eq!(distinct.len(), 4, "equal texts of two fields have different hashes");
}

fn known_events_leave_no_delta(t: &TestStore) {
    t.insert(&[in_tenant(1, tenant_id(1)), in_tenant(2, TenantId::SYSTEM)]);
    let before = t.all();
    assert_eq!(before.len(), 1);
    assert_eq!(t.insert(&[in_tenant(1, tenant_id(1)), in_tenant(2, TenantId::SYSTEM)]), [false, false]);
    assert_eq!(t.insert(&[]), [false; 0]);
    assert_eq!(t.all(), before);
    assert_eq!(t.backlog(), Backlog { deltas: 1, events: 2 });
}

fn a_batch_that_is_rolled_back_leaves_no_delta(t: &TestStore) {
    let outcome: Result<()> = t.store.writing(|tx| {
        tx.insert_events(&[in_tenant(1, tenant_id(1))])?;
        Err(Error::internal("the test fails it"))
    });
    assert!(outcome.is_err());
    assert_eq!((t.all(), t.backlog()), (Vec::new(), Backlog::default()));
    t.insert(&[in_tenant(1, tenant_id(1))]);
    assert_eq!(t.all().len(), 1);
}

fn many_deltas_are_in_order(t: &TestStore) {
    // More deltas than the first batch has.
    for round in 0..60 {
        t.insert(&[in_tenant(round, tenant_id(round % 3))]);
    }
    let all: Vec<i64> = t.all().into_iter().map(|(number, _)| number).collect();
    assert!(all.len() == 60 && all.is_sorted_by(|one, other| one < other), "{all:?}");
    assert_eq!((t.waiting(EVERYONE), t.waiting(of(77))), (all.clone(), all.clone()));
    assert_eq!(t.unclaimed(i64::MIN, 100), all);
    assert_eq!(t.unclaimed(all[9], 7), all[10..17]);
    assert_eq!(t.unclaimed(all[59], 7), [0; 0]);
    assert_eq!(t.backlog(), Backlog { deltas: 60, events: 60 });
    let found = t.store.reading(|tx| tx.deltas_by_number(&[all[3], i64::MAX, all[1]])).unwrap();
    assert_eq!(found.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [all[1], all[3]]);
}

fn claimed_deltas_are_hidden_from_the_marked_scopes_only(t: &TestStore) {
    for round in 0..6 {
        t.insert(&[in_tenant(2 * round, tenant_id(1)), in_tenant(2 * round + 1, tenant_id(2))]);
    }
    let all = t.waiting(EVERYONE);
    let claimed = [all[0], all[1], all[4]];
    let pass = t.begin(&claimed, &[of(1)]);
    let rest = [all[2], all[3], all[5]];
    assert_eq!((t.waiting(of(1)), t.waiting(of(2)), t.waiting(EVERYONE)), (rest.to_vec(), all.clone(), all.clone()));
    assert_eq!((t.unclaimed(i64::MIN, 100), t.unclaimed(all[2], 1)), (rest.to_vec(), vec![all[3]]));
    assert_eq!(t.backlog(), Backlog { deltas: 3, events: 6 });
    t.store.writing(|tx| tx.mark_merged(pass, &[EVERYONE, of(9)])).unwrap();
    assert_eq!((t.waiting(EVERYONE), t.waiting(of(2))), (rest.to_vec(), all.clone()));
    let merged = BTreeSet::from([EVERYONE, of(1), of(9)]);
    for (number, scopes) in t.all() {
        assert_eq!(scopes, if claimed.contains(&number) { merged.clone() } else { BTreeSet::new() });
    }
    let open = t.store.reading(|tx| tx.merge_passes()).unwrap();
    assert_eq!(open, [MergePass { number: pass, deltas: claimed.to_vec(), merged }]);
    // The last transaction of the pass.
    let end = t.store.writing(|tx| {
        tx.delete_deltas(&claimed)?;
        tx.end_merge_passes(&[pass])
    });
    end.unwrap();
    assert_eq!(
        (t.waiting(of(1)), t.waiting(of(2)), t.waiting(EVERYONE)),
        (rest.to_vec(), rest.to_vec(), rest.to_vec())
    );
    assert_eq!(t.store.reading(|tx| tx.merge_passes()).unwrap(), []);
}

fn passes_are_apart(t: &TestStore) {
    for round in 0..4 {
        t.insert(&[in_tenant(round, tenant_id(1))]);
    }
    let all = t.waiting(EVERYONE);
    let (one, other) = (t.begin(&all[..1], &[of(1)]), t.begin(&all[1..3], &[EVERYONE]));
    assert!(one < other);
    assert_eq!((t.waiting(of(1)), t.waiting(EVERYONE)), (all[1..].to_vec(), vec![all[0], all[3]]));
    // Without its deltas: they wait again.
    t.store.writing(|tx| tx.end_merge_passes(&[one])).unwrap();
    assert_eq!((t.waiting(of(1)), t.waiting(EVERYONE)), (all.clone(), vec![all[0], all[3]]));
    assert_eq!(t.unclaimed(i64::MIN, 9), [all[0], all[3]]);
}

fn only_the_named_deltas_are_deleted(t: &TestStore) {
    for round in 0..10 {
        t.insert(&[in_tenant(round, tenant_id(1))]);
    }
    let all = t.waiting(EVERYONE);
    let kept: Vec<i64> = all.iter().copied().step_by(3).collect();
    let merged: Vec<i64> = all.iter().copied().filter(|number| !kept.contains(number)).chain([i64::MAX]).collect();
    t.store.writing(|tx| tx.delete_deltas(&merged)).unwrap();
    assert_eq!(t.waiting(EVERYONE), kept);
    t.insert(&[in_tenant(100, tenant_id(1))]);
    let newest = *t.waiting(EVERYONE).last().unwrap();
    assert!(!all.contains(&newest), "a number is not used again");
    let many: Vec<i64> = (newest - 2_500..=newest).collect();
    t.store.writing(|tx| tx.delete_deltas(&many)).unwrap();
    assert_eq!(t.waiting(EVERYONE), [0; 0]);
}

fn old_deltas_are_in_order_until_they_are_deleted(t: &TestStore) {
    // The tenant has a number on SQLite: 2, after none and the system tenant.
    t.insert(&[in_tenant(1, tenant_id(1))]);
    let [everyone, tenant, bytes] = match t.kind {
        DatabaseKind::Sqlite => ["0".to_owned(), "2".to_owned(), "x'0102'".to_owned()],
        DatabaseKind::Postgres => {
            [format!("'{}'", TenantId::SYSTEM), format!("'{}'", tenant_id(1)), "'\\x0102'::bytea".to_owned()]
        }
    };
    t.ask(&format!(
        "INSERT INTO old_deltas (scope, seq, payload) VALUES ({tenant}, 7, {bytes}), ({everyone}, 9, {bytes}), ({tenant}, 5, {bytes}) RETURNING seq"
    ));
    let old = |limit| t.store.reading(|tx| tx.old_deltas(limit)).unwrap();
    let keys = |limit| old(limit).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    let all = keys(10);
    assert_eq!(all.len(), 3);
    assert!(all.chunk_by(|one, other| one.scope == other.scope).all(<[OldDeltaKey]>::is_sorted), "{all:?}");
    assert_eq!(
        all.iter().copied().collect::<BTreeSet<_>>(),
        BTreeSet::from([
            OldDeltaKey { scope: EVERYONE, seq: 9 },
            OldDeltaKey { scope: of(1), seq: 5 },
            OldDeltaKey { scope: of(1), seq: 7 },
        ])
    );
    assert!(old(10).iter().all(|(_, payload)| *payload == [1, 2]));
    assert_eq!(keys(2), all[..2]);
    let delete = |keys: &[OldDeltaKey]| t.store.writing(|tx| tx.delete_old_deltas(keys)).unwrap();
    delete(&[OldDeltaKey { scope: of(1), seq: 7 }, OldDeltaKey { scope: of(77), seq: 5 }]);
    assert_eq!(keys(10).len(), 2);
    delete(&all);
    assert_eq!(keys(10), []);
    assert_eq!(t.waiting(of(1)).len(), 1, "old deltas are apart from new ones");
}
