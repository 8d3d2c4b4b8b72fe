//! A connection with deadlines, so that nobody holds a place by being slow.
//!
//! actix bounds the time of the first request's head and of an idle connection. It does not bound the head of a later
//! request, the rest of a body that nobody reads, nor an answer that the client does not take. This stands between
//! actix and the socket and sees all of them:
//!
//! ```text
//!          first byte                 actix calls the routes            the answer is written
//!  ┌──────┐ ─────────► ┌────────────┐ ──────────────────────► ┌─────────┐ ───────────────────► idle again
//!  │ idle │            │ in a head  │                         │ serving │
//!  └──┬───┘            └─────┬──────┘                         └────┬────┘
//!     │ keep-alive           │ head timeout: 408                   │ no deadline here: bodies have their own, in
//!     ▼ closed               ▼ closed                              │ extract::body
//!                                      writing blocks ◄────────────┘
//!                                      │ write timeout and a minimum rate
//!                                      ▼ reset
//! ```
//!
//! "In a head" is whatever arrives while nothing is served, the unread rest of a refused body too: it has the same deadline.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::http::StatusCode;
use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_rustls::server::TlsStream;

use crate::connection::blocked::Blocked;
use crate::connection::raw_response::RawResponse;
use crate::connection::request_tracker::RequestTracker;
use crate::connection::sources::ConnectionPermit;
use crate::settings::ConnectionSettings;

/// How actix begins an answer of its own to what it cannot read.
const REFUSED_BY_ACTIX: &[u8] = b"HTTP/1.1 4";

/// A stream over TCP.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + 'static {
    /// The socket below.
    fn tcp(&self) -> &TcpStream;
}

impl Transport for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Transport for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// What the client is doing while nothing is served, and since when.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Idle(Instant),
    Head(Instant),
}

/// A connection with deadlines.
pub struct DeadlineStream<S> {
    io: S,
    tracker: RequestTracker,
    limits: ConnectionSettings,
    raw_response: RawResponse,
    /// How many requests had begun when we last looked.
    seen: u64,
    phase: Phase,
    blocked: Option<Blocked>,
    /// Whether actix has bytes that the socket did not take yet.
    unsent: bool,
    /// An answer of our own, after which the connection ends.
    last_words: Vec<u8>,
    closing: bool,
    timer: Pin<Box<Sleep>>,
    _place: Option<ConnectionPermit>,
}

impl<S: Transport> DeadlineStream<S> {
    /// Guards `io`, which holds `permit` as long as it lives.
    pub fn new(io: S, limits: ConnectionSettings, raw_response: RawResponse, permit: Option<ConnectionPermit>) -> Self {
        let now = Instant::now();
        Self {
            io,
            tracker: RequestTracker::default(),
            limits,
            raw_response,
            seen: 0,
            phase: Phase::Idle(now),
            blocked: None,
            unsent: false,
            last_words: Vec::new(),
            closing: false,
            timer: Box::pin(sleep_until(now + limits.head_timeout)),
            _place: permit,
        }
    }

    /// What its requests are given.
    pub fn tracker(&self) -> RequestTracker {
        self.tracker.clone()
    }

