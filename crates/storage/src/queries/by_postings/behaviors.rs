//! The pages of one user.

use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::activity::Behavior;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_postings::dimension::Dimension;
use trailkeeper_postings::query::{Condition, Query};

use super::super::{Tx, dialect};
use super::asked::numbers;
use crate::generation::Generation;
use crate::rows::BehaviorRow;
use crate::schema::events;

/// The number of rows that one statement reads.
const AT_ONCE: usize = 1_000;

impl Tx<'_> {
    /// The events of these types with a page of a user, in order of time. See `ActivityReads::behaviors`.
    pub(in super::super) fn behaviors_by_postings(
        &mut self,
        generations: &[Generation],
        user: &UserId,
        kinds: &[i32],
        range: TimeRange,
        tenant: Option<TenantId>,
    ) -> Result<Vec<Behavior>> {
        let scope = Scope::of(tenant);
        let condition = Condition::All(vec![self.of_user(user)?, numbers(Dimension::Kind, kinds)]);
        let Some(condition) = Self::of_customers(scope, condition) else { return Ok(Vec::new()) };
        let query = Query { condition, from: Some(range.start), until: Some(range.end) };
        let mut seqs = Vec::new();
        self.ask(generations, scope, &query, |sources| {
            sources.scan(&query, &mut |columns| {
                seqs.extend(columns.page.map(|_| columns.key.seq));
                Ok(())
            })
        })?;
        let buckets = self.buckets_of(scope)?;
        let mut rows: Vec<BehaviorRow> = Vec::with_capacity(seqs.len());
        for some in seqs.chunks(AT_ONCE) {
            let query = dialect::events(&buckets).filter(events::seq.eq_any(some)).select(BehaviorRow::as_select());
            rows.extend(self.run("events", |conn| query.load::<BehaviorRow>(conn))?);
        }
        rows.sort_unstable_by_key(BehaviorRow::position);
        self.with_pages(rows)
    }
}
