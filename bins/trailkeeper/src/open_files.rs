//! The limit of the system on open files, which bounds the number of connections.

/// Open files other than connections: the database, logs, some spare ones.
const OTHERS: u64 = 256;

/// Raises the limit on open files as far as `connections` need and the system allows. Returns how many connections fit.
#[cfg(unix)]
pub fn allow_connections(connections: u32) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let needed = u64::from(connections) + OTHERS;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let mut allowed = current.unwrap_or(u64::MAX);
    if allowed < needed {
        let raised = needed.min(maximum.unwrap_or(u64::MAX));
        if setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }).is_ok() {
            allowed = raised;
        }
    }
    if allowed < needed {
        tracing::warn!(
            "max-connections: the system lets this program open {allowed} files, so {} connections fit instead of {connections}; raise the limit (ulimit -n, LimitNOFILE), or lower --max-connections",
            connections_within(allowed)
        );
    }
    connections_within(allowed)
}

#[cfg(not(unix))]
pub fn allow_connections(_: u32) -> usize {
    usize::MAX
}

#[cfg(unix)]
fn connections_within(allowed: u64) -> usize {
    // With a very low limit, half of it goes to connections.
    usize::try_from(allowed.saturating_sub(OTHERS).max(allowed / 2).max(1)).unwrap_or(usize::MAX)
}
