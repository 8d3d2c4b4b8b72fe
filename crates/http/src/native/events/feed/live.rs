//! The endless body of a stream of events.
//!
//! The connection takes text from it when the socket has room, so at most one page of text waits for a reader. A reader
//! that does not take it in time is cut, because it would lag behind further and further; it can go on where it was.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::web::{Bytes, Data};
use futures_util::{Stream, stream};
use tokio::time::Instant;
use trailkeeper_domain::cursor::FeedPosition;
use trailkeeper_domain::usecase::FeedStart;
use trailkeeper_domain::{Error, Result};

use super::following::{Following, PAUSE_OF_OUTAGE, is_outage};
use super::frames::{self, Frames};
use crate::cursors::FeedCursor;
use crate::follow::Woken;
use crate::state::AppState;

/// The most events of a page.
const PAGE: usize = 200;

/// The longest time without any text.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long a reader may take for the text of one page.
const PATIENCE: Duration = Duration::from_secs(10);

/// A stream that goes on until its reader leaves, its credential ends or the server stops.
pub struct Live {
    following: Following,
    state: Data<AppState>,
    position: FeedPosition,
    cursor: FeedCursor,
    /// Whether the reader got `cursor`, alone or with an event.
    knows_cursor: bool,
    has_more: bool,
    /// Text that is to be sent first.
    first: Option<String>,
    /// When the connection took the last text.
    sent: Instant,
    /// The end of the pause after a question that the database did not answer.
    paused_until: Option<Instant>,
    has_ended: bool,
}

impl Live {
    /// Asks for the first page.
    ///
    /// [`Error::Gone`] for a cursor of another history, and the errors of any question.
    pub async fn begin(mut following: Following, state: Data<AppState>, start: FeedStart) -> Result<Self> {
        let Frames { text, next, cursor, has_more } = following.page(&state, start, PAGE, Frames::of).await?;
        let first = Some(text + &frames::prelude(&cursor));
        let (position, sent) = (next, Instant::now());
        let (knows_cursor, paused_until, has_ended) = (true, None, false);
        Ok(Self { following, state, position, cursor, knows_cursor, has_more, first, sent, paused_until, has_ended })
    }

    /// The body. It never fails.
    pub fn body(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut live| async move {
            let text = live.next().await?;
            live.sent = Instant::now();
            Some((Ok(Bytes::from(text)), live))
        })
    }

    /// The next text; `None` after the last one. It is called when the connection has taken the text before.
    async fn next(&mut self) -> Option<String> {
        if self.has_ended {
            return None;
        }
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        if self.sent.elapsed() > PATIENCE {
            self.has_ended = true;
            return Some(frames::behind(&self.cursor));
        }
        loop {
            let text = match self.news().await {
                Ok(Step::Text(text)) => Some(text),
                Ok(Step::Nothing) => None,
                Ok(Step::Left) => return None,
                Err(error) if is_outage(&error) => {
                    self.paused_until = Some(Instant::now() + PAUSE_OF_OUTAGE);
                    None
                }
                Err(error) => {
                    if let Error::Internal { .. } = error {
                        tracing::error!(error = %error.chain(), "a stream of events ended");
                    }
                    self.has_ended = true;
                    return Some(frames::end(&error, &self.cursor));
                }
            };
            if let Some(text) = text.or_else(|| self.keep_alive_if_due()) {
                return Some(text);
            }
        }
    }

    /// Waits for events, unless more follow at once, and asks for them.
    async fn news(&mut self) -> Result<Step> {
        let keep_alive = self.sent + KEEP_ALIVE;
        let paused = self.paused_until.take_if(|end| Instant::now() < *end);
        let woken = match paused {
            Some(end) => self.following.pause(end.min(keep_alive)).await,
            None if self.has_more && !self.following.is_stopping() => Woken::News,
            None => {
                let end = keep_alive.min(self.following.next_check());
                self.following.wait(self.position.after, end).await
            }
        };
        match woken {
            Woken::Ended if self.following.is_stopping() => return Err(Error::stopping()),
            Woken::Ended => return Ok(Step::Left),
            // In boxes, which exist only meanwhile: thousands of streams wait for most of their time.
            Woken::TimeOver => return Box::pin(self.following.check(&self.state)).await.map(|()| Step::Nothing),
            Woken::News => {}
        }
        let asking = self.following.page(&self.state, FeedStart::At(self.position), PAGE, Frames::of);
        let Frames { text, next, cursor, has_more } = Box::pin(asking).await?;
        (self.position, self.has_more) = (next, has_more);
        // The last event of a page that is not cut may lie before the position behind the page.
        self.knows_cursor &= self.cursor == cursor;
        self.cursor = cursor;
        Ok(if text.is_empty() { Step::Nothing } else { Step::Text(text) })
    }

    fn keep_alive_if_due(&mut self) -> Option<String> {
        if self.sent.elapsed() < KEEP_ALIVE {
            return None;
        }
        let moved_to = (!self.knows_cursor).then_some(&self.cursor);
        let text = frames::keep_alive(moved_to);
        self.knows_cursor = true;
        Some(text)
    }
}

/// What a look for events brought.
enum Step {
    /// Text to send.
    Text(String),
    /// Nothing to send.
    Nothing,
    /// The client has left.
    Left,
}
