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
/// Asynchronous programs await it; others call [`wait`](Self::wait). The events are stored even if it is dropped.
#[derive(Debug)]
#[must_use = "the events are durable only when the commit is done"]
pub struct Commit(Arc<Shared>);

/// The writer's end of a [`Commit`]. If it is dropped before it is settled, the commit ends with [`Error::Internal`].
#[derive(Debug)]
pub struct Promise(Option<Arc<Shared>>);

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
        (Promise(Some(Arc::clone(&shared))), Self(shared))
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

    fn give(&mut self, result: Result<Vec<bool>>) {
        let Some(shared) = self.0.take() else { return };
        let before = mem::replace(&mut *shared.state.lock(), State::Settled(result));
        shared.settled.notify_all();
        // The lock must be free here: a waker may poll at once, and the poll takes the lock.
        if let State::Pending(Some(waker)) = before {
            waker.wake();
        }
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

    #[test]
    fn nobody_needs_to_wait() {
        let (promise, commit) = Commit::pending();
        drop(commit);
        promise.settle(Ok(vec![true]));
    }
}
