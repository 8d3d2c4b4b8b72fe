//! Comparable times: of the same work, repeated.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The median of many runs, for work of some milliseconds.
pub fn median<T>(mut work: impl FnMut() -> T) -> Duration {
    let mut times = runs(&mut work, (5, 101), Duration::from_secs(3));
    times.sort_unstable();
    times[times.len() / 2]
}

/// The shortest of a few runs, which favours the measured work.
pub fn shortest<T>(mut work: impl FnMut() -> T) -> Duration {
    runs(&mut work, (2, 51), Duration::from_secs(3)).into_iter().min().unwrap()
}

/// The times of at least `least` and at most `most` runs; between them, `time` ends the measurement.
fn runs<T>(work: &mut impl FnMut() -> T, (least, most): (usize, usize), time: Duration) -> Vec<Duration> {
    let began = Instant::now();
    let mut times = Vec::new();
    while times.len() < least || (times.len() < most && began.elapsed() < time) {
        let started = Instant::now();
        black_box(work());
        times.push(started.elapsed());
    }
    times
}
