//! Sends events of a file, by one thread per connection. Requests are built before the clock starts.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::http::{Connection, request};

/// Lines of a file.
pub struct Part<'a> {
    pub skip: usize,
    pub take: usize,
    pub file: &'a Path,
}

/// Sends events in requests of `batch` events. Each connection sends its share of the requests one after the other.
pub fn send(address: SocketAddr, token: &str, connections: usize, batch: usize, part: &Part<'_>) -> Value {
    let lines = BufReader::new(File::open(part.file).unwrap()).lines().skip(part.skip).take(part.take);
    let lines: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(lines.len(), part.take, "the file has fewer lines");
    let requests: Vec<Vec<u8>> = lines
        .chunks(batch)
        .map(|lines| match lines {
            [event] => request("POST", "/v1/events", token, event),
            _ => request("POST", "/v1/events", token, &format!("[{}]", lines.join(","))),
        })
        .collect();
    let share = requests.len().div_ceil(connections).max(1);
    let started = Instant::now();
    let stored: u64 = thread::scope(|scope| {
        let senders: Vec<_> = requests
            .chunks(share)
            .map(|requests| {
                scope.spawn(move || {
                    let mut connection = Connection::open(address);
                    requests.iter().map(|request| stored(&connection.send(request))).sum::<u64>()
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).sum()
    });
    json!({"seconds": started.elapsed().as_secs_f64(), "requests": requests.len(), "stored": stored})
}

/// How many events a response counts as stored. Not parsed as JSON: it must cost little next to the server.
fn stored(answer: &str) -> u64 {
    let number = answer.split_once("\"stored\":").unwrap_or_else(|| panic!("no count of stored events: {answer}")).1;
    number.trim_start().split(|end: char| !end.is_ascii_digit()).next().unwrap().parse().unwrap()
}
