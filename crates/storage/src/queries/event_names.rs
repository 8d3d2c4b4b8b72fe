//! The numbers of a batch's names, before its events are stored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;
use diesel::prelude::*;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::fact::OTHER_PAGE;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::time;
use trailkeeper_domain::{Error, Result};

use super::names::Space;
use super::{Tx, dialect};
use crate::columns::{DbDay, DbTenant};
use crate::rows::EventRefs;
use crate::schema::new_pages;

/// [`OTHER_PAGE`] as the databases have it.
pub(super) const OTHER: i32 = OTHER_PAGE.cast_signed();

/// What must be there before a transaction can store its events.
#[derive(Debug, Default)]
pub struct MissingReferences {
    names: BTreeMap<Space, Vec<Arc<str>>>,
    pages: Vec<NewPage>,
    /// Months without a partition, by their first days.
    pub months: BTreeSet<NaiveDate>,
}

/// A page that no dictionary has, and who brought it when.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct NewPage {
    tenant: TenantId,
    day: NaiveDate,
    key: Arc<str>,
}

impl MissingReferences {
    /// Whether nothing is lacking.
    pub fn is_empty(&self) -> bool {
        self.months.is_empty() && !self.has_names()
    }

    fn has_names(&self) -> bool {
        !self.names.is_empty() || !self.pages.is_empty()
    }

    /// What a transaction that lacks it ends with. Callers do not see it: the transaction is run again.
    pub fn to_error(&self) -> Error {
        let names = self.names.values().map(Vec::len).sum::<usize>() + self.pages.len();
        let months = self.months.len();
        Error::unavailable(format!(
            "the transaction lacks numbers for {names} names and partitions for {months} months"
        ))
    }
}

