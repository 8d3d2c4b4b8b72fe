//! Makes sheets from events.

use std::collections::BTreeMap;

use trailkeeper_domain::fact::EventFact;

use super::cell::{Cell, CellKey, Facet};
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
    views: BTreeMap<u32, Draft>,
    active: BTreeMap<u32, Draft>,
    kinds: BTreeMap<u32, Draft>,
    all_views: Draft,
    active_all: Draft,
    userinfo: Draft,
    logins: LoginDrafts,
    failed_logins: LoginDrafts,
}

#[derive(Debug, Default)]
struct LoginDrafts {
    users: Draft,
    sources: Draft,
}

/// A cell under construction: its ids are neither sorted nor distinct.
#[derive(Debug, Default)]
struct Draft {
    count: u64,
    ids: Vec<u32>,
}

impl Draft {
    fn add(&mut self, id: Option<u32>) {
        self.count += 1;
        self.ids.extend(id);
    }
}

impl SheetBuilder {
    /// An empty builder. For everyone, active users are not counted by environment, because environments are numbered
    /// per tenant.
    pub fn new(scope: ScopeKind) -> Self {
        Self {
            scope,
            views: BTreeMap::new(),
            active: BTreeMap::new(),
            kinds: BTreeMap::new(),
            all_views: Draft::default(),
            active_all: Draft::default(),
            userinfo: Draft::default(),
            logins: LoginDrafts::default(),
            failed_logins: LoginDrafts::default(),
        }
    }

    /// Counts one event.
    pub fn add(&mut self, fact: &Fact) {
        self.kinds.entry(fact.kind).or_default().add(fact.user);
        if let Some(page) = fact.page {
            self.views.entry(page).or_default().add(fact.user);
            self.all_views.add(fact.user);
        }
        if fact.user.is_some() && !fact.failed {
            self.active_all.add(fact.user);
            if self.scope == ScopeKind::Tenant {
                self.active.entry(fact.env).or_default().add(fact.user);
            }
        }
        if fact.userinfo {
            self.userinfo.add(fact.user);
        }
        if let Some(success) = fact.login {
            let logins = if success { &mut self.logins } else { &mut self.failed_logins };
            logins.users.add(fact.user);
            logins.sources.add(fact.source);
        }
    }

    /// The sheet of all added facts.
    pub fn finish(self) -> Sheet {
        let many = [(Facet::Views, self.views), (Facet::Active, self.active), (Facet::Kind, self.kinds)];
        let single = [
            (Facet::AllViews, self.all_views),
            (Facet::ActiveAll, self.active_all),
            (Facet::Userinfo, self.userinfo),
            (Facet::Logins, self.logins.users),
            (Facet::FailedLogins, self.failed_logins.users),
            (Facet::LoginSources, self.logins.sources),
            (Facet::FailedLoginSources, self.failed_logins.sources),
        ];
        let many = many.into_iter().flat_map(|(facet, drafts)| {
            drafts.into_iter().map(move |(id, draft)| (CellKey::new(facet, u64::from(id)), draft))
        });
        let single = single.into_iter().map(|(facet, draft)| (CellKey::single(facet), draft));
        let cells = many.chain(single).filter(|(_, draft)| draft.count > 0);
        Sheet::of_cells(cells.map(|(key, draft)| (key, Cell { count: draft.count, set: IdSet::of(draft.ids) })))
    }
}
