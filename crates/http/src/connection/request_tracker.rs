//! Tells a connection whether one of its requests is being served.

use std::cell::Cell;
use std::error::Error;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

/// Request counts of one connection, shared by the connection and its requests, which run on the same thread.
#[derive(Debug, Clone, Default)]
pub struct RequestTracker(Rc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    started: Cell<u64>,
    active: Cell<u64>,
    is_chunked: Cell<bool>,
    has_ended_input: Cell<bool>,
}

impl RequestTracker {
    /// Starts a request, which ends when the value is dropped. `is_chunked` says that its body has no announced length.
    pub fn start_request(&self, is_chunked: bool) -> ActiveRequest {
        self.0.is_chunked.set(is_chunked);
        self.0.started.set(self.0.started.get() + 1);
        self.0.active.set(self.0.active.get() + 1);
        ActiveRequest(self.clone())
    }

    /// Number of requests that have started on this connection.
    pub fn started(&self) -> u64 {
        self.0.started.get()
    }

    /// Whether bytes after a response may be the rest of its request's body: actix reads a chunked body to its end, to
    /// keep the connection, and closes the connection over the rest of any other body.
    pub fn may_have_unread_body(&self) -> bool {
        self.0.is_chunked.get()
    }

    /// Notes that the client has closed its connection, or at least the half on which it sends.
    pub fn end_input(&self) {
        self.0.has_ended_input.set(true);
    }

    /// Whether the client will send nothing more. Most such clients do not read either.
    pub fn has_ended_input(&self) -> bool {
        self.0.has_ended_input.get()
    }

    /// Whether a request has not ended yet.
    pub fn is_serving(&self) -> bool {
        self.0.active.get() > 0
    }
}

/// A request that has started and not ended.
#[derive(Debug)]
pub struct ActiveRequest(RequestTracker);

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        let active = &self.0.0.active;
        active.set(active.get().saturating_sub(1));
    }
}

/// The body of a response. Its request ends when the whole body is handed to the connection, not when the handler
/// returns, because a body may be generated while it is sent.
pub struct TrackedBody {
    body: BoxBody,
    _request: Option<ActiveRequest>,
}

impl TrackedBody {
    /// The body of the response to `request`.
    pub fn new(body: BoxBody, request: Option<ActiveRequest>) -> Self {
        Self { body, _request: request }
    }
}

impl MessageBody for TrackedBody {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}
