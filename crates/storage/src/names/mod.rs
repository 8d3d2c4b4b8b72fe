//! Names as numbers: which dictionaries there are, and the memory that all transactions of a store share.

mod cache;

use std::collections::HashMap;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use uuid::Uuid;

pub use cache::NameCache;

/// A dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// The subjects of events.
    Users,
    /// Keys of pages.
    Pages,
    /// Types of events.
    Kinds,
    /// Programs.
    UserAgents,
    /// Names of actors.
    UserNames,
    /// Addresses, in their usual spelling.
    Sources,
    /// Tenants as hyphenated UUIDs: on SQLite alone.
    Tenants,
}

impl Space {
    /// Its table.
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

/// By what a dictionary finds a name: the first half of its SHA-256. Indexes of whole names would be far larger.
pub fn digest_of(name: &str) -> Uuid {
    let hash = digest(&SHA256, name.as_bytes());
    let half = hash.as_ref().first_chunk::<16>().copied().unwrap_or_default();
    Uuid::from_bytes(half)
}

/// Names that a transaction gave numbers to. Nobody else may learn them before it is committed.
#[derive(Debug, Default)]
pub struct Fresh(HashMap<Space, Both>);

#[derive(Debug, Default)]
struct Both {
    ids: HashMap<Arc<str>, i32>,
    names: HashMap<i32, Arc<str>>,
}

impl Fresh {
    /// Adds one.
    pub fn put(&mut self, space: Space, name: &Arc<str>, id: i32) {
        let both = self.0.entry(space).or_default();
        both.ids.insert(Arc::clone(name), id);
        both.names.insert(id, Arc::clone(name));
    }

    /// The number of a name.
    pub fn id(&self, space: Space, name: &str) -> Option<i32> {
        self.0.get(&space)?.ids.get(name).copied()
    }

    /// The name of a number.
    pub fn name(&self, space: Space, id: i32) -> Option<&Arc<str>> {
        self.0.get(&space)?.names.get(&id)
    }

    /// All of them.
    pub fn into_pairs(self) -> impl Iterator<Item = (Space, Arc<str>, i32)> {
        self.0.into_iter().flat_map(|(space, both)| both.ids.into_iter().map(move |(name, id)| (space, name, id)))
    }
}