    /// A request that has begun ends the head.
    fn follow(&mut self) {
        if self.tracker.begun() != self.seen {
            self.seen = self.tracker.begun();
            self.phase = Phase::Idle(Instant::now());
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if let Some(blocked) = self.blocked {
            return Some(blocked.deadline(self.limits.write_timeout));
        }
        if self.tracker.is_serving() {
            return None;
        }
        Some(match self.phase {
            Phase::Head(since) => since + self.limits.head_timeout,
            // Who connects wants to say something.
            Phase::Idle(since) if self.seen == 0 => since + self.limits.head_timeout,
            Phase::Idle(since) => since + self.limits.keep_alive,
        })
    }

    /// Whether the deadline has passed; where it has not, the task is woken when it does.
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.deadline() else { return false };
        if Instant::now() >= deadline {
            return true;
        }
        // Deadlines mostly move on, several times per request: the timer is left where it is and set anew when it fires.
        if self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            self.timer.as_mut().reset(deadline);
        }
        false
    }

    /// Ends a connection whose client keeps us waiting for input.
    fn give_up(&mut self, cx: &mut Context<'_>) {
        // Silence is no request that could be answered, and the rest of a body belongs to one that was.
        if matches!(self.phase, Phase::Head(_)) && !self.unsent && !self.tracker.may_have_rest() {
            self.refuse(StatusCode::REQUEST_TIMEOUT);
        }
        self.closing = true;
        // What does not fit now is tried again when actix flushes.
        let _later = self.poll_last_words(cx);
    }

    fn refuse(&mut self, status: StatusCode) {
        self.last_words = self.raw_response.answer(status);
        self.closing = true;
    }

    fn poll_last_words(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.last_words.is_empty() {
            match Pin::new(&mut self.io).poll_write(cx, &self.last_words) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => drop(self.last_words.drain(..written)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.wait_for_reader(cx),
            }
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// The client does not take what is written: it may for a while.
    fn wait_for_reader<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.blocked.get_or_insert_with(|| Blocked::since(Instant::now()));
        if !self.is_overdue(cx) {
            return Poll::Pending;
        }
        tracing::debug!("a client did not take its answer in time; the connection was reset");
        // Without this the system would go on offering the rest for minutes.
        let _gone_already = self.io.tcp().set_zero_linger();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Whether `data` is actix's own answer to what it could not read.
    fn is_refusal_of_actix(&self, data: &[u8]) -> bool {
        matches!(self.phase, Phase::Head(_))
            && !self.tracker.is_serving()
            && !self.unsent
            && data.starts_with(REFUSED_BY_ACTIX)
    }
}

/// The status of an answer that begins with [`REFUSED_BY_ACTIX`].
fn status_of(data: &[u8]) -> StatusCode {
    data.get(9..12).and_then(|digits| StatusCode::from_bytes(digits).ok()).unwrap_or(StatusCode::BAD_REQUEST)
}

impl<S: Transport> AsyncRead for DeadlineStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.follow();
        if this.closing {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.io).poll_read(cx, buf);
        if buf.filled().len() > before
            && let Phase::Idle(_) = this.phase
            && !this.tracker.is_serving()
            && !this.unsent
        {
            this.phase = Phase::Head(Instant::now());
        }
        // A client that drips is never waited for, so what comes is measured too.
        if matches!(polled, Poll::Ready(Err(_))) || !this.is_overdue(cx) {
            return polled;
        }
        if this.blocked.is_some() {
            return this.wait_for_reader(cx);
        }
        buf.set_filled(before);
        this.give_up(cx);
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> AsyncWrite for DeadlineStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.follow();
        if this.is_refusal_of_actix(data) {
            this.refuse(status_of(data));
        }
        if this.closing {
            let _later = this.poll_last_words(cx);
            return Poll::Ready(Ok(data.len()));
        }
        match Pin::new(&mut this.io).poll_write(cx, data) {
            Poll::Ready(Ok(written)) => {
                this.unsent = written < data.len();
                match &mut this.blocked {
                    Some(blocked) if this.unsent => blocked.take(written, Instant::now()),
                    blocked => *blocked = None,
                }
                if let Phase::Idle(_) = this.phase {
                    this.phase = Phase::Idle(Instant::now());
                }
                Poll::Ready(Ok(written))
            }
            Poll::Pending => {
                this.unsent = true;
                this.wait_for_reader(cx)
            }
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.closing {
            return this.poll_last_words(cx);
        }
        match Pin::new(&mut this.io).poll_flush(cx) {
            Poll::Pending => this.wait_for_reader(cx),
            Poll::Ready(done) => {
                if !this.unsent {
                    this.blocked = None;
                }
                // actix does not read again after an answer, so the wait for the next request begins here.
                if this.is_overdue(cx) {
                    cx.waker().wake_by_ref();
                }
                Poll::Ready(done)
            }
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.last_words.is_empty() && this.poll_last_words(cx)?.is_pending() {
            return Poll::Pending;
        }
        match Pin::new(&mut this.io).poll_shutdown(cx) {
            Poll::Pending => this.wait_for_reader(cx),
            done @ Poll::Ready(_) => done,
        }
    }
}
