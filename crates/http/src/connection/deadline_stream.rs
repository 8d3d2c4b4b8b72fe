//! A connection with deadlines, so that a slow client does not occupy it without end.
//!
//! actix limits the time of the first request's head and of an idle connection. It does not limit the head of a later
//! request, the rest of a body that no handler reads, or a response that the client does not read. This stream stands
//! between actix and the socket and sees all of them:
//!
//! ```text
//!          first byte                 actix calls the routes          the response is written
//!  ┌──────┐ ─────────► ┌────────────┐ ──────────────────────► ┌─────────┐ ───────────────────► idle again
//!  │ idle │            │ in a head  │                         │ serving │
//!  └──┬───┘            └─────┬──────┘                         └────┬────┘
//!     │ keep-alive           │ head timeout: 408                   │ no deadline here: bodies have their own, in
//!     ▼ closed               ▼ closed                              │ request::body
//!                                      writing blocks ◄────────────┘
//!                                      │ write timeout and a minimum rate
//!                                      ▼ reset
//! ```
//!
//! "In a head" covers all bytes that arrive while no request is served. The unread rest of a rejected body belongs to them
//! and has the same deadline.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::http::StatusCode;
use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_rustls::server::TlsStream;

use crate::connection::blocked::Blocked;
use crate::connection::raw_response::RawResponses;
use crate::connection::request_tracker::RequestTracker;
use crate::connection::sources::ConnectionPermit;
use crate::settings::ConnectionSettings;

/// Start of the responses that actix itself writes to unreadable input.
const REJECTION_BY_ACTIX: &[u8] = b"HTTP/1.1 4";

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

/// The state of a connection without an active request, and the time since when.
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
    raw_responses: RawResponses,
    /// Number of requests that had started at the last look.
    seen_requests: u64,
    phase: Phase,
    blocked: Option<Blocked>,
    /// Whether actix has bytes that the socket has not accepted yet.
    has_unsent: bool,
    /// A response of our own, after which the connection ends.
    final_response: Vec<u8>,
    is_closing: bool,
    timer: Pin<Box<Sleep>>,
    _permit: Option<ConnectionPermit>,
}

impl<S: Transport> DeadlineStream<S> {
    /// Adds deadlines to `io`. The connection keeps `permit` until it ends.
    pub fn new(
        io: S,
        limits: ConnectionSettings,
        raw_responses: RawResponses,
        permit: Option<ConnectionPermit>,
    ) -> Self {
        let now = Instant::now();
        Self {
            io,
            tracker: RequestTracker::default(),
            limits,
            raw_responses,
            seen_requests: 0,
            phase: Phase::Idle(now),
            blocked: None,
            has_unsent: false,
            final_response: Vec::new(),
            is_closing: false,
            timer: Box::pin(sleep_until(now + limits.head_timeout)),
            _permit: permit,
        }
    }

    /// The tracker that each request of this connection reports to.
    pub fn tracker(&self) -> RequestTracker {
        self.tracker.clone()
    }

