//! Memory of the real program while it stores events and answers questions.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;
use trailkeeper_auth::AccessSettings;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::event::Event;

use crate::dataset::Dataset;
use crate::http::{Connection, request};
use crate::questions;
use crate::server::Server;
use crate::store::{BATCH, as_json};

/// Connections that send events.
const SENDERS: usize = 4;

/// Batches per connection.
const BATCHES: usize = 50;

pub fn show(data: &mut Dataset) {
    let token = Server::start(data.store.clone(), Role::Admin, AccessSettings::default()).token;
    let program = Program::start(data.url());
    let requests: Vec<Vec<u8>> = (0..SENDERS * BATCHES).map(|_| batch(data, &token)).collect();
    let idle = program.memory("VmRSS");
    let sent = AtomicBool::new(false);
    let address = program.address;
    let answers = thread::scope(|scope| {
        let asking = scope.spawn(|| ask_until(address, &token, &sent));
        thread::scope(|scope| {
            for requests in requests.chunks(BATCHES) {
                scope.spawn(move || {
                    let mut connection = Connection::open(address);
                    for request in requests {
                        drop(connection.send(request));
                    }
                });
            }
        });
        sent.store(true, Ordering::SeqCst);
        asking.join().unwrap()
    });
    println!("| `trailkeeper serve` | MiB resident | target |\n|---|---|---|");
    println!("| after the start | {idle:.0} | |");
    let stored = SENDERS * BATCHES * BATCH;
    println!(
        "| peak, while it stored {stored} events and answered {answers} questions | {:.0} | 256 |",
        program.memory("VmHWM")
    );
    println!("| afterwards | {:.0} | |\n", program.memory("VmRSS"));
}

fn batch(data: &mut Dataset, token: &str) -> Vec<u8> {
    let events: Vec<Event> = data.more.by_ref().take(BATCH).collect();
    request("POST", "/v1/events", token, &events.iter().map(as_json).collect::<Value>().to_string())
}

/// Asks the questions in turn until all events are sent, each at least once. Returns the number of answers.
fn ask_until(address: SocketAddr, token: &str, sent: &AtomicBool) -> usize {
    let mut connection = Connection::open(address);
    let requests: Vec<Vec<u8>> =
        questions::all().iter().map(|question| request("GET", &question.path, token, "")).collect();
    let mut answers = 0;
    while answers < requests.len() || !sent.load(Ordering::SeqCst) {
        drop(connection.send(&requests[answers % requests.len()]));
        answers += 1;
    }
    answers
}

/// The program, started like an operator starts it. Dropping it kills it.
struct Program {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Program {
    fn start(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailkeeper"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TRAILKEEPER_")) {
            command.env_remove(name);
        }
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--database-url", url, "--data-dir"])
            .arg(folder.path())
            .env("TRAILKEEPER_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some(address) = line.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next()) {
                break address.trim_end_matches('/').parse().unwrap();
            }
        };
        // The pipe must stay open for the rest of the output.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address, _folder: folder }
    }

    /// A value of `/proc/PID/status`, in MiB.
    fn memory(&self, line: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kib = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).unwrap();
        kib.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1_024.0
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}
