//! Compares the index of events with the rows.
//!
//! Every run is read as a whole. Each of its events must be that of its row, and the run must have, byte for byte, the
//! pages that the rows give. At the end, each row must have been met once in the scope of everyone and, unless it is of
//! the system tenant, once in that of its tenant: in a run, or in a delta that waits.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::{PostingRun, PostingRunKey, ReadTx};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::delta::Delta;
use trailkeeper_postings::page_source::PageSource;
use trailkeeper_postings::run::{RunBuilder, RunReader};
use trailkeeper_postings::segment::Segment as _;

use super::difference::{Difference, Mismatch, SomeEvents};
use super::findings::Findings;
use super::numbers::Numbers;
use crate::engine::postings::run_name;

/// The number of events that are compared with their rows at once.
const AT_ONCE: usize = 4_096;

/// The most deltas that are listed at once.
const DELTAS_AT_ONCE: usize = 1_000;
/// About the most bytes of deltas that are in memory at once.
const BYTES_AT_ONCE: u64 = 4 << 20;

/// A transaction that the pages of a run and the rows of its events are read from by turns.
type Shared<'t> = RefCell<&'t mut dyn ReadTx>;

/// Compares all runs and waiting deltas with all rows, if they are said to have all events.
pub fn compare(tx: &mut dyn ReadTx, months: TimeRange, found: &mut Findings<'_>) -> Result<()> {
    if !tx.has_postings()? {
        return Ok(());
    }
    let generation = tx.generation()?;
    let scopes = tx.posting_scopes(generation)?;
    let mut comparison = Comparison { generation, everyone: Numbers::default(), tenants: Numbers::default() };
    for scope in scopes {
        for run in tx.posting_runs(generation, scope, months)? {
            comparison.run(tx, &run, found)?;
        }
    }
    comparison.deltas(tx, found)?;
    comparison.rows(tx, found)
}

struct Comparison {
    generation: i64,
    /// The events that were met in the scope of everyone.
    everyone: Numbers,
    /// The events that were met in the scope of their tenant.
    tenants: Numbers,
}

/// What is wrong with the events of a run.
#[derive(Default)]
struct Wrong {
    without_row: SomeEvents,
    twice: SomeEvents,
    different: SomeEvents,
}

impl Wrong {
    fn mismatches(self) -> Vec<Mismatch> {
        let all =
            [Mismatch::WithoutRow(self.without_row), Mismatch::Twice(self.twice), Mismatch::Different(self.different)];
        let counts = [self.without_row, self.twice, self.different].map(|events| events.count);
        all.into_iter().zip(counts).filter(|(_, count)| *count > 0).map(|(mismatch, _)| mismatch).collect()
    }
}

/// The rows of these events, as far as they exist.
fn rows_by_number(tx: &mut dyn ReadTx, events: &[IndexedEvent]) -> Result<HashMap<i64, IndexedEvent>> {
    let seqs: Vec<i64> = events.iter().map(|event| event.seq).collect();
    let mut rows = HashMap::with_capacity(seqs.len());
    tx.indexed_events_by_seq(&seqs, &mut |row| {
        rows.insert(row.seq, *row);
        Ok(())
    })?;
    Ok(rows)
}

impl Comparison {
    fn run(&mut self, tx: &mut dyn ReadTx, run: &PostingRun, found: &mut Findings<'_>) -> Result<()> {
        found.verified.runs += 1;
        let (shared, key) = (RefCell::new(tx), run.key);
        let (mut wrong, mut builder) = (Wrong::default(), RunBuilder::new(key.scope));
        let outcome = self.events(&shared, run, &mut wrong, &mut builder);
        let mut mismatches = wrong.mismatches();
        match outcome {
            Ok(events) if events != run.events => mismatches.push(Mismatch::Count { listed: run.events, events }),
            // With other events, the pages are other ones too. A run with removed events is not what the rows give.
            Ok(_) if mismatches.is_empty() && run.removed.is_none() => {
                mismatches.extend(self.first_other_page(&shared, run, builder)?);
            }
            Ok(_) => {}
            // The database failed, not the run.
            Err(error @ (Error::Unavailable { .. } | Error::Overloaded { .. })) => return Err(error),
            Err(error) => {
                found.report(Difference::Unreadable { row: format!("{}: {}", run_name(key), error.chain()) });
            }
        }
        for mismatch in mismatches {
            found.report(Difference::Run { key, mismatch });
        }
        Ok(())
    }

    /// Compares the events of a run with their rows, and adds the rows to `builder`. Returns the number of the events, removed
    /// ones included.
    fn events(
        &mut self,
        shared: &Shared<'_>,
        run: &PostingRun,
        wrong: &mut Wrong,
        builder: &mut RunBuilder,
    ) -> Result<u32> {
        let pages = SharedPages { shared, generation: self.generation, key: run.key };
        let mut reader = RunReader::open(&run.header, run.removed.as_deref(), pages)?;
        let removed = reader.removed()?.len();
        let (mut some, mut count) = (Vec::with_capacity(AT_ONCE), removed);
        reader.events(run.key.scope, &mut |event| {
            count += 1;
            some.push(*event);
            if some.len() == AT_ONCE {
                self.rows_of(&mut **shared.borrow_mut(), run.key, &some, wrong, builder)?;
                some.clear();
            }
            Ok(())
        })?;
        self.rows_of(&mut **shared.borrow_mut(), run.key, &some, wrong, builder)?;
        Ok(count)
    }

