//! The right answers, recounted from the list of accepted events with plain sets.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
use trailkeeper_analytics::question::active_users::tenants::ActiveUsersQuestion;
use trailkeeper_analytics::question::behavior::DailyBehavior;
use trailkeeper_analytics::question::metrics::{DailyMetric, MetricsQuestion};
use trailkeeper_analytics::question::page_statistics::{PageStatistics, PageTotals, PageUse, Views};
use trailkeeper_analytics::question::ranking::Named;
use trailkeeper_analytics::question::userinfo::{DailyUserinfo, UserinfoQuestion};
use trailkeeper_domain::activity::{ActiveUsers, Behavior, Period};
use trailkeeper_domain::creation::{Creation, CreationKind};
use trailkeeper_domain::event::{Event, LOGIN_FAIL, LOGIN_SUCCESS, Outcome, PAGE_LOAD, USERINFO};
use trailkeeper_domain::id::{CreationId, EnvId, EventId, TenantId, UserId};
use trailkeeper_domain::page::PageRule;
use trailkeeper_domain::time::{TimeRange, Timestamp, month_of, next_day};

/// An event that is counted, and the page under which it is counted.
pub(crate) struct Counted {
    pub(crate) event: Event,
    pub(crate) page: Option<String>,
}

impl Counted {
    /// Defined again, independently: a login fails by its type, any other event by its outcome.
    pub(crate) fn failed(&self) -> bool {
        match self.event.kind.as_str() {
            LOGIN_FAIL => true,
            LOGIN_SUCCESS => false,
            _ => self.event.outcome == Outcome::Failure,
        }
    }

    pub(crate) fn at(&self) -> Timestamp {
        self.event.occurred_at
    }

    /// The user, if the event makes them active.
    pub(crate) fn active_user(&self) -> Option<&UserId> {
        self.event.user_id.as_ref().filter(|_| !self.failed())
    }
}

/// Everything that the server accepted.
#[derive(Default)]
pub(crate) struct Model {
    /// All events, those of the system tenant too, in the order of storage.
    all: Vec<Event>,
    events: Vec<Counted>,
    stored: HashSet<(TenantId, EventId)>,
    pages: HashSet<String>,
    new_pages: HashMap<(TenantId, NaiveDate), u32>,
    most_new_pages: u32,
    rule: PageRule,
    reported: BTreeMap<(PeriodName, NaiveDate, TenantId, EnvId), u64>,
    ledger: BTreeMap<(TenantId, CreationId), Creation>,
}

/// [`Period`] in an order.
type PeriodName = &'static str;

impl Model {
    pub(crate) fn new(most_new_pages: u32) -> Self {
        // The one page that a new database has.
        Self { most_new_pages, pages: HashSet::from(["(other)".to_owned()]), ..Self::default() }
    }

    /// Stores a batch; for each event, whether it was new.
    pub(crate) fn insert(&mut self, batch: &[Event]) -> Vec<bool> {
        self.number_pages(batch);
        let mut news = Vec::new();
        for event in batch {
            let new = self.stored.insert((event.tenant_id, event.id));
            news.push(new);
            if new {
                self.all.push(event.clone());
            }
            if new && event.tenant_id != TenantId::SYSTEM {
                let page = event.page.as_ref().map(|page| page.key(&self.rule));
                let page = page.map(|key| if self.pages.contains(&key) { key } else { "(other)".to_owned() });
                self.events.push(Counted { event: event.clone(), page });
            }
        }
        news
    }

    /// The rule of new pages: an unknown page is known from then on if its tenant has new pages left on the UTC day on
    /// which the server received it.
    pub(crate) fn number_pages(&mut self, batch: &[Event]) {
        for event in batch {
            let Some(page) = &event.page else { continue };
            let key = page.key(&self.rule);
            if self.pages.contains(&key) {
                continue;
            }
            let used = self.new_pages.entry((event.tenant_id, event.received_at.date_naive())).or_default();
            if *used < self.most_new_pages {
                *used += 1;
                self.pages.insert(key);
            }
        }
    }

    /// Gives every event the key of this rule. There must be no limit of new pages.
    pub(crate) fn change_rule(&mut self, rule: PageRule) {
        assert_eq!(self.most_new_pages, u32::MAX);
        self.rule = rule;
        for counted in &mut self.events {
            counted.page = counted.event.page.as_ref().map(|page| page.key(&rule));
            self.pages.extend(counted.page.clone());
        }
    }

