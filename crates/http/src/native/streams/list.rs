//! `GET /v1/streams`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::cursor::Paged;
use utoipa::ToSchema;

use super::view::StreamView;
use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::paging::Paging;
use crate::native::schemas;
use crate::operation::{FromQuery, operation};
use crate::problems::CommonProblems;
use crate::state::AppState;

/// A page of forwarding streams.
#[derive(Serialize, ToSchema)]
#[schema(example = StreamsView::sample)]
pub struct StreamsView {
    /// The streams, by id, which is the order of creation.
    #[schema(max_items = 1000)]
    streams: Vec<StreamView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required, value_type = Option<schemas::StreamCursor>)]
    next_cursor: NextCursor,
}

impl StreamsView {
    fn sample() -> Value {
        json!({"streams": [StreamView::sample()], "next_cursor": null})
    }
}

/// List the forwarding streams in the order of creation.
#[operation(get, "/v1/streams", tag = "streams",
    responses((status = 200, description = "A page of streams.", body = StreamsView), CommonProblems))]
pub async fn list_streams(
    caller: Caller<Administer, Native>,
    FromQuery(paging): FromQuery<Paging<schemas::StreamCursor>>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let page = paging
        .page(&state, List::Streams, &caller.principal, |state, cursor, limit| {
            let Paged { items, next } = state.access().streams(cursor, limit)?;
            let views = items.into_iter().map(|stream| StreamView::of(state, stream));
            Ok(Paged { items: views.collect::<trailkeeper_domain::Result<_>>()?, next })
        })
        .await?;
    Ok(HttpResponse::Ok().json(StreamsView { streams: page.items, next_cursor: page.next }))
}
