//! Queries of analytics: the ledger of creations, reported numbers, the pages of one user, source addresses.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use trailkeeper_domain::activity::{ActiveUsers, ActiveUsersQuery, Behavior, Period};
use trailkeeper_domain::creation::{Creation, CreationKind, DailyCount};
use trailkeeper_domain::event::{LOGIN_FAIL, LOGIN_SUCCESS, PAGE_LOAD, USERINFO};
use trailkeeper_domain::fact::WELL_KNOWN_KINDS;
use trailkeeper_domain::id::{EnvId, TenantId, UserId};
use trailkeeper_domain::ports::{
    ActivityReads, ActivityWrites, SourceActivity, SourceCounts, SourceQuery, SourceTotals,
};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use super::names::Dictionary;
use super::text_query::TextQuery;
use super::{Db, Tx, count, dialect};
use crate::columns::{Address, DbDay, DbTime, DbUuid, Host, Instant, TenantKey};
use crate::rows::{BehaviorRow, CountRow, DailyCountRow, ReportedRow, StoredCreationRow};
use crate::schema::{events, reported_active_users};
use crate::unindexed::Unindexed;

/// The number of entries of the ledger in memory at once.
const CREATIONS: usize = 5_000;

impl ActivityReads for Tx<'_> {
    fn reported_active_users(&mut self, query: &ActiveUsersQuery) -> Result<Vec<ActiveUsers>> {
        let mut reported = reported_active_users::table
            .into_boxed::<Db>()
            .filter(reported_active_users::period.eq(query.period.as_str()))
            .filter(reported_active_users::first_day.between(DbDay(query.first), DbDay(query.last)))
            .filter(reported_active_users::tenant_id.ne(DbUuid(TenantId::SYSTEM.0)));
        if let Some(tenant) = query.tenant_id {
            reported = reported.filter(reported_active_users::tenant_id.eq(DbUuid(tenant.0)));
        }
        if let Some(EnvId(env)) = query.env_id {
            reported = reported.filter(reported_active_users::env_id.eq(i64::from(env)));
        }
        let reported = reported
            .order((
                reported_active_users::first_day.asc(),
                reported_active_users::tenant_id.asc(),
                reported_active_users::env_id.asc(),
            ))
            .select(ReportedRow::as_select());
        let rows: Vec<ReportedRow> = self.run("reported_active_users", |conn| reported.load(conn))?;
        rows.into_iter().map(ActiveUsers::try_from).collect()
    }

    fn creations_per_day(
        &mut self,
        kind: CreationKind,
        range: TimeRange,
        tenants: Option<&[TenantId]>,
    ) -> Result<Vec<DailyCount>> {
        let mut text = TextQuery::new(format!(
            "SELECT {} AS day, tenant_id, count(*) AS count FROM creations WHERE kind = ",
            dialect::DAY_OF_CREATION
        ));
        text.bind_text(kind.as_str());
        text.in_range("created_at", range);
        text.only_customers();
        match (kind, tenants) {
            (_, None) => {}
            (CreationKind::Tenant | CreationKind::TenantUser, Some(tenants)) => text.only_tenants(tenants),
            (CreationKind::SaasUser, Some(tenants)) => text.only_users_ever_in(tenants),
        }
        text.sql(" GROUP BY 1, 2 ORDER BY 1, 2");
        let rows: Vec<DailyCountRow> = self.run("creations", |conn| text.query.load(conn))?;
        rows.into_iter().map(DailyCount::try_from).collect()
    }

    fn creations(
        &mut self,
        kind: CreationKind,
        range: TimeRange,
        tenants: Option<&[TenantId]>,
        each: &mut dyn FnMut(&Creation) -> Result<()>,
    ) -> Result<()> {
        let mut after: Option<Creation> = None;
        loop {
            let mut text = TextQuery::new(
                "SELECT tenant_id, id, kind, user_id, region, user_pool_id, created_at FROM creations WHERE kind = "
                    .to_owned(),
            );
            text.bind_text(kind.as_str());
            let start = after.as_ref().map_or(range.start, |last| last.created_at);
            text.in_range("created_at", TimeRange { start, ..range });
            text.only_customers();
            match (kind, tenants) {
                (_, None) => {}
                (CreationKind::Tenant | CreationKind::TenantUser, Some(tenants)) => text.only_tenants(tenants),
                (CreationKind::SaasUser, Some(tenants)) => text.only_users_ever_in(tenants),
            }
            if let Some(last) = &after {
                // Two tenants may share an id.
                text.sql(" AND (created_at, id, tenant_id) > (").bind_instant(last.created_at);
                text.sql(", ").bind_uuid(last.id.0).sql(", ").bind_uuid(last.tenant_id.0).sql(")");
            }
            text.sql(" ORDER BY created_at, id, tenant_id LIMIT ").bind_number(count(CREATIONS));
            let rows: Vec<StoredCreationRow> = self.run("creations", |conn| text.query.load(conn))?;
            let full = rows.len() == CREATIONS;
            for row in rows {
                let creation = Creation::try_from(row)?;
                each(&creation)?;
                after = Some(creation);
            }
            if !full {
                return Ok(());
            }
        }
    }

    fn behaviors(&mut self, user: &UserId, range: TimeRange, tenant: Option<TenantId>) -> Result<Vec<Behavior>> {
        let kinds = (1_i32..)
            .zip(WELL_KNOWN_KINDS)
            .filter(|(_, name)| [PAGE_LOAD, USERINFO].contains(name))
            .map(|(id, _)| id)
            .collect::<Vec<_>>();
        if let Some(generations) = self.indexed_generations(Scope::of(tenant))? {
            return self.behaviors_by_postings(&generations, user, &kinds, range, tenant);
        }
        let user = self.asked_user(user)?;
        let Some(filter) = self.scope_filter(tenant, Some(user))? else { return Ok(Vec::new()) };
        let query = filter
            .events()
            .filter(events::occurred_at.ge(DbTime(range.start)))
            .filter(events::occurred_at.lt(DbTime(range.end)))
            // A user has fewer events than a type, so SQLite must take the index of users: see `Unindexed`.
            .filter(Unindexed(events::kind_ref).eq_any(kinds))
            .filter(Unindexed(events::page_ref).is_not_null())
            .order((events::occurred_at.asc(), events::seq.asc()))
            .select(BehaviorRow::as_select());
        let rows: Vec<BehaviorRow> = self.run("events", |conn| query.load(conn))?;
        self.with_pages(rows)
    }

    fn registered_users(
        &mut self,
        range: TimeRange,
        region: &str,
        user_pool_id: &str,
        tenant: Option<TenantId>,
    ) -> Result<u64> {
        // A user who was removed and registered again is one user with two entries in the ledger.
        let mut text =
            TextQuery::new("SELECT count(DISTINCT user_id) AS rows FROM creations WHERE user_pool_id = ".to_owned());
        text.bind_text(user_pool_id);
        text.sql(" AND region = ").bind_text(region);
        text.in_range("created_at", range);
        // A pool has fewer entries than a kind, so SQLite must take the index of pools: see `Unindexed`.
        text.sql(&format!(" AND {}kind = ", dialect::UNINDEXED)).bind_text(CreationKind::SaasUser.as_str());
        if let Some(tenant) = tenant {
            text.only_users_ever_in(&[tenant]);
        }
        let found: CountRow = self.run("creations", |conn| text.query.get_result(conn))?;
        u64::try_from(found.rows).map_err(Error::internal)
    }

    fn source_activity(&mut self, query: &SourceQuery, limit: usize) -> Result<Vec<SourceActivity>> {
        if let Some(generations) = self.indexed_generations(Scope::of(query.tenant_id))? {
            return self.source_activity_by_postings(&generations, query, limit);
        }
        let mut text = TextQuery::new(format!(
            "SELECT dict.address, a.* FROM (SELECT source_ref, {}, {}",
            SourceRow::counts("", "is_current"),
            SourceRow::counts("previous_", "NOT is_current"),
        ));
        if !self.of_sources(&mut text, query)? {
            return Ok(Vec::new());
        }
        text.sql(
            " GROUP BY source_ref HAVING count(*) FILTER (WHERE is_current) > 0) AS a \
             LEFT JOIN dict_sources AS dict ON dict.id = a.source_ref ORDER BY a.events DESC, \
             dict.address IS NULL, dict.address LIMIT ",
        );
        text.bind_number(count(limit));
        let rows: Vec<SourceRow> = self.run("events", |conn| text.query.load(conn))?;
        rows.into_iter().map(SourceActivity::try_from).collect()
    }

    fn source_totals(&mut self, query: &SourceQuery) -> Result<(SourceTotals, SourceTotals)> {
        if let Some(generations) = self.indexed_generations(Scope::of(query.tenant_id))? {
            return self.source_totals_by_postings(&generations, query);
        }
        let mut text = TextQuery::new(format!(
            "SELECT NULL AS address, {}, {}",
            SourceRow::counts("", "is_current"),
            SourceRow::counts("previous_", "NOT is_current"),
        ));
        if !self.of_sources(&mut text, query)? {
            return Ok(Default::default());
        }
        let row: SourceRow = self.run("events", |conn| text.query.get_result(conn))?;
        Ok((row.current()?, row.previous()?))
    }
}

