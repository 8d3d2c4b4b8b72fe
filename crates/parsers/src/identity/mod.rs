//! Records of identity providers as events. `docs/identity-providers.md` has the tables.

mod auth0;
mod cloudtrail;

mod keycloak;

use trailkeeper_domain::Result;
use trailkeeper_domain::event::EventDraft;

/// An identity provider whose exports can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// User and admin events of Keycloak, as its admin REST API and `kcadm` write them.
    Keycloak,
    /// Logs of Auth0, as its management API, its exports and its log streams write them.
    Auth0,
    /// `CloudTrail` of AWS, with the events of Cognito.
    CloudTrail,
}

impl Provider {
    /// All providers.
    pub const ALL: [Self; 3] = [Self::Keycloak, Self::Auth0, Self::CloudTrail];

    /// The name on the command line. Ids that are no UUIDs are derived from it, so it never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keycloak => "keycloak",
            Self::Auth0 => "auth0",
            Self::CloudTrail => "cloudtrail",
        }
    }

    /// The fields of an object around the list of records.
    pub fn wrappers(self) -> &'static [&'static str] {
        match self {
            Self::Keycloak => &[],
            Self::Auth0 => &["logs"],
            Self::CloudTrail => &["Records", "Events"],
        }
    }

    /// The event that a record stands for. The error names the field of the record that is missing or not understood.
    pub fn draft(self, record: &[u8]) -> Result<EventDraft> {
        match self {
            Self::Keycloak => keycloak::draft(record),
            Self::Auth0 => auth0::draft(record),
            Self::CloudTrail => cloudtrail::draft(record),
        }
    }
}
