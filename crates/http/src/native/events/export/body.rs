//! The body of an export.
//!
//! The connection takes bytes from it when the socket has room. Then one short transaction reads the next events, so that a
//! slow client holds neither a transaction nor a thread, and at most one page of events waits in memory.

use actix_web::web::{Bytes, Data};
use futures_util::{Stream, stream};
use tokio::sync::OwnedSemaphorePermit;
use trailkeeper_auth::Principal;
use trailkeeper_domain::usecase::EventExport;
use trailkeeper_domain::{Error, Result};
use trailkeeper_export::{Encoder, ExportedEvent};

use crate::blocking;
use crate::cursors::FeedCursors;
use crate::extract::lasting::LastingCaller;
use crate::state::AppState;

/// The most events of a transaction. An event has at most some 30 KiB.
const PAGE: usize = 500;

/// An export that runs: its state is moved to a blocking thread and back for each page.
pub struct Export {
    /// The events that are left.
    pub events: EventExport,
    /// Makes the file.
    pub encoder: Encoder<ExportedEvent>,
    /// The reader of the positions, if the file has them.
    pub positions_for: Option<Principal>,
    /// The place of the export, which is free again when no thread works for it any more.
    pub _place: OwnedSemaphorePermit,
}

impl Export {
    /// Reads a page. Returns the export, unless it has ended, and the next bytes of the file, which may be none.
    fn step(mut self, state: &AppState) -> Result<(Option<Self>, Vec<u8>)> {
        let page = self.events.page(state.store(), PAGE)?;
        let cursors = self.positions_for.as_ref().map(|caller| FeedCursors::of(state.access(), caller)).transpose()?;
        let rows = page.into_iter().map(|stored| {
            let cursor =
                cursors.as_ref().map(|cursors| cursors.cursor(&self.events.position_of(&stored))).transpose()?;
            Ok(ExportedEvent { position: cursor.map(|cursor| cursor.as_str().to_owned()), stored })
        });
        let rows: Vec<_> = rows.collect::<Result<_>>()?;
        self.encoder.write(&rows)?;
        if self.events.is_done() {
            return Ok((None, self.encoder.finish()?));
        }
        let ready = self.encoder.take();
        Ok((Some(self), ready))
    }
}

/// The body of an export that has begun.
pub struct ExportBody {
    caller: LastingCaller,
    state: Data<AppState>,
    /// Bytes that were made before the answer began, so that an export that cannot begin is an answer with an error.
    first: Option<Vec<u8>>,
    rest: Option<Export>,
}

impl ExportBody {
    /// Reads the first page.
    pub async fn begin(caller: LastingCaller, state: Data<AppState>, export: Export) -> Result<Self> {
        let mut body = Self { caller, state, first: None, rest: Some(export) };
        body.first = body.next().await?;
        Ok(body)
    }

    /// The bytes. After an error the connection is closed without the end of the body, so that no client takes a part for
    /// the whole.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes>> {
        stream::unfold(self, |mut body| async move {
            let next = match body.first.take() {
                Some(first) => Some(first),
                None => match body.next().await {
                    Ok(next) => next,
                    Err(error) => {
                        tracing::warn!(error = %error.chain(), "an export ended before its end");
                        return Some((Err(error), body));
                    }
                },
            };
            next.map(|bytes| (Ok(Bytes::from(bytes)), body))
        })
    }

    /// The next bytes; `None` behind the last ones. The credential is checked before each page, and each page has a time
    /// limit of its own.
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        while let Some(export) = self.rest.take() {
            if self.state.listeners().is_stopping() {
                return Err(Error::stopping());
            }
            let (caller, state) = (&mut self.caller, &self.state);
            let reading = async {
                caller.check(state).await?;
                blocking::run(state, move |state| export.step(state)).await
            };
            let (rest, ready) = blocking::limited(reading).await?;
            self.rest = rest;
            if !ready.is_empty() {
                return Ok(Some(ready));
            }
        }
        Ok(None)
    }
}