impl Tx<'_> {
    /// The pages of these events as they were sent.
    pub(super) fn with_pages(&mut self, rows: Vec<BehaviorRow>) -> Result<Vec<Behavior>> {
        let mut named: Vec<i32> = rows.iter().filter_map(BehaviorRow::named).collect();
        named.sort_unstable();
        named.dedup();
        let pages = self.names_of(Dictionary::Pages, &named)?;
        rows.into_iter().map(|row| row.into_behavior(&pages)).collect()
    }

    /// Appends the events of both ranges that have a source. Returns `false` if there cannot be any.
    fn of_sources(&mut self, text: &mut TextQuery<'_>, query: &SourceQuery) -> Result<bool> {
        let SourceQuery { tenant_id, env_id, range, previous_start } = *query;
        let system = self.tenant_key_assigned(TenantId::SYSTEM)?;
        if tenant_id == Some(TenantId::SYSTEM) {
            return Ok(false);
        }
        let buckets = self.buckets_of(Scope::of(tenant_id))?;
        let tenant = tenant_id.map(|id| self.asked_tenant(id)).transpose()?;
        let kind =
            |name: &str| WELL_KNOWN_KINDS.iter().zip(1_i64..).find(|(known, _)| **known == name).map(|(_, id)| id);
        text.sql(" FROM (SELECT source_ref, user_ref, occurred_at, kind_ref = ");
        text.bind_number(kind(LOGIN_SUCCESS).unwrap_or_default()).sql(" AS is_login, kind_ref = ");
        text.bind_number(kind(LOGIN_FAIL).unwrap_or_default()).sql(" AS is_failed_login, occurred_at >= ");
        text.bind_instant(range.start).sql(" AS is_current FROM events WHERE ").in_buckets("bucket", &buckets);
        // The index of sources would be read over all time, so SQLite must not take it: see `Unindexed`.
        text.sql(dialect::UNINDEXED).sql("source_ref IS NOT NULL");
        text.in_range("occurred_at", TimeRange { start: previous_start.unwrap_or(range.start), ..range });
        let (is, key) = tenant.map_or((" AND tenant_id <> ", system), |tenant| (" AND tenant_id = ", tenant));
        text.sql(is).placeholder().change(|query| query.bind::<TenantKey, _>(key));
        if let Some(EnvId(env)) = env_id {
            text.sql(" AND env_id = ").bind_number(env.into());
        }
        text.sql(") AS e");
        Ok(true)
    }
}

