//! Makes the deltas of new events.

use std::collections::BTreeMap;

use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::ports::{NewDelta, Summarizer};
use trailkeeper_domain::scope::{Scope, ScopeKind};

use super::delta;
use crate::sheet::{Fact, SheetBuilder};

/// Makes the deltas of a batch of events: one for everyone, and one for each tenant of the batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summary;

impl Summarizer for Summary {
    fn deltas(&self, facts: &[EventFact]) -> Vec<NewDelta> {
        // Sorted, so that each sheet is made in one go, and the deltas do not depend on the order of the batch.
        let mut by_hour: Vec<(i64, &EventFact)> =
            facts.iter().map(|fact| (delta::hour_number(fact.occurred_at), fact)).collect();
        by_hour.sort_by_key(|(hour, _)| *hour);
        let mut deltas: Vec<NewDelta> = of_scope(Scope::Everyone, &by_hour).into_iter().collect();
        by_hour.sort_by_key(|(_, fact)| fact.tenant_id);
        let tenants = by_hour.chunk_by(|(_, one), (_, other)| one.tenant_id == other.tenant_id);
        deltas.extend(tenants.filter_map(|by_hour| {
            let (_, fact) = by_hour.first()?;
            of_scope(Scope::Tenant(fact.tenant_id), by_hour)
        }));
        deltas
    }
}

/// The delta of these facts, which are in order of their hours; `None` without facts.
fn of_scope(scope: Scope, by_hour: &[(i64, &EventFact)]) -> Option<NewDelta> {
    let hours: BTreeMap<_, _> = by_hour
        .chunk_by(|(one, _), (other, _)| one == other)
        .filter_map(|of_hour| {
            let (hour, _) = of_hour.first()?;
            Some((*hour, sheet_of(scope.kind(), of_hour).finish()))
        })
        .collect();
    (!hours.is_empty()).then(|| NewDelta { scope, payload: delta::encode(&hours) })
}

fn sheet_of(kind: ScopeKind, facts: &[(i64, &EventFact)]) -> SheetBuilder {
    let mut builder = SheetBuilder::new(kind);
    for (_, fact) in facts {
        builder.add(&Fact::from(*fact));
    }
    builder
}
