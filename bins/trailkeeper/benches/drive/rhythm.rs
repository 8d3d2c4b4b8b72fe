//! When events happen: more at noon than at night, more on working days, slightly more from week to week.

use crate::random::{Random, shares};

/// 2025-01-01T00:00:00Z, a Wednesday, in milliseconds.
pub const START: i64 = 1_735_689_600_000;
pub const DAYS: i64 = 90;
const HOUR: i64 = 3_600_000;

/// Weights of the days, from Wednesday.
const WEEK: [f64; 7] = [1.1, 1.05, 0.95, 0.35, 0.3, 1.0, 1.05];

/// Spreads `events` over the 90 days. Returns their times in milliseconds, hour by hour, in ascending order and without
/// equal ones, so that the order of events never depends on the order of storing.
pub fn times(events: u64, random: &mut Random) -> impl Iterator<Item = i64> + use<'_> {
    let hours = DAYS * 24;
    let parts = shares((0..hours).map(weight));
    let mut given = 0;
    let mut last = START - 1;
    (0..hours).zip(parts).flat_map(move |(hour, share)| {
        let until = part(events, share);
        let start = START + hour * HOUR;
        let mut times: Vec<i64> =
            (given..until).map(|_| start + i64::try_from(random.below(HOUR.unsigned_abs())).unwrap()).collect();
        given = until;
        times.sort_unstable();
        for time in &mut times {
            *time = (*time).max(last + 1);
            last = *time;
        }
        times
    })
}

#[expect(clippy::cast_precision_loss, reason = "hours are few")]
fn weight(hour: i64) -> f64 {
    let day = WEEK[usize::try_from(hour / 24 % 7).unwrap()];
    let from_noon = (hour % 24) as f64 - 14.0;
    let growth = 1.0 + 0.002 * (hour as f64 / 24.0);
    day * (0.15 + 0.85 * (-from_noon.powi(2) / 32.0).exp()) * growth
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of events are far below 2^53"
)]
fn part(events: u64, share: f64) -> u64 {
    (events as f64 * share).round() as u64
}
