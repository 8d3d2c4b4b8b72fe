//! The cases about events once more: over runs and waiting deltas together, and over the rows of a database without an
//! index of events. In the cases themselves all events wait in deltas.

use std::collections::{BTreeMap, BTreeSet};

use trailkeeper_domain::event::{EventFilter, Values};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::{PostingRun, PostingRunKey, WriteTx};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::delta::Delta;
use trailkeeper_postings::positions::PositionSet;
use trailkeeper_postings::run::{RunBuilder, encode_removed};
use trailkeeper_testkit::{DatabaseKind, all_events, event};

use crate::{EventsIn, TestStore};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    events_whose_deltas_go_without_a_run_are_listed,
    events_in_runs_are_listed_by_the_index,
    runs_that_are_rolled_back_are_not_remembered,
    removed_positions_are_never_those_of_an_earlier_answer,
);

fn events_whose_deltas_go_without_a_run_are_listed(t: &TestStore) {
    t.insert(&(1..=9).map(event).collect::<Vec<_>>());
    t.store
        .writing(|tx| {
            let waiting = waiting(tx)?;
            tx.delete_deltas(&waiting)
        })
        .unwrap();
    assert!(!t.store.reading(|tx| tx.has_postings()).unwrap());
    assert_eq!(t.list(&all_events()).len(), 9);
}

fn events_in_runs_are_listed_by_the_index(t: &TestStore) {
    t.insert(&(1..=9).map(event).collect::<Vec<_>>());
    t.merge_into_runs();
    assert!(t.store.reading(|tx| tx.has_postings()).unwrap());
    assert_eq!(t.list(&all_events()).len(), 9);
    // The index lists events, and not their rows.
    let of_user = EventFilter { user_id: Values::only(event(1).user_id.unwrap()), ..all_events() };
    let count = || t.store.reading(|tx| tx.count_events(&of_user)).unwrap();
    let before = count();
    t.ask("DELETE FROM events RETURNING seq");
    assert_eq!(count(), before);
    let error = t.store.reading(|tx| tx.events(&of_user, None, 10)).unwrap_err();
    assert!(error.chain().to_string().contains("trailkeeper rebuild"), "{error:?}");
}

/// The run of everyone with this number, without the events of these positions.
fn run_of_everyone(tx: &mut dyn WriteTx, run: u32, events: usize, removed: &[u32]) -> Result<PostingRun> {
    let mut builder = RunBuilder::new(Scope::Everyone);
    let mut month = None;
    tx.indexed_events(i64::MIN, events, &mut |event| {
        month = Some(Level::Month.floor(event.occurred_at));
        builder.add(event)
    })?;
    let header = builder.finish(&mut |_, _| panic!("the pages of a small run lie in its header"))?;
    let key = PostingRunKey { scope: Scope::Everyone, month: month.unwrap(), run };
    let removed = (!removed.is_empty()).then(|| encode_removed(&PositionSet::Sparse(removed.to_vec())));
    Ok(PostingRun { key, events: u32::try_from(events).unwrap(), header, removed })
}

fn runs_that_are_rolled_back_are_not_remembered(t: &TestStore) {
    t.insert(&(1..=9).map(event).collect::<Vec<_>>());
    let undone: Result<()> = t.store.writing(|tx| {
        let deltas = waiting(tx)?;
        let (generation, run) = (tx.generation()?, run_of_everyone(tx, 1, 4, &[])?);
        tx.put_posting_runs(generation, &[run])?;
        tx.delete_deltas(&deltas)?;
        assert_eq!(tx.count_events(&all_events())?, 4);
        Err(Error::internal("the test wants it so"))
    });
    undone.unwrap_err();
    // The run with the same key.
    t.merge_into_runs();
    for _ in 0..2 {
        assert_eq!(t.store.reading(|tx| tx.count_events(&all_events())).unwrap(), 9);
    }
}

fn removed_positions_are_never_those_of_an_earlier_answer(t: &TestStore) {
    t.insert(&(1..=9).map(event).collect::<Vec<_>>());
    t.merge_into_runs();
    let count = || t.store.reading(|tx| tx.count_events(&all_events())).unwrap();
    for (number, removed) in (1..).zip([&[][..], &[0], &[0, 5], &[]]) {
        let replaced = t.store.writing(|tx| {
            let (generation, run) = (tx.generation()?, run_of_everyone(tx, number + 1, 9, removed)?);
            let old = PostingRunKey { run: number, ..run.key };
            tx.put_posting_runs(generation, &[run])?;
            tx.delete_posting_runs(generation, &[old])
        });
        replaced.unwrap();
        assert_eq!([count(), count()], [9 - removed.len() as u64; 2], "{removed:?}");
    }
}

/// The numbers of the waiting deltas.
fn waiting(tx: &mut dyn WriteTx) -> Result<Vec<i64>> {
    let mut numbers = Vec::new();
    tx.all_deltas(&mut |waiting| {
        numbers.push(waiting.number);
        Ok(())
    })?;
    Ok(numbers)
}

impl TestStore {
    /// A store whose [`insert`](Self::insert) leaves events in runs and in a delta.
    pub(crate) fn with_runs(kind: DatabaseKind) -> Self {
        Self { events_in: EventsIn::Runs, ..Self::new(kind) }
    }

