//! The facts behind analytic answers, computed from the rows themselves. Exact, over the indexes of the time.
//!
//! The text of a query numbers its values `$1, $2, …`; [`Question`] keeps the numbers and the values together.
//! SQLite knows that form too, as long as the numbers appear in ascending order.

use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Text};
use trailkeeper_domain::activity::{ActiveUsers, ActiveUsersQuery, Behavior, PageStatistics, PageViews, Period};
use trailkeeper_domain::creation::{CreationKind, DailyCount};
use trailkeeper_domain::event::{PAGE_LOAD, USERINFO};
use trailkeeper_domain::id::{EnvId, TenantId, UserId};
use trailkeeper_domain::ports::{ActivityReads, ActivityWrites};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use super::{Db, Tx, dialect};
use crate::columns::{DbDay, DbTime, DbUuid, Instant, Uuid128};
use crate::rows::{ActiveUsersRow, BehaviorRow, CountRow, DailyCountRow, PageViewsRow, ReportedRow};
use crate::schema::{events, reported_active_users};

impl ActivityReads for Tx<'_> {
    fn active_users(&mut self, query: &ActiveUsersQuery) -> Result<Vec<ActiveUsers>> {
        let start = match query.period {
            Period::Daily => dialect::DAY_OF_EVENT,
            Period::Monthly => dialect::MONTH_OF_EVENT,
        };
        let mut question = Question::new(format!(
            "SELECT {start} AS start, tenant_id, env_id, count(DISTINCT user_id) AS users FROM events WHERE true"
        ));
        question.in_range("occurred_at", query.range());
        question.of_customers();
        question.say(" AND user_id IS NOT NULL AND outcome <> 'failure'");
        if let Some(tenant) = query.tenant_id {
            question.of_tenants(&[tenant]);
        }
        if let Some(EnvId(env)) = query.env_id {
            question.say(" AND env_id = ").number(i64::from(env));
        }
        question.say(" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3");
        let rows: Vec<ActiveUsersRow> = self.run("events", |conn| question.query.load(conn))?;
        rows.into_iter().map(ActiveUsers::try_from).collect()
    }

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

    fn page_statistics(&mut self, range: TimeRange, tenant: Option<TenantId>) -> Result<PageStatistics> {
        let narrowed = |select: &str| {
            let mut question = Question::new(format!("SELECT {select} FROM events WHERE page_key IS NOT NULL"));
            question.in_range("occurred_at", range);
            question.of_customers();
            if let Some(tenant) = tenant {
                question.of_tenants(&[tenant]);
            }
            question
        };
        let mut by_page = narrowed("page_key AS page, count(*) AS views, count(DISTINCT user_id) AS users");
        by_page.say(" GROUP BY page_key ORDER BY views DESC, page_key");
        let rows: Vec<PageViewsRow> = self.run("events", |conn| by_page.query.load(conn))?;
        // Somebody on two pages is one user: no sum over pages gives this number.
        let over_all = narrowed("count(DISTINCT user_id) AS rows");
        let total: CountRow = self.run("events", |conn| over_all.query.get_result(conn))?;
        let pages = rows.into_iter().map(PageViews::try_from).collect::<Result<Vec<_>>>()?;
        Ok(PageStatistics {
            total_views: pages.iter().map(|page| page.views).sum(),
            total_users: u64::try_from(total.rows).map_err(Error::internal)?,
            pages,
        })
    }

    fn creations_per_day(
        &mut self,
        kind: CreationKind,
        range: TimeRange,
        tenants: Option<&[TenantId]>,
    ) -> Result<Vec<DailyCount>> {
        let mut question = Question::new(format!(
            "SELECT {} AS day, tenant_id, count(*) AS count FROM creations WHERE kind = ",
            dialect::DAY_OF_CREATION
        ));
        question.text(kind.as_str());
        question.in_range("created_at", range);
        question.of_customers();
        match (kind, tenants) {
            (_, None) => {}
            (CreationKind::Tenant | CreationKind::TenantUser, Some(tenants)) => question.of_tenants(tenants),
            (CreationKind::SaasUser, Some(tenants)) => question.of_users_ever_in(tenants),
        }
        question.say(" GROUP BY 1, 2 ORDER BY 1, 2");
        let rows: Vec<DailyCountRow> = self.run("creations", |conn| question.query.load(conn))?;
        rows.into_iter().map(DailyCount::try_from).collect()
    }

    fn userinfo_per_day(&mut self, range: TimeRange, tenants: Option<&[TenantId]>) -> Result<Vec<DailyCount>> {
        let mut question = Question::new(format!(
            "SELECT {} AS day, tenant_id, count(*) AS count FROM events WHERE kind = ",
            dialect::DAY_OF_EVENT
        ));
        question.text(USERINFO);
        question.in_range("occurred_at", range);
        question.of_customers();
        if let Some(tenants) = tenants {
            question.of_tenants(tenants);
        }
        question.say(" GROUP BY 1, 2 ORDER BY 1, 2");
        let rows: Vec<DailyCountRow> = self.run("events", |conn| question.query.load(conn))?;
        rows.into_iter().map(DailyCount::try_from).collect()
    }

    fn behaviors(&mut self, user: &UserId, range: TimeRange, tenant: Option<TenantId>) -> Result<Vec<Behavior>> {
        let mut query = events::table
            .into_boxed::<Db>()
            .filter(events::user_id.eq(user.as_str()))
            .filter(events::occurred_at.ge(DbTime(range.start)))
            .filter(events::occurred_at.lt(DbTime(range.end)))
            .filter(events::tenant_id.ne(DbUuid(TenantId::SYSTEM.0)))
            .filter(events::kind.eq_any([PAGE_LOAD, USERINFO]))
            .filter(events::page.is_not_null());
        if let Some(tenant) = tenant {
            query = query.filter(events::tenant_id.eq(DbUuid(tenant.0)));
        }
        let query = query.order((events::occurred_at.asc(), events::seq.asc())).select(BehaviorRow::as_select());
        let rows: Vec<BehaviorRow> = self.run("events", |conn| query.load(conn))?;
        Ok(rows.into_iter().map(Behavior::from).collect())
    }

    fn registered_users(
        &mut self,
        range: TimeRange,
        region: &str,
        user_pool_id: &str,
        tenant: Option<TenantId>,
    ) -> Result<u64> {
        // A user who was removed and registered again is one user with two entries.
        let mut question =
            Question::new("SELECT count(DISTINCT user_id) AS rows FROM creations WHERE user_pool_id = ".to_owned());
        question.text(user_pool_id);
        question.say(" AND region = ").text(region);
        question.in_range("created_at", range);
        // The pool finds fewer entries than the kind: see `Unindexed`.
        question.say(&format!(" AND {}kind = ", dialect::UNINDEXED)).text(CreationKind::SaasUser.as_str());
        if let Some(tenant) = tenant {
            question.of_users_ever_in(&[tenant]);
        }
        let found: CountRow = self.run("creations", |conn| question.query.get_result(conn))?;
        u64::try_from(found.rows).map_err(Error::internal)
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

/// A query in the making: its text, and the values whose numbers the text holds.
struct Question<'a> {
    query: BoxedSqlQuery<'a, Db, SqlQuery>,
    values: usize,
}

