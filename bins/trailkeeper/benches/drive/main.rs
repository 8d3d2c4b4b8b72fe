//! What `scripts/bench` needs besides Python: the workload, clients with little overhead, and the size of SQLite's tables.
//!
//! Each command prints JSON. `scripts/bench/drive.py` calls them; `make bench` builds this program.
//!
//! ```text
//! drive generate FOLDER EVENTS MORE v4|v7
//! drive send ADDRESS TOKEN CONNECTIONS BATCH SKIP TAKE FILE
//! drive ask ROUNDS BUDGET_MS ADDRESS TOKEN [ADDRESS TOKEN]… < PATHS
//! drive disk FILE
//! drive parse
//! ```
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark fails by panicking, where the error is")]

mod ask;
mod disk;
mod generate;
mod population;
mod random;
mod rhythm;
mod send;

#[path = "../support/http.rs"]
mod http;
#[path = "../ingest/parsing.rs"]
mod parsing;
#[path = "../support/serving.rs"]
mod serving;

use std::io::Read as _;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let texts: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match texts[..] {
        ["generate", folder, events, more, ids] => {
            let ids = match ids {
                "v4" => generate::Ids::Random,
                "v7" => generate::Ids::TimeOrdered,
                _ => panic!("ids are v4 or v7"),
            };
            generate::write(folder.as_ref(), events.parse().unwrap(), more.parse().unwrap(), ids);
        }
        ["send", address, token, connections, batch, skip, take, file] => {
            let part = send::Part { skip: skip.parse().unwrap(), take: take.parse().unwrap(), file: file.as_ref() };
            let (connections, batch) = (connections.parse().unwrap(), batch.parse().unwrap());
            println!("{}", send::send(address.parse().unwrap(), token, connections, batch, &part));
        }
        ["ask", rounds, budget, ref servers @ ..] => {
            let servers: Vec<_> = servers.chunks(2).map(|pair| (pair[0].parse().unwrap(), pair[1])).collect();
            println!("{}", ask::ask(&servers, rounds.parse().unwrap(), budget.parse().unwrap()));
        }
        ["disk", file] => println!("{}", disk::sizes(file)),
        ["parse"] => {
            println!("{}", serde_json::json!({"address": parsing::start()}));
            // The caller ends it by closing standard input.
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        }
        _ => eprintln!("see bins/trailkeeper/benches/drive/main.rs; `make bench` calls this program"),
    }
}
