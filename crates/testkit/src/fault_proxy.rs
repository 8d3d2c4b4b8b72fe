//! A relay between a server and PostgreSQL that behaves like a broken network, or like a database that does not answer.
//!
//! It listens on loopback. What it does with connections and bytes is its [`ProxyMode`], which a test changes at any
//! time, also for the connections that are open.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// The longest wait of [`FaultProxy::wait_until`].
const WAIT: Duration = Duration::from_mins(1);

/// The largest piece of data.
const PIECE: usize = 16 * 1024;

/// The text and its end by which a COMMIT is recognised: diesel sends it as a query of its own. `READ COMMITTED` is none.
const COMMIT: &[u8] = b"COMMIT\0";

/// What the proxy does with connections and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyMode {
    /// Passes everything on.
    Forward,
    /// Accepts connections and holds all bytes, of both directions. They are passed on when the mode changes.
    Freeze,
    /// Passes each piece of data on after this time. A piece has at most 16 KiB.
    Slow(Duration),
    /// Closes each new connection at once. Open ones go on.
    Refuse,
    /// Half-open: what clients send is lost.
    LoseRequests,
    /// Half-open: what the server sends is lost.
    LoseAnswers,
    /// Closes a connection when its client sends COMMIT. The server never gets it, so it rolls back.
    CutBeforeCommit,
    /// Closes a connection when the server has answered a COMMIT. The client never gets the answer.
    CutAfterCommit,
}

/// What happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProxyCounts {
    /// Connections that are open now.
    pub open: usize,
    /// Pieces of data, and new connections, that are held back now.
    pub held: usize,
    /// Pieces of data that were lost.
    pub lost: usize,
    /// Connections that were closed before the server got a COMMIT.
    pub cut_before_commit: usize,
    /// Connections that were closed before the client got the answer to a COMMIT.
    pub cut_after_commit: usize,
}

/// A relay to one server. Its connections end with the value.
///
/// ```
/// use std::io::{Read as _, Write as _};
/// use std::net::{TcpListener, TcpStream};
/// use trailkeeper_testkit::{FaultProxy, ProxyMode};
///
/// let server = TcpListener::bind("127.0.0.1:0").unwrap();
/// let proxy = FaultProxy::before(&server.local_addr().unwrap().to_string());
/// let mut client = TcpStream::connect(proxy.address()).unwrap();
/// let (mut accepted, _) = server.accept().unwrap();
///
/// proxy.set(ProxyMode::Freeze);
/// client.write_all(b"ping").unwrap();
/// proxy.wait_until("the bytes are held", |counts| counts.held == 1);
/// proxy.set(ProxyMode::Forward);
/// let mut bytes = [0; 4];
/// accepted.read_exact(&mut bytes).unwrap();
/// assert_eq!(&bytes, b"ping");
///
/// proxy.cut();
/// assert_eq!(client.read(&mut bytes).unwrap_or(0), 0, "the connection is closed");
/// ```
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// The state that all threads of a proxy share.
#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    mode: ProxyMode,
    ended: bool,
    links: HashMap<u64, Arc<Link>>,
    counts: ProxyCounts,
}

impl FaultProxy {
    /// A proxy to the server at `host:port`, in the mode [`ProxyMode::Forward`].
    pub fn before(server: &str) -> Self {
        let found = server.to_socket_addrs().unwrap_or_else(|error| panic!("{server}: {error}")).next();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port of loopback");
        let address = listener.local_addr().expect("the address of a listener");
        let state =
            State { mode: ProxyMode::Forward, ended: false, links: HashMap::new(), counts: ProxyCounts::default() };
        let server = found.unwrap_or_else(|| panic!("{server} has no address"));
        let shared = Arc::new(Shared { server, state: Mutex::new(state), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(&listener));
        Self { address, shared }
    }

    /// A proxy to the server of a URL `postgres://…`, and the URL of the same database through the proxy.
    pub fn of_url(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").unwrap_or_else(|| panic!("{url} is no URL"));
        let (authority, path) = rest.split_once('/').unwrap_or_else(|| panic!("{url} names no database"));
        let (login, server) = authority.rsplit_once('@').unwrap_or(("", authority));
        let proxy = Self::before(server);
        let at = if login.is_empty() { "" } else { "@" };
        let through = format!("{scheme}://{login}{at}{}/{path}", proxy.address);
        (proxy, through)
    }

    /// The address on which the proxy listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the mode.
    pub fn set(&self, mode: ProxyMode) {
        self.shared.state.lock().mode = mode;
        self.shared.changed.notify_all();
    }

    /// Closes every open connection, and returns their number.
    pub fn cut(&self) -> usize {
        let links: Vec<_> = self.shared.state.lock().links.drain().collect();
        for (_, link) in &links {
            link.close();
        }
        self.shared.changed.notify_all();
        links.len()
    }

    /// What happened so far.
    pub fn counts(&self) -> ProxyCounts {
        self.shared.state.lock().counted()
    }

    /// Waits until the counts fulfil a condition.
    ///
    /// # Panics
    /// After a minute: then the test has failed.
    pub fn wait_until(&self, what: &str, holds: impl Fn(&ProxyCounts) -> bool) {
        let end = Instant::now() + WAIT;
        let mut state = self.shared.state.lock();
        while !holds(&state.counted()) {
            let timed_out = self.shared.changed.wait_until(&mut state, end).timed_out();
            assert!(!timed_out, "waited for: {what}; there are {:?}", state.counted());
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.state.lock().ended = true;
        self.cut();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl State {
    fn counted(&self) -> ProxyCounts {
        ProxyCounts { open: self.links.len(), ..self.counts }
    }
}

impl Shared {
    /// Accepts connections until the proxy ends.
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        let mut number = 0;
        for client in listener.incoming() {
            let mode = {
                let state = self.state.lock();
                if state.ended {
                    return;
                }
                state.mode
            };
            // A client that is gone already needs no relay.
            let Ok(client) = client else { continue };
            if mode == ProxyMode::Refuse {
                continue;
            }
            number += 1;
            let (shared, id) = (Arc::clone(self), number);
            thread::spawn(move || relay(&shared, id, client));
        }
    }

    /// Forgets a connection that ended.
    fn remove(&self, id: u64) {
        self.state.lock().links.remove(&id);
        self.changed.notify_all();
    }
}

/// Both sockets of a connection.
#[derive(Debug)]
struct Link {
    client: TcpStream,
    server: TcpStream,
    closed: AtomicBool,
    /// Whether the server got a COMMIT whose answer must not reach the client.
    cut_at_answer: AtomicBool,
}

impl Link {
    /// Closes both sockets.
    fn close(&self) {
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
    Response,
}

/// Relays a connection until one side ends it.
fn relay(shared: &Shared, id: u64, client: TcpStream) {
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
        pump(shared, &link, Direction::Response);
    });
    shared.remove(id);
}

/// Copies one direction, and closes both when it ends.
fn pump(shared: &Shared, link: &Link, direction: Direction) {
    let (mut from, mut to) = match direction {
        Direction::Request => (&link.client, &link.server),
        Direction::Response => (&link.server, &link.client),
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
            (ProxyMode::LoseRequests, Direction::Request) | (ProxyMode::LoseAnswers, Direction::Response) => {
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
            (_, Direction::Response) if link.cut_at_answer.load(Ordering::SeqCst) => {
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
