//! A store in memory. It keeps events, the directory and the ledger of creations, and follows the rules of the ports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::bucket::{Bucket, Buckets};
use crate::creation::Creation;
use crate::error::{Error, Result};
use crate::event::{Event, EventFilter, EventPosition, StoredEvent};
use crate::folding::folded;
use crate::id::{CreationId, EventId, LegalHoldId, RetentionRuleId, TenantId, UserId};
use crate::page::PageRule;
use crate::ports::{
    BucketReads, DirectoryReads, DirectoryWrites, EventReads, EventWrites, FeedReads, FeedState, IdFault, MissingName,
    NumberRange, ReadTx, Store, WriteTx,
};
use crate::retention::{LegalHold, RetentionRule};
use crate::tenant::Tenant;
use crate::testing::unused_ports::unused;
use crate::time::Timestamp;
use crate::user::{AttributeChange, Membership, SharedEmail, User, UserFilter};

/// Replaces the answer to the insertion of these events; `None` lets the store insert them.
type OnInsert = dyn Fn(&[Event]) -> Option<Result<Vec<bool>>> + Send + Sync;

/// A store in memory.
///
/// It runs each work twice and rolls the first run back, as a database may. So each test of a use case also shows that
/// the transaction of the use case can be repeated.
#[derive(Default)]
pub struct MemoryStore {
    records: Mutex<Records>,
    writes: AtomicUsize,
    on_insert: Option<Box<OnInsert>>,
    /// The buckets and the number of events that are worth a transaction of their own, if there are several.
    division: Option<(Buckets, usize)>,
}

/// The contents of a store.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Records {
    pub events: Vec<Event>,
    pub tenants: BTreeMap<TenantId, Tenant>,
    pub users: BTreeMap<UserId, User>,
    pub memberships: BTreeMap<(TenantId, UserId), Membership>,
    pub creations: BTreeMap<CreationId, Creation>,
    pub changes: Vec<AttributeChange>,
    /// For each membership, how many changes its user had when it began.
    pub earlier_changes: BTreeMap<(TenantId, UserId), usize>,
    pub rules: BTreeMap<RetentionRuleId, RetentionRule>,
    pub holds: BTreeMap<LegalHoldId, LegalHold>,
    /// The history of the database, and what was removed.
    pub feed: Option<FeedState>,
}

/// A transaction of a [`MemoryStore`].
pub struct MemoryTx<'s> {
    pub(super) records: &'s mut Records,
    on_insert: Option<&'s OnInsert>,
    buckets: Buckets,
    /// Whether the transaction read or changed the directory before it locked it.
    used_directory: bool,
    has_lock: bool,
}

impl MemoryStore {
    /// A store with these events.
    pub fn with_events(events: impl IntoIterator<Item = Event>) -> Self {
        Self {
            records: Mutex::new(Records { events: events.into_iter().collect(), ..Records::default() }),
            ..Self::default()
        }
    }

    /// An empty store whose insertions `on_insert` may answer.
    pub fn on_insert(on_insert: impl Fn(&[Event]) -> Option<Result<Vec<bool>>> + Send + Sync + 'static) -> Self {
        Self { on_insert: Some(Box::new(on_insert)), ..Self::default() }
    }

    /// The same store with so many buckets and as many writers. So many waiting events of one bucket are worth a transaction
    /// of their own.
    pub fn divided(self, buckets: Buckets, bucket_events: usize) -> Self {
        Self { division: Some((buckets, bucket_events)), ..self }
    }

    fn buckets(&self) -> Buckets {
        self.division.map_or(Buckets::ONE, |(buckets, _)| buckets)
    }

    /// A copy of the contents.
    pub fn records(&self) -> Records {
        self.records.lock().clone()
    }

    /// Changes the contents without a transaction.
    pub fn prepared(&self, prepare: impl FnOnce(&mut Records)) {
        prepare(&mut self.records.lock());
    }

