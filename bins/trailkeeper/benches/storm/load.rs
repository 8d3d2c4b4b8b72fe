//! The load on the server: batches of events, reads, and logins with wrong passwords, at the same time.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use trailkeeper_domain::ports::Store;
use trailkeeper_testkit::Workload;

use crate::http::{Connection, request};
use crate::server::Server;
use crate::store::{BATCH, as_json};

/// Events that are stored before the measurement.
const STORED: u32 = 50_000;

/// Connections that send batches.
const SENDERS: usize = 2;

/// A load. `duration` is its length; `events` is how many events it has to send, and a run ends early without more.
pub struct Load {
    pub duration: Duration,
    pub events: u32,
}

/// The measured rates and times.
pub struct Measured {
    pub events_per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub hashed_per_s: f64,
    pub throttled: usize,
}

/// Stores some events, so that there is something to read.
pub fn fill(store: &dyn Store) {
    let events: Vec<_> = Workload::new(1, STORED).take(STORED as usize).collect();
    for batch in events.chunks(BATCH) {
        store.writing(|tx| tx.insert_events(batch)).unwrap();
    }
}

impl Load {
    /// Runs the load with `logins` connections that try to log in.
    pub fn run(&self, server: &Server, logins: usize) -> Measured {
        let batches = self.batches(&server.token);
        let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (hashed, throttled) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let started = Instant::now();
        let (mut times, sent_for) = thread::scope(|scope| {
            for number in 0..logins {
                let (ended, hashed, throttled) = (&ended, &hashed, &throttled);
                scope.spawn(move || storm(server.address, number, ended, hashed, throttled));
            }
            let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(|| send(server, &batches, &next, &ended))).collect();
            let reader = scope.spawn(|| read(server, &ended));
            let all_sent = || senders.iter().all(thread::ScopedJoinHandle::is_finished);
            while started.elapsed() < self.duration && !all_sent() {
                thread::sleep(Duration::from_millis(20));
            }
            let sent_for = started.elapsed().as_secs_f64();
            ended.store(true, Ordering::SeqCst);
            (reader.join().unwrap(), sent_for)
        });
        times.sort_by(f64::total_cmp);
        let part = |hundredths: usize| times.get(times.len() * hundredths / 100).copied().unwrap_or(f64::NAN) * 1e3;
        let batches_sent = u32::try_from(next.load(Ordering::SeqCst).min(batches.len())).unwrap();
        Measured {
            events_per_s: f64::from(batches_sent) * f64::from(u32::try_from(BATCH).unwrap()) / sent_for,
            p50_ms: part(50),
            p99_ms: part(99),
            hashed_per_s: f64::from(u32::try_from(hashed.load(Ordering::SeqCst)).unwrap()) / sent_for,
            throttled: throttled.load(Ordering::SeqCst),
        }
    }

    /// Requests with events that are not stored yet, a batch each.
    fn batches(&self, token: &str) -> Vec<Vec<u8>> {
        let events: Vec<_> = Workload::new(2, self.events).take(self.events as usize).collect();
        let bodies = events.chunks(BATCH).map(|batch| batch.iter().map(as_json).collect::<Value>().to_string());
        bodies.map(|body| request("POST", "/v1/events", token, &body)).collect()
    }
}

fn send(server: &Server, batches: &[Vec<u8>], next: &AtomicUsize, ended: &AtomicBool) {
    let mut connection = Connection::open(server.address);
    while !ended.load(Ordering::SeqCst)
        && let Some(batch) = batches.get(next.fetch_add(1, Ordering::SeqCst))
    {
        connection.send(batch);
    }
}

/// Reads the newest events repeatedly. Returns the time of each read, in seconds.
fn read(server: &Server, ended: &AtomicBool) -> Vec<f64> {
    let mut connection = Connection::open(server.address);
    let newest = request("GET", "/v1/events?limit=50", &server.token, "");
    let mut times = Vec::new();
    while !ended.load(Ordering::SeqCst) {
        let begun = Instant::now();
        connection.send(&newest);
        times.push(begun.elapsed().as_secs_f64());
        // Without a pause, the reader would occupy a core.
        thread::sleep(Duration::from_millis(5));
    }
    times
}

/// Logs in with wrong passwords, with a new name each time.
fn storm(address: SocketAddr, number: usize, ended: &AtomicBool, hashed: &AtomicUsize, throttled: &AtomicUsize) {
    let mut connection = Connection::open(address);
    for attempt in 0.. {
        let body = format!(r#"{{"email":"guess{number}-{attempt}@example.com","password":"wrong password"}}"#);
        let (status, answer) = connection.exchange(&request("POST", "/v1/sessions", "", &body));
        // Responses after the end of the run do not count.
        if ended.load(Ordering::SeqCst) {
            return;
        }
        match status.split(' ').nth(1) {
            Some("401") => hashed.fetch_add(1, Ordering::SeqCst),
            Some("429") => throttled.fetch_add(1, Ordering::SeqCst),
            _ => panic!("{status}{answer}"),
        };
    }
}
