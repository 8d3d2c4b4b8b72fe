//! Groups of routes, each with its own rate limit.

/// A group of routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Logins and refreshes, by source.
    Login,
    /// Recording events, by credential.
    Ingest,
    /// Reading events and records, by credential.
    Read,
    /// Analytic questions, by credential.
    Analytics,
    /// Changing records and reporting figures, by credential.
    Change,
    /// Accounts, tokens, keys and sessions, by credential.
    Administer,
    /// Routes without a credential, by source.
    Public,
    /// Readiness checks, by source.
    Probe,
    /// Requests with an invalid credential, by source.
    Refused,
}

impl Group {
    /// Number of groups.
    pub const COUNT: usize = 9;

    /// Name in settings and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Analytics => "analytics",
            Self::Change => "change",
            Self::Administer => "administer",
            Self::Public => "public",
            Self::Probe => "probe",
            Self::Refused => "refused",
        }
    }

    /// The counted requests, as error messages call them.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Login => "logins and refreshes from your address",
            Self::Ingest => "requests that send events, with this credential",
            Self::Read => "requests that read, with this credential",
            Self::Analytics => "analytic questions with this credential",
            Self::Change => "requests that change records, with this credential",
            Self::Administer => "requests that administer, with this credential",
            Self::Public => "requests without a credential from your address",
            Self::Probe => "questions from your address whether the server can serve",
            Self::Refused => "requests from your address whose credential did not hold",
        }
    }
}

/// Requests per minute, by group; 0 means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSettings {
    /// Logins and refreshes, by address.
    pub login: u32,
    /// Requests that send events, by credential.
    pub ingest: u32,
    /// Requests that read, by credential.
    pub read: u32,
    /// Analytic questions, by credential.
    pub analytics: u32,
    /// Requests that change records, by credential.
    pub change: u32,
    /// Requests that administer, by credential.
    pub administer: u32,
    /// Requests without a credential, by address.
    pub public: u32,
    /// Questions whether the server can serve, by address.
    pub probe: u32,
    /// Requests with an invalid credential, by address.
    pub refused: u32,
}

impl LimitSettings {
    /// No limits.
    pub const NONE: Self =
        Self { login: 0, ingest: 0, read: 0, analytics: 0, change: 0, administer: 0, public: 0, probe: 0, refused: 0 };

    /// The default limits: far more than well-behaved programs need.
    pub const STANDARD: Self = Self {
        login: 120,
        ingest: 600_000,
        read: 12_000,
        analytics: 6_000,
        change: 12_000,
        administer: 1_200,
        public: 6_000,
        // A prober often shares its address with strangers (behind a load balancer, or as the address of a node). A
        // stranger who uses up a limit here would take every server out of service.
        probe: 0,
        refused: 600,
    };

    /// The limit of a group; `None` if it has no limit.
    pub(crate) fn of(&self, group: Group) -> Option<u32> {
        let limit = match group {
            Group::Login => self.login,
            Group::Ingest => self.ingest,
            Group::Read => self.read,
            Group::Analytics => self.analytics,
            Group::Change => self.change,
            Group::Administer => self.administer,
            Group::Public => self.public,
            Group::Probe => self.probe,
            Group::Refused => self.refused,
        };
        (limit > 0).then_some(limit)
    }
}
