//! The deltas that a pass merges, by scope.

use std::collections::BTreeMap;

use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_postings::delta::{Delta, Section};
use trailkeeper_postings::run::RunBuilder;

use super::{Addition, Period, fitting};
use crate::engine::delta;
use crate::sheet::Facet;

/// The most events of a group of scopes: bounds the memory of their additions.
const EVENTS: u64 = 1 << 16;

/// The sections of deltas by scope.
pub struct Claim<'d> {
    /// The sections of each tenant, with the numbers of their deltas.
    tenants: BTreeMap<TenantId, Vec<(i64, Section<'d>)>>,
    /// The sections of the system tenant, which no sheet counts. Its events are in everyone's runs.
    system: Vec<(i64, Section<'d>)>,
}

impl<'d> Claim<'d> {
    /// The sections of these deltas, each of which has its number.
    pub fn of(deltas: &'d [(i64, Delta<'d>)]) -> Self {
        let mut tenants: BTreeMap<TenantId, Vec<(i64, Section<'d>)>> = BTreeMap::new();
        for (number, delta) in deltas {
            for section in delta.sections() {
                tenants.entry(section.tenant_id()).or_default().push((*number, section));
            }
        }
        let system = tenants.remove(&TenantId::SYSTEM).unwrap_or_default();
        Self { tenants, system }
    }

    /// The scopes with events: everyone, then the tenants.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        let everyone = (!self.tenants.is_empty() || !self.system.is_empty()).then_some(Scope::Everyone);
        everyone.into_iter().chain(self.tenants.keys().map(|tenant| Scope::Tenant(*tenant)))
    }

    /// The number of these scopes, from the first on, that go into one group.
    pub fn group_size<'s>(&self, scopes: impl Iterator<Item = &'s Scope>) -> usize {
        fitting(scopes.map(|scope| self.events(*scope)), EVENTS)
    }

    fn events(&self, scope: Scope) -> u64 {
        self.indexed_sections(scope).map(|(_, section)| section.len() as u64).sum()
    }

    /// What the events add to the sheets of a scope.
    ///
    /// # Errors
    /// The first unreadable event.
    pub fn addition(&self, scope: Scope) -> Result<Vec<Period>> {
        let columns = delta::columns_of(Facet::ALL);
        let mut addition = Addition::new(scope.kind());
        for (number, section) in self.sections(scope) {
            delta::each_fact(*number, section, &columns, |at, fact| addition.add(at, fact))?;
        }
        Ok(addition.into_periods())
    }

    /// The runs of the events of a scope, by month. More than one for a month only if one cannot have all.
    ///
    /// # Errors
    /// The first unreadable event.
    pub fn runs(&self, scope: Scope) -> Result<BTreeMap<Timestamp, Vec<RunBuilder>>> {
        let mut months: BTreeMap<Timestamp, Vec<RunBuilder>> = BTreeMap::new();
        for (number, section) in self.indexed_sections(scope) {
            for event in section.events() {
                let event = event.map_err(|error| delta::unreadable(*number, error))?;
                let runs = months.entry(Level::Month.floor(event.occurred_at)).or_default();
                if let Some(run) = runs.last_mut().filter(|run| !run.is_full()) {
                    run.add(&event)?;
                } else {
                    let mut run = RunBuilder::new(scope);
                    run.add(&event)?;
                    runs.push(run);
                }
            }
        }
        Ok(months)
    }

    /// The sections whose events the runs of a scope have.
    fn indexed_sections(&self, scope: Scope) -> impl Iterator<Item = &(i64, Section<'d>)> {
        let system = if scope == Scope::Everyone { self.system.as_slice() } else { &[] };
        self.sections(scope).chain(system)
    }

    /// The sections whose events the sheets of a scope count.
    fn sections(&self, scope: Scope) -> impl Iterator<Item = &(i64, Section<'d>)> {
        let (all, one) = match scope {
            Scope::Everyone => (Some(self.tenants.values().flatten()), None),
            Scope::Tenant(tenant) => (None, self.tenants.get(&tenant)),
        };
        all.into_iter().flatten().chain(one.into_iter().flatten())
    }
}
