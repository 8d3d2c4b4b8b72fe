//! Groups of routes, each with a limit of its own.

/// A group of routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Logins and refreshes, by source.
    Login,
    /// Sending events, by credential.
    Ingest,
    /// Reading events and records, by credential.
    Read,
    /// Analytic questions, by credential.
    Analytics,
    /// Changing records and reporting figures, by credential.
    Change,
    /// Accounts, tokens, keys and sessions, by credential.
    Administer,
    /// What needs no credential, by source.
    Public,
    /// Whether the server can serve, by source.
    Probe,
    /// Credentials that did not hold, by source.
    Refused,
}

impl Group {
    /// How many there are.
    pub const COUNT: usize = 9;

    /// The name in the database.
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

    /// What is counted, as a refusal says it.
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

/// Requests a minute, by group; 0 means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSettings {
    /// [`Group::Login`].
    pub login: u32,
    /// [`Group::Ingest`].
    pub ingest: u32,
    /// [`Group::Read`].
    pub read: u32,
    /// [`Group::Analytics`].
    pub analytics: u32,
    /// [`Group::Change`].
    pub change: u32,
    /// [`Group::Administer`].
    pub administer: u32,
    /// [`Group::Public`].
    pub public: u32,
    /// [`Group::Probe`].
    pub probe: u32,
    /// [`Group::Refused`].
    pub refused: u32,
}

impl LimitSettings {
    /// No limits.
    pub const NONE: Self =
        Self { login: 0, ingest: 0, read: 0, analytics: 0, change: 0, administer: 0, public: 0, probe: 0, refused: 0 };

    /// What a server has unless it is told otherwise: far more than honest programs ask for.
    pub const STANDARD: Self = Self {
        login: 120,
        ingest: 600_000,
        read: 12_000,
        analytics: 6_000,
        change: 12_000,
        administer: 1_200,
        public: 6_000,
        // A prober often shares its address with strangers (behind a balancer, or a node's own address): whoever could
        // use its limit up would take every server out of service.
        probe: 0,
        refused: 600,
    };

    /// The group's limit; `None` when it has none.
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
