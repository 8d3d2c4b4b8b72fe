//! Requests and the status of their answers, against servers of all kinds.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::Builder;
use trailkeeper_forward::exchange;

const REQUEST: &str = "POST / HTTP/1.1\r\n\r\n";

/// The outcome of a request with a body of so many bytes, against a server that first reads `read` bytes and then writes
/// these parts.
fn outcome(body: usize, read: usize, parts: &[&[u8]]) -> Result<u16, String> {
    let serve = async |mut server: DuplexStream| {
        let mut got = vec![0; read];
        server.read_exact(&mut got).await.unwrap();
        for part in parts {
            server.write_all(part).await.unwrap();
        }
    };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, server) = duplex(1024);
        let body = vec![b'x'; body];
        let asked = exchange(client, REQUEST, &body);
        futures_util::future::join(asked, serve(server)).await.0
    })
}

#[test]
fn the_status_of_the_final_answer_counts() {
    for (parts, status) in [
        (&[&b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"[..]][..], 200),
        (&[b"HTTP/1.1 204 No Content\r\n\r\n"], 204),
        (
            &[
                b"HTTP/1.1 1",
                b"00 Continue\r\n\r\nHTTP/1.1 10",
                b"3 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 503 No\r\n\r\n",
            ],
            503,
        ),
        (&[b"HTTP/1.0 302 Found\r\nLocation: https://10.0.0.1/\r\n\r\n"], 302),
        (&[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"], 200),
        (&[b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"], 200),
    ] {
        assert_eq!(outcome(10, REQUEST.len() + 10, parts), Ok(status));
    }
}

#[test]
fn a_server_may_answer_before_it_has_read_all() {
    assert_eq!(outcome(1_000_000, 100, &[b"HTTP/1.1 413 Too Large\r\n\r\n"]), Ok(413));
}

#[test]
fn what_is_no_answer_says_so_and_is_not_shown() {
    let long = vec![b'a'; 20_000];
    for (parts, reason) in [
        (&[][..], "closed the connection before it answered"),
        (&[&b"HTTP/1.1 200"[..]][..], "closed the connection before it answered"),
        (&[b"SSH-2.0-SECRET\r\n\r\n"], "answered with something that is not HTTP/1.1"),
        (&[b"HTTP/1.1 200 OK\r\nSECRET: ", &long], "answered with a head of more than 16384 bytes"),
        (&[b"HTTP/1.1 200 OK\r\nSECRET\0: x\r\n\r\n"], "answered with something that is not HTTP/1.1"),
    ] {
        // A server that still writes when the client has gone fails to; that is no concern of this test.
        let error = match parts {
            [_, rest] if rest.len() > 1024 => head_too_long(parts),
            parts => outcome(10, REQUEST.len() + 10, parts).unwrap_err(),
        };
        assert!(error.starts_with(reason) && !error.contains("SECRET"), "{error}");
    }
    let closed = outcome(1_000_000, 10, &[]).unwrap_err();
    assert!(closed.starts_with("closed the connection"), "{closed}");
}

/// The error of an answer that is written as far as the client reads it.
fn head_too_long(parts: &[&[u8]]) -> String {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, mut server) = duplex(1024);
        let write = async {
            for part in parts {
                let _gone = server.write_all(part).await;
            }
        };
        let asked = async { exchange(client, REQUEST, b"").await.unwrap_err() };
        futures_util::future::join(asked, write).await.0
    })
}
