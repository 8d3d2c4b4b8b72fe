//! Idle connections of a running server, and SIGHUP without a certificate.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::serve::Server;
use crate::support::Program;

#[test]
fn an_idle_connection_is_closed_however_long_its_request_took() {
    let program = Program::new();
    let server = Server::start(&program, &["--head-timeout", "1", "--keep-alive", "1"]);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let head = "POST /api/UserAccount/Login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    // Longer than both timeouts: their watcher wakes while the request is served, and must not close the connection.
    stream.set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
    let early = stream.read(&mut [0]).unwrap_err();
    assert!(matches!(early.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{early}");
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"{}").unwrap();
    let mut answer = String::new();
    let ended = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(ended.is_ok(), "the connection is still open: {ended:?}");
}

#[cfg(unix)]
#[test]
fn a_hangup_signal_without_a_certificate_does_not_end_the_server() {
    let program = Program::new();
    let mut server = Server::start(&program, &[]);
    let sent = Command::new("kill").args(["-HUP", &server.child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200 "));
    assert!(server.child.try_wait().unwrap().is_none());
}