/// Counts of the events of one source, or of all sources, in two ranges.
#[derive(Debug, QueryableByName)]
struct SourceRow {
    #[diesel(sql_type = Nullable<Host>)]
    address: Option<Address>,
    #[diesel(sql_type = BigInt)]
    sources: i64,
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = BigInt)]
    users: i64,
    #[diesel(sql_type = BigInt)]
    logins: i64,
    #[diesel(sql_type = BigInt)]
    failed_logins: i64,
    #[diesel(sql_type = Nullable<Instant>)]
    first_seen: Option<DbTime>,
    #[diesel(sql_type = Nullable<Instant>)]
    last_seen: Option<DbTime>,
    #[diesel(sql_type = BigInt)]
    previous_sources: i64,
    #[diesel(sql_type = BigInt)]
    previous_events: i64,
    #[diesel(sql_type = BigInt)]
    previous_users: i64,
    #[diesel(sql_type = BigInt)]
    previous_logins: i64,
    #[diesel(sql_type = BigInt)]
    previous_failed_logins: i64,
    #[diesel(sql_type = Nullable<Instant>)]
    previous_first_seen: Option<DbTime>,
    #[diesel(sql_type = Nullable<Instant>)]
    previous_last_seen: Option<DbTime>,
}

impl SourceRow {
    /// The columns of one range: `condition` is true for its events.
    fn counts(prefix: &str, condition: &str) -> String {
        let columns = [
            ("count(DISTINCT source_ref)", "", "sources"),
            ("count(*)", "", "events"),
            ("count(DISTINCT user_ref)", "", "users"),
            ("count(*)", " AND is_login", "logins"),
            ("count(*)", " AND is_failed_login", "failed_logins"),
            ("min(occurred_at)", "", "first_seen"),
            ("max(occurred_at)", "", "last_seen"),
        ];
        let column = |(sum, and, name)| format!("{sum} FILTER (WHERE {condition}{and}) AS {prefix}{name}");
        columns.map(column).join(", ")
    }

