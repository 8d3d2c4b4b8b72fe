//! The trailkeeper server.
fn main() {}
