//! Random events, conditions, and ways to split events into segments.

use chrono::DateTime;
use proptest::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::event::{EventPosition, Outcome};
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_postings::delta::{Delta, encode};
use trailkeeper_postings::dimension::{Column, Dimension};
use trailkeeper_postings::positions::PositionSet;
use trailkeeper_postings::query::{Condition, Query, Segments, SortedEvents, Span, Waiting};
use trailkeeper_postings::segment::Segment;
use uuid::Uuid;

/// Times are few, so that many events share one.
const TIMES: i64 = 40;

pub fn at(micros: i64) -> Timestamp {
    DateTime::from_timestamp_micros(1_700_000_000_000_000 + micros).expect("a time")
}

pub fn event(seq: i64, micros: i64) -> IndexedEvent {
    IndexedEvent {
        seq,
        occurred_at: at(micros),
        tenant_id: TenantId(Uuid::from_u128(7)),
        env: EnvId(1),
        kind: 1,
        outcome: Outcome::Unknown,
        user: None,
        source: None,
        page: None,
        other_page: None,
        session: None,
        target_type: None,
        target_id: None,
    }
}

fn optional(values: u32) -> impl Strategy<Value = Option<u32>> {
    prop::option::weighted(0.8, 1..=values)
}

fn any_event() -> impl Strategy<Value = IndexedEvent> {
    let numbers = (optional(6), optional(4), optional(5), optional(3), optional(3), optional(2), optional(2));
    (0..TIMES, 0..3_u32, 1..5_u32, 0..3_usize, any::<prop::sample::Index>(), numbers).prop_map(
        |(micros, env, kind, outcome, system, (user, source, page, other_page, session, target_type, target_id))| {
            IndexedEvent {
                tenant_id: if system.index(5) == 0 { TenantId::SYSTEM } else { TenantId(Uuid::from_u128(7)) },
                env: EnvId(env),
                kind,
                outcome: [Outcome::Success, Outcome::Failure, Outcome::Unknown][outcome],
                user,
                source,
                page,
                other_page,
                session,
                target_type,
                target_id,
                ..event(0, micros)
            }
        },
    )
}

fn condition() -> impl Strategy<Value = Condition> {
    let dimension = prop::sample::select(Dimension::ALL.to_vec());
    let list = (dimension, prop::collection::vec(0..7_u32, 0..4)).prop_map(|(one, values)| Condition::Any(one, values));
    let columns = [Column::Env, Column::Kind, Column::Outcome, Column::User, Column::Source, Column::Page];
    let column = (prop::sample::select(columns.to_vec()), prop::collection::vec(0..7_u32, 0..5))
        .prop_map(|(column, values)| Condition::InColumn(column, values.into_iter().collect::<PositionSet>()));
    prop_oneof![4 => list, 1 => column].prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Condition::negated),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::All),
            prop::collection::vec(inner, 0..4).prop_map(Condition::Or),
        ]
    })
}

pub fn query() -> impl Strategy<Value = Query> {
    let time = || prop::option::weighted(0.4, (-2..TIMES + 2).prop_map(at));
    (condition(), time(), time()).prop_map(|(condition, from, until)| Query { condition, from, until })
}

/// Events that are split into segments and deltas, some of those in segments removed.
#[derive(Debug)]
pub struct World {
    /// The events that are not removed, oldest first.
    pub events: Vec<IndexedEvent>,
    pub segments: Parts,
}

/// Segments in memory, and encoded deltas.
#[derive(Debug)]
pub struct Parts {
    pub segments: Vec<SortedEvents>,
    pub deltas: Vec<Vec<u8>>,
    /// The tenant whose sections of the deltas are asked for; all of them for `None`.
    pub tenant: Option<TenantId>,
}

impl Segments for Parts {
    fn spans(&self) -> Vec<Span> {
        let span = |part: &SortedEvents| {
            let events = part.events();
            Span { first: events[0].occurred_at, last: events[events.len() - 1].occurred_at }
        };
        self.segments.iter().map(span).collect()
    }

