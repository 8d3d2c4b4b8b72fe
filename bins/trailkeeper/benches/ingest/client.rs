//! A client that costs as little as possible: one thread and one connection each, requests made beforehand.

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::thread;

use serde_json::{Value, json};
use trailkeeper_domain::event::Event;
use trailkeeper_domain::time::rfc3339;

use crate::server::Server;

/// Sends the events in requests of `batch`, and waits until each is answered.
pub fn send_batches(server: &Server, events: &[Event], batch: usize, connections: usize) {
    let bodies = events.chunks(batch).map(|batch| batch.iter().map(as_json).collect::<Value>().to_string());
    send(server, &bodies.collect::<Vec<_>>(), connections);
}

/// Sends each event in a request of its own, and waits until each is answered.
pub fn send_singles(server: &Server, events: &[Event], connections: usize) {
    send(server, &events.iter().map(|event| as_json(event).to_string()).collect::<Vec<_>>(), connections);
}

fn as_json(event: &Event) -> Value {
    json!({
        "id": event.id.0,
        "tenant_id": event.tenant_id.0,
        "env_id": event.env_id.0,
        "occurred_at": rfc3339(event.occurred_at),
        "user_id": event.user_id.as_ref().map(ToString::to_string),
        "type": event.kind.as_str(),
        "source": event.source,
        "page": event.page.as_ref().map(|page| &page.sent),
        "session_id": event.session_id,
    })
}

fn send(server: &Server, bodies: &[String], connections: usize) {
    let share = bodies.len().div_ceil(connections).max(1);
    thread::scope(|scope| {
        for bodies in bodies.chunks(share) {
            scope.spawn(move || send_one_after_another(server, bodies));
        }
    });
}

fn send_one_after_another(server: &Server, bodies: &[String]) {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for body in bodies {
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            server.token,
            body.len()
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let answer = answer(&mut answers);
        assert!(answer.contains("\"stored\":"), "{answer}");
        assert!(!answer.contains("\"refused\":1"), "{answer}");
    }
}

fn answer(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    let mut length = 0;
    loop {
        line.clear();
        from.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            None => break,
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}
