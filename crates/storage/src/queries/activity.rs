//! What analytic answers need beside the events: the ledger of creations, reported numbers, and the pages of one user.

use diesel::prelude::*;
use trailkeeper_domain::activity::{ActiveUsers, ActiveUsersQuery, Behavior, Period};
use trailkeeper_domain::creation::{Creation, CreationKind, DailyCount};
use trailkeeper_domain::event::{PAGE_LOAD, USERINFO};
use trailkeeper_domain::fact::WELL_KNOWN_KINDS;
use trailkeeper_domain::id::{EnvId, TenantId, UserId};
use trailkeeper_domain::ports::{ActivityReads, ActivityWrites};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use super::names::Space;
use super::question::Question;
use super::{Db, Tx, count, dialect};
use crate::columns::{DbDay, DbTime, DbUuid};
use crate::rows::{BehaviorRow, CountRow, DailyCountRow, ReportedRow, StoredCreationRow};
use crate::schema::{events, reported_active_users};
use crate::unindexed::Unindexed;

/// How many entries of the ledger are in memory at once.
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

    fn creations(
        &mut self,
        kind: CreationKind,
        range: TimeRange,
        tenant: Option<TenantId>,
        each: &mut dyn FnMut(&Creation) -> Result<()>,
    ) -> Result<()> {
        let tenants = tenant.map(|tenant| [tenant]);
        let mut after: Option<Creation> = None;
        loop {
            let mut question = Question::new(
                "SELECT tenant_id, id, kind, user_id, region, user_pool_id, created_at FROM creations WHERE kind = "
                    .to_owned(),
            );
            question.text(kind.as_str());
            let start = after.as_ref().map_or(range.start, |last| last.created_at);
            question.in_range("created_at", TimeRange { start, ..range });
            question.of_customers();
            match (kind, &tenants) {
                (_, None) => {}
                (CreationKind::Tenant | CreationKind::TenantUser, Some(tenants)) => question.of_tenants(tenants),
                (CreationKind::SaasUser, Some(tenants)) => question.of_users_ever_in(tenants),
            }
            if let Some(last) = &after {
                // Two tenants may share an id.
                question.say(" AND (created_at, id, tenant_id) > (").instant(last.created_at);
                question.say(", ").uuid(last.id.0).say(", ").uuid(last.tenant_id.0).say(")");
            }
            question.say(" ORDER BY created_at, id, tenant_id LIMIT ").number(count(CREATIONS));
            let rows: Vec<StoredCreationRow> = self.run("creations", |conn| question.query.load(conn))?;
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
        let Some(user) = self.user_ref(user)? else { return Ok(Vec::new()) };
        let Some(whose) = self.whose(tenant, Some(user))? else { return Ok(Vec::new()) };
        let kinds = (1_i32..)
            .zip(WELL_KNOWN_KINDS)
            .filter(|(_, name)| [PAGE_LOAD, USERINFO].contains(name))
            .map(|(id, _)| id)
            .collect::<Vec<_>>();
        let query = whose
            .events()
            .filter(events::occurred_at.ge(DbTime(range.start)))
            .filter(events::occurred_at.lt(DbTime(range.end)))
            // A user has fewer events than a type: see `Unindexed`.
            .filter(Unindexed(events::kind_ref).eq_any(kinds))
            .filter(Unindexed(events::page_ref).is_not_null())
            .order((events::occurred_at.asc(), events::seq.asc()))
            .select(BehaviorRow::as_select());
        let rows: Vec<BehaviorRow> = self.run("events", |conn| query.load(conn))?;
        let mut named: Vec<i32> = rows.iter().filter_map(BehaviorRow::named).collect();
        named.sort_unstable();
        named.dedup();
        let pages = self.names_of(Space::Pages, &named)?;
        rows.into_iter().map(|row| row.into_behavior(&pages)).collect()
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
