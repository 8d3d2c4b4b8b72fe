//! A random history: steps that change a database, and questions after each step.

use std::sync::Arc;
use std::time::Duration;
use std::{panic, thread};

use chrono::TimeDelta;
use trailkeeper_analytics::engine::rebuild::{rebuild, rebuild_by_rule};
use trailkeeper_analytics::engine::verify::verify;
use trailkeeper_analytics::engine::{merger, read};
use trailkeeper_analytics::sheet::{Facet, Fold};
use trailkeeper_analytics::{Audience, FoldCache, report};
use trailkeeper_domain::account::Actor;
use trailkeeper_domain::activity::{ActiveUsers, Period};
use trailkeeper_domain::bucket::Buckets;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::page::PageRule;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::usecase::Change;
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_domain::{Error, Result};
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate_with};
use trailkeeper_testkit::visibility::EVERYTHING;
use trailkeeper_testkit::{
    DatabaseKind, Fault, FaultyStore, TempDatabase, TestClock, TestEntropy, at, open_store, tenant_id,
};

use crate::lists::Cursor;
use crate::model::Model;
use crate::random::Random;
use crate::seen::Seen;
use crate::step::{STEPS, STEPS_OF_RULES, Step};
use crate::{lists, native, people, saasus};

const NEW_PAGES: u32 = 3;
/// The number of rounds of questions after each step.
const QUESTIONS: usize = 5;
/// Questions that a history repeats: their cached folds meet other sheets each time.
const ASKED_AGAIN: u64 = 6;
/// Bytes of the cache of a history: the smallest drops folds all the time, the largest holds all of them.
const CACHES: [usize; 3] = [48 << 10, 64 << 20, 512 << 10];

/// Prints the current step when a test fails.
struct FailedAt {
    kind: DatabaseKind,
    seed: u64,
    number: usize,
    step: Step,
}

impl Drop for FailedAt {
    fn drop(&mut self) {
        if thread::panicking() {
            let Self { kind, seed, number, step } = self;
            eprintln!(
                "step {number} ({step:?}) of the history with seed {seed} on {kind:?}; again with \
                 TRAILKEEPER_EXACTNESS_SEED={seed} TRAILKEEPER_EXACTNESS_HISTORIES=1"
            );
        }
    }
}

/// One server that is asked, and the cache that it uses.
#[derive(Clone, Copy)]
pub(crate) struct Server<'a> {
    pub(crate) store: &'a dyn Store,
    folds: &'a Arc<FoldCache>,
}

impl Server<'_> {
    /// An audience with the server's cache.
    pub(crate) fn audience(self, visibility: Visibility, tenant: Option<TenantId>, env: Option<EnvId>) -> Audience {
        Audience::of(visibility, tenant, env).unwrap().with_folds(self.folds)
    }
}

/// One database, two servers on it, and the model of the right answers.
pub(crate) struct History {
    kind: DatabaseKind,
    seed: u64,
    random: Random,
    clock: Arc<TestClock>,
    entropy: Arc<TestEntropy>,
    model: Model,
    seen: Seen,
    /// One cache for all questions of the history, on both servers.
    folds: Arc<FoldCache>,
    /// Lists that were read in part.
    cursors: Vec<Cursor>,
    stores: Vec<Arc<dyn Store>>,
    new_pages: u32,
    /// Dropped last: the connections go first.
    database: TempDatabase,
}

fn store(database: &TempDatabase, new_pages_per_day: u32) -> Arc<dyn Store> {
    let options = StoreOptions { new_pages_per_day, ..StoreOptions::default() };
    open_store!(database, &options)
}

impl History {
    pub(crate) fn new(kind: DatabaseKind, seed: u64) -> Self {
        Self::with_new_pages(kind, seed, NEW_PAGES)
    }

    /// A history in which the rule of pages changes. Tenants may add any number of pages: which of them are counted after
    /// a change would depend on the order in which their keys are rewritten.
    pub(crate) fn with_changing_rules(kind: DatabaseKind, seed: u64) -> Self {
        Self::with_new_pages(kind, seed, u32::MAX)
    }

