//! The result of a commit, for a sender that waits for it.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, Result};

/// The commit of a sender's events. Its result says for each event, in order, whether it was new.
///
/// An error acknowledges no event, and nothing is stored, with two exceptions: the answer of the database is lost, or the
/// events are of several buckets and some of these were committed. If the database was the cause, the error then says
/// `maybe_stored`. Events that are sent again with the same ids are stored once either way.
///
/// Asynchronous programs await it; others call [`wait`](Self::wait). The events are stored even if it is dropped.
#[derive(Debug)]
#[must_use = "the events are durable only when the commit is done"]
pub struct Commit(Arc<Shared>);

/// The writer's end of a [`Commit`], for all of the sender's events or for a portion of them. If it is dropped before it is
/// settled, the commit ends with [`Error::Internal`].
#[derive(Debug)]
pub struct Promise(Option<Receiver>);

/// What gets the result of a promise.
#[derive(Debug)]
enum Receiver {
    Sender(Arc<Shared>),
    /// The results of the other portions, and where in the whole the events of this portion are.
    Whole(Arc<Mutex<Whole>>, Vec<usize>),
}

/// The result of all events of a sender, as far as their portions are done.
#[derive(Debug)]
struct Whole {
    /// For each event, in order, whether it was new.
    new: Vec<bool>,
    /// The error of the first portion that failed.
    error: Option<Error>,
    maybe_stored: bool,
    promise: Promise,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    settled: Condvar,
}

#[derive(Debug)]
enum State {
    /// The writer is not done. The waker comes from the last poll.
    Pending(Option<Waker>),
    Settled(Result<Vec<bool>>),
    Taken,
}

impl Commit {
    /// A commit that is already done, with its result.
    pub fn done(new: Vec<bool>) -> Self {
        Self(Arc::new(Shared { state: Mutex::new(State::Settled(Ok(new))), settled: Condvar::new() }))
    }

    /// A commit that is done when its promise is settled.
    pub fn pending() -> (Promise, Self) {
        let shared = Arc::new(Shared { state: Mutex::new(State::Pending(None)), settled: Condvar::new() });
        (Promise(Some(Receiver::Sender(Arc::clone(&shared)))), Self(shared))
    }

    /// Blocks the thread until the commit is done.
    pub fn wait(self) -> Result<Vec<bool>> {
        let mut state = self.0.state.lock();
        self.0.settled.wait_while(&mut state, |state| matches!(state, State::Pending(_)));
        state.take()
    }

    /// Whether the commit is done, so that [`wait`](Self::wait) returns at once.
    pub fn is_done(&self) -> bool {
        !matches!(*self.0.state.lock(), State::Pending(_))
    }
}

impl Future for Commit {
    type Output = Result<Vec<bool>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.state.lock();
        if let State::Pending(waker) = &mut *state {
            *waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(state.take())
    }
}

impl State {
    fn take(&mut self) -> Result<Vec<bool>> {
        match mem::replace(self, Self::Taken) {
            Self::Settled(result) => result,
            Self::Pending(_) | Self::Taken => Err(Error::internal("the result of a commit was taken twice")),
        }
    }
}

impl Promise {
    /// Passes the result to the sender.
    pub fn settle(mut self, result: Result<Vec<bool>>) {
        self.give(result);
    }

    /// One promise for each portion of the events. A portion is the list of its events by their positions among all, and each
    /// event belongs to one portion.
    ///
    /// The commit is done when every portion is, also if one of them fails: then nothing of the request is under way when its
    /// sender sends it again.
    pub fn divided(self, portions: Vec<Vec<usize>>) -> Vec<Self> {
        let new = vec![false; portions.iter().map(Vec::len).sum()];
        let whole = Arc::new(Mutex::new(Whole { new, error: None, maybe_stored: false, promise: self }));
        portions.into_iter().map(|events| Self(Some(Receiver::Whole(Arc::clone(&whole), events)))).collect()
    }

    fn give(&mut self, result: Result<Vec<bool>>) {
        match self.0.take() {
            None => {}
            Some(Receiver::Sender(shared)) => shared.settle(result),
            Some(Receiver::Whole(whole, events)) => {
                whole.lock().add(&events, result);
                // Of several threads, one gets it: the one whose portion is the last.
                if let Some(whole) = Arc::into_inner(whole) {
                    whole.into_inner().settle();
                }
            }
        }
    }
}

