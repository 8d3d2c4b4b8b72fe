//! Random events: dense and sparse values, missing ones, equal and extreme times.

use chrono::DateTime;
use proptest::prelude::*;
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

pub const TENANT: TenantId = TenantId(Uuid::from_u128(7));

/// How the values of a dimension are drawn.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    Never,
    One(u32),
    Few,
    Often,
    Many,
    Hashes,
    Blocks,
    Extremes,
}

/// How times are drawn.
#[derive(Debug, Clone, Copy)]
pub enum Times {
    Month,
    Steady,
    Equal,
    Days,
    Extremes,
}

#[derive(Debug, Clone)]
pub struct History {
    pub seed: u64,
    pub len: u32,
    pub everyone: bool,
    pub times: Times,
    /// Late events in a thousand.
    pub late: u64,
    pub values: [Values; 10],
}

pub fn histories(len: impl Strategy<Value = u32>) -> impl Strategy<Value = History> {
    let values = prop_oneof![
        Just(Values::Never),
        prop_oneof![Just(0), Just(5), Just(u32::MAX)].prop_map(Values::One),
        Just(Values::Few),
        Just(Values::Often),
        Just(Values::Many),
        Just(Values::Hashes),
        Just(Values::Blocks),
        Just(Values::Extremes),
    ];
    let times = prop_oneof![
        Just(Times::Month),
        Just(Times::Steady),
        Just(Times::Equal),
        Just(Times::Days),
        Just(Times::Extremes),
    ];
    let late = prop_oneof![Just(0), Just(30), Just(1_000)];
    (any::<u64>(), len, any::<bool>(), times, late, proptest::array::uniform10(values))
        .prop_map(|(seed, len, everyone, times, late, values)| History { seed, len, everyone, times, late, values })
}

pub struct Random(pub u64);

impl Random {
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.number() % u64::from(end)).unwrap()
    }
}

impl History {
    pub fn scope(&self) -> Scope {
        if self.everyone { Scope::Everyone } else { Scope::Tenant(TENANT) }
    }

    /// The events in an order of no meaning.
    pub fn events(&self) -> Vec<IndexedEvent> {
        let mut random = Random(self.seed);
        let mut events: Vec<IndexedEvent> = (0..self.len).map(|index| self.event(index, &mut random)).collect();
        // Late events are stored after the events of a later time.
        let mut arrivals: Vec<(u32, u32)> =
            (0..self.len).map(|index| (index + self.delay(&mut random), index)).collect();
        arrivals.sort_unstable();
        for ((_, index), seq) in arrivals.into_iter().zip(100..) {
            events[index as usize].seq = seq;
        }
        for index in (1..events.len()).rev() {
            events.swap(index, random.below(u32::try_from(index + 1).unwrap()) as usize);
        }
        events
    }

    fn event(&self, index: u32, random: &mut Random) -> IndexedEvent {
        let mut draw = |at: usize| draw(self.values[at], index, random);
        let values: Vec<Option<u32>> = (0..10).map(&mut draw).collect();
        let system = self.everyone && random.below(10) == 0;
        let tenant_id = match (self.everyone, system) {
            (false, _) => TENANT,
            (true, true) => TenantId::SYSTEM,
            (true, false) => TenantId::NONE,
        };
        IndexedEvent {
            seq: 0,
            occurred_at: self.time(index, random),
            tenant_id,
            env: EnvId(values[0].unwrap_or(1)),
            kind: values[1].unwrap_or(4),
            outcome: Outcome::ALL[values[2].unwrap_or(2) as usize % 3],
            user: values[3],
            source: values[4],
            page: values[5],
            other_page: values[6],
            session: values[7],
            target_type: values[8],
            target_id: values[9],
        }
    }

    fn delay(&self, random: &mut Random) -> u32 {
        if random.number() % 1_000 < self.late { random.below(5_000) } else { 0 }
    }

    fn time(&self, index: u32, random: &mut Random) -> Timestamp {
        let month = 1_793_491_200_000_000_i64;
        let micros = match self.times {
            Times::Month => month + i64::try_from(random.number() % 2_592_000_000_000).unwrap(),
            Times::Steady => month + i64::from(index) * 2_000,
            Times::Equal => month,
            Times::Days => month + i64::from(random.below(30)) * 86_400_000_000,
            Times::Extremes => match random.below(4) {
                0 => Timestamp::MIN_UTC.timestamp_micros() + 1,
                1 => Timestamp::MAX_UTC.timestamp_micros(),
                2 => -1,
                _ => i64::from(random.below(3)),
            },
        };
        DateTime::from_timestamp_micros(micros).unwrap()
    }
}

fn draw(values: Values, index: u32, random: &mut Random) -> Option<u32> {
    match values {
        Values::Never => None,
        Values::One(value) => Some(value),
        Values::Few => (random.below(20) > 0).then(|| random.below(4)),
        Values::Often => Some(if random.below(10) == 0 { 2 + random.below(20) } else { 1 }),
        Values::Many => (random.below(3) > 0).then(|| {
            let most = random.below(20_000);
            1 + random.below(1 + most)
        }),
        Values::Hashes => Some(u32::try_from(random.number() >> 32).unwrap()),
        Values::Blocks => Some(index / 5_000),
        Values::Extremes => [None, Some(0), Some(u32::MAX), Some(u32::MAX - 1)][random.below(4) as usize],
    }
}

/// The events in the order of positions.
pub fn sorted(mut events: Vec<IndexedEvent>) -> Vec<IndexedEvent> {
    events.sort_by_key(|event| (event.occurred_at, event.seq));
    events
}
