//! The deterministic workload: 90 days, 100,000 users, 500 tenants and 300 pages by Zipf laws.

use std::collections::BTreeMap;

use trailkeeper_analytics::sheet::{Fact, ScopeKind, Sheet, SheetBuilder};

pub(crate) const DAYS: usize = 90;
const USERS: usize = 100_000;
const TENANTS: usize = 500;
const PAGES: usize = 300;

/// All sheets of one level of one scope, in order of time.
pub(crate) type Sheets = Vec<Sheet>;

pub(crate) struct Workload {
    pub(crate) hours: Sheets,
    pub(crate) days: Sheets,
    pub(crate) months: Sheets,
    pub(crate) tenant_days: BTreeMap<usize, Sheets>,
    /// The number of facts that builders counted, for everyone's hours and tenants' days, and the seconds of it.
    pub(crate) counted: (usize, f64),
}

struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Draws 0..n with weight 1 / (k + 1).
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(n: usize) -> Self {
        let mut sum = 0.0;
        let weights = (1..=n).map(|k| 1.0 / f64::from(u32::try_from(k).unwrap()));
        Self(
            weights
                .map(|weight| {
                    sum += weight;
                    sum
                })
                .collect(),
        )
    }

    fn draw(&self, random: &mut SplitMix) -> usize {
        #[expect(clippy::cast_precision_loss, reason = "53 random bits are meant")]
        let unit = (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let at = unit * self.0.last().unwrap();
        self.0.partition_point(|sum| *sum <= at).min(self.0.len() - 1)
    }
}

/// Assigns ordinals to users in the order of their first events, like the dictionary.
struct People {
    ordinals: Vec<Option<u32>>,
    seen: u32,
    tenants: Vec<usize>,
}

impl People {
    fn ordinal(&mut self, user: usize) -> u32 {
        *self.ordinals[user].get_or_insert_with(|| {
            self.seen += 1;
            self.seen - 1
        })
    }
}

pub(crate) fn build(events: usize) -> Workload {
    let mut random = SplitMix(42);
    let (users, pages, tenants) = (Zipf::new(USERS), Zipf::new(PAGES), Zipf::new(TENANTS));
    let belongs = (0..USERS).map(|_| tenants.draw(&mut random)).collect();
    let mut people = People { ordinals: vec![None; USERS], seen: 0, tenants: belongs };
    let mut all = Workload {
        hours: vec![],
        days: vec![],
        months: vec![Sheet::default(); DAYS.div_ceil(30)],
        tenant_days: BTreeMap::new(),
        counted: (0, 0.0),
    };
    for day in 0..DAYS {
        let mut facts: Vec<(u64, usize, Fact)> = (0..events / DAYS)
            .map(|_| {
                let user = users.draw(&mut random);
                let fact = fact(&mut random, &pages, people.ordinal(user));
                (random.below(24), people.tenants[user], fact)
            })
            .collect();
        facts.sort_by_key(|(hour, ..)| *hour);
        let began = std::time::Instant::now();
        let mut hours = BTreeMap::new();
        let mut of_tenants = BTreeMap::new();
        for (hour, tenant, fact) in &facts {
            hours.entry(*hour).or_insert_with(|| SheetBuilder::new(ScopeKind::Everyone)).add(fact);
            of_tenants.entry(*tenant).or_insert_with(|| SheetBuilder::new(ScopeKind::Tenant)).add(fact);
        }
        let hours: Sheets = hours.into_values().map(SheetBuilder::finish).collect();
        for (tenant, builder) in of_tenants {
            all.tenant_days.entry(tenant).or_default().push(builder.finish());
        }
        all.counted.0 += facts.len();
        all.counted.1 += began.elapsed().as_secs_f64();
        let mut whole = Sheet::default();
        for hour in &hours {
            whole.merge(hour.clone());
        }
        all.months[day / 30].merge(whole.clone());
        all.days.push(whole);
        all.hours.extend(hours);
    }
    all
}

/// 88 % page loads, 8 % successful logins, 2 % failed logins, 2 % userinfo.
fn fact(random: &mut SplitMix, pages: &Zipf, user: u32) -> Fact {
    let (kind, login) = match random.below(100) {
        0..88 => (0, None),
        88..96 => (1, Some(true)),
        96..98 => (2, Some(false)),
        _ => (3, None),
    };
    Fact {
        page: (kind == 0).then(|| u32::try_from(pages.draw(random)).unwrap()),
        env: 1,
        kind,
        userinfo: kind == 3,
        login,
        failed: login == Some(false),
        user: Some(user),
        source: Some(user / 2),
    }
}