impl Shared {
    fn settle(&self, result: Result<Vec<bool>>) {
        let before = mem::replace(&mut *self.state.lock(), State::Settled(result));
        self.settled.notify_all();
        // The lock must be free here: a waker may poll at once, and the poll takes the lock.
        if let State::Pending(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl Whole {
    /// Adds the result of the portion with these events.
    fn add(&mut self, events: &[usize], result: Result<Vec<bool>>) {
        match result {
            Ok(new) => {
                self.maybe_stored |= new.contains(&true);
                for (event, is_new) in events.iter().zip(new) {
                    if let Some(slot) = self.new.get_mut(*event) {
                        *slot = is_new;
                    }
                }
            }
            Err(error) => {
                self.maybe_stored |= error.is_maybe_stored();
                self.error.get_or_insert(error);
            }
        }
    }

    fn settle(self) {
        let Self { new, error, maybe_stored, promise } = self;
        promise.settle(match error {
            None => Ok(new),
            Some(error) if maybe_stored => Err(error.of_partly_stored()),
            Some(error) => Err(error),
        });
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.give(Err(Error::internal("the writer dropped a request; its panic is above in the log")));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;
    use std::thread;

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn poll(commit: &mut Commit, wakes: &Arc<Wakes>) -> Poll<Result<Vec<bool>>> {
        Pin::new(commit).poll(&mut Context::from_waker(&Waker::from(Arc::clone(wakes))))
    }

    #[test]
    fn a_thread_waits_until_the_promise_is_settled() {
        let (promise, commit) = Commit::pending();
        assert!(!commit.is_done());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| commit.wait().unwrap());
            promise.settle(Ok(vec![true, false]));
            assert_eq!(waiting.join().unwrap(), [true, false]);
        });
    }

    #[test]
    fn a_task_is_woken_once_and_then_gets_the_result() {
        let (promise, mut commit) = Commit::pending();
        let wakes = Arc::new(Wakes::default());
        assert!(poll(&mut commit, &wakes).is_pending());
        assert!(poll(&mut commit, &wakes).is_pending());
        assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
        promise.settle(Ok(vec![true]));
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        assert!(matches!(poll(&mut commit, &wakes), Poll::Ready(Ok(new)) if new == [true]));
        assert!(matches!(poll(&mut commit, &wakes), Poll::Ready(Err(Error::Internal { .. }))), "only once");
    }

    #[test]
    fn a_result_that_comes_first_is_there_at_the_first_poll() {
        let (promise, mut commit) = Commit::pending();
        promise.settle(Ok(Vec::new()));
        assert!(commit.is_done());
        assert!(matches!(poll(&mut commit, &Arc::default()), Poll::Ready(Ok(new)) if new.is_empty()));
        assert_eq!(Commit::done(vec![false]).wait().unwrap(), [false]);
    }

    #[test]
    fn a_dropped_promise_is_an_internal_error_and_not_an_endless_wait() {
        let (promise, commit) = Commit::pending();
        drop(promise);
        assert!(matches!(commit.wait(), Err(Error::Internal { .. })));
    }

    /// The commit of five events, and the promises of the portions 0, 3 and 1, 4 and 2.
    fn three_portions() -> ([Promise; 3], Commit) {
        let (promise, commit) = Commit::pending();
        let portions = promise.divided(vec![vec![0, 3], vec![1, 4], vec![2]]);
        (portions.try_into().unwrap(), commit)
    }

    #[test]
    fn portions_settle_in_any_order_and_the_result_keeps_the_order_of_the_events() {
        let ([first, second, third], mut commit) = three_portions();
        let wakes = Arc::new(Wakes::default());
        assert!(poll(&mut commit, &wakes).is_pending());
        third.settle(Ok(vec![true]));
        first.settle(Ok(vec![true, false]));
        assert!(!commit.is_done(), "a portion is not done");
        second.settle(Ok(vec![false, true]));
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        assert_eq!(commit.wait().unwrap(), [true, false, true, false, true]);
    }

    #[test]
    fn a_failed_portion_fails_the_whole_when_the_others_are_done() {
        let ([first, second, third], commit) = three_portions();
        first.settle(Err(Error::internal("the first failure")));
        second.settle(Err(Error::internal("another one")));
        assert!(!commit.is_done(), "the third portion may be stored yet");
        third.settle(Ok(vec![true]));
        let error = commit.wait().unwrap_err();
        assert!(error.chain().to_string().contains("the first failure"), "{error:?}");
    }

    #[test]
    fn an_error_says_whether_a_portion_may_be_stored() {
        let busy = || Err(Error::overloaded("busy; nothing was stored", "busy"));
        for (other, is_maybe_stored) in [
            (Ok(vec![false, true]), true),
            (Ok(vec![false, false]), false),
            (Err(Error::unavailable("gone")), false),
            (Err(Error::unanswered_commit("lost")), true),
        ] {
            let ([first, second, third], commit) = three_portions();
            first.settle(busy());
            second.settle(other.clone());
            third.settle(busy());
            let error = commit.wait().unwrap_err();
            assert_eq!(error.is_maybe_stored(), is_maybe_stored, "{other:?}: {error:?}");
            assert_eq!(matches!(error, Error::Overloaded { .. }), !is_maybe_stored, "{other:?}: {error:?}");
        }
    }

    #[test]
    fn a_dropped_portion_is_an_internal_error_of_the_whole() {
        let ([first, second, third], commit) = three_portions();
        drop(second);
        for (promise, events) in [(first, 2), (third, 1)] {
            assert!(!commit.is_done());
            promise.settle(Ok(vec![true; events]));
        }
        assert!(matches!(commit.wait(), Err(Error::Internal { .. })));
    }

    #[test]
    fn portions_that_settle_on_many_threads_settle_the_whole_once() {
        for _ in 0..200 {
            let (portions, commit) = three_portions();
            thread::scope(|scope| {
                for (promise, events) in portions.into_iter().zip([2, 2, 1]) {
                    scope.spawn(move || promise.settle(Ok(vec![true; events])));
                }
                assert_eq!(commit.wait().unwrap(), [true; 5]);
            });
        }
    }

    #[test]
    fn nobody_needs_to_wait() {
        let (promise, commit) = Commit::pending();
        drop(commit);
        promise.settle(Ok(vec![true]));
    }
}