    /// Ends the phase of the head if a request has started.
    fn update_phase(&mut self) {
        if self.tracker.started() != self.seen_requests {
            self.seen_requests = self.tracker.started();
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
            // A new connection must send its first request within the time for a head.
            Phase::Idle(since) if self.seen_requests == 0 => since + self.limits.head_timeout,
            Phase::Idle(since) => since + self.limits.keep_alive,
        })
    }

    /// Whether the deadline has passed. If not, the task is woken when it passes.
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.deadline() else { return false };
        if Instant::now() >= deadline {
            return true;
        }
        // Deadlines mostly move forward, several times per request, so the timer stays where it is and is reset when it
        // fires.
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

    /// Ends a connection whose client has not sent its input in time.
    fn give_up(&mut self, cx: &mut Context<'_>) {
        // Only an incomplete head gets a response. An idle client has sent no request, and the rest of a body belongs to a
        // request that already has its response.
        if matches!(self.phase, Phase::Head(_)) && !self.has_unsent && !self.tracker.may_have_unread_body() {
            self.reject(StatusCode::REQUEST_TIMEOUT);
        }
        self.is_closing = true;
        // The rest is written when actix flushes.
        let _pending = self.poll_final_response(cx);
    }

    fn reject(&mut self, status: StatusCode) {
        self.final_response = self.raw_responses.of_status(status);
        self.is_closing = true;
    }

    fn poll_final_response(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.final_response.is_empty() {
            match Pin::new(&mut self.io).poll_write(cx, &self.final_response) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => drop(self.final_response.drain(..written)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.wait_for_reader(cx),
            }
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Waits for a client that does not read; resets the connection at the deadline.
    fn wait_for_reader<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.blocked.get_or_insert_with(|| Blocked::since(Instant::now()));
        if !self.is_overdue(cx) {
            return Poll::Pending;
        }
        tracing::debug!("a client did not read its response in time; the connection was reset");
        // Without this, the system would keep offering the rest for minutes. It fails if the connection is closed already.
        let _closed = self.io.tcp().set_zero_linger();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Whether `data` is a response that actix itself wrote to unreadable input.
    fn is_rejection_by_actix(&self, data: &[u8]) -> bool {
        matches!(self.phase, Phase::Head(_))
            && !self.tracker.is_serving()
            && !self.has_unsent
            && data.starts_with(REJECTION_BY_ACTIX)
    }
}

/// The status of a response that begins with [`REJECTION_BY_ACTIX`].
fn status_of(data: &[u8]) -> StatusCode {
    data.get(9..12).and_then(|digits| StatusCode::from_bytes(digits).ok()).unwrap_or(StatusCode::BAD_REQUEST)
}

impl<S: Transport> AsyncRead for DeadlineStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.update_phase();
        if this.is_closing {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let has_room = buf.remaining() > 0;
        let polled = Pin::new(&mut this.io).poll_read(cx, buf);
        if has_room && buf.filled().len() == before && matches!(polled, Poll::Ready(Ok(()))) {
            this.tracker.end_input();
        }
        if buf.filled().len() > before
            && let Phase::Idle(_) = this.phase
            && !this.tracker.is_serving()
            && !this.has_unsent
        {
            this.phase = Phase::Head(Instant::now());
        }
        // A client that sends byte by byte always has data ready, so the deadline is checked after each read too.
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
        this.update_phase();
        if this.is_rejection_by_actix(data) {
            this.reject(status_of(data));
        }
        if this.is_closing {
            let _pending = this.poll_final_response(cx);
            return Poll::Ready(Ok(data.len()));
        }
        match Pin::new(&mut this.io).poll_write(cx, data) {
            Poll::Ready(Ok(written)) => {
                this.has_unsent = written < data.len();
                match &mut this.blocked {
                    Some(blocked) if this.has_unsent => blocked.record_read(written, Instant::now()),
                    blocked => *blocked = None,
                }
                if let Phase::Idle(_) = this.phase {
                    this.phase = Phase::Idle(Instant::now());
                }
                Poll::Ready(Ok(written))
            }
            Poll::Pending => {
                this.has_unsent = true;
                this.wait_for_reader(cx)
            }
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_closing {
            return this.poll_final_response(cx);
        }
        match Pin::new(&mut this.io).poll_flush(cx) {
            Poll::Pending => this.wait_for_reader(cx),
            Poll::Ready(done) => {
                if !this.has_unsent {
                    this.blocked = None;
                }
                // actix does not read again after a response, so the wait for the next request begins here.
                if this.is_overdue(cx) {
                    cx.waker().wake_by_ref();
                }
                Poll::Ready(done)
            }
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.final_response.is_empty() && this.poll_final_response(cx)?.is_pending() {
            return Poll::Pending;
        }
        match Pin::new(&mut this.io).poll_shutdown(cx) {
            Poll::Pending => this.wait_for_reader(cx),
            done @ Poll::Ready(_) => done,
        }
    }
}
