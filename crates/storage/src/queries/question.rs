//! Queries that are text.
//!
//! The text of a query numbers its values `$1, $2, …`; [`Question`] keeps the numbers and the values together.
//! SQLite knows that form too, as long as the numbers appear in ascending order.

use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Text};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use uuid::Uuid;

use super::Db;
use crate::columns::{DbTime, DbUuid, Instant, Uuid128};

/// A query under construction: its text, and the values that the text refers to by number.
pub struct Question<'a> {
    /// What is run in the end.
    pub query: BoxedSqlQuery<'a, Db, SqlQuery>,
    values: usize,
}

impl<'a> Question<'a> {
    /// Begins with `text`, which has no values.
    pub fn new(text: String) -> Self {
        Self { query: diesel::sql_query(text).into_boxed(), values: 0 }
    }

    /// Appends text without values.
    pub fn say(&mut self, text: &str) -> &mut Self {
        self.change(|query| query.sql(text))
    }

    /// Appends a text value.
    pub fn text(&mut self, value: &'a str) -> &mut Self {
        self.next_number().change(|query| query.bind::<Text, _>(value))
    }

    /// Appends a number.
    pub fn number(&mut self, value: i64) -> &mut Self {
        self.next_number().change(|query| query.bind::<BigInt, _>(value))
    }

    /// Appends the condition that a column of times lies in a range.
    pub fn in_range(&mut self, column: &str, range: TimeRange) {
        self.say(&format!(" AND {column} >= ")).instant(range.start);
        self.say(&format!(" AND {column} < ")).instant(range.end);
    }

    /// Appends a time.
    pub fn instant(&mut self, at: Timestamp) -> &mut Self {
        self.next_number().change(|query| query.bind::<Instant, _>(DbTime(at)))
    }

    /// Appends the condition that leaves out the system tenant: operators are not customers.
    pub fn of_customers(&mut self) {
        self.say(" AND tenant_id <> ").uuid(TenantId::SYSTEM.0);
    }

    /// Appends the condition that narrows to these tenants.
    pub fn of_tenants(&mut self, tenants: &[TenantId]) {
        self.say(" AND tenant_id IN (").list(tenants).say(")");
    }

    /// Appends the condition that narrows to users who ever became a member of one of `tenants`; [`TenantId::NONE`]
    /// among them stands for users who never became a member of any.
    pub fn of_users_ever_in(&mut self, tenants: &[TenantId]) {
        let members = "SELECT user_id FROM creations WHERE kind = 'create_tenant_user' AND user_id IS NOT NULL";
        self.say(&format!(" AND (user_id IN ({members} AND tenant_id IN (")).list(tenants).say("))");
        if tenants.contains(&TenantId::NONE) {
            self.say(&format!(" OR user_id NOT IN ({members})"));
        }
        self.say(")");
    }

    /// Appends values between commas. An empty list matches nothing: `IN (NULL)` is true for no row on both databases.
    fn list(&mut self, tenants: &[TenantId]) -> &mut Self {
        for (at, tenant) in tenants.iter().enumerate() {
            if at > 0 {
                self.say(", ");
            }
            self.uuid(tenant.0);
        }
        if tenants.is_empty() {
            self.say("NULL");
        }
        self
    }

    /// Appends a UUID.
    pub fn uuid(&mut self, id: Uuid) -> &mut Self {
        self.next_number().change(|query| query.bind::<Uuid128, _>(DbUuid(id)))
    }

    /// Appends the number of the value that is bound next.
    pub fn next_number(&mut self) -> &mut Self {
        self.values += 1;
        let number = format!("${}", self.values);
        self.say(&number)
    }

    /// Replaces the query by the result of `step`.
    pub fn change(
        &mut self,
        step: impl FnOnce(BoxedSqlQuery<'a, Db, SqlQuery>) -> BoxedSqlQuery<'a, Db, SqlQuery>,
    ) -> &mut Self {
        let query = std::mem::replace(&mut self.query, diesel::sql_query("").into_boxed());
        self.query = step(query);
        self
    }
}
