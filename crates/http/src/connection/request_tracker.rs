//! What a connection learns of its requests: whether one is being served.

use std::cell::Cell;
use std::error::Error;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

/// Shared by a connection and its requests, on one thread.
#[derive(Debug, Clone, Default)]
pub struct RequestTracker(Rc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    begun: Cell<u64>,
    open: Cell<u64>,
    in_chunks: Cell<bool>,
}

impl RequestTracker {
    /// A request begins, whose body comes `in_chunks` or not; it ends when the value is dropped.
    pub fn serve(&self, in_chunks: bool) -> Serving {
        self.0.in_chunks.set(in_chunks);
        self.0.begun.set(self.0.begun.get() + 1);
        self.0.open.set(self.0.open.get() + 1);
        Serving(self.clone())
    }

    /// How many requests have begun on this connection.
    pub fn begun(&self) -> u64 {
        self.0.begun.get()
    }

    /// Whether what comes after an answer may be the rest of its request: actix reads on through chunks, to keep the
    /// connection, and closes it over any other body.
    pub fn may_have_rest(&self) -> bool {
        self.0.in_chunks.get()
    }

    /// Whether one of them is not over yet.
    pub fn is_serving(&self) -> bool {
        self.0.open.get() > 0
    }
}

/// A request in hand.
#[derive(Debug)]
pub struct Serving(RequestTracker);

impl Drop for Serving {
    fn drop(&mut self) {
        let open = &self.0.0.open;
        open.set(open.get().saturating_sub(1));
    }
}

/// The body of an answer. Its request is over when the whole body is handed to the connection, not when the handler is
/// done: a body may be made while it is sent.
pub struct TrackedBody {
    body: BoxBody,
    _serving: Option<Serving>,
}

impl TrackedBody {
    /// `body`, of the request `serving`.
    pub fn new(body: BoxBody, serving: Option<Serving>) -> Self {
        Self { body, _serving: serving }
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
