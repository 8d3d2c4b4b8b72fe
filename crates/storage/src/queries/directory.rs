//! Reads tenants, users and memberships.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use trailkeeper_domain::Result;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::ports::DirectoryReads;
use trailkeeper_domain::tenant::Tenant;
use trailkeeper_domain::user::{AttributeChange, Membership, SharedEmail, User, UserFilter};

use super::{Db, Tx, count};
use crate::columns::{DbTime, DbUuid, Instant};
use crate::email_key::EmailKey;
use crate::rows::{AttributeChangeRow, MembershipRow, TenantRow, UserRow};
use crate::schema::{attribute_changes, memberships, tenants, users};
use crate::unindexed::Unindexed;

/// Adds the conditions of a filter to a list of users or of members. It is a macro because the two queries have different
/// types. SQLite uses the index of the condition that matches the fewest users; `$whole` is true if the query has no
/// other condition with an index.
macro_rules! narrowed {
    ($query:expr, $filter:expr, whole: $whole:expr) => {{
        let mut query = $query;
        let mut by_index = $whole;
        if let Some(email) = &$filter.email {
            let key = EmailKey::of(email);
            query = if key.may_be_shared() {
                query.filter(users::email_folded.eq_any([key.folded, key.shared]))
            } else {
                query.filter(users::email_folded.eq(key.folded))
            };
            by_index = false;
        }
        if let Some(pool) = &$filter.user_pool_id {
            query = if by_index {
                query.filter(users::user_pool_id.eq(pool.as_str()))
            } else {
                query.filter(Unindexed(users::user_pool_id).eq(pool.as_str()))
            };
            by_index = false;
        }
        if let Some(region) = &$filter.region {
            query = if by_index {
                query.filter(users::region.eq(region.as_str()))
            } else {
                query.filter(Unindexed(users::region).eq(region.as_str()))
            };
        }
        query
    }};
}