    /// The number of write transactions that began, with repetitions counted once.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    fn run(&self, work: &mut dyn FnMut(&mut MemoryTx<'_>) -> Result<()>) -> Result<()> {
        let mut records = self.records.lock();
        let mut run = |copy: &mut Records| {
            let on_insert = self.on_insert.as_deref();
            let buckets = self.buckets();
            work(&mut MemoryTx { records: copy, on_insert, buckets, used_directory: false, has_lock: false })
        };
        let first = run(&mut records.clone());
        let mut copy = records.clone();
        let second = run(&mut copy);
        assert_eq!(first.is_ok(), second.is_ok(), "the second run ended otherwise than the first");
        second.map(|()| *records = copy)
    }
}

impl Store for MemoryStore {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.run(&mut |tx| work(tx))
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.run(&mut |tx| work(tx))
    }

    fn settled(&self) -> Result<i64> {
        i64::try_from(self.records.lock().events.len()).map_err(Error::internal)
    }

    fn ready(&self) -> Result<()> {
        Ok(())
    }

    fn writers(&self, buckets: Buckets) -> usize {
        buckets.count().into()
    }

    fn bucket_events(&self) -> Option<usize> {
        self.division.map(|(_, bucket_events)| bucket_events)
    }
}

impl ReadTx for MemoryTx<'_> {}
impl WriteTx for MemoryTx<'_> {}

impl MemoryTx<'_> {
    fn directory(&mut self) -> &mut Records {
        self.used_directory = true;
        self.records
    }

    /// The directory for a change. Two writers that both read a record before either holds the lock could both create
    /// it, so a change needs the lock, and the lock must come before the first look at the directory.
    fn locked_directory(&mut self) -> &mut Records {
        assert!(self.has_lock, "a use case changes the directory without its lock");
        self.directory()
    }

    fn matching(&self, filter: &EventFilter) -> impl Iterator<Item = &Event> {
        self.records.events.iter().filter(|event| filter.matches(event, &PageRule::default()))
    }

    fn stored(&self) -> impl Iterator<Item = StoredEvent> {
        self.records.events.iter().zip(1..).map(|(event, seq)| StoredEvent {
            event: event.clone(),
            seq,
            missing_names: Vec::new(),
        })
    }
}

impl BucketReads for MemoryTx<'_> {
    fn buckets(&mut self) -> Result<Buckets> {
        Ok(self.buckets)
    }

    fn enter_bucket(&mut self, _: Option<Bucket>) {}

    fn entered_bucket(&self) -> Option<Bucket> {
        None
    }
}

impl EventReads for MemoryTx<'_> {
    fn events_by_id(&mut self, id: EventId, tenant: Option<TenantId>) -> Result<Vec<StoredEvent>> {
        let of_tenant = |event: &Event| tenant.is_none_or(|tenant| tenant == event.tenant_id);
        Ok(self.stored().filter(|stored| stored.event.id == id && of_tenant(&stored.event)).take(3).collect())
    }

    fn events(&mut self, filter: &EventFilter, after: Option<EventPosition>, limit: usize) -> Result<Vec<StoredEvent>> {
        let key = |position: EventPosition| (position.occurred_at, position.seq);
        let mut found: Vec<_> = self
            .stored()
            .filter(|stored| filter.matches(&stored.event, &PageRule::default()))
            .filter(|stored| after.is_none_or(|after| key(stored.position()) < key(after)))
            .collect();
        found.sort_by_key(|stored| std::cmp::Reverse(key(stored.position())));
        found.truncate(limit);
        Ok(found)
    }

    fn events_at_offset(&mut self, filter: &EventFilter, offset: u64, limit: usize) -> Result<Vec<StoredEvent>> {
        let offset = usize::try_from(offset).expect("a small offset");
        Ok(self.events(filter, None, offset + limit)?.split_off(offset))
    }

    fn count_events(&mut self, filter: &EventFilter) -> Result<u64> {
        Ok(self.matching(filter).count() as u64)
    }

    fn event_histogram(&mut self, filter: &EventFilter, edges: &[Timestamp]) -> Result<Vec<u64>> {
        assert!(edges.is_sorted_by(|one, next| one < next), "the edges do not ascend: {edges:?}");
        let inside =
            |start, end| self.matching(filter).filter(|event| (start..end).contains(&event.occurred_at)).count();
        Ok(edges.windows(2).map(|pair| inside(pair[0], pair[1]) as u64).collect())
    }

    fn distinct_users(&mut self, filter: &EventFilter) -> Result<u64> {
        let users: BTreeSet<_> = self.matching(filter).filter_map(|event| event.user_id.as_ref()).collect();
        Ok(users.len() as u64)
    }

    fn check_ids(&mut self, _each: &mut dyn FnMut(IdFault)) -> Result<u64> {
        Ok(0)
    }

    /// It keeps the names themselves, so none can be missing.
    fn missing_names(&mut self, _limit: usize) -> Result<Vec<MissingName>> {
        Ok(Vec::new())
    }
}