    /// A store whose generation has no index of events.
    pub(crate) fn by_rows(kind: DatabaseKind) -> Self {
        let t = Self { events_in: EventsIn::Rows, ..Self::new(kind) };
        t.store
            .writing(|tx| {
                let generation = tx.generation()?;
                tx.set_generation(generation + 1, false)
            })
            .unwrap();
        t
    }

    /// Makes a run per scope and month of the waiting deltas. Runs that exist stay.
    pub(crate) fn merge_into_runs(&self) {
        self.store
            .writing(|tx| {
                let mut events: BTreeMap<(Scope, Timestamp), Vec<IndexedEvent>> = BTreeMap::new();
                let mut deltas = Vec::new();
                tx.all_deltas(&mut |waiting| {
                    deltas.push(waiting.number);
                    for section in Delta::read(waiting.payload).unwrap().sections() {
                        let tenant = Scope::Tenant(section.tenant_id());
                        let scopes = if section.is_system() { vec![] } else { vec![tenant] };
                        for event in section.events().map(|event| event.unwrap()) {
                            for scope in scopes.iter().chain(&[Scope::Everyone]) {
                                let month = Level::Month.floor(event.occurred_at);
                                events.entry((*scope, month)).or_default().push(event);
                            }
                        }
                    }
                    Ok(())
                })?;
                let generation = tx.generation()?;
                let scopes: BTreeSet<Scope> = events.keys().map(|(scope, _)| *scope).collect();
                let mut next: BTreeMap<(Scope, Timestamp), u32> = BTreeMap::new();
                for (key, ..) in tx.posting_run_keys(generation, &scopes.into_iter().collect::<Vec<_>>())? {
                    next.insert((key.scope, key.month), key.run + 1);
                }
                for ((scope, month), events) in events {
                    let run = next.get(&(scope, month)).copied().unwrap_or(1);
                    let key = PostingRunKey { scope, month, run };
                    let mut builder = RunBuilder::new(scope);
                    events.iter().try_for_each(|event| builder.add(event))?;
                    let mut pages = Vec::new();
                    let header = builder.finish(&mut |_, page| {
                        pages.push(page);
                        Ok(())
                    })?;
                    if !pages.is_empty() {
                        tx.put_posting_pages(generation, key, 0, &pages)?;
                    }
                    let events = u32::try_from(events.len()).unwrap();
                    tx.put_posting_runs(generation, &[PostingRun { key, events, header, removed: None }])?;
                }
                tx.delete_deltas(&deltas)
            })
            .unwrap();
    }
}

/// The cases of lists, numbers, facts and sources.
macro_rules! cases_of_events {
    ($new:path) => {
        use crate::activity::{
            behaviors_are_recounted, behaviors_show_pages_beyond_the_limit_as_they_were_sent, sources_are_recounted,
            sources_with_as_many_events_are_ordered_by_address,
        };
        use crate::event_filters::{
            a_negation_keeps_events_without_the_field, edges_of_a_histogram_belong_to_the_bucket_that_they_begin,
            fifty_values_of_each_field_are_one_list, lists_and_numbers_of_random_filters_agree_with_a_scan,
            numbers_belong_to_one_snapshot, pages_of_filtered_lists_join_to_the_whole_list,
            pages_that_count_as_other_are_found_and_excluded_one_by_one,
        };
        use crate::events::{
            a_network_matches_its_addresses, events_of_the_same_time_are_in_the_order_of_storage,
            large_batches_are_stored, lists_of_customers_omit_the_system_tenant,
            long_pages_that_differ_at_the_end_are_different, offsets_skip_from_the_newest,
            pages_of_a_list_skip_and_repeat_no_event, several_types_are_one_list,
        };
        use crate::feed::{the_feed_has_the_order_of_storage, the_feed_of_random_filters_agrees_with_a_scan};
        use crate::facts::{
            facts_equal_the_stored_events, facts_of_a_user_equal_the_stored_events,
            facts_of_one_instant_are_read_once_each, the_span_is_that_of_the_events_of_customers,
        };

        trailkeeper_testkit::on_both!($new =>
            behaviors_are_recounted,
            behaviors_show_pages_beyond_the_limit_as_they_were_sent,
            sources_are_recounted,
            sources_with_as_many_events_are_ordered_by_address,
            a_negation_keeps_events_without_the_field,
            edges_of_a_histogram_belong_to_the_bucket_that_they_begin,
            fifty_values_of_each_field_are_one_list,
            lists_and_numbers_of_random_filters_agree_with_a_scan,
            numbers_belong_to_one_snapshot,
            pages_of_filtered_lists_join_to_the_whole_list,
            pages_that_count_as_other_are_found_and_excluded_one_by_one,
            a_network_matches_its_addresses,
            events_of_the_same_time_are_in_the_order_of_storage,
            large_batches_are_stored,
            lists_of_customers_omit_the_system_tenant,
            the_feed_has_the_order_of_storage,
            the_feed_of_random_filters_agrees_with_a_scan,
            long_pages_that_differ_at_the_end_are_different,
            offsets_skip_from_the_newest,
            pages_of_a_list_skip_and_repeat_no_event,
            several_types_are_one_list,
            facts_equal_the_stored_events,
            facts_of_a_user_equal_the_stored_events,
            facts_of_one_instant_are_read_once_each,
            the_span_is_that_of_the_events_of_customers,
        );
    };
}

mod over_runs {
    cases_of_events!(crate::TestStore::with_runs);
}

mod over_rows {
    cases_of_events!(crate::TestStore::by_rows);
}
