//! From new events to deltas.

use std::collections::BTreeMap;

use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::ports::{NewDelta, Summarizer};
use trailkeeper_domain::scope::{Scope, ScopeKind};

use super::delta;
use crate::sheet::{Fact, SheetBuilder};

/// Makes the deltas of new events: one of everyone, and one of each tenant that has any of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summary;

impl Summarizer for Summary {
    fn deltas(&self, facts: &[EventFact]) -> Vec<NewDelta> {
        // Sorting first makes each sheet in one go, and each batch's deltas the same whatever their order was.
        let mut placed: Vec<(i64, &EventFact)> =
            facts.iter().map(|fact| (delta::hour_number(fact.occurred_at), fact)).collect();
        placed.sort_by_key(|(hour, _)| *hour);
        let mut deltas: Vec<NewDelta> = of_scope(Scope::Everyone, &placed).into_iter().collect();
        placed.sort_by_key(|(_, fact)| fact.tenant_id);
        let tenants = placed.chunk_by(|(_, one), (_, other)| one.tenant_id == other.tenant_id);
        deltas.extend(tenants.filter_map(|placed| {
            let (_, fact) = placed.first()?;
            of_scope(Scope::Tenant(fact.tenant_id), placed)
        }));
        deltas
    }
}

/// The delta of these facts, which are in order of their hours; `None` for no facts.
fn of_scope(scope: Scope, placed: &[(i64, &EventFact)]) -> Option<NewDelta> {
    let hours: BTreeMap<_, _> = placed
        .chunk_by(|(one, _), (other, _)| one == other)
        .filter_map(|placed| {
            let (hour, _) = placed.first()?;
            Some((*hour, sheet_of(scope.kind(), placed).finish()))
        })
        .collect();
    (!hours.is_empty()).then(|| NewDelta { scope, payload: delta::encode(&hours) })
}

fn sheet_of(kind: ScopeKind, placed: &[(i64, &EventFact)]) -> SheetBuilder {
    let mut builder = SheetBuilder::new(kind);
    for (_, fact) in placed {
        builder.add(&Fact::from(*fact));
    }
    builder
}
