//! The tenants and users of the demo data.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::Duration;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::time::{self, Timestamp};

use crate::demo::names::{AGENTS, FIRST, LAST, POOLS, TENANTS};
use crate::demo::random::{Random, Weights};

/// Number of users: every first name with every last name.
pub const USERS: u32 = 2_000;

/// Number of tenants whose users are in the first pool.
const EUROPEAN: usize = 12;

/// A tenant.
pub struct DemoTenant {
    /// Id.
    pub id: TenantId,
    /// Name.
    pub name: &'static str,
    /// Time of its creation.
    pub created_at: Timestamp,
}

/// A user.
pub struct Person {
    /// Id.
    pub id: UserId,
    /// First and last name.
    pub name: String,
    /// E-mail address at the first tenant.
    pub email: String,
    /// User pool.
    pub pool: &'static str,
    /// Time of the registration.
    pub registered_at: Timestamp,
    /// Tenants of the user with the times of joining. The first one is the employer.
    pub tenants: Vec<(TenantId, Timestamp)>,
    /// Usual source address.
    pub source: IpAddr,
    /// User agent.
    pub agent: &'static str,
}

/// All tenants and users.
pub struct World {
    /// Tenants, the largest first.
    pub tenants: Vec<DemoTenant>,
    /// Users, the most active first.
    pub people: Vec<Person>,
}

impl World {
    /// The tenants and users as they are at `now`. The same seed and time give the same result.
    pub fn new(random: &mut Random, now: Timestamp) -> Self {
        let tenants: Vec<DemoTenant> = TENANTS
            .iter()
            .zip((0_i64..).map(|n| 700 - 34 * n))
            .map(|(name, age_days)| DemoTenant {
                id: TenantId(random.uuid()),
                name,
                created_at: now - Duration::days(age_days) - seconds(random, 86_400),
            })
            .collect();
        let shares = Weights::zipf(u32::try_from(tenants.len()).unwrap_or(1), 0.9);
        let mut numbers: Vec<u32> = (0..USERS).collect();
        shuffle(random, &mut numbers);
        let people = numbers
            .into_iter()
            .filter_map(|number| {
                let home = shares.draw(random);
                let second = if random.chance(12) { Some(shares.draw(random)) } else { None };
                person(random, now, &tenants, number, home, second.filter(|second| *second != home))
            })
            .collect();
        Self { tenants, people }
    }
}

fn person(
    random: &mut Random,
    now: Timestamp,
    tenants: &[DemoTenant],
    number: u32,
    home: usize,
    second: Option<usize>,
) -> Option<Person> {
    let number = number as usize;
    let (first, last) = (FIRST.get(number % FIRST.len())?, LAST.get(number / FIRST.len() % LAST.len())?);
    let employer = tenants.get(home)?;
    let registered_at = between(random, employer.created_at, now);
    let mut memberships = vec![(employer.id, registered_at)];
    if let Some(second) = second.and_then(|second| tenants.get(second)) {
        let since = between(random, registered_at.max(second.created_at), now);
        memberships.push((second.id, since));
    }
    let host: String = employer
        .name
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    Some(Person {
        id: UserId::stored(random.uuid().to_string()),
        name: format!("{first} {last}"),
        email: format!("{}.{}@{host}.example", first.to_lowercase(), last.to_lowercase()),
        pool: if home < EUROPEAN { POOLS[0] } else { POOLS[1] },
        registered_at,
        tenants: memberships,
        source: address(random),
        agent: Weights::zipf(5, 0.8).draw(random).checked_rem(AGENTS.len()).and_then(|at| AGENTS.get(at)).copied()?,
    })
}

/// A random address from the ranges that are reserved for documentation.
pub fn address(random: &mut Random) -> IpAddr {
    let host = u8::try_from(1 + random.below(254)).unwrap_or(1);
    match random.below(10) {
        0..=3 => Ipv4Addr::new(192, 0, 2, host).into(),
        4..=6 => Ipv4Addr::new(198, 51, 100, host).into(),
        7..=8 => Ipv4Addr::new(203, 0, 113, host).into(),
        _ => {
            let net = u16::try_from(random.below(16)).unwrap_or_default();
            Ipv6Addr::new(0x2001, 0xdb8, net, 0, 0, 0, 0, u16::from(host)).into()
        }
    }
}

fn between(random: &mut Random, start: Timestamp, end: Timestamp) -> Timestamp {
    let span = u32::try_from((end - start).num_seconds()).unwrap_or_default();
    time::truncated(start + seconds(random, span.max(1)))
}

fn seconds(random: &mut Random, below: u32) -> Duration {
    Duration::seconds(i64::from(random.below(below)))
}

/// Shuffles by the algorithm of Fisher and Yates.
fn shuffle(random: &mut Random, items: &mut [u32]) {
    for (index, count) in (0..items.len()).rev().zip((1..=u32::try_from(items.len()).unwrap_or(u32::MAX)).rev()) {
        items.swap(index, random.below(count) as usize);
    }
}
