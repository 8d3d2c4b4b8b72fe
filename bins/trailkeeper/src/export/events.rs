//! Exports of events.

use std::path::Path;

use trailkeeper_domain::cursor::{self, FeedPosition, PlainCursor};
use trailkeeper_domain::event::{EventFilter, EventKind, Values};
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::time::{Timestamp, rfc3339};
use trailkeeper_domain::usecase::{EventExport, ExportRange, RangeFields};
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_export::ExportedEvent;

use super::layout::Layout;
use super::manifest::Content;
use super::target::{Saved, Target};
use crate::failure::Failure;
use crate::progress;
use crate::wiring::Ports;

/// Events per transaction.
const PAGE: usize = 2_000;

/// The events of an export, and what is written of them.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// Only events of this tenant.
    pub tenant: Option<TenantId>,
    /// Only events of these types; of all if there are none.
    pub kinds: Vec<EventKind>,
    /// Only events of these users; of all if there are none.
    pub users: Vec<UserId>,
    /// Only events at or after this time.
    pub from: Option<Timestamp>,
    /// Only events before this time.
    pub until: Option<Timestamp>,
    /// Also the events of the system tenant.
    pub with_audit_trail: bool,
    /// Whether each row has its position.
    pub with_positions: bool,
}

impl Chosen {
    #[expect(
        clippy::disallowed_methods,
        reason = "the operator of the machine has no credential, and may read everything"
    )]
    fn visibility(&self) -> Visibility {
        match self.tenant {
            Some(tenant) => Visibility::of_tenant(tenant),
            None if self.with_audit_trail => Visibility::unrestricted(),
            None => Visibility::customers(),
        }
    }

    fn filter(&self) -> EventFilter {
        EventFilter {
            kind: Values { any_of: self.kinds.clone(), ..Values::default() },
            user_id: Values { any_of: self.users.clone(), ..Values::default() },
            from: self.from,
            until: self.until,
            ..EventFilter::within(self.visibility())
        }
    }

    fn conditions(&self) -> Vec<String> {
        let tenant = self.tenant.iter().map(|tenant| format!("tenant={tenant}"));
        let kinds = self.kinds.iter().map(|kind| format!("type={}", kind.as_str()));
        let users = self.users.iter().map(|user| format!("user={user}"));
        let from = self.from.iter().map(|from| format!("from={}", rfc3339(*from)));
        let until = self.until.iter().map(|until| format!("to={}", rfc3339(*until)));
        let flags = [(self.with_audit_trail, "audit-trail"), (self.with_positions, "positions")];
        let flags = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name.to_owned());
        tenant.chain(kinds).chain(users).chain(from).chain(until).chain(flags).collect()
    }
}

/// Writes the events into a file, or the rest of them with `resume`. Returns the number of rows.
pub fn export_events(
    ports: &Ports,
    file: &Path,
    layout: Layout,
    chosen: &Chosen,
    resume: bool,
) -> Result<u64, Failure> {
    let content = layout.content("events", chosen.conditions());
    if resume && !layout.format.is_resumable() {
        return Err(Failure::Refused(format!(
            "a file of {} cannot be continued; remove {}.part, and begin again without --resume",
            layout.format.as_str(),
            file.display()
        )));
    }
    let resumed = if resume { Target::resume(file, &content)? } else { None };
    if resume && resumed.is_none() {
        return Err(Failure::Refused(format!(
            "{}.part.json does not exist, so there is nothing to go on with; begin without --resume",
            file.display()
        )));
    }
    let (mut target, saved) = match resumed {
        Some((target, saved)) => (target, Some(saved)),
        None => (Target::create(file)?, None),
    };
    let parsed = |position: &str| cursor::to_feed("position", position).map_err(|error| ports.failed(error));
    let range = match &saved {
        Some(saved) => ExportRange { after: Some(parsed(&saved.position)?), until: Some(parsed(&saved.end)?) },
        None => ExportRange::default(),
    };
    let fields = RangeFields { after: "position", until: "end" };
    let store = ports.store.as_ref();
    let mut export = EventExport::begin(store, chosen.filter(), range, fields).map_err(|error| ports.failed(error))?;
    let text = |position: &FeedPosition| PlainCursor::of_feed(position).to_string();
    let mut saved = saved.unwrap_or_else(|| Saved {
        content: content.clone(),
        bytes: 0,
        rows: 0,
        position: text(&export.position()),
        end: text(&export.end()),
        began_at: rfc3339(ports.clock.now()),
    });
    let columns = ExportedEvent::columns(chosen.with_positions);
    let mut encoder = layout.encoder(columns, saved.rows > 0)?;
    let whole = u64::try_from(export.end().after).unwrap_or_default();
    let bar = progress::items(whole, "events");
    while !export.is_done() {
        let page = export.page(store, PAGE).map_err(|error| ports.failed(error))?;
        target.rows += page.len() as u64;
        let rows: Vec<_> = page
            .into_iter()
            .map(|stored| {
                let position = chosen.with_positions.then(|| text(&export.position_of(&stored)));
                ExportedEvent { stored, position }
            })
            .collect();
        encoder.write(&rows)?;
        target.write(&encoder.take())?;
        bar.set_position(u64::try_from(export.position().after).unwrap_or_default());
        if layout.format.is_resumable() && target.should_save() {
            target.write(&encoder.take_whole()?)?;
            (saved.bytes, saved.rows, saved.position) = (target.bytes, target.rows, text(&export.position()));
            target.save(&saved)?;
        }
    }
    target.write(&encoder.finish()?)?;
    bar.finish_and_clear();
    let rows = target.rows;
    target.finish(&content, saved.began_at, Some(saved.end))?;
    Ok(rows)
}

impl Layout {
    /// What a file of this form has.
    pub(super) fn content(self, what: &str, conditions: Vec<String>) -> Content {
        Content {
            what: what.to_owned(),
            conditions,
            format: self.format.as_str().to_owned(),
            compression: self.compression.coding().map(str::to_owned),
            keeps_formulas: self.formulas == trailkeeper_export::Formulas::Keep,
        }
    }
}
