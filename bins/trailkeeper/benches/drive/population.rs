//! Who acts, where: 500 tenants, 100,000 users and 300 pages, each by a Zipf law.

use std::net::Ipv4Addr;

use uuid::Uuid;

use crate::random::{Random, Zipf, mixed};

const TENANTS: usize = 500;
const USERS: usize = 100_000;
const PAGES: usize = 300;

const SECTIONS: [&str; 10] =
    ["dashboard", "reports", "lineage", "catalog", "settings", "admin", "billing", "search", "discovery", "help"];
const VIEWS: [&str; 6] = ["overview", "list", "detail", "edit", "history", "export"];

/// Tenants, the users of each, and pages.
pub struct Population {
    pub tenants: Vec<Uuid>,
    pub users: Vec<Uuid>,
    pub pages: Vec<String>,
    /// The number of the first user of each tenant, and the number of users.
    firsts: Vec<usize>,
    tenant_ranks: Zipf,
    user_ranks: Vec<Zipf>,
    page_ranks: Zipf,
}

/// An event without its id and time. Tenant, user and page are numbers of the population.
pub struct Action {
    pub tenant: usize,
    pub user: usize,
    pub env: u32,
    pub kind: &'static str,
    pub outcome: &'static str,
    pub page: Option<usize>,
    pub source: Ipv4Addr,
}

impl Population {
    pub fn new(random: &mut Random) -> Self {
        let tenant_ranks = Zipf::new(TENANTS, 1.0);
        let mut firsts: Vec<usize> = Vec::with_capacity(TENANTS + 1);
        for tenant in 0..=TENANTS {
            // Users in proportion to the events of the tenant, at least one.
            let least = firsts.last().map_or(0, |first| first + 1);
            firsts.push(users_before(tenant_ranks.before(tenant)).max(least));
        }
        let user_ranks = firsts.windows(2).map(|pair| Zipf::new(pair[1] - pair[0], 0.8)).collect();
        let page = |number: usize| format!("/{}/{}{}", SECTIONS[number % 10], VIEWS[number / 10 % 6], number / 60);
        Self {
            tenants: (0..TENANTS).map(|_| random.uuid()).collect(),
            users: (0..firsts[TENANTS]).map(|_| random.uuid()).collect(),
            pages: (0..PAGES).map(page).collect(),
            firsts,
            tenant_ranks,
            user_ranks,
            page_ranks: Zipf::new(PAGES, 1.0),
        }
    }

    /// The next action of someone.
    pub fn act(&self, random: &mut Random) -> Action {
        let tenant = self.tenant_ranks.draw(random);
        let user = self.firsts[tenant] + self.user_ranks[tenant].draw(random);
        let env = match random.below(100) {
            0..80 => 1,
            80..93 => 2,
            _ => 3,
        };
        let (kind, outcome) = match random.below(100) {
            0..88 => ("page_load", "success"),
            88..96 => ("login_success", "success"),
            96..98 => ("login_fail", "failure"),
            _ => ("userinfo", "success"),
        };
        let page = (kind == "page_load").then(|| self.page_ranks.draw(random));
        // A user has one usual address.
        let usual = mixed(user as u64 ^ 0xABCD);
        let [_, _, _, _, a, b, c, d] = if random.below(10) == 0 { random.number() } else { usual }.to_be_bytes();
        Action { tenant, user, env, kind, outcome, page, source: Ipv4Addr::new(1 + a % 222, b, c, d) }
    }

    /// A name to show, as senders add one to the id.
    pub fn user_name(action: &Action) -> String {
        format!("user{:06}@t{:03}.example.com", action.user, action.tenant)
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of 100,000 users"
)]
fn users_before(share: f64) -> usize {
    (USERS as f64 * share).round() as usize
}
