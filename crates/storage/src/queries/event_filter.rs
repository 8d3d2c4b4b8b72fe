//! The conditions of a question about events, with their names replaced by the numbers that rows have.

use std::borrow::Cow;
use std::collections::BTreeSet;

use trailkeeper_domain::Result;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::event::{EventFilter, LOGIN_FAIL, LOGIN_SUCCESS, READS, Values};
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;

use super::Tx;
use super::event_names::OTHER;
use super::names::{Dictionary, NO_NUMBER};
use crate::columns::{Address, DbTenant};

/// The largest number of types for which a list is merged from one list per type. A list of more types reads the index
/// of times and filters.
const MERGED_KINDS: usize = 16;

/// A filter whose names are replaced by their numbers. A name without a number has one that no row has.
#[derive(Debug, Clone)]
pub struct ResolvedFilter<'a> {
    /// The filter. Its range is not used: see `from` and `until` below.
    pub filter: &'a EventFilter,
    /// The buckets that have the events.
    pub buckets: Vec<Bucket>,
    /// The only tenant.
    pub tenant: Option<DbTenant>,
    /// The tenant whose events are left out.
    pub without_tenant: Option<DbTenant>,
    /// Whether the only tenant may not be seen: then no event matches.
    pub sees_nothing: bool,
    /// The system tenant and the types of its events that are left out.
    pub without_reads: Option<(DbTenant, Vec<i32>)>,
    /// The numbers of the users.
    pub users: Values<i32>,
    /// The numbers of the types.
    pub kinds: Values<i32>,
    /// The sources.
    pub sources: Values<Source>,
    /// The numbers of the pages.
    pub pages: Values<i32>,
    /// The keys of the pages: they find the events that count as `(other)`.
    pub page_keys: Values<Cow<'a, str>>,
    /// The number of the type of logins.
    pub login_success: i32,
    /// The number of the type of failed logins.
    pub login_fail: i32,
    /// Only events at or after this time.
    pub from: Option<Timestamp>,
    /// Only events before this time.
    pub until: Option<Timestamp>,
}

/// An address or a network.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// The number of an address.
    One(i32),
    /// The first and the last address of a network.
    Network(Address, Address),
}

/// The condition whose index a statement uses: that which matches the fewest events. Each index returns events in the
/// order of lists. The variants are ordered by the number of events that their conditions may match, fewest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Sessions of the application.
    Session,
    /// Users.
    User,
    /// Single addresses.
    Address,
    /// Pages.
    Page,
    /// The one tenant.
    Tenant,
    /// Types.
    Kind,
    /// Times.
    Time,
}

/// The part of a question that one statement answers. The parts of a question have no event in common. A statement reads
/// the events of a part in the order of an index, while one of several values would sort all matching events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'f> {
    /// The events of this session.
    Session(&'f str),
    /// The events of this user.
    User(i32),
    /// The events from this address.
    Address(i32),
    /// The events that have the number of this page.
    Page(i32),
    /// The events that have the key of one of the pages, and count as `(other)`.
    OtherPages,
    /// The events of this type.
    Kind(i32),
    /// All events.
    Whole,
}

impl ResolvedFilter<'_> {
    /// The condition whose index answers the question.
    pub fn dimension(&self) -> Dimension {
        let sources = &self.sources.any_of;
        let by_address = !sources.is_empty() && sources.iter().all(|source| matches!(source, Source::One(_)));
        [
            (!self.filter.session_id.any_of.is_empty(), Dimension::Session),
            (!self.users.any_of.is_empty(), Dimension::User),
            (by_address, Dimension::Address),
            (!self.pages.any_of.is_empty(), Dimension::Page),
            (self.tenant.is_some(), Dimension::Tenant),
            (!self.kinds.any_of.is_empty(), Dimension::Kind),
        ]
        .into_iter()
        .find_map(|(present, dimension)| present.then_some(dimension))
        .unwrap_or(Dimension::Time)
    }

    /// The parts whose lists are merged into the list. How many there are depends only on the number of values in the
    /// filter.
    pub fn parts(&self) -> Vec<Part<'_>> {
        match self.dimension() {
            Dimension::Session => {
                let sessions: BTreeSet<&str> = self.filter.session_id.any_of.iter().map(String::as_str).collect();
                sessions.into_iter().map(Part::Session).collect()
            }
            Dimension::User => self.users.any_of.iter().copied().map(Part::User).collect(),
            Dimension::Address => {
                let numbers = self.sources.any_of.iter().filter_map(|source| match source {
                    Source::One(number) => Some(*number),
                    Source::Network(..) => None,
                });
                numbers.collect::<BTreeSet<_>>().into_iter().map(Part::Address).collect()
            }
            Dimension::Page => self.pages.any_of.iter().copied().map(Part::Page).chain([Part::OtherPages]).collect(),
            Dimension::Kind if self.kinds.any_of.len() <= MERGED_KINDS => {
                self.kinds.any_of.iter().copied().map(Part::Kind).collect()
            }
            Dimension::Kind | Dimension::Tenant | Dimension::Time => vec![Part::Whole],
        }
    }
}

