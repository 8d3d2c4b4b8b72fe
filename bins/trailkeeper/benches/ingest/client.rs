//! Requests that are built in advance, and sent by one thread per connection.

use std::net::SocketAddr;
use std::thread;

use serde_json::Value;
use trailkeeper_domain::event::Event;

use crate::http::{Connection, request};
use crate::store::as_json;

/// Requests of `batch` events each; the last may have fewer.
pub fn batches(token: &str, events: &[Event], batch: usize) -> Vec<Vec<u8>> {
    let bodies = events.chunks(batch).map(|batch| batch.iter().map(as_json).collect::<Value>().to_string());
    bodies.map(|body| request("POST", "/v1/events", token, &body)).collect()
}

/// One request per event.
pub fn singles(token: &str, events: &[Event]) -> Vec<Vec<u8>> {
    events.iter().map(|event| request("POST", "/v1/events", token, &as_json(event).to_string())).collect()
}

/// Sends the requests and waits for all responses. Each connection sends its share one after the other.
pub fn send(address: SocketAddr, requests: &[Vec<u8>], connections: usize) {
    let share = requests.len().div_ceil(connections).max(1);
    thread::scope(|scope| {
        for requests in requests.chunks(share) {
            scope.spawn(move || {
                let mut connection = Connection::open(address);
                for request in requests {
                    let answer = connection.send(request);
                    let good = answer.contains("\"stored\":") && !answer.contains("\"refused\":1");
                    assert!(good, "{}", answer.chars().take(1_000).collect::<String>());
                }
            });
        }
    });
}