impl Tx<'_> {
    /// The numbers of each event's names; all partitions that the events need are there as well.
    ///
    /// A page beyond what its tenant may bring on the day of its receipt is [`OTHER`].
    pub(super) fn refs_of(&mut self, events: &[Event]) -> Result<Vec<EventRefs>> {
        let mut refs: Vec<EventRefs> = vec![EventRefs::default(); events.len()];
        let mut missing = Missing::default();
        let shared = self.shared;
        for (event, refs) in events.iter().zip(&mut refs) {
            fill(refs, event, &mut |space, name| {
                let known = self.fresh.id(space, name).or_else(|| shared.names.id(space, name));
                if known.is_none() {
                    missing.add(space, name);
                }
                known
            });
        }
        let months = self.missing_months(events);
        if missing.names.is_empty() && months.is_empty() {
            return Ok(refs);
        }
        let mut late: HashMap<Space, HashMap<Arc<str>, i32>> = HashMap::new();
        for (space, names) in &missing.names {
            late.insert(*space, self.stored_numbers(*space, names)?);
        }
        let mut missing = missing.without(&late, events, &refs);
        missing.months = months;
        self.drop_unaffordable(&mut missing)?;
        if !missing.is_empty() {
            if !dialect::NUMBERS_IN_PLACE {
                let error = missing.to_error();
                self.missing = missing;
                return Err(error);
            }
            self.provide(&missing)?;
        }
        for (event, refs) in events.iter().zip(&mut refs) {
            fill(refs, event, &mut |space, name| {
                late.get(&space).and_then(|known| known.get(name).copied()).or_else(|| self.fresh.id(space, name))
            });
            if event.page.is_some() {
                refs.page.get_or_insert(OTHER);
            }
        }
        Ok(refs)
    }

    /// Makes what is lacking.
    pub fn provide(&mut self, missing: &MissingReferences) -> Result<()> {
        if missing.has_names() {
            self.provide_names(missing)?;
        }
        if !missing.months.is_empty() {
            self.run("events", |conn| dialect::make_partitions(conn, &missing.months))?;
            self.made.extend(&missing.months);
        }
        Ok(())
    }

    /// Gives numbers to what has none. Nobody else may do so meanwhile.
    fn provide_names(&mut self, missing: &MissingReferences) -> Result<()> {
        self.run("dictionaries lock", dialect::lock_names)?;
        for (space, names) in &missing.names {
            let names = self.still_unknown(*space, names.clone())?;
            self.number_names(*space, &names)?;
        }
        if missing.pages.is_empty() {
            return Ok(());
        }
        let mut seen = HashSet::new();
        let keys = missing.pages.iter().map(|page| &page.key).filter(|key| seen.insert(Arc::clone(key)));
        let keys = keys.map(Arc::clone).collect();
        let mut unknown: HashSet<Arc<str>> = self.still_unknown(Space::Pages, keys)?.into_iter().collect();
        let mut brought = self.pages_brought(&missing.pages)?;
        let mut granted = Vec::new();
        let mut changed = BTreeSet::new();
        for page in &missing.pages {
            let pages = brought.entry((page.tenant, page.day)).or_default();
            if unknown.contains(&page.key) && *pages < self.shared.new_pages_per_day {
                *pages += 1;
                changed.insert((page.tenant, page.day));
                unknown.remove(&page.key);
                granted.push(Arc::clone(&page.key));
            }
        }
        self.number_names(Space::Pages, &granted)?;
        for (tenant, day) in changed {
            let pages = brought.get(&(tenant, day)).copied().unwrap_or_default();
            self.put_pages_brought(tenant, day, pages)?;
        }
        Ok(())
    }

    fn missing_months(&self, events: &[Event]) -> BTreeSet<NaiveDate> {
        if !dialect::PARTITIONED {
            return BTreeSet::new();
        }
        let mut months: BTreeSet<NaiveDate> =
            events.iter().map(|event| time::month_of(event.occurred_at.date_naive())).collect();
        months.retain(|month| !self.shared.names.has_month(*month));
        months
    }

    /// Others may have numbered them since this transaction looked, where not every writer is alone.
    fn still_unknown(&mut self, space: Space, mut names: Vec<Arc<str>>) -> Result<Vec<Arc<str>>> {
        if !dialect::NUMBERS_IN_PLACE {
            let known = self.stored_numbers(space, &names)?;
            names.retain(|name| !known.contains_key(name));
        }
        Ok(names)
    }

    /// Leaves out the pages of those who brought all that they may: without this, each of their batches would be
    /// run twice for nothing. Their number never sinks, so what is seen here is true later.
    fn drop_unaffordable(&mut self, missing: &mut MissingReferences) -> Result<()> {
        if missing.pages.is_empty() {
            return Ok(());
        }
        let brought = self.pages_brought(&missing.pages)?;
        let most = self.shared.new_pages_per_day;
        missing.pages.retain(|page| brought.get(&(page.tenant, page.day)).copied().unwrap_or_default() < most);
        Ok(())
    }

    fn pages_brought(&mut self, pages: &[NewPage]) -> Result<HashMap<(TenantId, NaiveDate), u32>> {
        let wanted: BTreeSet<TenantId> = pages.iter().map(|page| page.tenant).collect();
        let days: BTreeSet<NaiveDate> = pages.iter().map(|page| page.day).collect();
        let days: Vec<DbDay> = days.into_iter().map(DbDay).collect();
        let mut tenants: HashMap<DbTenant, TenantId> = HashMap::new();
        for tenant in wanted {
            // One without a number has brought nothing yet.
            if let Some(key) = self.tenant_key(tenant)? {
                tenants.insert(key, tenant);
            }
        }
        let keys: Vec<DbTenant> = tenants.keys().copied().collect();
        let mut brought = HashMap::new();
        for some in keys.chunks(dialect::NAMES_AT_ONCE) {
            for days in days.chunks(dialect::NAMES_AT_ONCE) {
                let query = new_pages::table
                    .filter(new_pages::tenant_id.eq_any(some))
                    .filter(new_pages::day.eq_any(days))
                    .select((new_pages::tenant_id, new_pages::day, new_pages::pages));
                let rows: Vec<(DbTenant, DbDay, i32)> = self.run("new_pages", |conn| query.load(conn))?;
                brought.extend(rows.into_iter().filter_map(|(tenant, DbDay(day), pages)| {
                    Some(((*tenants.get(&tenant)?, day), u32::try_from(pages).unwrap_or_default()))
                }));
            }
        }
        Ok(brought)
    }

    fn put_pages_brought(&mut self, tenant: TenantId, day: NaiveDate, pages: u32) -> Result<()> {
        let tenant = self.tenant_key_assigned(tenant)?;
        let pages = i32::try_from(pages).unwrap_or(i32::MAX);
        self.run("new_pages", |conn| {
            diesel::insert_into(new_pages::table)
                .values((new_pages::tenant_id.eq(tenant), new_pages::day.eq(DbDay(day)), new_pages::pages.eq(pages)))
                .on_conflict((new_pages::tenant_id, new_pages::day))
                .do_update()
                .set(new_pages::pages.eq(pages))
                .execute(conn)
        })?;
        Ok(())
    }
}

