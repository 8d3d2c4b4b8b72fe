//! A store that counts its calls. On request of a test it fails, holds calls or runs a hook.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use trailkeeper_domain::bucket::Buckets;
use trailkeeper_domain::ports::{Moving, ReadTx, Store, WriteTx};
use trailkeeper_domain::{Error, Result};

/// The longest time that a test waits for a call. After it the test fails, instead of hanging.
const PATIENCE: Duration = Duration::from_mins(1);

/// A method of [`Store`] that a [`FaultyStore`] counts, holds and makes fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The method [`Store::read`].
    Read,
    /// The method [`Store::write`].
    Write,
    /// The method [`Store::ready`].
    Ready,
}

/// The way in which a write fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The work does not run.
    Refused,
    /// The work runs and is rolled back.
    RolledBack,
    /// The work is committed, but the caller gets an error, as if the answer to the commit was lost.
    CommitLost,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 3] = [Self::Refused, Self::RolledBack, Self::CommitLost];
}

/// A store that passes every call to another store until the test plans a fault, a hook or a hold.
///
/// At most one write at a time has a plan: a new plan replaces the old one. Writes are numbered from the moment of
/// planning, starting with 0.
///
/// ```
/// use trailkeeper_domain::ports::Store;
/// use trailkeeper_testkit::{Fault, FaultyStore, TempDatabase, event, open_store};
///
/// let database = TempDatabase::sqlite();
/// let store = FaultyStore::over(&open_store!(database));
/// let insert = || (store.as_ref() as &dyn Store).writing(|tx| tx.insert_events(&[event(1)]));
///
/// store.fail_write(0, Fault::CommitLost);
/// assert!(insert().is_err());
/// assert_eq!(insert().unwrap(), [false], "the first write was committed, although its caller got an error");
/// assert_eq!((store.commits(), store.failures()), (1, 1));
/// ```
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    writers: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    calls: [PerCall; 3],
    /// The number of releases so far. Held calls continue when it changes.
    releases: u64,
    plan: Option<Plan>,
    commits: usize,
    failures: usize,
}

#[derive(Default)]
struct PerCall {
    count: usize,
    fails: Option<Error>,
    /// The number of next calls that are held.
    held: usize,
}

struct Plan {
    /// The number of writes before the planned one.
    after: usize,
    action: Action,
}

type BeforeWrite = dyn FnOnce(&FaultyStore) + Send;
type BeforeCommit = dyn FnOnce(&FaultyStore) -> Result<()> + Send;

enum Action {
    Fail(Fault),
    Crash(Option<Fault>),
    Before(Box<BeforeWrite>),
    BeforeCommit(Box<BeforeCommit>),
}

impl FaultyStore {
    /// A store over `inner` that reports one writer.
    pub fn over(inner: &Arc<dyn Store>) -> Arc<Self> {
        Self::with_writers(inner, 1)
    }

    /// A store over `inner` that reports `writers` writers.
    pub fn with_writers(inner: &Arc<dyn Store>, writers: usize) -> Arc<Self> {
        Arc::new(Self { inner: Arc::clone(inner), writers, state: Mutex::default(), changed: Condvar::new() })
    }

    /// The number of calls of this method, including held and failed calls.
    pub fn calls(&self, call: Call) -> usize {
        self.state.lock().of(call).count
    }

    /// The number of write calls that returned `Ok`.
    pub fn commits(&self) -> usize {
        self.state.lock().commits
    }

    /// The number of write calls that returned an error.
    pub fn failures(&self) -> usize {
        self.state.lock().failures
    }

    /// Waits until the method was called `count` times.
    pub fn wait_for_calls(&self, call: Call, count: usize) {
        self.wait_while(|state| state.of(call).count < count);
    }

    /// Waits until `count` write calls returned `Ok`.
    pub fn wait_for_commits(&self, count: usize) {
        self.wait_while(|state| state.commits < count);
    }

    /// Waits until `count` write calls returned, with `Ok` or an error.
    pub fn wait_for_writes(&self, count: usize) {
        self.wait_while(|state| state.commits + state.failures < count);
    }

    /// Makes every call of this method fail until [`Self::restore`].
    pub fn fail_all(&self, call: Call) {
        self.fail_all_with(call, failure());
    }

    /// Makes every call of this method fail with `error` until [`Self::restore`].
    pub fn fail_all_with(&self, call: Call, error: Error) {
        self.state.lock().of(call).fails = Some(error);
    }

    /// Holds the next `count` calls of this method until [`Self::restore`].
    pub fn hold(&self, call: Call, count: usize) {
        self.state.lock().of(call).held = count;
    }

    /// Makes the nth write from now fail with `fault`.
    pub fn fail_write(&self, nth: usize, fault: Fault) {
        self.plan(nth, Action::Fail(fault));
    }

