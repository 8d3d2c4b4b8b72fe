//! Bodies that a test reads step by step.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;
use tokio::time;

use super::TestApp;

/// A body that is being read. Nothing happens in it while the test does not read.
pub struct Download<'a> {
    app: &'a TestApp,
    body: BoxBody,
}

impl<'a> Download<'a> {
    /// The body that the server answers with 200.
    #[track_caller]
    pub fn new(app: &'a TestApp, response: ServiceResponse) -> Self {
        assert_eq!(response.status().as_u16(), 200);
        Self { app, body: response.into_body() }
    }

    /// The next bytes; `None` at the end of the body. An error is what closes a connection before the end.
    pub fn part(&mut self) -> Option<Result<Bytes, String>> {
        let Self { app, body } = self;
        let next = app.runner.block_on(poll_fn(|context| Pin::new(&mut *body).poll_next(context)));
        next.map(|part| part.map_err(|error| error.to_string()))
    }

    /// Lets time pass while nobody reads.
    pub fn does_not_read_for(&mut self, pause: Duration) {
        self.app.runner.block_on(async {
            time::pause();
            time::advance(pause).await;
            time::resume();
        });
    }

    /// All bytes up to the end of the body, or up to an error.
    pub fn rest(&mut self) -> (Vec<u8>, Option<String>) {
        let mut all = Vec::new();
        loop {
            match self.part() {
                Some(Ok(part)) => all.extend_from_slice(&part),
                Some(Err(error)) => return (all, Some(error)),
                None => return (all, None),
            }
        }
    }
}