/// Names that memory does not have, each once, in the order of the events.
#[derive(Default)]
struct Missing {
    names: BTreeMap<Space, Vec<Arc<str>>>,
    seen: HashSet<(Space, Arc<str>)>,
}

impl Missing {
    fn add(&mut self, space: Space, name: &str) {
        let name: Arc<str> = Arc::from(name);
        if self.seen.insert((space, Arc::clone(&name))) {
            self.names.entry(space).or_default().push(name);
        }
    }

    /// What the database does not have either.
    fn without(
        self,
        late: &HashMap<Space, HashMap<Arc<str>, i32>>,
        events: &[Event],
        refs: &[EventRefs],
    ) -> MissingReferences {
        let known = |space: Space, name: &str| late.get(&space).is_some_and(|known| known.contains_key(name));
        let mut missing = MissingReferences::default();
        for (space, mut names) in self.names {
            names.retain(|name| !known(space, name));
            if space != Space::Pages && !names.is_empty() {
                missing.names.insert(space, names);
            }
        }
        let mut seen = HashSet::new();
        for (event, _) in events.iter().zip(refs).filter(|(_, refs)| refs.page.is_none()) {
            let Some(page) = event.page.as_ref().filter(|page| !known(Space::Pages, &page.key)) else { continue };
            let page = NewPage {
                tenant: event.tenant_id,
                day: event.received_at.date_naive(),
                key: Arc::from(page.key.as_str()),
            };
            if seen.insert(page.clone()) {
                missing.pages.push(page);
            }
        }
        missing
    }
}

/// Asks for every number that an event's names do not have yet.
fn fill(refs: &mut EventRefs, event: &Event, number: &mut dyn FnMut(Space, &str) -> Option<i32>) {
    let mut ask = |at: &mut Option<i32>, space: Space, name: Option<&str>| {
        if let (None, Some(name)) = (&at, name) {
            *at = number(space, name);
        }
    };
    if refs.tenant.is_none() {
        refs.tenant = dialect::key_without_number(event.tenant_id);
    }
    if refs.tenant.is_none() {
        let mut key = None;
        let mut text = uuid::Uuid::encode_buffer();
        ask(&mut key, Space::Tenants, Some(event.tenant_id.0.hyphenated().encode_lower(&mut text)));
        refs.tenant = key.map(|number| DbTenant::Number(number.into()));
    }
    ask(&mut refs.user, Space::Users, event.user_id.as_ref().map(UserId::as_str));
    ask(&mut refs.user_name, Space::UserNames, event.user_name.as_deref());
    ask(&mut refs.kind, Space::Kinds, Some(event.kind.as_str()));
    if refs.source.is_none()
        && let Some(source) = event.source
    {
        ask(&mut refs.source, Space::Sources, Some(&source.to_string()));
    }
    ask(&mut refs.user_agent, Space::UserAgents, event.user_agent.as_deref());
    ask(&mut refs.page, Space::Pages, event.page.as_ref().map(|page| page.key.as_str()));
}
