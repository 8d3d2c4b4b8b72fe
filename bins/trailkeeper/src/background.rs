//! A thread of a server that works beside the requests, step by step.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The thread. It runs until it has nothing left to do, or until it is stopped or dropped.
pub struct Background {
    /// Dropping the sender ends the thread, which waits on the receiver.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The end of a thread, as its work sees it.
pub struct End(Receiver<()>);

impl End {
    /// Whether the thread is to end: long steps look from time to time.
    pub fn is_near(&self) -> bool {
        self.0.try_recv() != Err(TryRecvError::Empty)
    }

    /// Waits until the thread is to end, at most for `pause`. Returns whether it is to end.
    fn within(&self, pause: Duration) -> bool {
        self.0.recv_timeout(pause) != Err(RecvTimeoutError::Timeout)
    }
}

impl Background {
    /// Starts a thread with this name. `work` is one step; the first begins at once. It returns the pause after the step, or
    /// `None` if nothing is left to do.
    pub fn start(name: &str, mut work: impl FnMut(&End) -> Option<Duration> + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let end = End(stopped);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Some(pause) = work(&end) {
                if end.within(pause) {
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Ends the thread. Returns after the current step.
    pub fn stop(mut self) {
        self.end();
    }

    /// Waits until nothing is left to do.
    #[cfg(test)]
    pub fn finish(mut self) -> thread::Result<()> {
        self.thread.take().map_or(Ok(()), JoinHandle::join)
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread has no result.
            drop(thread.join());
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.end();
    }
}
