//! Streams of server-sent events.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use serde_json::Value;
use tokio::time;

use super::TestApp;

/// The content type of a stream.
pub const CONTENT_TYPE: &str = "text/event-stream";

/// The longest time that a test waits for the next text. After it the test fails, instead of hanging.
const PATIENCE: Duration = Duration::from_mins(1);

/// A stream of events that a test reads step by step. Nothing happens in it while the test does not read.
pub struct EventStream<'a> {
    app: &'a TestApp,
    pub headers: HeaderMap,
    body: BoxBody,
    text: String,
}

/// The text up to an empty line.
#[derive(Debug, Default, PartialEq)]
pub struct Block {
    pub id: Option<String>,
    pub event: Option<String>,
    pub data: Value,
    pub comment: Option<String>,
}

impl<'a> EventStream<'a> {
    /// The stream that the server answers. It must be one.
    #[track_caller]
    pub fn new(app: &'a TestApp, response: ServiceResponse) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        assert_eq!(status, 200);
        assert_eq!(headers.get("content-type").unwrap(), CONTENT_TYPE);
        Self { app, headers, body: response.into_body(), text: String::new() }
    }

    /// The next block; `None` at the end of the stream.
    pub fn block(&mut self) -> Option<Block> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (parsed(block), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let Self { app, body, .. } = self;
            let text = app.runner.block_on(async { time::timeout(PATIENCE, next(body)).await.unwrap() });
            let Some(text) = text else {
                assert_eq!(self.text, "", "a stream ends with an empty line");
                return None;
            };
            self.text.push_str(str::from_utf8(&text).unwrap());
        }
    }

    /// The next block that is an event.
    #[track_caller]
    pub fn event(&mut self) -> Block {
        loop {
            let Some(block) = self.block() else { panic!("the stream ended") };
            if block.event.is_some() {
                return block;
            }
        }
    }

    /// Like [`Self::block`], while the time of the runtime runs as fast as it can.
    pub fn block_in_no_time(&mut self) -> Option<Block> {
        self.app.runner.block_on(async { time::pause() });
        let block = self.block();
        self.app.runner.block_on(async { time::resume() });
        block
    }

    /// The bytes that were read from the server and not by the test.
    pub fn text_at_hand(&self) -> usize {
        self.text.len()
    }

    /// Lets time pass while nobody reads.
    pub fn does_not_read_for(&mut self, pause: Duration) {
        self.app.runner.block_on(async {
            time::pause();
            time::advance(pause).await;
            time::resume();
        });
    }
}

/// The text of a stream until it has nothing more to say, or ends.
pub async fn until_silent(body: impl MessageBody + 'static) -> Bytes {
    let (mut body, mut all) = (body.boxed(), Vec::new());
    time::pause();
    while let Some(text) = next(&mut body).await {
        all.extend_from_slice(&text);
        if text.starts_with(b": keep-alive") {
            break;
        }
    }
    time::resume();
    all.into()
}

async fn next(body: &mut BoxBody) -> Option<Bytes> {
    poll_fn(|context| Pin::new(&mut *body).poll_next(context)).await.transpose().unwrap()
}

fn parsed(text: &str) -> Block {
    let mut block = Block::default();
    for line in text.lines() {
        match line.split_once(": ").unwrap() {
            ("", comment) => block.comment = Some(comment.to_owned()),
            ("id", id) => block.id = Some(id.to_owned()),
            ("event", event) => block.event = Some(event.to_owned()),
            ("data", data) => {
                assert!(block.data.is_null(), "data is one line");
                block.data = serde_json::from_str(data).unwrap();
            }
            ("retry", milliseconds) => assert!(milliseconds.parse::<u32>().is_ok()),
            _ => panic!("{line}"),
        }
    }
    block
}
