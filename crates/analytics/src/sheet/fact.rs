//! Makes sheets from events.

use std::collections::HashMap;

use trailkeeper_domain::fact::{self, EventFact};
use trailkeeper_postings::delta::Counted;

use super::cell::{Cell, CellKey, Facet};
use super::hash::SeededHash;
use super::set::IdSet;
use super::{ScopeKind, Sheet};

/// The properties of one event that sheets count. Ordinals and ids come from the dictionaries of the store.
///
/// An event of the system tenant must never become a fact: operators are not customers. A fact does not contain its
/// tenant, so this cannot be checked here: the maker of facts leaves those events out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// The id of the page's key; `None` without a page.
    pub page: Option<u32>,
    /// The environment.
    pub env: u32,
    /// The id of the event's type.
    pub kind: u32,
    /// Whether the type is `userinfo`.
    pub userinfo: bool,
    /// For a login, whether it succeeded; `None` for any other event.
    pub login: Option<bool>,
    /// Whether the event failed (`EventKind::failed`).
    pub failed: bool,
    /// The user's ordinal; `None` without a user.
    pub user: Option<u32>,
    /// The source address's ordinal; `None` without a source.
    pub source: Option<u32>,
}

impl From<&EventFact> for Fact {
    fn from(fact: &EventFact) -> Self {
        Self {
            page: fact.page,
            env: fact.env.0,
            kind: fact.kind,
            userinfo: fact.userinfo(),
            login: fact.login(),
            failed: fact.failed(),
            user: fact.user,
            source: fact.source,
        }
    }
}

impl From<&Counted> for Fact {
    fn from(counted: &Counted) -> Self {
        Self {
            page: counted.page,
            env: counted.env.0,
            kind: counted.kind,
            userinfo: fact::userinfo(counted.kind),
            login: fact::login(counted.kind),
            failed: fact::failed(counted.kind, counted.outcome),
            user: counted.user,
            source: counted.source,
        }
    }
}

impl Fact {
    /// The cell of a facet in which the event counts, and the user or source that becomes a member of its set; `None` if
    /// it does not count in this facet. An event counts in at most one cell of a facet.
    #[inline]
    pub(super) fn cell(&self, facet: Facet, scope: ScopeKind) -> Option<(u64, Option<u32>)> {
        let is_active = self.user.is_some() && !self.failed;
        match facet {
            Facet::Views => self.page.map(|page| (u64::from(page), self.user)),
            Facet::AllViews => self.page.map(|_| (0, self.user)),
            Facet::Active => (is_active && scope == ScopeKind::Tenant).then_some((u64::from(self.env), self.user)),
            Facet::ActiveAll => is_active.then_some((0, self.user)),
            Facet::Kind => Some((u64::from(self.kind), self.user)),
            Facet::Userinfo => self.userinfo.then_some((0, self.user)),
            Facet::Logins => (self.login == Some(true)).then_some((0, self.user)),
            Facet::FailedLogins => (self.login == Some(false)).then_some((0, self.user)),
            Facet::LoginSources => (self.login == Some(true)).then_some((0, self.source)),
            Facet::FailedLoginSources => (self.login == Some(false)).then_some((0, self.source)),
        }
    }
}

impl Sheet {
    /// The sheet of these events, which must not include events of the system tenant (see [`Fact`]).
    pub fn of<'a>(scope: ScopeKind, facts: impl IntoIterator<Item = &'a Fact>) -> Self {
        let mut builder = SheetBuilder::new(scope);
        for fact in facts {
            builder.add(fact);
        }
        builder.finish()
    }
}

/// Collects facts of one scope, in any order.
#[derive(Debug)]
pub struct SheetBuilder {
    scope: ScopeKind,
    /// The cells of each facet, in the order of [`Facet::ALL`].
    facets: [HashMap<u64, Draft, SeededHash>; Facet::ALL.len()],
}

/// A cell under construction: its ids are neither sorted nor distinct.
#[derive(Debug, Default)]
struct Draft {
    count: u64,
    ids: Vec<u32>,
}

impl SheetBuilder {
    /// An empty builder. For everyone, active users are not counted by environment, because environments are numbered
    /// per tenant.
    pub fn new(scope: ScopeKind) -> Self {
        Self { scope, facets: Default::default() }
    }

    /// Counts one event.
    pub fn add(&mut self, fact: &Fact) {
        for (facet, drafts) in Facet::ALL.into_iter().zip(&mut self.facets) {
            if let Some((id, member)) = fact.cell(facet, self.scope) {
                let draft = drafts.entry(id).or_default();
                draft.count += 1;
                draft.ids.extend(member);
            }
        }
    }

    /// The sheet of all added facts.
    pub fn finish(self) -> Sheet {
        let facets = Facet::ALL.into_iter().zip(self.facets);
        Sheet::of_cells(facets.flat_map(|(facet, drafts)| {
            drafts.into_iter().map(move |(id, draft)| {
                (CellKey::new(facet, id), Cell { count: draft.count, set: IdSet::of(draft.ids) })
            })
        }))
    }
}
