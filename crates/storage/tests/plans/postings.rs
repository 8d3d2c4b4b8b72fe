//! Questions about the index of events.

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::PostingRunKey;
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_testkit::at;
use uuid::Uuid;

use crate::{Question, question, tenant};

/// Runs, pages, and events by their numbers.
pub(crate) fn questions() -> Vec<Question> {
    let month = at("2026-02-01T00:00:00Z");
    let months = Level::Month.range(month);
    let mut questions = Vec::new();
    for scope in [Scope::Everyone, Scope::Tenant(tenant())] {
        let key = PostingRunKey { scope, month, run: 1 };
        let other = Scope::Tenant(TenantId(Uuid::from_u128(8)));
        questions.extend([
            question("runs of postings", move |tx| tx.posting_runs(1, scope, months).map(drop)),
            question("keys of postings", move |tx| tx.posting_run_keys(1, &[scope]).map(drop)),
            question("keys of postings of some scopes", move |tx| tx.posting_run_keys(1, &[scope, other]).map(drop)),
            question("pages of postings", move |tx| tx.posting_pages(1, key, &[0, 3, 7]).map(drop)),
            question("a page of postings", move |tx| tx.posting_pages(1, key, &[2]).map(drop)),
        ]);
    }
    questions.push(question("whether there are postings", |tx| tx.has_postings().map(drop)));
    questions.push(question("events by number", |tx| tx.events_by_seq(&[5, 500_000, 999_999]).map(drop)));
    questions
        .push(question("columns by number", |tx| tx.indexed_events_by_seq(&[5, 500_000, 999_999], &mut |_| Ok(()))));
    questions.push(question("the last number", |tx| tx.last_seq().map(drop)));
    questions.push(question("a walk by number", |tx| tx.indexed_events(500_000, 100, &mut |_| Ok(()))));
    questions
}
