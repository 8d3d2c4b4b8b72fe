//! Queries that are built as text.
//!
//! The text of a query refers to its values as `$1, $2, …`. [`TextQuery`] keeps these numbers and the values together.
//! SQLite accepts this form if the numbers are in ascending order.

use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, SmallInt, Text};
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use uuid::Uuid;

use super::{Db, dialect};
use crate::columns::{DbTime, DbUuid, Instant, Uuid128};

/// A query under construction: its text, and the values that the text refers to by number.
pub struct TextQuery<'a> {
    /// The query so far.
    pub query: BoxedSqlQuery<'a, Db, SqlQuery>,
    values: usize,
}

impl<'a> TextQuery<'a> {
    /// A query that begins with `text`, which has no values.
    pub fn new(text: String) -> Self {
        Self { query: diesel::sql_query(text).into_boxed(), values: 0 }
    }

    /// Appends text without values.
    pub fn sql(&mut self, text: &str) -> &mut Self {
        self.change(|query| query.sql(text))
    }

    /// Appends a text value.
    pub fn bind_text(&mut self, value: &'a str) -> &mut Self {
        self.placeholder().change(|query| query.bind::<Text, _>(value))
    }

    /// Appends a number.
    pub fn bind_number(&mut self, value: i64) -> &mut Self {
        self.placeholder().change(|query| query.bind::<BigInt, _>(value))
    }

    /// Appends the condition that events are in one of these buckets, and `AND`; nothing on SQLite.
    pub fn in_buckets(&mut self, column: &str, buckets: &[Bucket]) -> &mut Self {
        if dialect::HAS_BUCKETS {
            self.sql(column).placeholder_of_buckets(buckets).sql(" AND ");
        }
        self
    }

    fn placeholder_of_buckets(&mut self, buckets: &[Bucket]) -> &mut Self {
        if let [bucket] = buckets {
            let code = bucket.code();
            return self.sql(" = ").placeholder().change(|query| query.bind::<SmallInt, _>(code));
        }
        self.sql(" IN (");
        for (at, bucket) in buckets.iter().enumerate() {
            if at > 0 {
                self.sql(", ");
            }
            let code = bucket.code();
            self.placeholder().change(|query| query.bind::<SmallInt, _>(code));
        }
        self.sql(")")
    }

    /// Appends the condition that a column of times lies in a range.
    pub fn in_range(&mut self, column: &str, range: TimeRange) {
        self.sql(&format!(" AND {column} >= ")).bind_instant(range.start);
        self.sql(&format!(" AND {column} < ")).bind_instant(range.end);
    }

    /// Appends a time.
    pub fn bind_instant(&mut self, at: Timestamp) -> &mut Self {
        self.placeholder().change(|query| query.bind::<Instant, _>(DbTime(at)))
    }

    /// Appends the condition that leaves out the system tenant: operators are not customers.
    pub fn only_customers(&mut self) {
        self.sql(" AND tenant_id <> ").bind_uuid(TenantId::SYSTEM.0);
    }

    /// Appends the condition that the tenant is one of these.
    pub fn only_tenants(&mut self, tenants: &[TenantId]) {
        self.sql(" AND tenant_id IN (").bind_tenants(tenants).sql(")");
    }

    /// Appends the condition that the user ever became a member of one of `tenants`. [`TenantId::NONE`] among them also
    /// matches users who never became a member of any tenant.
    pub fn only_users_ever_in(&mut self, tenants: &[TenantId]) {
        let members = "SELECT user_id FROM creations WHERE kind = 'create_tenant_user' AND user_id IS NOT NULL";
        self.sql(&format!(" AND (user_id IN ({members} AND tenant_id IN (")).bind_tenants(tenants).sql("))");
        if tenants.contains(&TenantId::NONE) {
            self.sql(&format!(" OR user_id NOT IN ({members})"));
        }
        self.sql(")");
    }

    /// Appends tenants, separated by commas. An empty list becomes `NULL`, and `IN (NULL)` is true for no row on both
    /// databases.
    fn bind_tenants(&mut self, tenants: &[TenantId]) -> &mut Self {
        for (at, tenant) in tenants.iter().enumerate() {
            if at > 0 {
                self.sql(", ");
            }
            self.bind_uuid(tenant.0);
        }
        if tenants.is_empty() {
            self.sql("NULL");
        }
        self
    }

    /// Appends a UUID.
    pub fn bind_uuid(&mut self, id: Uuid) -> &mut Self {
        self.placeholder().change(|query| query.bind::<Uuid128, _>(DbUuid(id)))
    }

    /// Appends the placeholder of the value that is bound next.
    pub fn placeholder(&mut self) -> &mut Self {
        self.values += 1;
        let number = format!("${}", self.values);
        self.sql(&number)
    }

    /// Replaces the query by the result of `step`, which takes it as its argument.
    pub fn change(
        &mut self,
        step: impl FnOnce(BoxedSqlQuery<'a, Db, SqlQuery>) -> BoxedSqlQuery<'a, Db, SqlQuery>,
    ) -> &mut Self {
        let query = std::mem::replace(&mut self.query, diesel::sql_query("").into_boxed());
        self.query = step(query);
        self
    }
}
