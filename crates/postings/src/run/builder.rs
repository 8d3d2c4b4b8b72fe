//! Makes a run of events.

use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};

use super::format::MAX_EVENTS;
use super::key::Key;
use super::writer::{PageSink, RunWriter};
use crate::dimension::Dimension;
use crate::value::value_of;

/// Collects the events of one scope and month, in any order, and writes their run.
///
/// It takes 16 bytes per event, and 4 for each dimension that some event has; writing takes 16 more.
#[derive(Debug, Clone)]
pub struct RunBuilder {
    scope: Scope,
    keys: Vec<Key>,
    values: [Values; Dimension::ALL.len()],
}

/// The values of the events in one dimension. Events after the last one with a value are not there.
#[derive(Debug, Clone, Default)]
struct Values {
    values: Vec<u32>,
    present: Vec<u64>,
}

impl Values {
    fn set(&mut self, index: usize, value: u32) {
        self.values.resize(index, 0);
        self.values.push(value);
        self.present.resize(index / 64 + 1, 0);
        if let Some(word) = self.present.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    /// The events with a value: index and value.
    fn iter(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let present = |index: usize| self.present.get(index / 64).is_some_and(|word| word & 1 << (index % 64) != 0);
        self.values.iter().copied().enumerate().filter(move |(index, _)| present(*index))
    }
}

impl RunBuilder {
    /// A builder of a run of this scope.
    pub fn new(scope: Scope) -> Self {
        Self { scope, keys: Vec::new(), values: Default::default() }
    }

    /// The number of events so far.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether the run cannot take another event.
    pub fn is_full(&self) -> bool {
        self.keys.len() >= MAX_EVENTS as usize
    }

    /// Adds an event of the scope and the month. [`Error::Internal`] if the run is full.
    pub fn add(&mut self, event: &IndexedEvent) -> Result<()> {
        if self.is_full() {
            return Err(Error::internal(format!("a posting run has at most {MAX_EVENTS} events")));
        }
        let index = self.keys.len();
        self.keys.push(event.position().into());
        for (dimension, values) in Dimension::ALL.into_iter().zip(&mut self.values) {
            // In the runs of a tenant, all events are of that tenant.
            if dimension == Dimension::System && self.scope != Scope::Everyone {
                continue;
            }
            if let Some(value) = value_of(event, dimension) {
                values.set(index, value);
            }
        }
        Ok(())
    }

    /// Passes the pages to `sink` in the order of their numbers, and returns the header. The pages of a small run lie
    /// inside the header.
    ///
    /// # Errors
    /// [`Error::Internal`] if two events have the same time and number, and those of `sink`.
    pub fn finish(self, sink: &mut PageSink<'_>) -> Result<Vec<u8>> {
        let Self { keys, values, .. } = self;
        let events = u32::try_from(keys.len()).map_err(Error::internal)?;
        let key = |index: &u32| keys.get(*index as usize).copied().unwrap_or_default();
        let mut order: Vec<u32> = (0..events).collect();
        order.sort_unstable_by_key(key);
        let mut sink = |number, page| sink(number, page);
        let mut writer = RunWriter::new(events, &mut sink)?;
        let mut positions = vec![0; keys.len()];
        for (position, index) in (0..).zip(&order) {
            writer.key(key(index))?;
            if let Some(slot) = positions.get_mut(*index as usize) {
                *slot = position;
            }
        }
        drop((order, keys));
        for (dimension, values) in Dimension::ALL.into_iter().zip(values) {
            write_lists(&mut writer, dimension, &values, &positions)?;
        }
        writer.finish()
    }
}

fn write_lists(writer: &mut RunWriter<'_>, dimension: Dimension, values: &Values, positions: &[u32]) -> Result<()> {
    let at = |index: usize| positions.get(index).copied().unwrap_or_default();
    let mut pairs: Vec<(u32, u32)> = values.iter().map(|(index, value)| (value, at(index))).collect();
    pairs.sort_unstable();
    writer.dimension(dimension)?;
    let mut list = Vec::new();
    for same in pairs.chunk_by(|(one, _), (other, _)| one == other) {
        list.clear();
        list.extend(same.iter().map(|(_, position)| *position));
        if let Some((value, _)) = same.first() {
            writer.list(*value, &list)?;
        }
    }
    Ok(())
}
