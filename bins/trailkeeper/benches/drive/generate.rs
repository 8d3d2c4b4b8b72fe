//! The workload as files: `events.ndjson` to load, `more.ndjson` to send afterwards, `meta.json` for the questions.
//!
//! A line is an event as `POST /v1/events` and `trailkeeper import events` take it. Events are written while they are
//! made, so memory does not grow with their number. The same arguments give the same files in every run.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use trailkeeper_domain::time::rfc3339;

use crate::population::{Action, Population};
use crate::random::Random;
use crate::rhythm::{self, DAYS, START};

/// Sampled events in `meta.json`, from which filters are made.
const SAMPLES: u64 = 1_000;

/// Milliseconds between two events after the 90 days.
const STEP: i64 = 100;

/// How senders make ids.
#[derive(Clone, Copy)]
pub enum Ids {
    Random,
    TimeOrdered,
}

/// Writes the files: `events` within the 90 days, and `more` after them.
pub fn write(folder: &Path, events: u64, more: u64, ids: Ids) {
    let people = Population::new(&mut Random::new(1));
    let mut maker = Maker { people: &people, random: Random::new(2), ids };
    let mut times = Random::new(3);
    let end = START + DAYS * 86_400_000;
    let mut per_user = vec![0_u32; people.users.len()];
    let mut samples = Vec::new();
    let every = (events / SAMPLES).max(1);
    let mut file = create(folder, "events.ndjson");
    for (number, at) in (0_u64..).zip(rhythm::times(events, &mut times)) {
        let (action, event) = maker.event(at);
        per_user[action.user] += 1;
        // Shifted, so that samples are not the first events of anything.
        if number % every == every / 2 {
            samples.push(event.clone());
        }
        writeln!(file, "{event}").unwrap();
    }
    file.flush().unwrap();
    let mut file = create(folder, "more.ndjson");
    for number in 0..i64::try_from(more).unwrap() {
        writeln!(file, "{}", maker.event(end + number * STEP).1).unwrap();
    }
    file.flush().unwrap();
    let heaviest = (0..per_user.len()).max_by_key(|user| per_user[*user]).unwrap();
    let meta = json!({
        "events": events,
        "more": more,
        "start": START / 1_000,
        "end": end / 1_000,
        "largest_tenant": people.tenants[0],
        "smallest_tenant": people.tenants[people.tenants.len() - 1],
        "heaviest_user": people.users[heaviest],
        "samples": samples,
    });
    create(folder, "meta.json").write_all(meta.to_string().as_bytes()).unwrap();
}

fn create(folder: &Path, name: &str) -> BufWriter<File> {
    BufWriter::with_capacity(1 << 20, File::create(folder.join(name)).unwrap())
}

struct Maker<'a> {
    people: &'a Population,
    random: Random,
    ids: Ids,
}

impl Maker<'_> {
    fn event(&mut self, milliseconds: i64) -> (Action, Value) {
        let action = self.people.act(&mut self.random);
        let id = match self.ids {
            Ids::Random => self.random.uuid(),
            Ids::TimeOrdered => self.random.uuid_at(milliseconds),
        };
        let occurred_at = chrono::DateTime::from_timestamp_millis(milliseconds).unwrap();
        let mut event = json!({
            "id": id,
            "tenant_id": self.people.tenants[action.tenant],
            "env_id": action.env,
            "occurred_at": rfc3339(occurred_at),
            "user_id": self.people.users[action.user],
            "user_name": Population::user_name(&action),
            "type": action.kind,
            "outcome": action.outcome,
            "source": action.source,
        });
        if let Some(page) = action.page {
            event["page"] = self.people.pages[page].as_str().into();
        }
        (action, event)
    }
}
