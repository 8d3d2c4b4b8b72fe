//! Imports the logins of an OpenSSH server from its `auth.log`.

use chrono_tz::Tz;
use clap::Args;
use trailkeeper_domain::Error;
use trailkeeper_domain::event::Warning;
use trailkeeper_parsers::auth_log::{AuthLog, Entry, to_draft};
use trailkeeper_parsers::derived_id::derived_id;
use uuid::Uuid;

use crate::failure::Failure;
use crate::import::batch::{Batch, Recording};
use crate::import::occurrences::Occurrences;
use crate::import::source::Source;
use crate::import::summary::Summary;
use crate::wiring::Ports;

/// Name of the ids of lines. It never changes: the ids of stored events were made from it.
const SPACE: &str = "sshd auth.log";

/// How to read times that have no year and no offset.
#[derive(Args)]
pub struct AuthLogTimes {
    /// Year of the first line, if its time has none. Default: the last year in which the line is not in the future.
    #[arg(long, value_name = "YYYY", value_parser = clap::value_parser!(i32).range(1970..=9999))]
    year: Option<i32>,
    /// Time zone of the times without an offset, as an IANA name, for example Europe/Berlin.
    #[arg(long, value_name = "NAME", default_value = "UTC", value_parser = zone)]
    timezone: Tz,
}

/// A time zone by its IANA name.
fn zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| format!("'{name}' is not a time zone; name one of IANA's, for example Europe/Berlin"))
}

/// Records the events of all lines of the files, in their order.
///
/// A line has no id: the id of each event is made from the line and its occurrence among the equal lines of the files.
pub fn import_auth_log(
    ports: &Ports,
    sources: Vec<Source>,
    recording: Recording,
    times: &AuthLogTimes,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let mut batch = Batch::new(ports, recording, summary)?;
    let mut log = AuthLog::new(times.timezone, times.year, ports.clock.now());
    let mut occurrences = Occurrences::default();
    let mut read = Ok(());
    for mut source in sources {
        let name = source.name().to_owned();
        read = source.each_line(|number, content| {
            let text = match content {
                Ok(content) => String::from_utf8_lossy(content),
                Err(error) => return batch.add(number, 0, Err(error)),
            };
            match log.read(&text) {
                Ok(Some(entry)) => add(&mut batch, &mut occurrences, number, &text, &entry),
                Ok(None) => {
                    batch.skip();
                    Ok(())
                }
                Err(reason) => {
                    let error = Error::malformed("not_a_log_line", format!("{name}: {reason}"));
                    batch.add(number, text.len(), Err(error))
                }
            }
        });
        if read.is_err() {
            break;
        }
    }
    // Lines before a defect of a file are recorded, and the summary counts them.
    batch.record()?;
    read
}

/// Adds the events of a line.
fn add(
    batch: &mut Batch<'_>,
    occurrences: &mut Occurrences,
    number: u64,
    line: &str,
    entry: &Entry,
) -> Result<(), Failure> {
    let count = u64::from(entry.count);
    let known = occurrences.add(entry.at, derived_id(SPACE, &[line.as_bytes()]), count);
    for at in 0..count {
        let mut draft = to_draft(entry, event_id(line, known.unwrap_or_default() + at));
        if known.is_none() && at == 0 {
            let what = "the line is so much older than others before it that equal lines are no longer counted: it is \
                        taken for the first of them; import the files in the order of time"
                .to_owned();
            draft.warnings.push(Warning { field: "id", what });
        }
        batch.add(number, line.len(), Ok(draft))?;
    }
    Ok(())
}

/// The id of the event of a line after `before` events of equal lines.
fn event_id(line: &str, before: u64) -> Uuid {
    derived_id(SPACE, &[line.as_bytes(), &before.to_be_bytes()])
}