impl Tx<'_> {
    /// Looks up the names of the filter.
    ///
    /// The statements that it runs depend on the fields that have conditions and not on the names, so that the time of an
    /// answer does not show which names other tenants use.
    pub(super) fn resolve<'a>(&mut self, filter: &'a EventFilter) -> Result<ResolvedFilter<'a>> {
        let visibility = filter.visibility;
        let tenant = visibility.tenant().map(|tenant| self.asked_tenant(tenant)).transpose()?;
        let without_system = tenant.is_none() && !visibility.sees(TenantId::SYSTEM);
        let without_tenant = if without_system { Some(self.tenant_key_assigned(TenantId::SYSTEM)?) } else { None };
        let without_reads = if filter.without_reads { self.reads()? } else { None };
        let users = self.numbers_of(Dictionary::Users, &filter.user_id, UserId::as_str)?;
        let kinds = self.numbers_of(Dictionary::Kinds, &filter.kind, |kind| kind.as_str())?;
        let sources = self.sources_of(filter)?;
        let (pages, page_keys) = self.pages_of(filter)?;
        let kind = |tx: &mut Self, name: &str| tx.number_of(Dictionary::Kinds, name).map(|id| id.unwrap_or(NO_NUMBER));
        let (login_success, login_fail) = (kind(self, LOGIN_SUCCESS)?, kind(self, LOGIN_FAIL)?);
        Ok(ResolvedFilter {
            filter,
            buckets: self.buckets_of(Scope::of(visibility.tenant()))?,
            tenant,
            without_tenant,
            sees_nothing: visibility.tenant().is_some_and(|tenant| !visibility.sees(tenant)),
            without_reads,
            users,
            kinds,
            sources,
            pages,
            page_keys,
            login_success,
            login_fail,
            from: filter.from,
            until: filter.until,
        })
    }

    /// The system tenant and the types of the audit events of people's reads; `None` if there has been no such event.
    fn reads(&mut self) -> Result<Option<(DbTenant, Vec<i32>)>> {
        let mut kinds = Vec::new();
        for kind in READS {
            kinds.extend(self.number_of(Dictionary::Kinds, kind)?);
        }
        let system = self.tenant_key_assigned(TenantId::SYSTEM)?;
        Ok(Some((system, kinds)).filter(|(_, kinds)| !kinds.is_empty()))
    }

    /// The numbers of the values of one condition, by one statement.
    fn numbers_of<T>(
        &mut self,
        dictionary: Dictionary,
        values: &Values<T>,
        name: impl Fn(&T) -> &str,
    ) -> Result<Values<i32>> {
        let names: Vec<&str> = values.all().map(name).collect();
        Ok(split(&self.asked_numbers(dictionary, &names)?, values.any_of.len()))
    }

    fn sources_of(&mut self, filter: &EventFilter) -> Result<Values<Source>> {
        let addresses: Vec<String> = filter
            .source
            .all()
            .filter(|range| range.first == range.last)
            .map(|range| range.first.to_string())
            .collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let mut numbers = self.asked_numbers(Dictionary::Sources, &addresses)?.into_iter();
        let sources = filter.source.all().map(|range| {
            if range.first == range.last {
                Source::One(numbers.next().unwrap_or(NO_NUMBER))
            } else {
                Source::Network(Address(range.first), Address(range.last))
            }
        });
        let sources: Vec<Source> = sources.collect();
        let (any_of, none_of) = sources.split_at(filter.source.any_of.len().min(sources.len()));
        Ok(Values { any_of: any_of.to_vec(), none_of: none_of.to_vec() })
    }

    fn pages_of<'a>(&mut self, filter: &'a EventFilter) -> Result<(Values<i32>, Values<Cow<'a, str>>)> {
        if filter.page.is_empty() {
            return Ok((Values::default(), Values::default()));
        }
        let rule = self.complete_page_rule()?;
        let keys = |sent: &'a [String]| sent.iter().map(|sent| rule.key(sent)).collect();
        let keys = Values { any_of: keys(&filter.page.any_of), none_of: keys(&filter.page.none_of) };
        let mut numbers = self.numbers_of(Dictionary::Pages, &keys, AsRef::as_ref)?;
        // The page with this name itself counts as `(other)`, and is found by its key.
        for number in numbers.any_of.iter_mut().chain(&mut numbers.none_of).filter(|number| **number == OTHER) {
            *number = NO_NUMBER;
        }
        Ok((numbers, keys))
    }
}

/// The numbers of a condition, of which the first `wanted` are those of `any_of`; each once.
fn split(numbers: &[i32], wanted: usize) -> Values<i32> {
    let distinct = |numbers: &[i32]| numbers.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let (any_of, none_of) = numbers.split_at(wanted.min(numbers.len()));
    Values { any_of: distinct(any_of), none_of: distinct(none_of) }
}
