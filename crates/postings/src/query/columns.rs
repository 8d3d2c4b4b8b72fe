//! The columns of the matching events.

use trailkeeper_domain::event::{EventPosition, Outcome};
use trailkeeper_domain::id::EnvId;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::{Error, Result};

use super::condition::Query;
use super::matching::{Matching, chunks};
use super::windows;
use crate::dimension::Column;
use crate::outcome;
use crate::positions::PositionSet;
use crate::segment::Segment;

/// The columns of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// The time and the number of the event.
    pub key: EventPosition,
    /// The environment.
    pub env: EnvId,
    /// The id of the type.
    pub kind: u32,
    /// The outcome.
    pub outcome: Outcome,
    /// The ordinal of the user.
    pub user: Option<u32>,
    /// The ordinal of the source address.
    pub source: Option<u32>,
    /// The id of the counted page.
    pub page: Option<u32>,
}

impl From<&IndexedEvent> for Columns {
    fn from(event: &IndexedEvent) -> Self {
        Self {
            key: event.position(),
            env: event.env,
            kind: event.kind,
            outcome: event.outcome,
            user: event.user,
            source: event.source,
            page: event.page,
        }
    }
}

/// Calls `each` for the columns of the oldest matching events strictly after `after`, at most `limit`, oldest first.
pub fn columns(
    segment: &mut dyn Segment,
    query: &Query,
    after: Option<EventPosition>,
    limit: usize,
    each: &mut dyn FnMut(&Columns) -> Result<()>,
) -> Result<()> {
    let mut matching = Matching::new(query, segment)?;
    if limit == 0 || matching.at_most == 0 {
        return Ok(());
    }
    let mut range = matching.range.clone();
    if let Some(after) = after {
        let next = EventPosition { seq: after.seq.saturating_add(1), ..after };
        range.start = range.start.max(matching.segment.rank(next)?);
    }
    let mut left = limit;
    for window in windows::ascending(range, matching.at_most) {
        let mut positions = matching.positions(window)?;
        if usize::try_from(positions.len()).is_ok_and(|found| found > left) {
            positions = positions.iter().take(left).collect::<PositionSet>();
        }
        chunks(&positions, &mut |positions| {
            left -= positions.len();
            read(matching.segment, positions)?.iter().try_for_each(&mut *each)
        })?;
        if left == 0 {
            break;
        }
    }
    Ok(())
}

fn read(segment: &mut dyn Segment, positions: &[u32]) -> Result<Vec<Columns>> {
    let mut found = Vec::with_capacity(positions.len());
    let keys = segment.keys(positions)?;
    let mut column = |column| segment.column(column, positions).map(Vec::into_iter);
    let (mut envs, mut kinds, mut outcomes) = (column(Column::Env)?, column(Column::Kind)?, column(Column::Outcome)?);
    let (mut users, mut sources, mut pages) = (column(Column::User)?, column(Column::Source)?, column(Column::Page)?);
    for key in keys {
        let present = |value: Option<Option<u32>>, name: &str| {
            value.flatten().ok_or_else(|| Error::internal(format!("the event {} of a run has no {name}", key.seq)))
        };
        let outcome = present(outcomes.next(), "outcome")?;
        found.push(Columns {
            key,
            env: EnvId(present(envs.next(), "environment")?),
            kind: present(kinds.next(), "type")?,
            outcome: outcome::of_code(outcome)
                .ok_or_else(|| Error::internal(format!("{outcome} of the event {} is no outcome", key.seq)))?,
            user: users.next().flatten(),
            source: sources.next().flatten(),
            page: pages.next().flatten(),
        });
    }
    Ok(found)
}
