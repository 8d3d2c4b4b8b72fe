//! Merges runs of one scope and month into one.

use trailkeeper_domain::{Error, Result};

use super::key::Key;
use super::lists::ListCursor;
use super::reader::RunReader;
use super::removed::Bitmap;
use super::writer::{PageSink, RunWriter};
use crate::dimension::Dimension;
use crate::page_source::PageSource;
use crate::segment::Segment;

/// The mark of a removed position in a map.
const REMOVED: u32 = u32::MAX;

/// The events of a run that [`merge_runs`] wrote, and its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedRun {
    /// The number of events.
    pub events: u32,
    /// The header.
    pub header: Vec<u8>,
}

/// Writes the run of all events of these runs that were not removed. The result equals, byte for byte, that of a
/// [`RunBuilder`](super::RunBuilder) with the same events.
///
/// Pages go to `sink` in the order of their numbers. Memory: 4 bytes per event of the runs, 16 per event of the new run.
///
/// # Errors
/// [`Error::Internal`] if the events are more than a run can have, if an event is in two of the runs, or if a run is
/// damaged; and those of the sources and of `sink`.
pub fn merge_runs<S: PageSource>(runs: &mut [RunReader<S>], sink: &mut PageSink<'_>) -> Result<MergedRun> {
    let mut removed = Vec::with_capacity(runs.len());
    let mut events = 0_u32;
    for run in &mut *runs {
        let bitmap = Bitmap::of(&run.removed()?, &(0..run.len()));
        events = events.saturating_add(run.len() - bitmap.count());
        removed.push(bitmap);
    }
    let mut sink = |number, page| sink(number, page);
    let mut writer = RunWriter::new(events, &mut sink)?;
    let maps = merge_keys(runs, &removed, &mut writer)?;
    drop(removed);
    for dimension in Dimension::ALL {
        merge_lists(runs, &maps, dimension, &mut writer)?;
    }
    Ok(MergedRun { events, header: writer.finish()? })
}

/// The keys of a run that are not merged yet.
struct KeyCursor {
    page: u32,
    keys: std::vec::IntoIter<Key>,
    next: Option<Key>,
}

impl KeyCursor {
    fn advance<S: PageSource>(&mut self, run: &mut RunReader<S>) -> Result<()> {
        self.next = self.keys.next();
        if self.next.is_none()
            && let Some(keys) = run.page_of_keys(self.page)?
        {
            self.page += 1;
            self.keys = keys.into_iter();
            self.next = self.keys.next();
        }
        Ok(())
    }
}

/// Writes all keys, and returns the new position of each old one, run by run.
fn merge_keys<S: PageSource>(
    runs: &mut [RunReader<S>],
    removed: &[Bitmap],
    writer: &mut RunWriter<'_>,
) -> Result<Vec<Vec<u32>>> {
    let mut maps: Vec<Vec<u32>> = runs.iter().map(|run| Vec::with_capacity(run.len() as usize)).collect();
    let mut cursors = Vec::with_capacity(runs.len());
    for run in &mut *runs {
        let mut cursor = KeyCursor { page: 0, keys: Vec::new().into_iter(), next: None };
        cursor.advance(run)?;
        cursors.push(cursor);
    }
    let mut position = 0;
    loop {
        let least = cursors.iter().enumerate().filter_map(|(index, cursor)| Some((cursor.next?, index))).min();
        let Some((key, index)) = least else { return Ok(maps) };
        let (Some(cursor), Some(run), Some(map), Some(removed)) =
            (cursors.get_mut(index), runs.get_mut(index), maps.get_mut(index), removed.get(index))
        else {
            return Err(Error::internal("a run lost its cursor"));
        };
        cursor.advance(run)?;
        if removed.contains(u32::try_from(map.len()).map_err(Error::internal)?) {
            map.push(REMOVED);
        } else {
            writer.key(key)?;
            map.push(position);
            position += 1;
        }
    }
}

fn merge_lists<S: PageSource>(
    runs: &mut [RunReader<S>],
    maps: &[Vec<u32>],
    dimension: Dimension,
    writer: &mut RunWriter<'_>,
) -> Result<()> {
    let mut cursors = Vec::with_capacity(runs.len());
    for run in &mut *runs {
        cursors.push(run.lists(dimension)?);
    }
    writer.dimension(dimension)?;
    let (mut old, mut merged) = (Vec::new(), Vec::new());
    while let Some(value) = cursors.iter().filter_map(|cursor: &ListCursor| cursor.value).min() {
        merged.clear();
        for ((cursor, run), map) in cursors.iter_mut().zip(&mut *runs).zip(maps) {
            if cursor.value == Some(value) {
                run.next_list(cursor, &mut old)?;
                let new = old.iter().map(|position| map.get(*position as usize).copied().unwrap_or(REMOVED));
                merged.extend(new.filter(|position| *position != REMOVED));
            }
        }
        merged.sort_unstable();
        if !merged.is_empty() {
            writer.list(value, &merged)?;
        }
    }
    Ok(())
}
