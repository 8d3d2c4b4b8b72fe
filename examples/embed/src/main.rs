//! An example of Trailkeeper inside another program, without HTTP, a server or an asynchronous runtime.
//!
//! It records a few page loads in the SQLite file that its argument names, and then asks for the active users and the
//! pages: `cargo run -p trailkeeper-example-embed -- trail.db`

use ring::rand::{SecureRandom as _, SystemRandom};
use trailkeeper_analytics::engine::merger;
use trailkeeper_analytics::question::SeriesSpec;
use trailkeeper_analytics::question::active_users::active_users;
use trailkeeper_analytics::question::page_statistics::{PagesQuestion, page_statistics};
use trailkeeper_analytics::{Audience, Granularity, Span, Zone};
use trailkeeper_domain::clock::{Clock, Entropy, SystemClock};
use trailkeeper_domain::event::{EventDraft, IngestContext, PAGE_LOAD};
use trailkeeper_domain::usecase::{RecordStatus, record_events};
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_domain::{Error, Result};
use trailkeeper_storage::{DatabaseUrl, StoreOptions};

/// The randomness that the program supplies, here from the operating system.
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
    // The store writes the summary of each batch in the same transaction as its events.
    let store = trailkeeper_storage::open(&url, &StoreOptions::default())?;
    let (store, clock, entropy) = (store.as_ref(), SystemClock, Randomness(SystemRandom::new()));

    let context = IngestContext { now: clock.now(), source: None, tenant_scope: None };
    let seen = [("jane", "/orders"), ("jane", "/orders?page=2"), ("omar", "/orders"), ("omar", "/invoices")];
    let drafts = seen.map(|(user, page)| {
        Ok::<_, Error>(EventDraft {
            kind: PAGE_LOAD.to_owned(),
            user_id: Some(user.to_owned()),
            page: Some(page.to_owned()),
            ..EventDraft::default()
        })
    });
    for recorded in record_events(store, &clock, &entropy, &context, drafts.into())?.wait()? {
        match (recorded.status, recorded.id) {
            (RecordStatus::Refused(reason), _) => println!("refused: {reason}"),
            (_, Some(id)) => println!("recorded {id}"),
            (_, None) => {}
        }
    }

    // Answers do not depend on this merge. A long-running program merges in the background, with `merger::Merger`.
    if let Some(merged) = merger::run_once(store, &clock, &entropy)? {
        println!("{} summaries merged into {} sheets", merged.deltas, merged.sheets_written);
    }

    // The program decides which tenants its caller may see. A long-running program may add a `FoldCache` to the
    // audience: the next question about the same sheets is then cheap.
    let everyone = Audience::of(Visibility::unrestricted(), None, None)?;
    let span = Span::of(Zone::UTC, None, None, clock.now())?;
    let spec = SeriesSpec { span, granularity: Granularity::Day, compare: false };
    let active = active_users(store, spec, &everyone)?.current;
    for (range, users) in active.buckets.iter().filter(|(_, users)| users.active > 0) {
        println!("{}: {} active users, {} of them new", range.start.date_naive(), users.active, users.new);
    }
    let question = PagesQuestion { span, previous: None, limit: 100 };
    let statistics = page_statistics(store, &question, &everyone)?;
    println!("{} views by {} users", statistics.totals.seen.views, statistics.totals.seen.users);
    for page in statistics.pages {
        let seen = page.counted.current;
        println!("{:>6} views {:>4} users  {}", seen.views, seen.users, page.name);
    }
    Ok(())
}
