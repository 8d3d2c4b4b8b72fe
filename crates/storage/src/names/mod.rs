//! The dictionaries, which give names their numbers, and the cache of names that all transactions of a store share.

mod cache;

use std::collections::HashMap;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use uuid::Uuid;

pub use cache::NameCache;

/// A table that gives names their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dictionary {
    /// Ids of users.
    Users,
    /// Keys of pages.
    Pages,
    /// Types of events.
    Kinds,
    /// User agents.
    UserAgents,
    /// Names of users.
    UserNames,
    /// IP addresses, in their usual spelling.
    Sources,
    /// Tenants, as hyphenated UUIDs. Only SQLite numbers them.
    Tenants,
}

impl Dictionary {
    /// The name of its table.
    pub fn table(self) -> &'static str {
        match self {
            Self::Users => "dict_users",
            Self::Pages => "dict_pages",
            Self::Kinds => "dict_kinds",
            Self::UserAgents => "dict_user_agents",
            Self::UserNames => "dict_user_names",
            Self::Sources => "dict_sources",
            Self::Tenants => "dict_tenants",
        }
    }
}

/// The digest by which a dictionary finds a name: the first half of its SHA-256. An index of whole names would be far
/// larger.
pub fn digest_of(name: &str) -> Uuid {
    let hash = digest(&SHA256, name.as_bytes());
    let half = hash.as_ref().first_chunk::<16>().copied().unwrap_or_default();
    Uuid::from_bytes(half)
}

/// Names that got their numbers in an open transaction. Other transactions must not use the numbers before the commit.
#[derive(Debug, Default)]
pub struct NewNames(HashMap<Dictionary, Both>);

#[derive(Debug, Default)]
struct Both {
    ids: HashMap<Arc<str>, i32>,
    names: HashMap<i32, Arc<str>>,
}

impl NewNames {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a name and its number.
    pub fn put(&mut self, dictionary: Dictionary, name: &Arc<str>, id: i32) {
        let both = self.0.entry(dictionary).or_default();
        both.ids.insert(Arc::clone(name), id);
        both.names.insert(id, Arc::clone(name));
    }

    /// The number of a name, if the transaction gave it one.
    pub fn id(&self, dictionary: Dictionary, name: &str) -> Option<i32> {
        self.0.get(&dictionary)?.ids.get(name).copied()
    }

    /// The name with this number, if the transaction gave it.
    pub fn name(&self, dictionary: Dictionary, id: i32) -> Option<&Arc<str>> {
        self.0.get(&dictionary)?.names.get(&id)
    }

    /// All names with their dictionaries and numbers.
    pub fn into_pairs(self) -> impl Iterator<Item = (Dictionary, Arc<str>, i32)> {
        self.0
            .into_iter()
            .flat_map(|(dictionary, both)| both.ids.into_iter().map(move |(name, id)| (dictionary, name, id)))
    }
}