    /// The number of events that count as `(other)` although their page has another name.
    pub(crate) fn others(&self) -> usize {
        let other = |counted: &&Counted| counted.page != counted.event.page.as_ref().map(|page| page.key(&self.rule));
        self.events.iter().filter(other).count()
    }

    /// All events, those of the system tenant too, in the order of storage.
    pub(crate) fn all(&self) -> &[Event] {
        &self.all
    }

    /// The place of an event in the order of storage.
    pub(crate) fn order(&self, event: (TenantId, EventId)) -> usize {
        self.all.iter().position(|stored| (stored.tenant_id, stored.id) == event).unwrap()
    }

    pub(crate) fn event(&self, event: (TenantId, EventId)) -> &Event {
        &self.all[self.order(event)]
    }

    pub(crate) fn rule(&self) -> PageRule {
        self.rule
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// The ids of all stored events, including those of the system tenant.
    pub(crate) fn known(&self) -> Vec<(TenantId, EventId)> {
        let mut known: Vec<_> = self.stored.iter().copied().collect();
        known.sort_unstable();
        known
    }

    /// Some of the latest events, to be sent again.
    pub(crate) fn latest(&self) -> Vec<Event> {
        self.events.iter().rev().take(20).map(|counted| counted.event.clone()).collect()
    }

    pub(crate) fn report(&mut self, period: Period, reported: &ActiveUsers) {
        let key = (period.as_str(), reported.start, reported.tenant_id, reported.env_id);
        self.reported.insert(key, reported.users);
    }

    pub(crate) fn create(&mut self, creation: &Creation) {
        self.ledger.insert((creation.tenant_id, creation.id), creation.clone());
    }

    /// The events of a range, of one tenant or of everyone, in order of time and then of storage.
    pub(crate) fn events(&self, range: TimeRange, tenant: Option<TenantId>, env: Option<EnvId>) -> Vec<&Counted> {
        let inside = |counted: &&Counted| {
            range.start <= counted.at()
                && counted.at() < range.end
                && tenant.is_none_or(|tenant| counted.event.tenant_id == tenant)
                && env.is_none_or(|env| counted.event.env_id == env)
        };
        let mut events: Vec<&Counted> = self.events.iter().filter(inside).collect();
        events.sort_by_key(|counted| counted.at());
        events
    }

    pub(crate) fn active_users(
        &self,
        question: &ActiveUsersQuestion,
        zone: Tz,
        tenants: Option<&[TenantId]>,
        env: Option<EnvId>,
    ) -> Vec<ActiveUsers> {
        let start_of = |day: NaiveDate| if question.period == Period::Daily { day } else { month_of(day) };
        let (first, last) = (start_of(question.date_from), start_of(question.date_to.unwrap()));
        let wanted = |start: NaiveDate, tenant: TenantId, of: EnvId| {
            first <= start
                && start <= last
                && tenants.is_none_or(|tenants| tenants.contains(&tenant))
                && env.is_none_or(|env| env == of)
        };
        let mut users: BTreeMap<_, HashSet<&UserId>> = BTreeMap::new();
        for counted in &self.events {
            let key = (start_of(local_day(zone, counted.at())), counted.event.tenant_id, counted.event.env_id);
            if let Some(user) = counted.active_user().filter(|_| wanted(key.0, key.1, key.2)) {
                users.entry(key).or_default().insert(user);
            }
        }
        let mut cells: BTreeMap<_, u64> = users.into_iter().map(|(key, users)| (key, users.len() as u64)).collect();
        for ((period, start, tenant, env), users) in &self.reported {
            if *period == question.period.as_str() && wanted(*start, *tenant, *env) {
                cells.insert((*start, *tenant, *env), *users);
            }
        }
        let row = |((start, tenant_id, env_id), users)| ActiveUsers { start, tenant_id, env_id, users };
        cells.into_iter().map(row).collect()
    }

    /// The pages of a range with those of another range to compare with, at most `limit` of them.
    pub(crate) fn page_statistics(
        &self,
        range: TimeRange,
        previous: Option<TimeRange>,
        limit: usize,
        tenant: Option<TenantId>,
        env: Option<EnvId>,
    ) -> PageStatistics {
        let events = self.events(range, tenant, env);
        let before = previous.map(|range| self.events(range, tenant, env));
        let pages_of = |events: &[&Counted]| -> BTreeSet<String> {
            events.iter().filter_map(|counted| counted.page.clone()).collect()
        };
        let totals =
            |events: &[&Counted]| PageTotals { seen: views_of(events, None), pages: pages_of(events).len() as u64 };
        let mut pages: Vec<Named<PageUse>> = pages_of(&events)
            .into_iter()
            .map(|name| {
                let current = views_of(&events, Some(&name));
                let previous = before.as_ref().map(|before| views_of(before, Some(&name)));
                Named { name, counted: PageUse { current, previous } }
            })
            .collect();
        // The sort is stable: by name where views are equal.
        pages.sort_by_key(|page| Reverse(page.counted.current.views));
        pages.truncate(limit);
        PageStatistics { totals: totals(&events), previous: before.as_deref().map(totals), pages }
    }

    pub(crate) fn userinfo(
        &self,
        question: UserinfoQuestion,
        zone: Tz,
        tenants: Option<&[TenantId]>,
    ) -> Vec<DailyUserinfo> {
        let mut days: Vec<DailyUserinfo> = days(question.start_date, question.end_date)
            .map(|date| DailyUserinfo { date, details: BTreeMap::new() })
            .collect();
        for counted in self.events.iter().filter(|counted| counted.event.kind.as_str() == USERINFO) {
            let tenant = counted.event.tenant_id;
            let day = days.iter_mut().find(|day| day.date == local_day(zone, counted.at()));
            if let Some(day) = day.filter(|_| tenants.is_none_or(|tenants| tenants.contains(&tenant))) {
                *day.details.entry(tenant).or_default() += 1;
            }
        }
        days
    }

    pub(crate) fn behaviors(
        &self,
        user: &UserId,
        range: TimeRange,
        zone: Tz,
        tenant: Option<TenantId>,
    ) -> Vec<DailyBehavior> {
        let mut days: BTreeMap<NaiveDate, Vec<Behavior>> = BTreeMap::new();
        for counted in self.events(range, tenant, None) {
            let kind = counted.event.kind.as_str();
            if counted.event.user_id.as_ref() == Some(user)
                && (kind == PAGE_LOAD || kind == USERINFO)
                && let Some(page) = &counted.event.page
            {
                let behavior = Behavior { at: counted.at(), page: page.as_str().to_owned() };
                days.entry(local_day(zone, counted.at())).or_default().push(behavior);
            }
        }
        days.into_iter().map(|(day, behaviors)| DailyBehavior { day, behaviors }).collect()
    }

    /// Entries of the ledger of one kind, as far as `tenants` may see them.
    pub(crate) fn creations(&self, kind: CreationKind, tenants: Option<&[TenantId]>) -> Vec<&Creation> {
        let seen = |creation: &&Creation| {
            let Some(tenants) = tenants else { return true };
            if kind != CreationKind::SaasUser {
                return tenants.contains(&creation.tenant_id);
            }
            let homes: BTreeSet<TenantId> = self
                .ledger
                .values()
                .filter(|other| other.kind == CreationKind::TenantUser && other.user_id == creation.user_id)
                .map(|other| other.tenant_id)
                .collect();
            tenants.iter().any(|tenant| homes.contains(tenant))
                || (homes.is_empty() && tenants.contains(&TenantId::NONE))
        };
        self.ledger.values().filter(|creation| creation.kind == kind).filter(seen).collect()
    }

    pub(crate) fn metrics(
        &self,
        question: &MetricsQuestion,
        zone: Tz,
        tenants: Option<&[TenantId]>,
    ) -> Vec<DailyMetric> {
        let creations = self.creations(question.kind, tenants);
        days(question.start_date, question.end_date)
            .map(|date| {
                let of_day: Vec<_> = creations.iter().filter(|one| local_day(zone, one.created_at) == date).collect();
                let mut details = BTreeMap::new();
                for one in &of_day {
                    *details.entry(one.tenant_id).or_default() += 1;
                }
                let details = (question.kind == CreationKind::TenantUser).then_some(details);
                DailyMetric { date, count: of_day.len() as u64, details }
            })
            .collect()
    }
}

fn local_day(zone: Tz, at: Timestamp) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

fn views_of(events: &[&Counted], page: Option<&str>) -> Views {
    let of_page = |counted: &&&Counted| match page {
        Some(page) => counted.page.as_deref() == Some(page),
        None => counted.page.is_some(),
    };
    let seen: Vec<_> = events.iter().filter(of_page).collect();
    let users: HashSet<&UserId> = seen.iter().filter_map(|counted| counted.event.user_id.as_ref()).collect();
    Views { views: seen.len() as u64, users: users.len() as u64 }
}

fn days(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    std::iter::successors(Some(first), |day| Some(next_day(*day))).take_while(move |day| *day <= last)
}
