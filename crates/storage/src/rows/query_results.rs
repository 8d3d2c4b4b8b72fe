//! Rows of analytic queries that are not rows of one table.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{Queryable, QueryableByName, Selectable};
use trailkeeper_domain::activity::Behavior;
use trailkeeper_domain::creation::{Creation, CreationKind, DailyCount};
use trailkeeper_domain::event::missing_name;
use trailkeeper_domain::id::{CreationId, TenantId, UserId};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::user::PoolId;
use trailkeeper_domain::{Error, Result};

use super::unreadable;
use crate::columns::{Day, DbDay, DbTime, DbUuid, Instant, Uuid128};
use crate::schema::events;

/// A number of creations on one day in one tenant.
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

/// A count.
#[derive(Debug, QueryableByName)]
pub struct CountRow {
    /// The counted rows.
    #[diesel(sql_type = BigInt)]
    pub rows: i64,
}

/// An event of a user with a page.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct BehaviorRow {
    seq: i64,
    occurred_at: DbTime,
    page: Option<String>,
    page_ref: Option<i32>,
}

impl BehaviorRow {
    /// The position in order of time.
    pub fn position(&self) -> (Timestamp, i64) {
        (self.occurred_at.0, self.seq)
    }

    /// The id of the page, if its text is that in the dictionary.
    pub fn named(&self) -> Option<i32> {
        self.page_ref.filter(|_| self.page.is_none())
    }

    /// The page as it was sent. `pages` has the names of the ids.
    pub fn into_behavior(self, pages: &HashMap<i32, String>) -> Result<Behavior> {
        let page = match (self.page, self.page_ref) {
            (Some(sent), _) => sent,
            (None, Some(id)) => match pages.get(&id) {
                Some(name) => name.clone(),
                None => missing_name(id.cast_unsigned()),
            },
            (None, None) => return Err(unreadable("events", "page_ref", self.seq, "is null")),
        };
        Ok(Behavior { at: self.occurred_at.0, page })
    }
}

/// An entry of the ledger of creations.
#[derive(Debug, QueryableByName)]
pub struct StoredCreationRow {
    #[diesel(sql_type = Uuid128)]
    tenant_id: DbUuid,
    #[diesel(sql_type = Uuid128)]
    id: DbUuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    user_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    region: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    user_pool_id: Option<String>,
    #[diesel(sql_type = Instant)]
    created_at: DbTime,
}

impl TryFrom<StoredCreationRow> for Creation {
    type Error = Error;

    fn try_from(row: StoredCreationRow) -> Result<Self> {
        Ok(Self {
            id: CreationId(row.id.0),
            kind: CreationKind::parse("kind", &row.kind).map_err(|e| unreadable("creations", "kind", row.id.0, e))?,
            tenant_id: TenantId(row.tenant_id.0),
            user_id: row.user_id.map(UserId::stored),
            region: row.region,
            user_pool_id: row.user_pool_id.map(PoolId::stored),
            created_at: row.created_at.0,
        })
    }
}
