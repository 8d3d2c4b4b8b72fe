//! A filter as a condition of the index.

use std::collections::BTreeSet;

use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::event::{EventFilter, Outcome, Values};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::scope::Scope;
use trailkeeper_postings::dimension::{Column, Dimension};
use trailkeeper_postings::outcome;
use trailkeeper_postings::query::{Condition, Query};

use super::super::Tx;
use super::super::event_filter::{ResolvedFilter, Source};
use super::super::event_names::OTHER;
use crate::columns::Address;
use crate::hash_key::{self, HashKey};
use crate::schema::dict_sources;

/// The largest number of addresses of a network whose posting lists are united. Beyond it, the addresses of the events
/// that meet all other conditions are looked up among those of the network.
const UNITED_ADDRESSES: usize = 256;

/// A filter for the index.
pub struct Asked<'f> {
    /// The scope that has the events.
    pub scope: Scope,
    /// The filter with the numbers of its names.
    pub resolved: ResolvedFilter<'f>,
    condition: Condition,
}

impl Asked<'_> {
    /// Whether texts of rows decide about some events, because their lists are of hashes.
    pub fn has_hashes(&self) -> bool {
        self.condition.has_hashes()
    }

    /// The events that may match.
    pub fn possible(&self) -> Query {
        self.query(self.condition.possible())
    }

    /// The events that match whatever their texts are.
    pub fn certain(&self) -> Query {
        self.query(self.condition.certain())
    }

    /// The events whose texts decide.
    pub fn undecided(&self) -> Query {
        self.query(self.condition.undecided())
    }

    fn query(&self, condition: Condition) -> Query {
        Query { condition, from: self.resolved.from, until: self.resolved.until }
    }
}

impl Tx<'_> {
    /// The condition of a filter. The statements that it runs depend on the fields that have conditions and not on the
    /// names. A name without a number has one that no list has.
    pub(super) fn asked<'f>(&mut self, filter: &'f EventFilter) -> Result<Asked<'f>> {
        let resolved = self.resolve(filter)?;
        let hash_key = self.hash_key()?;
        let tenant = filter.visibility.tenant();
        let scope = match tenant {
            // The system tenant has no runs of its own.
            None | Some(TenantId::SYSTEM) => Scope::Everyone,
            Some(tenant) => Scope::Tenant(tenant),
        };
        let mut all = Vec::new();
        if resolved.sees_nothing {
            all.push(Condition::nothing());
        }
        if tenant == Some(TenantId::SYSTEM) {
            all.push(system());
        } else if resolved.without_tenant.is_some() {
            all.push(Condition::negated(system()));
        }
        if let (Scope::Everyone, Some((_, reads))) = (scope, &resolved.without_reads) {
            all.push(Condition::negated(Condition::All(vec![system(), numbers(Dimension::Kind, reads)])));
        }
        on(&mut all, &filter.env_id, |envs| Condition::Any(Dimension::Env, envs.iter().map(|env| env.0).collect()));
        on(&mut all, &filter.outcome, |some| {
            Condition::Any(Dimension::Outcome, some.iter().map(|one| outcome::code(*one).into()).collect())
        });
        on(&mut all, &resolved.users, |users| numbers(Dimension::User, users));
        on(&mut all, &resolved.kinds, |kinds| numbers(Dimension::Kind, kinds));
        if let Some(failed) = filter.failed {
            let did_fail = did_fail(&resolved);
            all.push(if failed { did_fail } else { Condition::negated(did_fail) });
        }
        for (dimension, domain, texts) in [
            (Dimension::Session, hash_key::SESSION, &filter.session_id),
            (Dimension::TargetType, hash_key::TARGET_TYPE, &filter.target_type),
            (Dimension::TargetId, hash_key::TARGET_ID, &filter.target_id),
        ] {
            on(&mut all, texts, |texts| hashes(dimension, &hash_key, domain, texts));
        }
        all.extend(pages(&resolved, &hash_key));
        let sources = &resolved.sources;
        if !sources.any_of.is_empty() {
            let any_of = self.addresses(&sources.any_of)?;
            all.push(any_of);
        }
        if !sources.none_of.is_empty() {
            let none_of = self.addresses(&sources.none_of)?;
            all.push(Condition::negated(none_of));
        }
        Ok(Asked { scope, resolved, condition: Condition::All(all) })
    }

    /// The condition that the source is one of these, or lies in one of these networks.
    fn addresses(&mut self, sources: &[Source]) -> Result<Condition> {
        let mut inside = BTreeSet::new();
        for source in sources {
            match source {
                Source::One(number) => {
                    inside.insert(number.cast_unsigned());
                }
                Source::Network(first, last) => inside.extend(self.network(*first, *last)?),
            }
        }
        Ok(if inside.len() <= UNITED_ADDRESSES {
            Condition::Any(Dimension::Source, inside.into_iter().collect())
        } else {
            Condition::InColumn(Column::Source, inside.into_iter().collect())
        })
    }

    /// The numbers of the known addresses of a network.
    fn network(&mut self, first: Address, last: Address) -> Result<impl Iterator<Item = u32> + use<>> {
        let inside = dict_sources::table.filter(dict_sources::address.between(first, last)).select(dict_sources::id);
        let numbers: Vec<i32> = self.run("dict_sources", |conn| inside.load(conn))?;
        Ok(numbers.into_iter().map(i32::cast_unsigned))
    }
}