impl<'a> Question<'a> {
    fn new(text: String) -> Self {
        Self { query: diesel::sql_query(text).into_boxed(), values: 0 }
    }

    fn say(&mut self, text: &str) -> &mut Self {
        self.change(|query| query.sql(text))
    }

    fn text(&mut self, value: &'a str) -> &mut Self {
        self.next_number().change(|query| query.bind::<Text, _>(value))
    }

    fn number(&mut self, value: i64) -> &mut Self {
        self.next_number().change(|query| query.bind::<BigInt, _>(value))
    }

    fn in_range(&mut self, column: &str, range: TimeRange) {
        self.say(&format!(" AND {column} >= "))
            .next_number()
            .change(|query| query.bind::<Instant, _>(DbTime(range.start)));
        self.say(&format!(" AND {column} < "))
            .next_number()
            .change(|query| query.bind::<Instant, _>(DbTime(range.end)));
    }

    /// Operators are no customers: the server's own trail never counts.
    fn of_customers(&mut self) {
        self.say(" AND tenant_id <> ").uuid(TenantId::SYSTEM);
    }

    fn of_tenants(&mut self, tenants: &[TenantId]) {
        self.say(" AND tenant_id IN (").list(tenants).say(")");
    }

    /// Users who ever became a member of one of `tenants`; [`TenantId::NONE`] among them stands for users who never
    /// became a member of any.
    fn of_users_ever_in(&mut self, tenants: &[TenantId]) {
        let members = "SELECT user_id FROM creations WHERE kind = 'create_tenant_user' AND user_id IS NOT NULL";
        self.say(&format!(" AND (user_id IN ({members} AND tenant_id IN (")).list(tenants).say("))");
        if tenants.contains(&TenantId::NONE) {
            self.say(&format!(" OR user_id NOT IN ({members})"));
        }
        self.say(")");
    }

    /// Values between commas. An empty list holds nobody: `IN (NULL)` is true for no row on both databases.
    fn list(&mut self, tenants: &[TenantId]) -> &mut Self {
        for (at, tenant) in tenants.iter().enumerate() {
            if at > 0 {
                self.say(", ");
            }
            self.uuid(*tenant);
        }
        if tenants.is_empty() {
            self.say("NULL");
        }
        self
    }

    fn uuid(&mut self, tenant: TenantId) -> &mut Self {
        self.next_number().change(|query| query.bind::<Uuid128, _>(DbUuid(tenant.0)))
    }

    fn next_number(&mut self) -> &mut Self {
        self.values += 1;
        let number = format!("${}", self.values);
        self.say(&number)
    }

    fn change(
        &mut self,
        step: impl FnOnce(BoxedSqlQuery<'a, Db, SqlQuery>) -> BoxedSqlQuery<'a, Db, SqlQuery>,
    ) -> &mut Self {
        let query = std::mem::replace(&mut self.query, diesel::sql_query("").into_boxed());
        self.query = step(query);
        self
    }
}