    fn rows_of(
        &mut self,
        tx: &mut dyn ReadTx,
        key: PostingRunKey,
        events: &[IndexedEvent],
        wrong: &mut Wrong,
        builder: &mut RunBuilder,
    ) -> Result<()> {
        let rows = rows_by_number(tx, events)?;
        for event in events {
            let Some(row) = rows.get(&event.seq) else {
                wrong.without_row.add(event.seq);
                continue;
            };
            let belongs = match key.scope {
                Scope::Everyone => true,
                Scope::Tenant(tenant) => tenant == row.tenant_id,
            };
            if !belongs || Level::Month.floor(row.occurred_at) != key.month {
                wrong.different.add(event.seq);
                continue;
            }
            if !self.meet(key.scope, event.seq) {
                wrong.twice.add(event.seq);
            }
            if as_in(key.scope, row) != *event {
                wrong.different.add(event.seq);
            }
            if !builder.is_full() {
                builder.add(row)?;
            }
        }
        Ok(())
    }

    /// Notes that an event was met in a scope; `false` if it was met there before.
    fn meet(&mut self, scope: Scope, seq: i64) -> bool {
        match scope {
            Scope::Everyone => self.everyone.add(seq),
            Scope::Tenant(_) => self.tenants.add(seq),
        }
    }

    /// The first part of a run that is not the one that its rows give.
    fn first_other_page(&self, shared: &Shared<'_>, run: &PostingRun, builder: RunBuilder) -> Result<Option<Mismatch>> {
        let mut other = None;
        let mut pages = SharedPages { shared, generation: self.generation, key: run.key };
        let header = builder.finish(&mut |number, page| {
            if other.is_none() && pages.pages(&[number])? != [page] {
                other = Some(Mismatch::Page(number));
            }
            Ok(())
        })?;
        Ok(other.or((header != run.header).then_some(Mismatch::Header)))
    }

    /// Meets the events of all deltas, which are compared with their rows elsewhere, as is what cannot be read.
    fn deltas(&mut self, tx: &mut dyn ReadTx, found: &mut Findings<'_>) -> Result<()> {
        for pass in tx.merge_passes()? {
            for some in pass.deltas.chunks(DELTAS_AT_ONCE) {
                for (number, payload) in tx.deltas_by_number(some)? {
                    self.delta(number, &payload, &pass.merged, found);
                }
            }
        }
        let mut after = i64::MIN;
        loop {
            let listed = tx.unclaimed_deltas(after, DELTAS_AT_ONCE)?;
            let (mut some, mut bytes) = (Vec::new(), 0);
            for size in &listed {
                if !some.is_empty() && bytes + size.bytes > BYTES_AT_ONCE {
                    break;
                }
                bytes += size.bytes;
                some.push(size.number);
            }
            let Some(last) = some.last() else { return Ok(()) };
            after = *last;
            for (number, payload) in tx.deltas_by_number(&some)? {
                self.delta(number, &payload, &BTreeSet::new(), found);
            }
        }
    }

    /// Meets the events of one delta. The runs of the scopes in `merged` have them already.
    fn delta(&mut self, number: i64, payload: &[u8], merged: &BTreeSet<Scope>, found: &mut Findings<'_>) {
        let Ok(delta) = Delta::read(payload) else { return };
        let mut twice = SomeEvents::default();
        for section in delta.sections() {
            let tenant = (!section.is_system()).then_some(Scope::Tenant(section.tenant_id()));
            let scopes = [Some(Scope::Everyone), tenant].into_iter().flatten();
            let scopes: Vec<Scope> = scopes.filter(|scope| !merged.contains(scope)).collect();
            for event in section.events().filter_map(std::result::Result::ok) {
                let met = scopes.iter().filter(|scope| self.meet(**scope, event.seq)).count();
                if met < scopes.len() {
                    twice.add(event.seq);
                }
            }
        }
        if twice.count > 0 {
            found.report(Difference::Delta { number, mismatch: Mismatch::Twice(twice) });
        }
    }

    /// Reports the rows that were not met.
    fn rows(&self, tx: &mut dyn ReadTx, found: &mut Findings<'_>) -> Result<()> {
        let mut missing = BTreeMap::<(Scope, Timestamp), SomeEvents>::new();
        tx.indexed_events(i64::MIN, usize::MAX, &mut |row| {
            let month = Level::Month.floor(row.occurred_at);
            if !self.everyone.has(row.seq) {
                missing.entry((Scope::Everyone, month)).or_default().add(row.seq);
            }
            if row.tenant_id != TenantId::SYSTEM && !self.tenants.has(row.seq) {
                missing.entry((Scope::Tenant(row.tenant_id), month)).or_default().add(row.seq);
            }
            Ok(())
        })?;
        for ((scope, month), events) in missing {
            found.report(Difference::NotIndexed { scope, month, events });
        }
        Ok(())
    }
}

/// An event as the runs of a scope know it: those of everyone have no tenants.
fn as_in(scope: Scope, row: &IndexedEvent) -> IndexedEvent {
    let tenant_id = match scope {
        Scope::Everyone if row.tenant_id != TenantId::SYSTEM => TenantId::NONE,
        _ => row.tenant_id,
    };
    IndexedEvent { tenant_id, ..*row }
}

/// The pages of a run in the snapshot of a verification.
struct SharedPages<'s, 't> {
    shared: &'s Shared<'t>,
    generation: i64,
    key: PostingRunKey,
}

impl PageSource for SharedPages<'_, '_> {
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        self.shared.borrow_mut().posting_pages(self.generation, self.key, pages)
    }

    fn name(&self) -> String {
        run_name(self.key)
    }
}
