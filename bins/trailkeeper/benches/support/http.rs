//! A client with little overhead: one connection, and requests that are built in advance.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// The bytes of a request.
pub fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let answers = BufReader::with_capacity(1 << 16, stream.try_clone().unwrap());
        Self { stream, answers }
    }

    /// Sends a request. Returns the body of the response, whose status must be 200.
    pub fn send(&mut self, request: &[u8]) -> String {
        let (status, body) = self.exchange(request);
        assert!(status.starts_with("HTTP/1.1 200"), "{status}{body}");
        body
    }

    /// Sends a request. Returns the status line and the body of the response.
    pub fn exchange(&mut self, request: &[u8]) -> (String, String) {
        self.stream.write_all(request).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let status = line.clone();
        let mut length = 0;
        loop {
            line.clear();
            self.answers.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                None => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.answers.read_exact(&mut body).unwrap();
        (status, String::from_utf8(body).unwrap())
    }
}
