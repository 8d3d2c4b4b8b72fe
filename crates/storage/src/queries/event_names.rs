//! The numbers of the names of a batch. Events are stored with these numbers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;
use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::fact::OTHER_PAGE;
use trailkeeper_domain::id::{TenantId, UserId};

use super::missing_references::{MissingReferences, NewPage};
use super::names::Dictionary;
use super::{Tx, dialect};
use crate::columns::{DbDay, DbTenant};
use crate::rows::EventRefs;
use crate::schema::new_pages;

/// [`OTHER_PAGE`] as the type that the databases use.
pub(super) const OTHER: i32 = OTHER_PAGE.cast_signed();

/// The key of the page of an event that is to be stored, if it has one.
pub(super) type PageKey<'a> = Option<Cow<'a, str>>;

impl Tx<'_> {
    /// The numbers of the names of each event, whose pages have these keys.
    ///
    /// The number of a page beyond the quota of its tenant and day of receipt is [`OTHER`].
    pub(super) fn refs_of(&mut self, events: &[Event], keys: &[PageKey<'_>]) -> Result<Vec<EventRefs>> {
        let mut refs: Vec<EventRefs> = vec![EventRefs::default(); events.len()];
        let mut uncached = Uncached::default();
        let shared = self.shared;
        for ((event, key), refs) in events.iter().zip(keys).zip(&mut refs) {
            fill(refs, event, key.as_deref(), &mut |dictionary, name| {
                let known = self.new_names.id(dictionary, name).or_else(|| shared.names.id(dictionary, name));
                if known.is_none() {
                    uncached.add(dictionary, name);
                }
                known
            });
        }
        if uncached.names.is_empty() {
            return Ok(refs);
        }
        let mut stored: HashMap<Dictionary, HashMap<Arc<str>, i32>> = HashMap::new();
        for (dictionary, names) in &uncached.names {
            stored.insert(*dictionary, self.stored_numbers(*dictionary, names)?);
        }
        let mut missing = uncached.without(&stored, events, keys, &refs);
        self.drop_pages_over_quota(&mut missing)?;
        if !missing.is_empty() {
            self.provide_or_stop(missing)?;
        }
        for ((event, key), refs) in events.iter().zip(keys).zip(&mut refs) {
            fill(refs, event, key.as_deref(), &mut |dictionary, name| {
                stored
                    .get(&dictionary)
                    .and_then(|known| known.get(name).copied())
                    .or_else(|| self.new_names.id(dictionary, name))
            });
            if event.page.is_some() {
                refs.page.get_or_insert(OTHER);
            }
        }
        Ok(refs)
    }

    /// Gives numbers to these pages, none of which has one, as far as the quotas of their tenants allow.
    pub(super) fn provide_pages(&mut self, pages: Vec<NewPage>) -> Result<()> {
        let mut missing = MissingReferences { pages, ..MissingReferences::default() };
        self.drop_pages_over_quota(&mut missing)?;
        if missing.is_empty() { Ok(()) } else { self.provide_or_stop(missing) }
    }

    /// Provides missing references, in a transaction of their own where the database wants that: then this one stops and
    /// runs again.
    fn provide_or_stop(&mut self, missing: MissingReferences) -> Result<()> {
        if dialect::NUMBERS_IN_PLACE {
            return self.provide(&missing);
        }
        let error = missing.to_error();
        self.missing = missing;
        Err(error)
    }

    /// Adds missing names to their dictionaries. The lock keeps other transactions from doing so meanwhile.
    pub fn provide(&mut self, missing: &MissingReferences) -> Result<()> {
        self.run("dictionaries lock", dialect::lock_names)?;
        for (dictionary, names) in &missing.names {
            let names = self.still_unknown(*dictionary, names.clone())?;
            self.number_names(*dictionary, &names)?;
        }
        if missing.pages.is_empty() {
            return Ok(());
        }
        let mut seen = HashSet::new();
        let keys = missing.pages.iter().map(|page| &page.key).filter(|key| seen.insert(Arc::clone(key)));
        let keys = keys.map(Arc::clone).collect();
        let mut unknown: HashSet<Arc<str>> = self.still_unknown(Dictionary::Pages, keys)?.into_iter().collect();
        let mut counts = self.new_page_counts(&missing.pages)?;
        let mut granted = Vec::new();
        let mut changed = BTreeSet::new();
        for page in &missing.pages {
            let pages = counts.entry((page.tenant, page.day)).or_default();
            if unknown.contains(&page.key) && *pages < self.shared.new_pages_per_day {
                *pages += 1;
                changed.insert((page.tenant, page.day));
                unknown.remove(&page.key);
                granted.push(Arc::clone(&page.key));
            }
        }
        self.number_names(Dictionary::Pages, &granted)?;
        for (tenant, day) in changed {
            let pages = counts.get(&(tenant, day)).copied().unwrap_or_default();
            self.put_new_page_count(tenant, day, pages)?;
        }
        Ok(())
    }

    /// Removes names that another writer has numbered since this transaction looked them up. On SQLite there is no
    /// other writer.
    fn still_unknown(&mut self, dictionary: Dictionary, mut names: Vec<Arc<str>>) -> Result<Vec<Arc<str>>> {
        if !dialect::NUMBERS_IN_PLACE {
            let known = self.stored_numbers(dictionary, &names)?;
            names.retain(|name| !known.contains_key(name));
        }
        Ok(names)
    }

    /// Removes the pages of tenants whose quota is used up. Without this, each batch of such a tenant would run twice in
    /// vain. The count never decreases, so a quota that is used up now stays so.
    fn drop_pages_over_quota(&mut self, missing: &mut MissingReferences) -> Result<()> {
        if missing.pages.is_empty() {
            return Ok(());
        }
        let counts = self.new_page_counts(&missing.pages)?;
        let most = self.shared.new_pages_per_day;
        missing.pages.retain(|page| counts.get(&(page.tenant, page.day)).copied().unwrap_or_default() < most);
        Ok(())
    }

    fn new_page_counts(&mut self, pages: &[NewPage]) -> Result<HashMap<(TenantId, NaiveDate), u32>> {
        let wanted: BTreeSet<TenantId> = pages.iter().map(|page| page.tenant).collect();
        let days: BTreeSet<NaiveDate> = pages.iter().map(|page| page.day).collect();
        let days: Vec<DbDay> = days.into_iter().map(DbDay).collect();
        let mut tenants: HashMap<DbTenant, TenantId> = HashMap::new();
        for tenant in wanted {
            // A tenant without a number has added no page yet.
            if let Some(key) = self.tenant_key(tenant)? {
                tenants.insert(key, tenant);
            }
        }
        let keys: Vec<DbTenant> = tenants.keys().copied().collect();
        let mut counts = HashMap::new();
        for some in keys.chunks(dialect::NAMES_AT_ONCE) {
            for days in days.chunks(dialect::NAMES_AT_ONCE) {
                let query = new_pages::table
                    .filter(new_pages::tenant_id.eq_any(some))
                    .filter(new_pages::day.eq_any(days))
                    .select((new_pages::tenant_id, new_pages::day, new_pages::pages));
                let rows: Vec<(DbTenant, DbDay, i32)> = self.run("new_pages", |conn| query.load(conn))?;
                counts.extend(rows.into_iter().filter_map(|(tenant, DbDay(day), pages)| {
                    Some(((*tenants.get(&tenant)?, day), u32::try_from(pages).unwrap_or_default()))
                }));
            }
        }
        Ok(counts)
    }

    fn put_new_page_count(&mut self, tenant: TenantId, day: NaiveDate, pages: u32) -> Result<()> {
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

/// Names that are not in the cache, each once, in the order of the events.
#[derive(Default)]
struct Uncached {
    names: BTreeMap<Dictionary, Vec<Arc<str>>>,
    seen: HashSet<(Dictionary, Arc<str>)>,
}

impl Uncached {
    fn add(&mut self, dictionary: Dictionary, name: &str) {
        let name: Arc<str> = Arc::from(name);
        if self.seen.insert((dictionary, Arc::clone(&name))) {
            self.names.entry(dictionary).or_default().push(name);
        }
    }

    /// The references that are not in the database either.
    fn without(
        self,
        stored: &HashMap<Dictionary, HashMap<Arc<str>, i32>>,
        events: &[Event],
        keys: &[PageKey<'_>],
        refs: &[EventRefs],
    ) -> MissingReferences {
        let known =
            |dictionary: Dictionary, name: &str| stored.get(&dictionary).is_some_and(|known| known.contains_key(name));
        let mut missing = MissingReferences::default();
        for (dictionary, mut names) in self.names {
            names.retain(|name| !known(dictionary, name));
            if dictionary != Dictionary::Pages && !names.is_empty() {
                missing.names.insert(dictionary, names);
            }
        }
        let mut seen = HashSet::new();
        for ((event, key), _) in events.iter().zip(keys).zip(refs).filter(|(_, refs)| refs.page.is_none()) {
            let Some(key) = key.as_deref().filter(|key| !known(Dictionary::Pages, key)) else { continue };
            let page = NewPage { tenant: event.tenant_id, day: event.received_at.date_naive(), key: Arc::from(key) };
            if seen.insert(page.clone()) {
                missing.pages.push(page);
            }
        }
        missing
    }
}

/// Calls `number` for each name of the event whose number is not known yet.
fn fill(
    refs: &mut EventRefs,
    event: &Event,
    page_key: Option<&str>,
    number: &mut dyn FnMut(Dictionary, &str) -> Option<i32>,
) {
    let mut ask = |at: &mut Option<i32>, dictionary: Dictionary, name: Option<&str>| {
        if let (None, Some(name)) = (&at, name) {
            *at = number(dictionary, name);
        }
    };
    if refs.tenant.is_none() {
        refs.tenant = dialect::key_without_number(event.tenant_id);
    }
    if refs.tenant.is_none() {
        let mut key = None;
        let mut text = uuid::Uuid::encode_buffer();
        ask(&mut key, Dictionary::Tenants, Some(event.tenant_id.0.hyphenated().encode_lower(&mut text)));
        refs.tenant = key.map(|number| DbTenant::Number(number.into()));
    }
    ask(&mut refs.user, Dictionary::Users, event.user_id.as_ref().map(UserId::as_str));
    ask(&mut refs.user_name, Dictionary::UserNames, event.user_name.as_deref());
    ask(&mut refs.kind, Dictionary::Kinds, Some(event.kind.as_str()));
    if refs.source.is_none()
        && let Some(source) = event.source
    {
        ask(&mut refs.source, Dictionary::Sources, Some(&source.to_string()));
    }
    ask(&mut refs.user_agent, Dictionary::UserAgents, event.user_agent.as_deref());
    ask(&mut refs.page, Dictionary::Pages, page_key);
}
