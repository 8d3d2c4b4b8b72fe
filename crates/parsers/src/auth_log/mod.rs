//! Lines of `auth.log` as the OpenSSH server writes them.
//!
//! ```
//! use chrono::Utc;
//! use trailkeeper_domain::time::parse_rfc3339;
//! use trailkeeper_parsers::auth_log::AuthLog;
//!
//! let mut log = AuthLog::new(Utc, Some(2026), parse_rfc3339("now", "2026-11-30T00:00:00Z")?);
//! let line = "Apr  2 13:28:31 web1 sshd[4811]: Failed password for root from 203.0.113.7 port 58758 ssh2";
//! let entry = log.read(line)?.ok_or("an event")?;
//! assert_eq!(entry.action.user.as_deref(), Some("root"));
//! assert!(log.read("Apr  2 13:28:31 web1 CRON[1]: pam_unix(cron:session): session opened")?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod draft;
mod entry;
mod head;
mod message;

use std::collections::BTreeMap;

use chrono::TimeZone;
use trailkeeper_domain::text::shown;
use trailkeeper_domain::time::Timestamp;

pub use draft::to_draft;
pub use entry::Entry;
use head::{Clock, Head};
pub use message::{Action, What};
use message::{PAM, read_message};

/// The largest number in `message repeated N times`. One line must not make events without end.
pub const MAX_REPEATS: u32 = 10_000;

/// Processes of which failures by PAM are remembered.
const MAX_PROCESSES: usize = 65_536;

/// Programs of the OpenSSH server: since version 9.8, a process of its own serves each connection.
const PROGRAMS: [&str; 3] = ["sshd", "sshd-session", "sshd-auth"];

/// A reader of the lines of a log, in their order.
#[derive(Debug)]
pub struct AuthLog<Z> {
    clock: Clock<Z>,
    /// The event of the line before, which `last message repeated` refers to.
    last: Option<Entry>,
    /// Failures that PAM reported, by host and process: the server may report each a second time.
    reported: BTreeMap<(String, u32), u32>,
}

impl<Z: TimeZone> AuthLog<Z> {
    /// A reader of times without an offset as times of `zone`. Times without a year begin in `year`; by default, in the
    /// last year that does not put the first line later than a day after `now`.
    pub fn new(zone: Z, year: Option<i32>, now: Timestamp) -> Self {
        Self { clock: Clock::new(zone, year, now), last: None, reported: BTreeMap::new() }
    }

    /// The events of a line; `None` if it is none of a login or logout. The error says why the line cannot be understood.
    pub fn read(&mut self, line: &str) -> Result<Option<Entry>, String> {
        let before = self.last.take();
        let head = Head::parse(line, &mut self.clock)?;
        let entry = match repeated(head.rest)? {
            Some((count, None)) => before.map(|entry| Entry { at: head.at, count, ..entry }),
            Some((count, Some(message))) => self.entry(&head, message, count)?,
            None => self.entry(&head, head.rest, 1)?,
        };
        self.last.clone_from(&entry);
        Ok(entry)
    }

    fn entry(&mut self, head: &Head<'_>, message: &str, count: u32) -> Result<Option<Entry>, String> {
        if !head.program.is_some_and(|program| PROGRAMS.contains(&program)) {
            return Ok(None);
        }
        let Some(action) = read_message(message)? else { return Ok(None) };
        let mut entry = Entry { at: head.at, host: head.host.to_owned(), pid: head.pid, action, count };
        Ok(self.count_once(&mut entry).then_some(entry))
    }

    /// Whether the attempts of the entry were not counted yet: a failure by PAM has a line of its own, and the server
    /// adds one more for some of them.
    fn count_once(&mut self, entry: &mut Entry) -> bool {
        let Some(pid) = entry.pid else { return true };
        let process = (entry.host.clone(), pid);
        if entry.action.what == What::Failure && entry.action.method == PAM {
            if self.reported.len() >= MAX_PROCESSES {
                self.reported.pop_first();
            }
            let reported = self.reported.entry(process).or_default();
            *reported = reported.saturating_add(entry.count);
        } else if entry.action.what == What::Failure && entry.action.method.starts_with("keyboard-interactive") {
            let reported = self.reported.get(&process).copied().unwrap_or_default();
            let known = reported.min(entry.count);
            self.reported.insert(process, reported - known);
            entry.count -= known;
        }
        entry.count > 0
    }
}

/// The number of repeats, and the message if the line has it: `message repeated 2 times: [ … ]`, or
/// `last message repeated 2 times`. `None` for other messages.
fn repeated(message: &str) -> Result<Option<(u32, Option<&str>)>, String> {
    let (is_last, rest) =
        match (message.strip_prefix("message repeated "), message.strip_prefix("last message repeated ")) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            (None, None) => return Ok(None),
        };
    let Some((count, rest)) = rest.split_once(" times") else { return Ok(None) };
    let count = count
        .parse()
        .ok()
        .filter(|count| (1..=MAX_REPEATS).contains(count))
        .ok_or_else(|| format!("repeats: '{}' is not a whole number from 1 to {MAX_REPEATS}", shown(count)))?;
    if is_last {
        return Ok(Some((count, None)));
    }
    match rest.strip_prefix(": [").and_then(|rest| rest.strip_suffix(']')) {
        Some(message) => Ok(Some((count, Some(message.trim_matches(' '))))),
        None => Err("repeated message: is not in brackets; the line was cut".to_owned()),
    }
}