impl DirectoryReads for Tx<'_> {
    fn tenant(&mut self, id: TenantId) -> Result<Option<Tenant>> {
        let query = tenants::table.find(DbUuid(id.0)).select(TenantRow::as_select());
        let row = self.run("tenants", |conn| query.first(conn).optional())?;
        Ok(row.map(Tenant::from))
    }

    fn tenants(&mut self, after: Option<TenantId>, limit: usize) -> Result<Vec<Tenant>> {
        let mut query = tenants::table.into_boxed::<Db>();
        if let Some(after) = after {
            query = query.filter(tenants::tenant_id.gt(DbUuid(after.0)));
        }
        let query = query.order(tenants::tenant_id.asc()).limit(count(limit)).select(TenantRow::as_select());
        let rows: Vec<TenantRow> = self.run("tenants", |conn| query.load(conn))?;
        Ok(rows.into_iter().map(Tenant::from).collect())
    }

    fn user(&mut self, id: &UserId) -> Result<Option<User>> {
        let query = users::table.find(id.as_str()).select(UserRow::as_select());
        let row: Option<UserRow> = self.run("users", |conn| query.first(conn).optional())?;
        row.map(User::try_from).transpose()
    }

    fn users(&mut self, filter: &UserFilter, after: Option<&UserId>, limit: usize) -> Result<Vec<User>> {
        let rows: Vec<UserRow> = if let Some(tenant) = filter.visibility.tenant() {
            // Reads the memberships of the tenant, which are stored in the order of the list.
            let members = memberships::table
                .inner_join(users::table.on(users::user_id.eq(memberships::user_id)))
                .filter(memberships::tenant_id.eq(DbUuid(tenant.0)))
                .into_boxed::<Db>();
            let mut query = narrowed!(members, filter, whole: false);
            if let Some(after) = after {
                query = query.filter(memberships::user_id.gt(after.as_str()));
            }
            let query = query.order(memberships::user_id.asc()).limit(count(limit)).select(UserRow::as_select());
            self.run("users", |conn| query.load(conn))?
        } else {
            let mut query = narrowed!(users::table.into_boxed::<Db>(), filter, whole: true);
            if let Some(after) = after {
                query = query.filter(users::user_id.gt(after.as_str()));
            }
            let query = query.order(users::user_id.asc()).limit(count(limit)).select(UserRow::as_select());
            self.run("users", |conn| query.load(conn))?
        };
        rows.into_iter().map(User::try_from).collect()
    }

    fn membership(&mut self, tenant: TenantId, user: &UserId) -> Result<Option<Membership>> {
        let query = memberships::table.find((DbUuid(tenant.0), user.as_str())).select(MembershipRow::as_select());
        let row = self.run("memberships", |conn| query.first(conn).optional())?;
        Ok(row.map(Membership::from))
    }

    fn memberships(&mut self, tenant: TenantId, after: Option<&UserId>, limit: usize) -> Result<Vec<Membership>> {
        let mut query = memberships::table.into_boxed::<Db>().filter(memberships::tenant_id.eq(DbUuid(tenant.0)));
        if let Some(after) = after {
            query = query.filter(memberships::user_id.gt(after.as_str()));
        }
        let query = query.order(memberships::user_id.asc()).limit(count(limit)).select(MembershipRow::as_select());
        let rows: Vec<MembershipRow> = self.run("memberships", |conn| query.load(conn))?;
        Ok(rows.into_iter().map(Membership::from).collect())
    }

    fn next_tenant_with_members(&mut self, after: Option<TenantId>) -> Result<Option<TenantId>> {
        // With a bound in any case, so that SQLite searches the key instead of scanning the table.
        let first = DbUuid(TenantId::NONE.0);
        let query = memberships::table.into_boxed::<Db>();
        let query = match after {
            Some(after) => query.filter(memberships::tenant_id.gt(DbUuid(after.0))),
            None => query.filter(memberships::tenant_id.ge(first)),
        };
        let query = query.order(memberships::tenant_id.asc()).limit(1).select(memberships::tenant_id);
        let found: Option<DbUuid> = self.run("memberships", |conn| query.first(conn).optional())?;
        Ok(found.map(|id| TenantId(id.0)))
    }

    fn attribute_changes(
        &mut self,
        user: &UserId,
        member_of: Option<TenantId>,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, AttributeChange)>> {
        let mut query =
            attribute_changes::table.into_boxed::<Db>().filter(attribute_changes::user_id.eq(user.as_str()));
        if let Some(tenant) = member_of {
            let membership = memberships::table.find((DbUuid(tenant.0), user.as_str()));
            let changes_after: Option<i64> =
                self.run("memberships", |conn| membership.select(memberships::changes_after).first(conn).optional())?;
            let Some(changes_after) = changes_after else { return Ok(Vec::new()) };
            // A user has fewer changes than the table, so SQLite must take the index of users: see `Unindexed`.
            query = query.filter(Unindexed(attribute_changes::seq).gt(changes_after));
        }
        if let Some(after) = after {
            let found: Option<DbTime> = self.run("attribute_changes", |conn| {
                attribute_changes::table
                    .find(after)
                    .filter(attribute_changes::user_id.eq(user.as_str()))
                    .select(attribute_changes::changed_at)
                    .first(conn)
                    .optional()
            })?;
            // The history of the previous page was deleted, or it belongs to another user.
            let Some(changed_at) = found else { return Ok(Vec::new()) };
            query = query.filter(
                sql::<Bool>("(changed_at, seq) < (")
                    .bind::<Instant, _>(changed_at)
                    .sql(", ")
                    .bind::<BigInt, _>(after)
                    .sql(")"),
            );
        }
        let query = query
            .order((attribute_changes::changed_at.desc(), attribute_changes::seq.desc()))
            .limit(count(limit))
            .select(AttributeChangeRow::as_select());
        let rows: Vec<AttributeChangeRow> = self.run("attribute_changes", |conn| query.load(conn))?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    fn has_directory(&mut self) -> Result<bool> {
        let tenant = self.run("tenants", |conn| {
            diesel::select(exists(tenants::table.select(tenants::tenant_id))).get_result::<bool>(conn)
        })?;
        let user = self.run("users", |conn| {
            diesel::select(exists(users::table.select(users::user_id))).get_result::<bool>(conn)
        })?;
        let member = self.run("memberships", |conn| {
            diesel::select(exists(memberships::table.select(memberships::user_id))).get_result::<bool>(conn)
        })?;
        Ok(tenant || user || member)
    }

    fn shared_emails(&mut self) -> Result<Vec<SharedEmail>> {
        self.all_shared_emails()
    }
}
