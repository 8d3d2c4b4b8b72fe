//! The contracts that the server implements.

/// A published contract, or the native API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// SaaSus Analysis.
    Saasus,
    /// Octopai `UserEvents`.
    Octopai,
    /// Cripsa Audit Log.
    Cripsa,
    /// The native API.
    Native,
}

impl Contract {
    /// All contracts.
    pub const ALL: [Self; 4] = [Self::Saasus, Self::Octopai, Self::Cripsa, Self::Native];

    /// The contract's name in paths and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Saasus => "saasus",
            Self::Octopai => "octopai",
            Self::Cripsa => "cripsa",
            Self::Native => "native",
        }
    }

    /// The contract's name in texts for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Saasus => "SaaSus Analysis",
            Self::Octopai => "Octopai UserEvents",
            Self::Cripsa => "Cripsa Audit Log",
            Self::Native => "Trailkeeper native API",
        }
    }

    /// The prefix of the contract's schema names in the document of all contracts.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Saasus => "Saasus",
            Self::Octopai => "Octopai",
            Self::Cripsa => "Cripsa",
            Self::Native => "",
        }
    }

    /// The base path of the contract's operations. The paths in a published document do not contain it.
    pub fn base(self) -> &'static str {
        match self {
            Self::Saasus => "/v1/analysis",
            Self::Cripsa => "/v1/auditlog",
            Self::Octopai | Self::Native => "",
        }
    }
}
