//! An event of the feed, as readers see it.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::Result;
use trailkeeper_domain::event::StoredEvent;
use trailkeeper_domain::usecase::FeedPage;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::cursors::{FeedCursor, FeedCursors};
use crate::native::events::view::EventView;
use crate::native::schemas;

/// An event, and its position.
#[derive(Serialize)]
pub struct FeedEventView {
    #[serde(flatten)]
    event: EventView,
    position: FeedCursor,
}

impl FeedEventView {
    /// An event of this page.
    pub fn of(stored: StoredEvent, page: &FeedPage, cursors: &FeedCursors) -> Result<Self> {
        let position = cursors.cursor(&page.position_of(&stored))?;
        Ok(Self { event: EventView::from(stored), position })
    }

    /// The position behind the event.
    pub fn position(&self) -> &FeedCursor {
        &self.position
    }

    /// The example of the documentation.
    pub fn sample() -> Value {
        let mut event = EventView::sample();
        if let Value::Object(fields) = &mut event {
            fields.insert("position".to_owned(), json!(FeedCursor::sample(schemas::SAMPLE_FEED_CURSOR)));
        }
        event
    }
}

/// The schema of an event with one more field. A derive would combine two schemas by `allOf`, of which generators make no
/// type.
impl PartialSchema for FeedEventView {
    fn schema() -> RefOr<Schema> {
        let mut schema = EventView::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            let mut position = Ref::from_schema_name(schemas::FeedCursor::name());
            "The cursor behind this event.".clone_into(&mut position.description);
            object.properties.insert("position".to_owned(), position.into());
            object.required.push("position".to_owned());
            object.description = Some("An event of the feed.".to_owned());
            object.example = Some(Self::sample());
        }
        schema
    }
}

impl ToSchema for FeedEventView {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("FeedEventView")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        EventView::schemas(schemas);
        schemas.push((schemas::FeedCursor::name().into_owned(), schemas::FeedCursor::schema()));
    }
}
