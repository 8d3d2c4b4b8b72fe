//! Rows of analytic answers: they lie in no table.

use diesel::sql_types::{BigInt, Text};
use diesel::{Queryable, QueryableByName, Selectable};
use trailkeeper_domain::activity::{ActiveUsers, Behavior, PageViews};
use trailkeeper_domain::creation::DailyCount;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::{Error, Result};

use super::unreadable;
use crate::columns::{Day, DbDay, DbTime, DbUuid, Uuid128};
use crate::schema::events;

/// Active users of one period, tenant and environment.
#[derive(Debug, QueryableByName)]
pub struct ActiveUsersRow {
    #[diesel(sql_type = Day)]
    start: DbDay,
    #[diesel(sql_type = Uuid128)]
    tenant_id: DbUuid,
    #[diesel(sql_type = BigInt)]
    env_id: i64,
    #[diesel(sql_type = BigInt)]
    users: i64,
}

impl TryFrom<ActiveUsersRow> for ActiveUsers {
    type Error = Error;

    fn try_from(row: ActiveUsersRow) -> Result<Self> {
        Ok(Self {
            start: row.start.0,
            tenant_id: TenantId(row.tenant_id.0),
            env_id: EnvId(u32::try_from(row.env_id).map_err(|e| unreadable("events", "env_id", row.env_id, e))?),
            users: u64::try_from(row.users).map_err(Error::internal)?,
        })
    }
}

/// How many, on one day and in one tenant.
#[derive(Debug, QueryableByName)]
pub struct DailyCountRow {
    #[diesel(sql_type = Day)]
    day: DbDay,
    #[diesel(sql_type = Uuid128)]
    tenant_id: DbUuid,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl TryFrom<DailyCountRow> for DailyCount {
    type Error = Error;

    fn try_from(row: DailyCountRow) -> Result<Self> {
        Ok(Self {
            day: row.day.0,
            tenant_id: TenantId(row.tenant_id.0),
            count: u64::try_from(row.count).map_err(Error::internal)?,
        })
    }
}

/// Views and visitors of one page.
#[derive(Debug, QueryableByName)]
pub struct PageViewsRow {
    #[diesel(sql_type = Text)]
    page: String,
    #[diesel(sql_type = BigInt)]
    views: i64,
    #[diesel(sql_type = BigInt)]
    users: i64,
}

impl TryFrom<PageViewsRow> for PageViews {
    type Error = Error;

    fn try_from(row: PageViewsRow) -> Result<Self> {
        Ok(Self {
            page: row.page,
            views: u64::try_from(row.views).map_err(Error::internal)?,
            users: u64::try_from(row.users).map_err(Error::internal)?,
        })
    }
}

/// One number.
#[derive(Debug, QueryableByName)]
pub struct CountRow {
    /// The number.
    #[diesel(sql_type = BigInt)]
    pub rows: i64,
}

/// One page that a user was on. Asked for where the page is not null.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct BehaviorRow {
    occurred_at: DbTime,
    page: Option<String>,
}

impl From<BehaviorRow> for Behavior {
    fn from(row: BehaviorRow) -> Self {
        Self { at: row.occurred_at.0, page: row.page.unwrap_or_default() }
    }
}
