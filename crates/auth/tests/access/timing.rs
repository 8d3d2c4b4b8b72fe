//! The time of a refused login does not reveal which names exist: measured, and evaluated by a permutation test.
//!
//! Each round makes every kind of refused login once, in a random order, so that a slow or busy machine affects all kinds
//! alike. If the time does not depend on the kind, the labels inside a round can be exchanged without effect. So the test
//! compares the measured statistic with that of random exchanges. Two kinds differ if hardly any exchange reaches the
//! measured statistic and the typical ratio of their times is more than a tenth: nobody can measure less over a network.
#![expect(clippy::indexing_slicing, reason = "in tests a panic is the failure")]

use std::time::Instant;

use chrono::TimeDelta;
use trailkeeper_auth::{Access, AccountChange, Origin};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::clock::Entropy;
use trailkeeper_testkit::TestEntropy;

use crate::world::{EMAIL, PASSWORD, World, new_account, operator, unauthenticated};

const ROUNDS: usize = 50;

/// A hash of this cost takes about 15 ms in tests, so that it dominates the time as in production, and not the disk.
const COST: u32 = 8;

/// The largest typical ratio that counts as equal.
const MAX_RATIO: f64 = 1.1;

const EXCHANGES: usize = 5_000;

/// Two kinds differ if fewer exchanges than this reach the measured statistic.
const MIN_EXCHANGES: usize = EXCHANGES / 1_000;

#[test]
fn refused_logins_take_the_same_time_whatever_the_reason() {
    let world = World::new();
    let access = world.server_with_cost(COST);
    let disabled = AccountChange { disabled: Some(true), ..AccountChange::default() };
    access.create_account(&operator(), new_account(EMAIL, Role::Admin)).unwrap();
    let gone = access.create_account(&operator(), new_account("gone@example.com", Role::Analyst)).unwrap();
    access.change_account(&operator(), gone.id, disabled).unwrap();
    // A hash with a quarter of the cost.
    let cheap = world.server_with_cost(COST - 2);
    cheap.create_account(&operator(), new_account("old@example.com", Role::Analyst)).unwrap();
    let kinds = [
        ("an unknown name", "nobody@example.com", "wrong password"),
        ("a wrong password", EMAIL, "wrong password"),
        ("a disabled account", "gone@example.com", "wrong password"),
        ("a disabled account, the right password", "gone@example.com", PASSWORD),
        ("a cheaper hash", "old@example.com", "wrong password"),
        ("no name at all", "", "wrong password"),
    ];
    let chance = Chance(TestEntropy::new(7));
    let rounds = measured(&world, &access, &kinds.map(|(_, name, password)| (name, password)), &chance);
    for at in 1..kinds.len() {
        let finding = differs(&pairs(&rounds, at), &chance);
        assert!(finding.is_none(), "{} and {}: {}", kinds[0].0, kinds[at].0, finding.unwrap_or_default());
    }
}

/// A server with the defect: it verifies passwords of unknown names against a hash of a much lower cost.
#[test]
fn the_test_detects_a_cheaper_refusal_of_unknown_names() {
    let world = World::new();
    world.server_with_cost(COST).create_account(&operator(), new_account(EMAIL, Role::Admin)).unwrap();
    let defective = world.server_with_cost(4);
    let chance = Chance(TestEntropy::new(9));
    let kinds = [("nobody@example.com", "wrong password"), (EMAIL, "wrong password")];
    let rounds = measured(&world, &defective, &kinds, &chance);
    assert!(differs(&pairs(&rounds, 1), &chance).is_some(), "{rounds:?}");
}

/// The time of each kind in each round, in seconds.
fn measured(world: &World, access: &Access, kinds: &[(&str, &str)], chance: &Chance) -> Vec<Vec<f64>> {
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let mut times = vec![0.0; kinds.len()];
        for at in chance.shuffled(kinds.len()) {
            let (name, password) = kinds[at];
            let begun = Instant::now();
            let outcome = access.login(name, password, &Origin::default());
            times[at] = begun.elapsed().as_secs_f64();
            unauthenticated(outcome);
        }
        // The first round fills caches.
        if round > 0 {
            rounds.push(times);
        }
        // Long enough that earlier attempts delay none.
        world.advance(TimeDelta::hours(25));
    }
    rounds
}

/// The times of the first kind and of this one.
fn pairs(rounds: &[Vec<f64>], at: usize) -> Vec<(f64, f64)> {
    rounds.iter().map(|times| (times[0], times[at])).collect()
}

#[test]
fn the_permutation_test_finds_differences_and_only_these() {
    let chance = Chance(TestEntropy::new(8));
    let noisy = |of: f64| of * (1.0 + 0.3 * chance.number()) + if chance.number() < 0.05 { 0.05 } else { 0.0 };
    let mut found = 0;
    for _ in 0..20 {
        let same: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (noisy(0.015), noisy(0.015))).collect();
        found += usize::from(differs(&same, &chance).is_some());
        // A busy machine: every second round takes three times as long, for both.
        let busy = |round: usize| if round.is_multiple_of(2) { 0.015 } else { 0.045 };
        let same: Vec<_> = (0..ROUNDS).map(|round| (noisy(busy(round)), noisy(busy(round)))).collect();
        found += usize::from(differs(&same, &chance).is_some());
    }
    assert_eq!(found, 0);
    for _ in 0..20 {
        let skipped: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (noisy(0.003), noisy(0.015))).collect();
        assert!(differs(&skipped, &chance).is_some());
        let half: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (noisy(0.0075), noisy(0.015))).collect();
        assert!(differs(&half, &chance).is_some());
    }
}

/// A description of the difference between the two sides if it is significant. The statistic is that of Wilcoxon's signed
/// ranks of the ratios, compared with random exchanges of the sides of each round.
fn differs(pairs: &[(f64, f64)], chance: &Chance) -> Option<String> {
    let ratios: Vec<f64> = pairs.iter().map(|(left, right)| (left / right).ln()).collect();
    let typical = median(ratios.clone()).exp();
    if (1.0 / MAX_RATIO..=MAX_RATIO).contains(&typical) {
        return None;
    }
    let mut by_size = ratios;
    by_size.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let ranks = || (1_u32..).map(f64::from);
    let found: f64 = ranks().zip(&by_size).map(|(rank, ratio)| rank * ratio.signum()).sum();
    let as_much = (0..EXCHANGES)
        .filter(|_| {
            let exchanged = ranks().zip(&by_size).map(|(rank, _)| if chance.number() < 0.5 { rank } else { -rank });
            exchanged.sum::<f64>().abs() >= found.abs()
        })
        .count();
    let text = format!("{typical:.3} times, as in {as_much} of {EXCHANGES} exchanges");
    (as_much < MIN_EXCHANGES).then_some(text)
}

fn median(mut times: Vec<f64>) -> f64 {
    let middle = times.len() / 2;
    *times.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Random numbers that are the same in every run.
struct Chance(TestEntropy);

impl Chance {
    /// A number from 0 to 1.
    fn number(&self) -> f64 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
    }

    /// The numbers below `count` in a random order.
    fn shuffled(&self, count: usize) -> Vec<usize> {
        let mut numbers: Vec<(f64, usize)> = (0..count).map(|number| (self.number(), number)).collect();
        numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
        numbers.into_iter().map(|(_, number)| number).collect()
    }
}