    /// Simulates a crash at the nth write from now: that write ends with `fault`, or succeeds if `fault` is `None`, and
    /// every later call fails until [`Self::restore`].
    pub fn crash_at_write(&self, nth: usize, fault: Option<Fault>) {
        self.plan(nth, Action::Crash(fault));
    }

    /// Runs `hook` just before the nth write from now.
    pub fn before_write(&self, nth: usize, hook: impl FnOnce(&Self) + Send + 'static) {
        self.plan(nth, Action::Before(Box::new(hook)));
    }

    /// Runs `hook` inside the transaction of the nth write from now, after its work. An error rolls the write back.
    pub fn before_commit(&self, nth: usize, hook: impl FnOnce(&Self) -> Result<()> + Send + 'static) {
        self.plan(nth, Action::BeforeCommit(Box::new(hook)));
    }

    /// Whether the planned write has begun.
    pub fn has_struck(&self) -> bool {
        self.state.lock().plan.is_none()
    }

    /// Releases held calls, and passes every call to the other store again. The counts stay.
    pub fn restore(&self) {
        let mut state = self.state.lock();
        state.plan = None;
        state.releases += 1;
        for per_call in &mut state.calls {
            (per_call.fails, per_call.held) = (None, 0);
        }
        self.changed.notify_all();
    }

    fn plan(&self, after: usize, action: Action) {
        self.state.lock().plan = Some(Plan { after, action });
    }

    fn wait_while(&self, mut waits: impl FnMut(&mut State) -> bool) {
        let mut state = self.state.lock();
        let outcome = self.changed.wait_while_for(&mut state, &mut waits, PATIENCE);
        assert!(!outcome.timed_out() || !waits(&mut state), "nothing happened for {PATIENCE:?}");
    }

    /// Counts a call and holds it if a hold is planned. Returns an error if the call shall fail.
    fn begin(&self, call: Call) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state.lock();
        state.of(call).count += 1;
        self.changed.notify_all();
        if state.of(call).held > 0 {
            state.of(call).held -= 1;
            let releases = state.releases;
            self.changed.wait_while(&mut state, |state| state.releases == releases);
        }
        match &state.of(call).fails {
            Some(error) => Err(error.clone()),
            None => Ok(state),
        }
    }

    fn planned_write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        let action = self.begin(Call::Write)?.planned();
        match action {
            None => self.inner.write(work),
            Some(Action::Fail(fault)) => self.failing(fault, work),
            Some(Action::Crash(fault)) => {
                let outcome = match fault {
                    None => self.inner.write(work),
                    Some(fault) => self.failing(fault, work),
                };
                self.state.lock().calls.iter_mut().for_each(|per_call| per_call.fails = Some(failure()));
                outcome
            }
            Some(Action::Before(hook)) => {
                hook(self);
                self.inner.write(work)
            }
            Some(Action::BeforeCommit(hook)) => {
                let mut hook = Some(hook);
                self.inner.write(&mut |tx| {
                    work(tx)?;
                    hook.take().map_or(Ok(()), |hook| hook(self))
                })
            }
        }
    }

    fn failing(&self, fault: Fault, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        match fault {
            Fault::Refused => {}
            Fault::RolledBack => self.inner.write(&mut |tx| work(tx).and(Err(failure())))?,
            Fault::CommitLost => self.inner.write(work)?,
        }
        Err(failure())
    }
}

impl State {
    fn of(&mut self, call: Call) -> &mut PerCall {
        let [read, write, ready] = &mut self.calls;
        match call {
            Call::Read => read,
            Call::Write => write,
            Call::Ready => ready,
        }
    }

    /// The plan of the write that begins now, if there is one.
    fn planned(&mut self) -> Option<Action> {
        let plan = self.plan.as_mut()?;
        if plan.after > 0 {
            plan.after -= 1;
            return None;
        }
        self.plan.take().map(|plan| plan.action)
    }
}

fn failure() -> Error {
    Error::unavailable("the test makes the store fail")
}

impl Store for FaultyStore {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        drop(self.begin(Call::Read)?);
        self.inner.read(work)
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        let outcome = self.planned_write(work);
        let mut state = self.state.lock();
        match outcome {
            Ok(()) => state.commits += 1,
            Err(_) => state.failures += 1,
        }
        self.changed.notify_all();
        outcome
    }

    fn move_rows(&self, limit: usize) -> Result<Moving> {
        self.inner.move_rows(limit)
    }

    fn maintain(&self) -> Result<bool> {
        self.inner.maintain()
    }

    fn rebuild_ids(&self) -> Result<Option<u64>> {
        self.inner.rebuild_ids()
    }

    fn settled(&self) -> Result<i64> {
        self.inner.settled()
    }

    fn ready(&self) -> Result<()> {
        drop(self.begin(Call::Ready)?);
        self.inner.ready()
    }

    fn writers(&self, _: Buckets) -> usize {
        self.writers
    }

    fn bucket_events(&self) -> Option<usize> {
        self.inner.bucket_events()
    }
}