/// The event is of the system tenant.
pub fn system() -> Condition {
    Condition::is(Dimension::System, 1)
}

/// The event has one of these numbers. Numbers that no name has are negative or 0, and in no list.
pub fn numbers(dimension: Dimension, numbers: &[i32]) -> Condition {
    Condition::Any(dimension, numbers.iter().map(|number| number.cast_unsigned()).collect())
}

fn hashes(dimension: Dimension, key: &HashKey, domain: u8, texts: &[impl AsRef<str>]) -> Condition {
    Condition::Any(dimension, texts.iter().map(|text| key.hash32(domain, text.as_ref().as_bytes())).collect())
}

/// Adds the conditions of a field.
fn on<T>(all: &mut Vec<Condition>, values: &Values<T>, condition: impl Fn(&[T]) -> Condition) {
    if !values.any_of.is_empty() {
        all.push(condition(&values.any_of));
    }
    if !values.none_of.is_empty() {
        all.push(Condition::negated(condition(&values.none_of)));
    }
}

/// A login fails or succeeds by its type, any other event by its outcome: see `EventKind::failed`.
fn did_fail(resolved: &ResolvedFilter<'_>) -> Condition {
    let kind = |kind| numbers(Dimension::Kind, &[kind]);
    Condition::Or(vec![
        kind(resolved.login_fail),
        Condition::All(vec![
            Condition::is(Dimension::Outcome, outcome::code(Outcome::Failure).into()),
            Condition::negated(kind(resolved.login_success)),
        ]),
    ])
}

/// The pages by their numbers; those that count as `(other)` by the hashes of their keys.
fn pages<'r>(resolved: &'r ResolvedFilter<'_>, key: &HashKey) -> impl Iterator<Item = Condition> + use<'r> {
    let hash = *key;
    let of = move |pages: &[i32], keys: &[std::borrow::Cow<'_, str>]| {
        let among_others =
            vec![numbers(Dimension::Page, &[OTHER]), hashes(Dimension::OtherPage, &hash, hash_key::PAGE_KEY, keys)];
        Condition::Or(vec![numbers(Dimension::Page, pages), Condition::All(among_others)])
    };
    let (pages, keys) = (&resolved.pages, &resolved.page_keys);
    let any_of = (!pages.any_of.is_empty()).then(|| of(&pages.any_of, &keys.any_of));
    let none_of = (!pages.none_of.is_empty()).then(|| Condition::negated(of(&pages.none_of, &keys.none_of)));
    any_of.into_iter().chain(none_of)
}