impl FeedReads for MemoryTx<'_> {
    fn events_by_number(&mut self, filter: &EventFilter, range: NumberRange, limit: usize) -> Result<Vec<StoredEvent>> {
        let matches = |stored: &StoredEvent| filter.matches(&stored.event, &PageRule::default());
        Ok(self.stored().filter(|stored| range.contains(stored.seq) && matches(stored)).take(limit).collect())
    }

    fn feed_state(&mut self, _: Option<TenantId>) -> Result<FeedState> {
        let first = FeedState { history: uuid::Uuid::nil(), removed: 0, removed_until: 0 };
        Ok(self.records.feed.unwrap_or(first))
    }
}

impl EventWrites for MemoryTx<'_> {
    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<bool>> {
        if let Some(answered) = self.on_insert.and_then(|on_insert| on_insert(events)) {
            return answered;
        }
        let new = events.iter().map(|event| {
            let is_new = self.stored().all(|old| (old.event.tenant_id, old.event.id) != (event.tenant_id, event.id));
            if is_new {
                self.records.events.push(event.clone());
            }
            is_new
        });
        Ok(new.collect())
    }
}

impl DirectoryReads for MemoryTx<'_> {
    fn tenant(&mut self, id: TenantId) -> Result<Option<Tenant>> {
        Ok(self.directory().tenants.get(&id).cloned())
    }

    fn tenants(&mut self, after: Option<TenantId>, limit: usize) -> Result<Vec<Tenant>> {
        let tenants = self.directory().tenants.values();
        Ok(tenants.filter(|tenant| Some(tenant.id) > after).take(limit).cloned().collect())
    }

    fn user(&mut self, id: &UserId) -> Result<Option<User>> {
        Ok(self.directory().users.get(id).cloned())
    }

    fn users(&mut self, filter: &UserFilter, after: Option<&UserId>, limit: usize) -> Result<Vec<User>> {
        let records = self.directory();
        let is_member = |user: &User| {
            let tenant = filter.visibility.tenant();
            tenant.is_none_or(|tenant| records.memberships.contains_key(&(tenant, user.id.clone())))
        };
        let found = records.users.values().filter(|user| {
            Some(&user.id) > after
                && is_member(user)
                && filter.email.as_deref().is_none_or(|email| folded_email(user) == Some(folded(email)))
                && (filter.region.is_none() || filter.region == user.region)
                && (filter.user_pool_id.is_none() || filter.user_pool_id == user.user_pool_id)
        });
        Ok(found.take(limit).cloned().collect())
    }

    fn membership(&mut self, tenant: TenantId, user: &UserId) -> Result<Option<Membership>> {
        Ok(self.directory().memberships.get(&(tenant, user.clone())).cloned())
    }

    fn memberships(&mut self, tenant: TenantId, after: Option<&UserId>, limit: usize) -> Result<Vec<Membership>> {
        let of_tenant = self.directory().memberships.values().filter(|membership| membership.tenant_id == tenant);
        Ok(of_tenant.filter(|membership| Some(&membership.user_id) > after).take(limit).cloned().collect())
    }

    fn next_tenant_with_members(&mut self, after: Option<TenantId>) -> Result<Option<TenantId>> {
        let mut tenants = self.records.memberships.keys().map(|(tenant, _)| *tenant);
        Ok(tenants.find(|tenant| Some(*tenant) > after))
    }

    fn attribute_changes(
        &mut self,
        user: &UserId,
        member_of: Option<TenantId>,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, AttributeChange)>> {
        let records = self.directory();
        let earlier = match member_of.map(|tenant| (tenant, user.clone())) {
            None => 0,
            Some(key) if records.memberships.contains_key(&key) => records.earlier_changes.get(&key).map_or(0, |n| *n),
            Some(_) => return Ok(Vec::new()),
        };
        let numbered = (1..).zip(records.changes.iter().cloned());
        let of_user = numbered.filter(|(_, change)| change.user_id == *user);
        let mut found: Vec<(i64, AttributeChange)> = of_user.skip(earlier).collect();
        found.sort_by_key(|(number, change)| std::cmp::Reverse((change.changed_at, *number)));
        let behind = after.and_then(|after| found.iter().position(|(number, _)| *number == after));
        Ok(found.into_iter().skip(behind.map_or(0, |at| at + 1)).take(limit).collect())
    }

    fn has_directory(&mut self) -> Result<bool> {
        let Records { tenants, users, memberships, .. } = self.directory();
        Ok(!(tenants.is_empty() && users.is_empty() && memberships.is_empty()))
    }

    fn shared_emails(&mut self) -> Result<Vec<SharedEmail>> {
        unused("shared_emails")
    }
}

