//! A server in the process of the benchmark.

use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Number of worker threads: the cores of the machine that the targets are set for.
pub const WORKERS: usize = 2;

/// Serves on a new thread, and waits for the address.
pub fn on_a_thread(serve: impl FnOnce(Sender<SocketAddr>) + Send + 'static) -> SocketAddr {
    let (ready, address) = channel();
    thread::spawn(move || serve(ready));
    address.recv().unwrap()
}