    fn current(&self) -> Result<SourceTotals> {
        let numbers = [self.sources, self.events, self.users, self.logins, self.failed_logins];
        Self::totals(numbers, self.first_seen.zip(self.last_seen))
    }

    fn previous(&self) -> Result<SourceTotals> {
        let numbers = [
            self.previous_sources,
            self.previous_events,
            self.previous_users,
            self.previous_logins,
            self.previous_failed_logins,
        ];
        Self::totals(numbers, self.previous_first_seen.zip(self.previous_last_seen))
    }

    fn totals(numbers: [i64; 5], seen: Option<(DbTime, DbTime)>) -> Result<SourceTotals> {
        let number = |number: i64| u64::try_from(number).map_err(Error::internal);
        let [sources, events, users, logins, failed_logins] = numbers;
        Ok(SourceTotals {
            sources: number(sources)?,
            counts: SourceCounts {
                events: number(events)?,
                users: number(users)?,
                logins: number(logins)?,
                failed_logins: number(failed_logins)?,
                seen: seen.map(|(first, last)| (first.0, last.0)),
            },
        })
    }
}

impl TryFrom<SourceRow> for SourceActivity {
    type Error = Error;

    fn try_from(row: SourceRow) -> Result<Self> {
        let source = row.address.map(|Address(source)| source);
        Ok(Self { source, current: row.current()?.counts, previous: row.previous()?.counts })
    }
}

impl ActivityWrites for Tx<'_> {
    fn put_reported_active_users(&mut self, period: Period, reported: &ActiveUsers) -> Result<()> {
        let row = ReportedRow::new(period, reported)?;
        self.run("reported_active_users", |conn| {
            diesel::insert_into(reported_active_users::table)
                .values(&row)
                .on_conflict((
                    reported_active_users::tenant_id,
                    reported_active_users::env_id,
                    reported_active_users::period,
                    reported_active_users::first_day,
                ))
                .do_update()
                .set(&row)
                .execute(conn)
        })?;
        Ok(())
    }
}