impl DirectoryWrites for MemoryTx<'_> {
    fn put_tenant(&mut self, tenant: &Tenant) -> Result<()> {
        self.locked_directory().tenants.insert(tenant.id, tenant.clone());
        Ok(())
    }

    fn delete_tenant(&mut self, id: TenantId) -> Result<bool> {
        let records = self.locked_directory();
        records.memberships.retain(|(tenant, _), _| *tenant != id);
        Ok(records.tenants.remove(&id).is_some())
    }

    fn put_user(&mut self, user: &User) -> Result<()> {
        let records = self.locked_directory();
        let is_same = |other: &User| {
            other.id != user.id && other.user_pool_id == user.user_pool_id && folded_email(other) == folded_email(user)
        };
        if user.email.is_some() && records.users.values().any(is_same) {
            return Err(Error::conflict("email", "alias_exists", "another user has it"));
        }
        records.users.insert(user.id.clone(), user.clone());
        Ok(())
    }

    fn delete_user(&mut self, id: &UserId) -> Result<bool> {
        let records = self.locked_directory();
        records.memberships.retain(|(_, user), _| user != id);
        records.changes.retain(|change| change.user_id != *id);
        Ok(records.users.remove(id).is_some())
    }

    fn put_membership(&mut self, membership: &Membership) -> Result<()> {
        let key = (membership.tenant_id, membership.user_id.clone());
        let records = self.locked_directory();
        if records.memberships.insert(key.clone(), membership.clone()).is_none() {
            let earlier = records.changes.iter().filter(|change| change.user_id == membership.user_id).count();
            records.earlier_changes.insert(key, earlier);
        }
        Ok(())
    }

    fn delete_membership(&mut self, tenant: TenantId, user: &UserId) -> Result<bool> {
        Ok(self.locked_directory().memberships.remove(&(tenant, user.clone())).is_some())
    }

    fn put_creation(&mut self, creation: &Creation) -> Result<()> {
        self.locked_directory().creations.insert(creation.id, creation.clone());
        Ok(())
    }

    fn add_attribute_changes(&mut self, changes: &[AttributeChange]) -> Result<()> {
        self.locked_directory().changes.extend_from_slice(changes);
        Ok(())
    }

    fn lock_directory(&mut self) -> Result<()> {
        assert!(!self.used_directory, "a use case looks at the directory before it locks it");
        self.has_lock = true;
        Ok(())
    }
}

fn folded_email(user: &User) -> Option<String> {
    user.email.as_deref().map(folded)
}