    fn with_new_pages(kind: DatabaseKind, seed: u64, new_pages: u32) -> Self {
        let database = TempDatabase::new(kind);
        // Half of the histories on PostgreSQL are of databases with several buckets.
        if kind == DatabaseKind::Postgres && !seed.is_multiple_of(2) {
            let options = StoreOptions { buckets: Some(Buckets::new(4).unwrap()), ..StoreOptions::default() };
            migrate_with(&DatabaseUrl::parse(database.url()).unwrap(), &options).unwrap();
        }
        Self {
            kind,
            seed,
            cursors: Vec::new(),
            random: Random::new(seed),
            clock: Arc::new(TestClock::at("2024-03-10T12:00:00Z")),
            entropy: Arc::new(TestEntropy::new(!seed)),
            model: Model::new(new_pages),
            seen: Seen::default(),
            folds: Arc::new(FoldCache::new(CACHES[usize::try_from(seed % 3).unwrap()])),
            stores: vec![store(&database, new_pages), store(&database, new_pages)],
            new_pages,
            database,
        }
    }

    /// Runs the steps, and returns how often each thing happened.
    pub(crate) fn run(mut self, steps: usize) -> Seen {
        let mut choices = STEPS.to_vec();
        if self.new_pages == u32::MAX {
            choices.extend(STEPS_OF_RULES);
        }
        for number in 0..steps {
            let step = if number == 0 { Step::Insert } else { self.random.pick(&choices) };
            let failed_at = FailedAt { kind: self.kind, seed: self.seed, number, step };
            self.step(step);
            self.questions(QUESTIONS);
            drop(failed_at);
        }
        let failed_at = FailedAt { kind: self.kind, seed: self.seed, number: steps, step: Step::Merge };
        self.step(Step::Merge);
        let cached = self.folds_of_months();
        self.questions(3 * QUESTIONS);
        // Nothing changes any more: a fold is the same memory as before if and only if it is still cached.
        for (before, after) in cached.iter().zip(self.folds_of_months()) {
            let same = usize::from(Arc::ptr_eq(before, &after));
            self.seen.recalled += same;
            self.seen.dropped += 1 - same;
        }
        self.sheets_equal_the_recount();
        drop(failed_at);
        self.seen.events = self.model.len();
        self.seen.others = self.model.others();
        self.seen
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Insert => self.insert(),
            Step::InsertAndFail => self.insert_and_fail(),
            Step::Report => self.report(),
            Step::Create => self.create(),
            Step::Merge => self.merge(),
            Step::FinishPeriods => self.finish_periods(),
            Step::MergeAmidFaults | Step::RebuildAmidFaults => self.amid_faults(step),
            Step::Rebuild => self.rebuild(),
            Step::Reopen => {
                let at = usize::try_from(self.random.below(2)).unwrap();
                self.stores[at] = store(&self.database, self.new_pages);
            }
            Step::ChangeRule => self.change_rule(),
            Step::ChangeRuleAmidFaults => self.change_rule_amid_faults(),
            Step::InsertWhileChangingRule => self.insert_while_changing_rule(),
            Step::ReadWhileMerging | Step::ReadWhileRebuilding => {
                self.while_working(step, |history| history.questions(4));
            }
            Step::InsertWhileMerging | Step::InsertWhileRebuilding => self.while_working(step, |history| {
                for _ in 0..3 {
                    history.insert();
                    history.questions(1);
                }
            }),
        }
    }

    /// Folds of months that have events, for everyone and for tenants.
    fn folds_of_months(&self) -> Vec<Arc<Fold>> {
        let store = self.store();
        let server = Server { store: &*store, folds: &self.folds };
        let months =
            ["2023-12", "2024-01", "2024-02"].map(|month| Level::Month.range(at(&format!("{month}-01T00:00:00Z"))));
        let tenants = [None, Some(tenant_id(1)), Some(tenant_id(2)), Some(tenant_id(3))];
        let audiences = tenants.map(|tenant| server.audience(EVERYTHING, tenant, None));
        let fold =
            |audience: &Audience| store.reading(|tx| read::folds::<Fold>(tx, audience, &months, &Facet::ALL)).unwrap();
        audiences.iter().flat_map(fold).collect()
    }

    /// One of the servers.
    fn store(&self) -> Arc<dyn Store> {
        self.random.pick(&self.stores)
    }

    fn batch(&self) -> Vec<Event> {
        let most = self.random.pick(&[1, 5, 30, 60]);
        self.random.batch(most, &self.model.known(), &self.model.latest())
    }

    fn insert(&mut self) {
        let batch = self.batch();
        let news = self.store().writing(|tx| tx.insert_events(&batch)).unwrap();
        let expected = self.model.insert(&batch);
        assert_eq!(news, expected, "which events of {batch:#?} are new");
        self.seen.known += news.iter().filter(|new| !**new).count();
    }

    /// Inserts in a transaction that is rolled back.
    fn insert_and_fail(&mut self) {
        let batch = self.batch();
        let outcome: Result<()> = self.store().writing(|tx| {
            tx.insert_events(&batch)?;
            Err(Error::internal("the test wants it so"))
        });
        assert!(matches!(outcome, Err(Error::Internal { .. })), "{outcome:?}");
        if self.kind == DatabaseKind::Postgres {
            // Pages were numbered in a transaction of their own, which was committed.
            self.model.number_pages(&batch);
        }
        self.seen.rolled_back += 1;
    }

    fn report(&mut self) {
        for _ in 0..4 {
            let period = self.random.pick(&[Period::Daily, Period::Monthly]);
            let start = period.start_of(self.random.day());
            let users = self.random.pick(&[0, 1, 1_000_000]);
            let reported = ActiveUsers { start, tenant_id: self.random.tenant(), env_id: self.random.env(), users };
            let (store, actor) = (self.store(), Actor { id: "test".to_owned(), name: "test".to_owned() });
            #[expect(clippy::disallowed_methods, reason = "programs' reports leave no event")]
            let change = Change::new(&*store, &*self.clock, &*self.entropy, &actor, None);
            report::report_active_users(change, period, &reported, EVERYTHING, None).unwrap();
            self.model.report(period, &reported);
        }
    }

    fn create(&mut self) {
        for _ in 0..12 {
            let creation = self.random.creation();
            self.store().writing(|tx| tx.put_creation(&creation)).unwrap();
            self.model.create(&creation);
        }
    }

    fn merge(&mut self) {
        let merged = merger::run_once(&*self.store(), &*self.clock, &*self.entropy).unwrap();
        let Some(merged) = merged else { panic!("somebody else merges") };
        assert!(merged.finished && merged.unreadable.is_empty(), "{merged:?}");
        self.count(&merged);
    }

    /// Finishes the periods that are over, sometimes amid a fault.
    fn finish_periods(&mut self) {
        let faulty = FaultyStore::over(&self.store());
        if self.random.chance(30) {
            let nth = usize::try_from(self.random.below(12)).unwrap();
            faulty.crash_at_write(nth, Some(self.random.pick(&Fault::ALL)));
        }
        let finished = merger::finish_periods(&*faulty, &*self.clock, &*self.entropy, &|| false);
        if faulty.has_struck() {
            self.seen.faults += 1;
            self.clock.advance(TimeDelta::minutes(2));
        } else {
            finished.unwrap();
        }
        let years = TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("2024-01-01T00:00:00Z") };
        let (days, long) = self
            .store()
            .reading(|tx| {
                let (mut days, mut long) = (0, 0);
                tx.in_buckets_of(Scope::Everyone, |tx, _| {
                    days += tx.counted_periods(Level::Day)?.len();
                    long += tx.sheet_keys(Scope::Everyone, Level::Quarter, Part::Pages, years)?.len();
                    Ok(())
                })?;
                Ok((days, long))
            })
            .unwrap();
        self.seen.counted_days += days;
        self.seen.long_sheets += long;
    }

    fn count(&mut self, merged: &merger::Merged) {
        self.seen.merged_deltas += merged.deltas;
        self.seen.replaced_sheets += merged.sheets_replaced;
    }

    fn rebuild(&mut self) {
        rebuild(&*self.store(), &*self.clock, &*self.entropy, Duration::ZERO, &mut |_| {}).unwrap();
        self.seen.rebuilds += 1;
    }

    fn change_rule(&mut self) {
        let rule = self.random.rule();
        rebuild_by_rule(&*self.store(), &*self.clock, &*self.entropy, Duration::ZERO, &rule, &mut |_| {}).unwrap();
        self.changed(rule);
    }

    fn changed(&mut self, rule: PageRule) {
        self.model.change_rule(rule);
        self.seen.changed_rules += 1;
    }

    /// A change of the rule that dies at a random write; another one, by the same or another rule, ends it.
    fn change_rule_amid_faults(&mut self) {
        let (fault, crashes) = (self.random.pick(&Fault::ALL), self.random.chance(50));
        let nth = usize::try_from(self.random.below(12)).unwrap();
        let faulty = FaultyStore::over(&self.store());
        if crashes {
            faulty.crash_at_write(nth, Some(fault));
        } else {
            faulty.fail_write(nth, fault);
        }
        let rule = self.random.rule();
        drop(rebuild_by_rule(&*faulty, &*self.clock, &*self.entropy, Duration::ZERO, &rule, &mut |_| {}));
        self.seen.faults += usize::from(faulty.has_struck());
        self.clock.advance(TimeDelta::minutes(2));
        // New events have keys of the new rule, and the merger adds them to the old sheets.
        self.insert();
        self.merge();
        if self.random.chance(50) {
            self.rebuild();
            let rule = self.store().reading(|tx| tx.page_rule()).unwrap().rule;
            self.changed(rule);
        } else {
            self.change_rule();
        }
    }

    fn insert_while_changing_rule(&mut self) {
        let rule = self.random.rule();
        let (store, clock, entropy) = (self.store(), Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let done = thread::spawn(move || {
            rebuild_by_rule(&*store, &*clock, &*entropy, Duration::ZERO, &rule, &mut |_| {}).map(drop)
        });
        let worked = panic::catch_unwind(panic::AssertUnwindSafe(|| (0..6).for_each(|_| self.insert())));
        done.join().unwrap().unwrap();
        worked.unwrap_or_else(|reason| panic::resume_unwind(reason));
        self.changed(rule);
    }

    /// A merge or a rebuild that fails or dies at a random write; a later one continues.
    fn amid_faults(&mut self, step: Step) {
        let (fault, crashes) = (self.random.pick(&Fault::ALL), self.random.chance(50));
        let nth = usize::try_from(self.random.below(6)).unwrap();
        let faulty = FaultyStore::over(&self.store());
        if crashes {
            faulty.crash_at_write(nth, Some(fault));
        } else {
            faulty.fail_write(nth, fault);
        }
        // It may still succeed: if fewer writes were needed, or only the last one, the release, failed.
        if step == Step::MergeAmidFaults {
            drop(merger::run_once(&*faulty, &*self.clock, &*self.entropy));
        } else {
            drop(rebuild(&*faulty, &*self.clock, &*self.entropy, Duration::ZERO, &mut |_| {}));
        }
        self.seen.faults += usize::from(faulty.has_struck());
        self.questions(QUESTIONS);
        // A dead process keeps the lease until it runs out.
        self.clock.advance(TimeDelta::minutes(2));
    }

    /// Merges or rebuilds on one server while `work` runs.
    fn while_working(&mut self, step: Step, work: impl FnOnce(&mut Self)) {
        let (store, clock, entropy) = (self.store(), Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let rebuilding = matches!(step, Step::ReadWhileRebuilding | Step::InsertWhileRebuilding);
        let done = thread::spawn(move || -> Result<Option<merger::Merged>> {
            if rebuilding {
                rebuild(&*store, &*clock, &*entropy, Duration::ZERO, &mut |_| {}).map(|_| None)
            } else {
                merger::run_once(&*store, &*clock, &*entropy)
            }
        });
        let worked = panic::catch_unwind(panic::AssertUnwindSafe(|| work(self)));
        let merged = done.join().unwrap().unwrap();
        worked.unwrap_or_else(|reason| panic::resume_unwind(reason));
        if let Some(merged) = merged {
            self.count(&merged);
        }
    }

    fn questions(&mut self, count: usize) {
        for _ in 0..count {
            let again = self.random.maybe(50, || Random::new(self.seed * 1_000 + self.random.below(ASKED_AGAIN)));
            let random = again.as_ref().unwrap_or(&self.random);
            let store = self.store();
            let server = Server { store: &*store, folds: &self.folds };
            saasus::ask(random, server, &self.model);
            native::ask(random, server, &self.model);
            people::ask(random, server, &self.model);
            self.seen.questions += 3;
        }
        let store = self.store();
        let server = Server { store: &*store, folds: &self.folds };
        lists::ask(&self.random, server, &self.model, &mut self.cursors);
        self.seen.questions += 1;
    }

    /// Checks that the server's own verification finds no difference.
    fn sheets_equal_the_recount(&self) {
        let mut differences = Vec::new();
        let verified = verify(&*self.store(), &mut |_| {}, &mut |difference| differences.push(difference)).unwrap();
        assert!(differences.is_empty(), "{verified:?}: {differences:#?}");
        assert_eq!((verified.events, verified.differences), (self.model.len() as u64, 0), "{verified:?}");
    }
}
