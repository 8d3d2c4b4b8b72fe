//! Facts, which analytics count.

use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::dimension::Dimension;
use trailkeeper_postings::query::{Columns, Condition, Query, Sources};

use super::super::Tx;
use super::asked::{numbers, system};
use super::runs::ScopeRuns;
use crate::generation::Generation;

impl Tx<'_> {
    /// The events of customers in a scope that match `condition`; `None` for the system tenant, which has no customers.
    pub(super) fn of_customers(scope: Scope, condition: Condition) -> Option<Condition> {
        match scope {
            Scope::Tenant(TenantId::SYSTEM) => None,
            Scope::Tenant(_) => Some(condition),
            Scope::Everyone => Some(Condition::All(vec![condition, Condition::negated(system())])),
        }
    }

    /// The condition that an event is of this user. Unknown users cost what known ones cost.
    pub(super) fn of_user(&mut self, user: &UserId) -> Result<Condition> {
        Ok(numbers(Dimension::User, &[self.asked_user(user)?]))
    }

    /// Passes the facts that match `condition` to `each`, in order of time.
    pub(in super::super) fn facts_by_postings(
        &mut self,
        generations: &[Generation],
        scope: Scope,
        condition: Condition,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()> {
        let Some(condition) = Self::of_customers(scope, condition) else { return Ok(()) };
        let query = Query { condition, from: Some(range.start), until: Some(range.end) };
        self.ask(generations, scope, &query, |sources| sources.columns(&query, &mut |columns| each(&fact(columns))))
    }

    /// See `RetentionReads::merged_facts`.
    pub(in super::super) fn facts_of_runs(
        &mut self,
        scope: Scope,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()> {
        let generations = self.indexed_generations(scope)?.ok_or_else(|| {
            Error::unavailable("the index of events is not complete yet: a server makes it after an upgrade")
        })?;
        let Some(condition) = Self::of_customers(scope, Condition::everything()) else { return Ok(()) };
        let query = Query { condition, from: Some(range.start), until: Some(range.end) };
        let mut runs = ScopeRuns::new(self, &generations, scope, &query)?.without_waiting();
        Sources::new(&mut runs).columns(&query, &mut |columns| each(&fact(columns)))
    }

    /// See `SheetReads::facts_of_user`.
    pub(in super::super) fn facts_of_user_by_postings(
        &mut self,
        generations: &[Generation],
        user: &UserId,
        tenant: Option<TenantId>,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()> {
        let condition = self.of_user(user)?;
        self.facts_by_postings(generations, Scope::of(tenant), condition, range, each)
    }

    /// The times of the first and the last event of a user, or of all customers.
    pub(in super::super) fn span_by_postings(
        &mut self,
        generations: &[Generation],
        user: Option<&UserId>,
        tenant: Option<TenantId>,
    ) -> Result<Option<(Timestamp, Timestamp)>> {
        let condition = user.map_or(Ok(Condition::everything()), |user| self.of_user(user))?;
        let scope = Scope::of(tenant);
        let Some(condition) = Self::of_customers(scope, condition) else { return Ok(None) };
        let query = Query::of(condition);
        let ends = self.ask(generations, scope, &query, |sources| sources.first_and_last(&query))?;
        Ok(ends.map(|(first, last)| (first.occurred_at, last.occurred_at)))
    }
}

/// What analytics count of an event.
pub fn fact(columns: &Columns) -> EventFact {
    EventFact {
        occurred_at: columns.key.occurred_at,
        env: columns.env,
        page: columns.page,
        kind: columns.kind,
        outcome: columns.outcome,
        user: columns.user,
        source: columns.source,
    }
}
