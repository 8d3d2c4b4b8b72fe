//! Which events rules remove, and which ones holds keep.

use std::collections::HashMap;

use trailkeeper_domain::Result;
use trailkeeper_domain::event::EventKind;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::retention::{LegalHold, MAX_HOLDS, RetentionRule, subjects_of};
use trailkeeper_domain::time::Timestamp;

/// The rules and the holds, by the numbers of types and users.
#[derive(Debug, PartialEq, Eq)]
pub struct Selection {
    /// The rules, removed ones included.
    pub rules: Vec<RetentionRule>,
    /// The holds.
    pub holds: Vec<LegalHold>,
    /// The index and the cutoff of each rule that keeps something.
    cutoffs: HashMap<(Option<TenantId>, Option<u32>), (usize, Timestamp)>,
    held_tenants: HashMap<TenantId, usize>,
    held_users: HashMap<u32, Vec<(Option<TenantId>, usize)>>,
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is young enough, or no rule is about it.
    Kept,
    /// A rule would remove it, and the hold with this index keeps it.
    OnHold(usize),
    /// The rule with this index removes it.
    Removed(usize),
}

impl Selection {
    /// The rules and holds of the transaction's snapshot at `now`.
    pub fn read(tx: &mut (impl ReadTx + ?Sized), now: Timestamp) -> Result<Self> {
        let (rules, holds) = (tx.retention_rules()?, tx.legal_holds(None, MAX_HOLDS)?);
        let kinds: Vec<EventKind> = rules.iter().filter_map(|rule| rule.subject.kind.clone()).collect();
        let kinds = tx.kind_ids(&kinds)?;
        let users: Vec<UserId> = holds.iter().filter_map(|hold| hold.about.user_id.clone()).collect();
        let users = tx.user_ordinals(&users)?;
        let mut cutoffs = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            // A type without a number has no events.
            let kind = match &rule.subject.kind {
                Some(kind) => kinds.get(kind).copied().map(Some),
                None => Some(None),
            };
            if let (Some(cutoff), Some(kind)) = (rule.cutoff(now), kind) {
                cutoffs.insert((rule.subject.tenant_id, kind), (index, cutoff));
            }
        }
        let (mut held_tenants, mut held_users) = (HashMap::new(), HashMap::<u32, Vec<_>>::new());
        for (index, hold) in holds.iter().enumerate() {
            match (hold.about.tenant_id, &hold.about.user_id) {
                (Some(tenant), None) => drop(held_tenants.entry(tenant).or_insert(index)),
                (tenant, Some(user)) => {
                    if let Some(ordinal) = users.get(user) {
                        held_users.entry(*ordinal).or_default().push((tenant, index));
                    }
                }
                (None, None) => {}
            }
        }
        Ok(Self { rules, holds, cutoffs, held_tenants, held_users })
    }

    /// Whether a rule keeps anything at all: otherwise nothing is removed.
    pub fn has_rules(&self) -> bool {
        !self.cutoffs.is_empty()
    }

    /// What becomes of an event.
    pub fn of(&self, event: &IndexedEvent) -> Verdict {
        let Some((rule, cutoff)) =
            subjects_of(event.tenant_id, &event.kind).find_map(|subject| self.cutoffs.get(&subject))
        else {
            return Verdict::Kept;
        };
        if event.occurred_at >= *cutoff {
            return Verdict::Kept;
        }
        self.hold_of(event).map_or(Verdict::Removed(*rule), Verdict::OnHold)
    }

    /// The index of a hold that keeps an event.
    fn hold_of(&self, event: &IndexedEvent) -> Option<usize> {
        let of_tenant = self.held_tenants.get(&event.tenant_id).copied();
        of_tenant.or_else(|| {
            let of_user = self.held_users.get(&event.user?)?;
            let hold = of_user.iter().find(|(tenant, _)| tenant.is_none_or(|tenant| tenant == event.tenant_id));
            hold.map(|(_, hold)| *hold)
        })
    }

    /// The time before which the rule with this index removes events.
    pub fn cutoff(&self, rule: usize) -> Option<Timestamp> {
        self.cutoffs.values().find(|(index, _)| *index == rule).map(|(_, cutoff)| *cutoff)
    }
}
