//! Imports the logins of an OpenSSH server from its `auth.log`.

use chrono_tz::Tz;
use clap::Args;
use trailkeeper_domain::Error;
use trailkeeper_parsers::auth_log::{AuthLog, Entry, to_draft};
use trailkeeper_parsers::derived_id::derived_id;
use uuid::Uuid;

use crate::failure::Failure;
use crate::import::batch::{Batch, Place, Recording};
use crate::import::occurrences::{Counted, Occurrences};
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
    recording: &Recording,
    times: &AuthLogTimes,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let mut batch = Batch::new(ports, recording, summary)?;
    let mut log = AuthLog::new(times.timezone, times.year, ports.clock.now());
    let mut occurrences = Occurrences::default();
    let mut read = Ok(());
    let several = sources.len() > 1;
    for mut source in sources {
        let name = several.then(|| source.shared_name());
        read = source.each_line(|number, content| {
            let place = Place { file: name.clone(), line: number };
            let text = match content {
                Ok(content) => String::from_utf8_lossy(content),
                Err(error) => return batch.add(place, 0, Err(error)),
            };
            match log.read(&text) {
                Ok(Some(entry)) => add(&mut batch, &mut occurrences, &place, &text, &entry),
                Ok(None) => {
                    batch.skip();
                    Ok(())
                }
                Err(reason) => {
                    let error = Error::malformed("not_a_log_line", reason);
                    batch.add(place, text.len(), Err(error))
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
    place: &Place,
    line: &str,
    entry: &Entry,
) -> Result<(), Failure> {
    let key = *derived_id(SPACE, &[line.as_bytes()]).as_bytes();
    for nth in 0..entry.count {
        let Counted { occurrence, is_late } = occurrences.count(key, entry.at);
        if is_late && nth == 0 {
            batch.late(place.clone());
        }
        let before = u64::from(occurrence.saturating_sub(1));
        batch.add(place.clone(), line.len(), Ok(to_draft(entry, event_id(line, before))))?;
    }
    Ok(())
}

/// The id of the event of a line after `before` events of equal lines.
fn event_id(line: &str, before: u64) -> Uuid {
    derived_id(SPACE, &[line.as_bytes(), &before.to_be_bytes()])
}
