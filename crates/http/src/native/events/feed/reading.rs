//! A reading of the feed: one caller, one filter, and where it begins.

use std::sync::{Arc, LazyLock};

use actix_web::web::Data;
use trailkeeper_auth::Principal;
use trailkeeper_domain::event::EventFilter;
use trailkeeper_domain::usecase::{self, FeedPage, FeedStart};
use trailkeeper_domain::{Error, Result};
use utoipa::openapi::path::ParameterIn;

use crate::blocking;
use crate::cursors::FeedCursors;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, FollowEvents};
use crate::native::events::conditions::EventFilterParams;
use crate::native::schemas;
use crate::operation::{Parameters, QueryParams, param_values};
use crate::request::query::Query;
use crate::state::AppState;

/// The names of the parameters that are conditions. Two requests of a caller with equal conditions belong to one reading.
static CONDITIONS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut conditions = Parameters::new(ParameterIn::Query);
    EventFilterParams::declare(&mut conditions);
    conditions.names().to_vec()
});

/// The filters of a reading, and where it begins.
#[derive(QueryParams)]
pub struct ReadingParams {
    #[param(flatten)]
    filter: EventFilterParams,
    /// The `position` of an event, or `next_cursor` of a page: the reading continues behind it. A cursor is valid as long
    /// as its database, also with other filters.
    #[param(schema = schemas::FeedCursor)]
    cursor: Option<String>,
    /// Where a reading without a cursor begins: with the first event (`beginning`, the default of the feed), or behind the
    /// last one (`now`, the default of the stream).
    #[param(schema = schemas::FeedStart, example = "now")]
    start: Option<FirstPosition>,
}

/// Where a reading without a cursor begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstPosition {
    /// With the first event.
    Beginning,
    /// Behind the last event.
    Now,
}

impl FirstPosition {
    fn parse(name: &str, value: &str) -> Result<Self> {
        match value {
            "beginning" => Ok(Self::Beginning),
            "now" => Ok(Self::Now),
            other => {
                let shown = trailkeeper_domain::text::shown(other);
                Err(Error::invalid(name, format!("'{shown}' is not allowed; send beginning or now")))
            }
        }
    }
}

param_values! {
    FirstPosition, "beginning or now", FirstPosition::parse;
}

impl From<FirstPosition> for FeedStart {
    fn from(first: FirstPosition) -> Self {
        match first {
            FirstPosition::Beginning => Self::Beginning,
            FirstPosition::Now => Self::Now,
        }
    }
}

/// A cursor that a client sent, and the name of its parameter or header.
pub struct SentCursor {
    field: &'static str,
    text: String,
}

impl SentCursor {
    /// The cursor `text` in `field`.
    pub fn new(field: &'static str, text: String) -> Self {
        Self { field, text }
    }
}

impl ReadingParams {
    /// Begins or continues the reading of this caller. `resumed` is a cursor in a header, which replaces those of the query:
    /// a client that reconnects sends its first query again.
    ///
    /// If the reading continues, the request gets no audit event.
    pub async fn reading(
        self,
        caller: &Caller<FollowEvents, Native>,
        state: &Data<AppState>,
        default: FirstPosition,
        resumed: Option<SentCursor>,
    ) -> Result<(Reading, FeedStart)> {
        if let (Some(start), Some(_)) = (self.start, &self.cursor) {
            let start = if start == FirstPosition::Now { "now" } else { "beginning" };
            return Err(Error::invalid("start", format!("'{start}' contradicts the cursor; send one of the two")));
        }
        let filter = self.filter.filter(&caller.principal, state)?;
        let sent = resumed.or(self.cursor.map(|text| SentCursor::new("cursor", text)));
        let field = sent.as_ref().map_or("cursor", |sent| sent.field);
        // As the audit event has them.
        let conditions = Query::declared(caller.request(), &CONDITIONS)?;
        let principal = caller.principal.clone();
        let (number, position) = blocking::run(state, move |state| {
            let open = |sent: SentCursor| FeedCursors::open(state.access(), &principal, sent.field, &sent.text);
            Ok((state.access().reading_of(&principal, &conditions)?, sent.map(open).transpose()?))
        })
        .await?;
        let start = match position {
            Some(position) => FeedStart::At(position),
            None => self.start.unwrap_or(default).into(),
        };
        if position.is_some_and(|position| position.reader == number) {
            caller.continues_reading();
        }
        let asked = Asked { caller: caller.principal.clone(), filter, number, field };
        Ok((Reading(Arc::new(asked)), start))
    }
}

/// A reading of the feed.
#[derive(Clone)]
pub struct Reading(Arc<Asked>);

struct Asked {
    caller: Principal,
    filter: EventFilter,
    /// The number of the reading in its cursors.
    number: u64,
    /// The parameter or header of the cursor, for errors.
    field: &'static str,
}

impl Reading {
    /// Asks the database for the page at `start`, and renders it, on a blocking thread. `held` is dropped when that is
    /// done, also if the client has left.
    pub async fn page<T: Send + 'static>(
        &self,
        state: &Data<AppState>,
        start: FeedStart,
        limit: usize,
        held: impl Send + 'static,
        render: impl FnOnce(FeedPage, &FeedCursors) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let asked = Arc::clone(&self.0);
        blocking::run(state, move |state| {
            let Asked { caller, filter, number, field } = asked.as_ref();
            let page = usecase::follow_events(state.store(), filter, start, *number, field, limit)?;
            let rendered = render(page, &FeedCursors::of(state.access(), caller)?);
            drop(held);
            rendered
        })
        .await
    }
}
