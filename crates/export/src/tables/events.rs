//! The columns of events.

use std::borrow::Cow;

use serde_json::{Value, json};
use trailkeeper_domain::event::{Event, NamedField, StoredEvent, Target};
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::page::Page;

use crate::cell::{Cell, Kind};
use crate::column::{Column, Record};

/// An event, and its position if the export has positions.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedEvent {
    /// The event.
    pub stored: StoredEvent,
    /// The cursor behind the event.
    pub position: Option<String>,
}

impl ExportedEvent {
    /// The columns, with or without that of positions.
    pub fn columns(with_positions: bool) -> Vec<&'static Column<Self>> {
        Self::COLUMNS.iter().filter(|column| with_positions || column.name != POSITION).collect()
    }

    fn event(&self) -> &Event {
        &self.stored.event
    }

    /// A field of the target.
    fn target(&self, field: fn(&Target) -> &Option<String>) -> Cell<'_> {
        Cell::text(self.event().target.as_ref().and_then(|target| field(target).as_deref()))
    }
}

const POSITION: &str = "position";

impl Record for ExportedEvent {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("id", Kind::Uuid, |row| Cell::Uuid(row.event().id.0)),
        Column::new("missing_names", Kind::Json, |row| {
            Cell::json(&row.stored.missing_names.iter().copied().map(NamedField::as_str).collect::<Value>())
        }),
        Column::new("tenant_id", Kind::Uuid, |row| Cell::Uuid(row.event().tenant_id.0)),
        Column::new("env_id", Kind::Integer, |row| Cell::Integer(row.event().env_id.0.into())),
        Column::new("occurred_at", Kind::Time, |row| Cell::Time(row.event().occurred_at)),
        Column::new("received_at", Kind::Time, |row| Cell::Time(row.event().received_at)),
        Column::new("user_id", Kind::Text, |row| Cell::text(row.event().user_id.as_ref().map(UserId::as_str))),
        Column::new("user_name", Kind::Text, |row| Cell::text(row.event().user_name.as_deref())),
        Column::new("type", Kind::Text, |row| Cell::text(Some(row.event().kind.as_str()))),
        Column::new("outcome", Kind::Text, |row| Cell::text(Some(row.event().outcome.as_str()))),
        Column::new("source", Kind::Text, |row| {
            row.event().source.map_or(Cell::Empty, |source| Cell::Text(Cow::Owned(source.to_string())))
        }),
        Column::new("user_agent", Kind::Text, |row| Cell::text(row.event().user_agent.as_deref())),
        Column::new("page", Kind::Text, |row| Cell::text(row.event().page.as_ref().map(Page::as_str))),
        Column::new("session_id", Kind::Text, |row| Cell::text(row.event().session_id.as_deref())),
        Column::new("trace_id", Kind::Text, |row| Cell::text(row.event().trace_id.as_deref())),
        Column::inside("target", "type", Kind::Text, |row| row.target(|target| &target.kind)),
        Column::inside("target", "id", Kind::Text, |row| row.target(|target| &target.id)),
        Column::inside("target", "name", Kind::Text, |row| row.target(|target| &target.name)),
        Column::new("metadata", Kind::Json, |row| {
            row.event().metadata.as_ref().map_or(Cell::Empty, |metadata| Cell::Json(Cow::Borrowed(metadata.as_str())))
        }),
        Column::new("original", Kind::Json, |row| match &row.event().original {
            original if original.is_empty() => Cell::Empty,
            original => {
                let fields = original.iter().map(|(field, original)| {
                    let text = &original.text;
                    let shown = match &original.sha256 {
                        Some(sha256) => json!({"text": text, "sha256": sha256}),
                        None => json!({"text": text}),
                    };
                    (field.clone(), shown)
                });
                Cell::json(&Value::Object(fields.collect()))
            }
        }),
        Column::new(POSITION, Kind::Text, |row| Cell::text(row.position.as_deref())),
    ];
}
