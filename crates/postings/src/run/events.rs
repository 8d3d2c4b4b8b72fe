//! The events of a run, made of its keys and lists again.

use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};

use super::flaw::Flaw;
use super::key::number_bounds;
use super::reader::RunReader;
use super::removed::Bitmap;
use crate::dimension::{Column, Dimension};
use crate::outcome;
use crate::page_source::PageSource;
use crate::segment::Segment;
use crate::value::column_of;

/// The columns of a run of small pages are compared in parts of this many events.
const PART: u32 = 1 << 14;

impl<S: PageSource> RunReader<S> {
    /// Calls `each` with every event that was not removed, in the order of positions. It reads every page, and compares
    /// the columns with the lists.
    ///
    /// A run of everyone does not know the tenants of its events: their `tenant_id` is [`TenantId::SYSTEM`] for the system
    /// tenant, and [`TenantId::NONE`] for all others. Memory: 8 bytes per event and dimension.
    ///
    /// # Errors
    /// [`Error::Internal`] if the run is damaged, and those of the source and of `each`.
    pub fn events(&mut self, scope: Scope, each: &mut dyn FnMut(&IndexedEvent) -> Result<()>) -> Result<()> {
        let mut values = Vec::with_capacity(Dimension::ALL.len());
        for dimension in Dimension::ALL {
            let values_of = self.values(dimension)?;
            if let Some(column) = column_of(dimension) {
                self.compare(column, &values_of)?;
            }
            values.push(values_of);
        }
        let value = |dimension: Dimension, position: u32| {
            values.get(dimension as usize - 1).and_then(|values| values.get(position as usize).copied().flatten())
        };
        let removed = Bitmap::of(&self.removed()?, &(0..self.len()));
        let (mut page, mut position) = (0, 0);
        while let Some(keys) = self.page_of_keys(page)? {
            let bounds = self.header.bounds.get(page as usize).copied();
            if bounds.is_some() && bounds != number_bounds(&keys) {
                return Err(self
                    .pages
                    .damaged(page, Flaw::new(0, "the numbers have other bounds than the header says")));
            }
            for key in keys {
                let flaw = |sentence| self.pages.damaged(page, Flaw::new(0, sentence));
                let needed = |dimension| {
                    value(dimension, position)
                        .ok_or_else(|| flaw("an event is in no list of a dimension that all have"))
                };
                if !removed.contains(position) {
                    let at = key.position().ok_or_else(|| flaw("a time is outside the calendar"))?;
                    let outcome = outcome::of_code(needed(Dimension::Outcome)?);
                    each(&IndexedEvent {
                        seq: at.seq,
                        occurred_at: at.occurred_at,
                        tenant_id: match scope {
                            Scope::Tenant(tenant) => tenant,
                            Scope::Everyone if value(Dimension::System, position).is_some() => TenantId::SYSTEM,
                            Scope::Everyone => TenantId::NONE,
                        },
                        env: EnvId(needed(Dimension::Env)?),
                        kind: needed(Dimension::Kind)?,
                        outcome: outcome.ok_or_else(|| flaw("an outcome is unknown"))?,
                        user: value(Dimension::User, position),
                        source: value(Dimension::Source, position),
                        page: value(Dimension::Page, position),
                        other_page: value(Dimension::OtherPage, position),
                        session: value(Dimension::Session, position),
                        target_type: value(Dimension::TargetType, position),
                        target_id: value(Dimension::TargetId, position),
                    })?;
                }
                position += 1;
            }
            page += 1;
        }
        Ok(())
    }

    /// The value of each event in a dimension; empty if no event has one.
    fn values(&mut self, dimension: Dimension) -> Result<Vec<Option<u32>>> {
        let Some(page) = self.section(dimension).map(|section| section.first_page) else { return Ok(Vec::new()) };
        let mut values = vec![None; self.len() as usize];
        let mut twice = false;
        self.each_list(dimension, |value, positions| {
            for position in positions {
                if let Some(slot) = values.get_mut(*position as usize) {
                    twice |= slot.replace(value).is_some();
                }
            }
            Ok(())
        })?;
        if twice {
            return Err(self.pages.damaged(page, Flaw::new(0, "an event is in two lists of a dimension")));
        }
        Ok(values)
    }

    fn compare(&mut self, column: Column, values: &[Option<u32>]) -> Result<()> {
        let mut start = 0;
        for part in values.chunks(PART as usize) {
            let end = start + u32::try_from(part.len()).map_err(Error::internal)?;
            let positions: Vec<u32> = (start..end).collect();
            if self.column(column, &positions)? != part {
                let name = self.pages.name();
                return Err(Error::internal(format!("the column {column:?} of {name} differs from its lists")));
            }
            start = end;
        }
        Ok(())
    }
}
