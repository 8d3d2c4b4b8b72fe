//! Asks several servers the same questions in turn, so that a slow minute hits all of them.

use std::io::BufRead as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Connection, request};

/// Asks each path of standard input, `rounds` times, on one connection per server.
///
/// Returns for each path the milliseconds of each server's responses. A server that has used `budget` milliseconds is
/// asked no further paths; it has answered at least one.
pub fn ask(servers: &[(SocketAddr, &str)], rounds: usize, budget: u64) -> Value {
    let budget = Duration::from_millis(budget);
    let mut connections: Vec<Connection> = servers.iter().map(|(address, _)| Connection::open(*address)).collect();
    let mut used = vec![Duration::ZERO; servers.len()];
    let mut turn = 0;
    let mut paths = Vec::new();
    for path in std::io::stdin().lock().lines() {
        let path = path.unwrap();
        let asked: Vec<bool> = used.iter().map(|used| *used < budget).collect();
        let mut times = vec![Vec::new(); servers.len()];
        for _ in 0..rounds {
            turn += 1;
            for step in 0..servers.len() {
                let server = (turn + step) % servers.len();
                if !asked[server] {
                    continue;
                }
                let request = request("GET", &path, servers[server].1, "");
                let started = Instant::now();
                connections[server].send(&request);
                let time = started.elapsed();
                used[server] += time;
                times[server].push(time.as_secs_f64() * 1e3);
            }
        }
        paths.push(times);
    }
    json!(paths)
}
