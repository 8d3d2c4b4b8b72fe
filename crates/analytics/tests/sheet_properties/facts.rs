//! Random events, and their recount.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use trailkeeper_analytics::sheet::{CellKey, Facet, Fact, ScopeKind, Sheet};

pub(crate) fn scopes() -> impl Strategy<Value = ScopeKind> {
    prop_oneof![Just(ScopeKind::Everyone), Just(ScopeKind::Tenant)]
}

/// Single events of scattered users, and many events of adjacent users, which make sets dense.
pub(crate) fn histories() -> impl Strategy<Value = Vec<Fact>> {
    let crowd = (fact(), prop_oneof![Just(1_u32), 1_u32..40], prop_oneof![4 => Just(1_u32), 1 => 1_u32..700]);
    vec(crowd, 0..14).prop_map(|crowds| crowds.into_iter().flat_map(spread).collect())
}

fn spread((fact, step, len): (Fact, u32, u32)) -> impl Iterator<Item = Fact> {
    (0..len).map(move |at| Fact { user: fact.user.map(|user| user.saturating_add(at * step)), ..fact })
}

fn fact() -> impl Strategy<Value = Fact> {
    let ordinal = || prop_oneof![3 => 0_u32..60, 2 => 64_000_u32..67_000, 1 => any::<u32>()];
    let what = (option::of(0_u32..5), prop_oneof![0_u32..3, Just(u32::MAX)], 0_u32..4, any::<bool>(), any::<bool>());
    (what, option::of(any::<bool>()), option::weighted(0.9, ordinal()), option::of(ordinal())).prop_map(
        |((page, env, kind, userinfo, failed), login, user, source)| Fact {
            page,
            env,
            kind,
            userinfo,
            login,
            failed,
            user,
            source,
        },
    )
}

pub(crate) type Recount = BTreeMap<CellKey, (u64, BTreeSet<u32>)>;

/// Counts each facet separately.
pub(crate) fn recount(scope: ScopeKind, facts: &[Fact]) -> Recount {
    let mut cells = Recount::new();
    for facet in Facet::ALL {
        for fact in facts {
            let active = !fact.failed && fact.user.is_some();
            let id = match facet {
                Facet::Views => fact.page,
                Facet::AllViews => fact.page.map(|_| 0),
                Facet::Active => (active && scope == ScopeKind::Tenant).then_some(fact.env),
                Facet::ActiveAll => active.then_some(0),
                Facet::Kind => Some(fact.kind),
                Facet::Userinfo => fact.userinfo.then_some(0),
                Facet::Logins | Facet::LoginSources => (fact.login == Some(true)).then_some(0),
                Facet::FailedLogins | Facet::FailedLoginSources => (fact.login == Some(false)).then_some(0),
            };
            let sources = matches!(facet, Facet::LoginSources | Facet::FailedLoginSources);
            if let Some(id) = id {
                let cell = cells.entry(CellKey::new(facet, u64::from(id))).or_default();
                cell.0 += 1;
                cell.1.extend(if sources { fact.source } else { fact.user });
            }
        }
    }
    cells
}

/// A sheet as plain maps and sets.
pub(crate) fn plain(sheet: &Sheet) -> Recount {
    sheet.cells().map(|(key, cell)| (key, (cell.count, cell.set.as_slice().iter().copied().collect()))).collect()
}
