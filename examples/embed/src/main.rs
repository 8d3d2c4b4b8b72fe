//! Trailkeeper inside another program: no HTTP, no server, no asynchronous runtime.
//!
//! Records a few page loads in the SQLite file that is named as argument, then asks who was active and
//! which pages were seen: `cargo run -p trailkeeper-example-embed -- trail.db`

use std::sync::Arc;

use chrono::Duration;
use ring::rand::{SecureRandom as _, SystemRandom};
use trailkeeper_analytics::Source;
use trailkeeper_analytics::engine::{Summary, merger};
use trailkeeper_analytics::query::active_users::{ActiveUsersQuestion, active_users};
use trailkeeper_analytics::query::page_statistics::page_statistics;
use trailkeeper_domain::activity::Period;
use trailkeeper_domain::clock::{Clock, Entropy, SystemClock};
use trailkeeper_domain::event::{EventDraft, IngestContext, PAGE_LOAD};
use trailkeeper_domain::page::PageQueries;
use trailkeeper_domain::usecase::{RecordStatus, record_events};
use trailkeeper_domain::{Error, Result};
use trailkeeper_storage::{DatabaseUrl, StoreOptions};

/// The program brings its own randomness, here the operating system's.
struct Randomness(SystemRandom);

impl Entropy for Randomness {
    fn fill(&self, buffer: &mut [u8]) {
        assert!(self.0.fill(buffer).is_ok(), "the operating system gives no randomness");
    }
}

fn main() -> Result<()> {
    let file = std::env::args().nth(1).ok_or_else(|| Error::invalid("FILE", "is missing; name a SQLite file"))?;
    let url = DatabaseUrl::parse(&format!("sqlite:{file}"))?;
    let applied = trailkeeper_storage::migrate(&url)?;
    println!("{} migrations applied to {url}", applied.len());
    // The store keeps the summary of each batch beside its events, in the same transaction.
    let store = trailkeeper_storage::open(&url, &StoreOptions::default(), Arc::new(Summary))?;
    let (store, clock, entropy) = (store.as_ref(), SystemClock, Randomness(SystemRandom::new()));

    let context = IngestContext { now: clock.now(), source: None, tenant_scope: None, queries: PageQueries::Dropped };
    let seen = [("jane", "/orders"), ("jane", "/orders?page=2"), ("omar", "/orders"), ("omar", "/invoices")];
    let drafts = seen.map(|(user, page)| {
        Ok(EventDraft {
            kind: PAGE_LOAD.to_owned(),
            user_id: Some(user.to_owned()),
            page: Some(page.to_owned()),
            ..EventDraft::default()
        })
    });
    for recorded in record_events(store, &clock, &entropy, &context, drafts.into())? {
        match (recorded.status, recorded.id) {
            (RecordStatus::Refused(reason), _) => println!("refused: {reason}"),
            (_, Some(id)) => println!("recorded {id}"),
            (_, None) => {}
        }
    }

    // Answers do not depend on it: a long-running program merges in the background, by `merger::Merger`.
    if let Some(merged) = merger::run_once(store, &clock, &entropy)? {
        println!("{} summaries merged into {} sheets", merged.deltas, merged.sheets_written);
    }

    let today = context.now.date_naive();
    let question = ActiveUsersQuestion {
        period: Period::Daily,
        date_from: today,
        date_to: Some(today),
        tenant_id: None,
        env_id: None,
    };
    for active in active_users(store, &clock, &question, None)? {
        println!("{}: {} active users in tenant {}", active.start, active.users, active.tenant_id);
    }
    // A long-running program may give it a `FoldCache`, which makes the same question cheap the next time.
    let source = Source::of(store);
    let statistics = page_statistics(source, context.now - Duration::days(30), context.now, None)?;
    println!("{} views by {} users", statistics.total_views, statistics.total_users);
    for page in statistics.pages {
        println!("{:>6} views {:>4} users  {}", page.views, page.users, page.page);
    }
    Ok(())
}
