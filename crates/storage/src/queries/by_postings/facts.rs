//! Facts, which analytics count.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::dimension::Dimension;
use trailkeeper_postings::query::{Columns, Condition, Query};

use super::super::Tx;
use super::super::names::Dictionary;
use super::asked::{numbers, system};
use crate::columns::DbTenant;
use crate::schema::events;

/// The number of events whose tenants one statement reads.
const AT_ONCE: usize = 1_000;

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
        Ok(numbers(Dimension::User, &self.asked_numbers(Dictionary::Users, &[user.as_str()])?))
    }

    /// Passes the facts that match `condition` to `each`, in order of time.
    pub(in super::super) fn facts_by_postings(
        &mut self,
        generation: i64,
        scope: Scope,
        condition: Condition,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()> {
        let Some(condition) = Self::of_customers(scope, condition) else { return Ok(()) };
        let query = Query { condition, from: Some(range.start), until: Some(range.end) };
        if let Scope::Tenant(tenant) = scope {
            return self.ask(generation, scope, &query, |sources| {
                sources.columns(&query, &mut |columns| each(&fact(columns, tenant)))
            });
        }
        let mut after = None;
        loop {
            let some = self.ask(generation, scope, &query, |sources| sources.columns_after(&query, after, AT_ONCE))?;
            let tenants = self.tenants_by_seq(&some.iter().map(|columns| columns.key.seq).collect::<Vec<_>>())?;
            for columns in &some {
                let seq = columns.key.seq;
                let tenant = tenants.get(&seq).copied();
                each(&fact(columns, tenant.ok_or_else(|| Error::internal(format!("the event {seq} has no row")))?))?;
            }
            match some.last() {
                Some(last) if some.len() == AT_ONCE => after = Some(last.key),
                _ => return Ok(()),
            }
        }
    }

    /// The tenants of these events. Runs of everyone do not have them.
    fn tenants_by_seq(&mut self, seqs: &[i64]) -> Result<HashMap<i64, TenantId>> {
        let query = events::table.filter(events::seq.eq_any(seqs)).select((events::seq, events::tenant_id));
        let rows: Vec<(i64, DbTenant)> = self.run("events", |conn| query.load(conn))?;
        let keys: HashSet<DbTenant> = rows.iter().map(|(_, key)| *key).collect();
        let tenants = self.tenants_of(&keys.into_iter().collect::<Vec<_>>())?;
        Ok(rows.into_iter().filter_map(|(seq, key)| Some((seq, *tenants.get(&key)?))).collect())
    }

    /// See `SheetReads::facts_of_user`.
    pub(in super::super) fn facts_of_user_by_postings(
        &mut self,
        generation: i64,
        user: &UserId,
        tenant: Option<TenantId>,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()> {
        let condition = self.of_user(user)?;
        self.facts_by_postings(generation, Scope::of(tenant), condition, range, each)
    }

    /// The times of the first and the last event of a user, or of all customers.
    pub(in super::super) fn span_by_postings(
        &mut self,
        generation: i64,
        user: Option<&UserId>,
        tenant: Option<TenantId>,
    ) -> Result<Option<(Timestamp, Timestamp)>> {
        let condition = user.map_or(Ok(Condition::everything()), |user| self.of_user(user))?;
        let scope = Scope::of(tenant);
        let Some(condition) = Self::of_customers(scope, condition) else { return Ok(None) };
        let query = Query::of(condition);
        let ends = self.ask(generation, scope, &query, |sources| sources.first_and_last(&query))?;
        Ok(ends.map(|(first, last)| (first.occurred_at, last.occurred_at)))
    }
}

/// What analytics count of an event.
pub fn fact(columns: &Columns, tenant_id: TenantId) -> EventFact {
    EventFact {
        occurred_at: columns.key.occurred_at,
        tenant_id,
        env: columns.env,
        page: columns.page,
        kind: columns.kind,
        outcome: columns.outcome,
        user: columns.user,
        source: columns.source,
    }
}
