//! One connection through the proxy: two threads, one for each direction.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use super::{ProxyMode, Shared, State};

/// The largest piece of data.
const PIECE: usize = 16 * 1024;

/// The text and its end by which a COMMIT is recognised: diesel sends it as a query of its own. `READ COMMITTED` is none.
const COMMIT: &[u8] = b"COMMIT\0";

/// Both sockets of a connection.
#[derive(Debug)]
pub struct Link {
    client: TcpStream,
    server: TcpStream,
    closed: AtomicBool,
    /// Whether the server got a COMMIT whose answer must not reach the client.
    cut_at_answer: AtomicBool,
}

impl Link {
    /// Closes both sockets.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        for side in [&self.client, &self.server] {
            // The other end may have closed it already.
            let _closed = side.shutdown(Shutdown::Both);
        }
    }
}

/// What becomes of a piece of data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passed,
    Lost,
    Cut,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Answer,
}

/// Relays a connection until one side ends it.
pub fn run(shared: &Shared, id: u64, client: TcpStream) {
    // A frozen server has accepted the connection, and does nothing with it.
    shared.held_while(|state| state.mode == ProxyMode::Freeze && !state.ended);
    let Ok(server) = TcpStream::connect(shared.server) else { return };
    for side in [&client, &server] {
        side.set_nodelay(true).expect("a socket without delay");
    }
    let link = Arc::new(Link { client, server, closed: AtomicBool::new(false), cut_at_answer: AtomicBool::new(false) });
    {
        let mut state = shared.state.lock();
        if state.ended {
            return;
        }
        state.links.insert(id, Arc::clone(&link));
    }
    shared.changed.notify_all();
    thread::scope(|scope| {
        scope.spawn(|| pump(shared, &link, Direction::Request));
        pump(shared, &link, Direction::Answer);
    });
    shared.remove(id);
}

/// Copies one direction, and closes both when it ends.
fn pump(shared: &Shared, link: &Link, direction: Direction) {
    let (mut from, mut to) = match direction {
        Direction::Request => (&link.client, &link.server),
        Direction::Answer => (&link.server, &link.client),
    };
    let mut piece = vec![0; PIECE];
    // The end of the last piece, because a COMMIT may be split.
    let mut tail = Vec::new();
    while let Ok(length @ 1..) = from.read(&mut piece) {
        let data = piece.get(..length).unwrap_or_default();
        let is_commit = direction == Direction::Request && {
            tail.extend_from_slice(data);
            let found = tail.windows(COMMIT.len()).any(|window| window == COMMIT);
            tail.drain(..tail.len().saturating_sub(COMMIT.len() - 1));
            found
        };
        match shared.fate(link, direction, is_commit) {
            Fate::Passed => {
                if to.write_all(data).is_err() {
                    break;
                }
            }
            Fate::Lost => {}
            Fate::Cut => break,
        }
    }
    link.close();
    shared.changed.notify_all();
}

impl Shared {
    /// Waits as long as the mode holds a piece back, and then decides what becomes of it.
    fn fate(&self, link: &Link, direction: Direction, is_commit: bool) -> Fate {
        let closed = || link.closed.load(Ordering::SeqCst);
        self.held_while(|state| state.mode == ProxyMode::Freeze && !closed());
        let mut state = self.state.lock();
        if let ProxyMode::Slow(time) = state.mode {
            let end = Instant::now() + time;
            while matches!(state.mode, ProxyMode::Slow(_)) && !closed() && Instant::now() < end {
                self.changed.wait_until(&mut state, end);
            }
        }
        if closed() {
            return Fate::Cut;
        }
        match (state.mode, direction) {
            (ProxyMode::LoseRequests, Direction::Request) | (ProxyMode::LoseAnswers, Direction::Answer) => {
                state.counts.lost += 1;
                self.changed.notify_all();
                Fate::Lost
            }
            (ProxyMode::CutBeforeCommit, Direction::Request) if is_commit => {
                state.counts.cut_before_commit += 1;
                Fate::Cut
            }
            (ProxyMode::CutAfterCommit, Direction::Request) if is_commit => {
                link.cut_at_answer.store(true, Ordering::SeqCst);
                Fate::Passed
            }
            (_, Direction::Answer) if link.cut_at_answer.load(Ordering::SeqCst) => {
                state.counts.cut_after_commit += 1;
                Fate::Cut
            }
            _ => Fate::Passed,
        }
    }

    /// Waits while the condition holds, and counts that.
    fn held_while(&self, mut holds: impl FnMut(&mut State) -> bool) {
        let mut state = self.state.lock();
        if !holds(&mut state) {
            return;
        }
        state.counts.held += 1;
        self.changed.notify_all();
        self.changed.wait_while(&mut state, holds);
        state.counts.held -= 1;
        drop(state);
        self.changed.notify_all();
    }
}