    fn open(&mut self, index: usize, work: &mut dyn FnMut(&mut dyn Segment) -> Result<()>) -> Result<()> {
        work(&mut self.segments[index])
    }

    fn waiting(&mut self, query: &Query, each: &mut dyn FnMut(&Waiting<'_>) -> Result<()>) -> Result<()> {
        for (number, payload) in (1..).zip(&self.deltas) {
            let delta = Delta::read(payload).expect("a delta");
            if let Some(waiting) = Waiting::of(&delta, number, self.tenant, query) {
                assert!(!waiting.is_empty());
                each(&waiting)?;
            }
        }
        Ok(())
    }
}

/// Up to 200 events in up to four segments; each event is in segment 0 to 3 or waits in a delta.
pub fn world() -> impl Strategy<Value = World> {
    prop::collection::vec((any_event(), 0..5_usize, prop::bool::weighted(0.1)), 0..200).prop_map(|events| {
        let mut parts: Vec<Vec<(IndexedEvent, bool)>> = vec![Vec::new(); 4];
        let (mut waiting, mut left) = (Vec::new(), Vec::new());
        for (seq, (event, part, is_removed)) in (1..).zip(events) {
            let event = IndexedEvent { seq, ..event };
            match parts.get_mut(part) {
                Some(part) => part.push((event, is_removed)),
                None => waiting.push(event),
            }
            if part == 4 || !is_removed {
                left.push(event);
            }
        }
        left.sort_by_key(IndexedEvent::position);
        let segments = parts.into_iter().filter(|part| !part.is_empty()).map(|mut part| {
            part.sort_by_key(|(event, _)| event.position());
            let removed = (0..).zip(&part).filter(|(_, (_, is_removed))| *is_removed).map(|(at, _)| at).collect();
            SortedEvents::new(part.into_iter().map(|(event, _)| event).collect()).without(removed)
        });
        let deltas = waiting.chunks(17).map(encode).collect();
        World { events: left, segments: Parts { segments: segments.collect(), deltas, tenant: None } }
    })
}

impl World {
    pub fn matching<'a>(&'a self, query: &'a Query) -> impl DoubleEndedIterator<Item = &'a IndexedEvent> {
        self.events.iter().filter(|event| {
            query.from.is_none_or(|from| event.occurred_at >= from)
                && query.until.is_none_or(|until| event.occurred_at < until)
                && matches(&query.condition, event)
        })
    }
}

pub fn newest_first<'a>(events: impl DoubleEndedIterator<Item = &'a IndexedEvent>) -> Vec<EventPosition> {
    events.rev().map(IndexedEvent::position).collect()
}

/// The meaning of a condition, written down once more.
pub fn matches(condition: &Condition, event: &IndexedEvent) -> bool {
    match condition {
        Condition::Any(dimension, values) => {
            let value = match dimension {
                Dimension::Env => Some(event.env.0),
                Dimension::Kind => Some(event.kind),
                Dimension::Outcome => Some(match event.outcome {
                    Outcome::Success => 0,
                    Outcome::Failure => 1,
                    Outcome::Unknown => 2,
                }),
                Dimension::User => event.user,
                Dimension::Source => event.source,
                Dimension::Page => event.page,
                Dimension::OtherPage => event.other_page,
                Dimension::Session => event.session,
                Dimension::TargetType => event.target_type,
                Dimension::TargetId => event.target_id,
                Dimension::System => (event.tenant_id == TenantId::SYSTEM).then_some(1),
            };
            values.iter().any(|wanted| value == Some(*wanted))
        }
        Condition::InColumn(column, values) => {
            let dimension = match column {
                Column::Env => Dimension::Env,
                Column::Kind => Dimension::Kind,
                Column::Outcome => Dimension::Outcome,
                Column::User => Dimension::User,
                Column::Source => Dimension::Source,
                Column::Page => Dimension::Page,
            };
            matches(&Condition::Any(dimension, values.iter().collect()), event)
        }
        Condition::Not(condition) => !matches(condition, event),
        Condition::All(conditions) => conditions.iter().all(|condition| matches(condition, event)),
        Condition::Or(conditions) => conditions.iter().any(|condition| matches(condition, event)),
    }
}
