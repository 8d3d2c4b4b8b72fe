//! Names, pages and user agents of the demo data. All addresses are reserved for documentation.

/// Tenants, the largest first.
pub const TENANTS: [&str; 20] = [
    "Alder & Finch Logistics",
    "Blue Harbor Clinics",
    "Cobalt Press",
    "Driftwood Hotels",
    "Eastgate Robotics",
    "Fernbank Schools",
    "Granite Peak Insurance",
    "Hollow Oak Foods",
    "Ivory Coast Travel",
    "Juniper Legal",
    "Kestrel Energy",
    "Larkspur Studios",
    "Meridian Transit",
    "Nordlicht Optik",
    "Open Field Farms",
    "Paper Lantern Games",
    "Quartz River Mining",
    "Redwood Payroll",
    "Silver Birch Homes",
    "Tidewater Shipping",
];

/// First names.
pub const FIRST: [&str; 40] = [
    "Ada", "Amir", "Anna", "Ben", "Bao", "Carla", "Chidi", "Clara", "Daniel", "Diego", "Ella", "Emil", "Farah",
    "Felix", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jana", "Jonas", "Kofi", "Laila", "Leo", "Lucia", "Maya", "Mei",
    "Milan", "Nadia", "Noah", "Olga", "Omar", "Petra", "Priya", "Rosa", "Sami", "Sofia", "Tariq", "Yuki", "Zoe",
];

/// Last names.
pub const LAST: [&str; 50] = [
    "Abe", "Adler", "Almeida", "Bauer", "Becker", "Brandt", "Castro", "Chen", "Costa", "Dias", "Diallo", "Eriksen",
    "Fischer", "Fontaine", "Garcia", "Haas", "Hansen", "Horvat", "Ito", "Ivanova", "Jansen", "Jensen", "Kaur",
    "Keller", "Khan", "Kowalski", "Lang", "Larsen", "Lopez", "Mensah", "Meyer", "Moreau", "Mori", "Novak", "Okafor",
    "Olsen", "Patel", "Peeters", "Quinn", "Rossi", "Sato", "Schmidt", "Silva", "Singh", "Tanaka", "Torres", "Ueda",
    "Vogel", "Weber", "Yilmaz",
];

/// Pages, the most visited first.
pub const PAGES: [&str; 40] = [
    "/dashboard",
    "/",
    "/projects",
    "/projects/overview",
    "/tasks",
    "/inbox",
    "/reports",
    "/search",
    "/customers",
    "/customers/list",
    "/invoices",
    "/calendar",
    "/profile",
    "/reports/monthly",
    "/settings",
    "/orders",
    "/files",
    "/team",
    "/notifications",
    "/invoices/open",
    "/help",
    "/orders/new",
    "/settings/security",
    "/billing",
    "/projects/archive",
    "/reports/weekly",
    "/team/members",
    "/integrations",
    "/files/shared",
    "/settings/notifications",
    "/customers/import",
    "/billing/history",
    "/team/roles",
    "/help/contact",
    "/integrations/webhooks",
    "/settings/api",
    "/exports",
    "/audit",
    "/changelog",
    "/about",
];

/// User agents, the most common first.
pub const AGENTS: [&str; 5] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36",
];

/// User pools: the pool of the first tenants, and the pool of the others.
pub const POOLS: [&str; 2] = ["eu-west-1_Demo4Europe", "us-east-1_Demo4America"];
