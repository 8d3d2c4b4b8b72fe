//! How many connections the system lets this program have.

/// Open files besides connections: the database, logs, a few for later.
const OTHERS: u64 = 256;

/// Raises the limit on open files as far as `connections` need and the system allows; gives how many connections fit.
#[cfg(unix)]
pub fn places_for(connections: u32) -> usize {
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
            places(allowed)
        );
    }
    places(allowed)
}

#[cfg(not(unix))]
pub fn places_for(_: u32) -> usize {
    usize::MAX
}

#[cfg(unix)]
fn places(allowed: u64) -> usize {
    // Where the limit is very low, half of it is for connections.
    usize::try_from(allowed.saturating_sub(OTHERS).max(allowed / 2).max(1)).unwrap_or(usize::MAX)
}
