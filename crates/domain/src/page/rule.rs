//! The rule by which pages get their keys.

use std::fmt;

use crate::error::{Error, Result};

/// Whether the key of a page keeps the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageQueries {
    /// `/users?page=2` is the page `/users`.
    #[default]
    Dropped,
    /// `/users?page=2` is a page of its own.
    Kept,
}

/// Whether the key of a page keeps a slash at the end of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrailingSlash {
    /// `/users/` is a page of its own.
    #[default]
    Kept,
    /// `/users/` is the page `/users`.
    Dropped,
}

/// Whether the key of a page keeps a fragment that is a route of the application: one that begins with `/` or `!/`.
/// Other fragments are never kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageHash {
    /// `/app#/users` is the page `/app`.
    #[default]
    Dropped,
    /// `/app#/users` is a page of its own.
    RoutesKept,
}

/// The names of a setting's values, in settings and in the database.
macro_rules! named {
    ($type:ident, $($name:literal => $value:ident),+) => {
        impl $type {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The name in settings and in the database.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name),+
                }
            }

            /// The value with this name; `field` names it in the error.
            pub fn parse(field: &str, name: &str) -> Result<Self> {
                match name {
                    $($name => Ok(Self::$value),)+
                    _ => Err(Error::invalid(
                        field,
                        format!("'{name}' is not one of {}", [$($name),+].join(", ")),
                    )),
                }
            }
        }
    };
}

named!(PageQueries, "drop" => Dropped, "keep" => Kept);
named!(TrailingSlash, "keep" => Kept, "drop" => Dropped);
named!(PageHash, "drop" => Dropped, "keep-routes" => RoutesKept);

/// The rule by which pages get their keys. All pages of a database have keys of one rule, so the database stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRule {
    /// The version of the normalisation, at most [`PageRule::VERSION`]. Version 0 compares the characters as they were
    /// sent, and knows only the setting of queries.
    pub version: u16,
    /// Whether keys keep queries.
    pub queries: PageQueries,
    /// Whether keys keep a slash at the end of the path.
    pub trailing_slash: TrailingSlash,
    /// Whether keys keep routes in fragments.
    pub hash: PageHash,
}

impl PageRule {
    /// The newest version of the normalisation.
    pub const VERSION: u16 = 1;
}

impl Default for PageRule {
    fn default() -> Self {
        let version = Self::VERSION;
        Self {
            version,
            queries: PageQueries::default(),
            trailing_slash: TrailingSlash::default(),
            hash: PageHash::default(),
        }
    }
}

impl fmt::Display for PageRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, queries, trailing_slash, hash } = self;
        let (queries, slash, hash) = (queries.as_str(), trailing_slash.as_str(), hash.as_str());
        write!(f, "version {version}, queries {queries}, trailing slash {slash}, hash {hash}")
    }
}

/// The rule of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRuleState {
    /// The rule by which new events get the keys of their pages.
    pub rule: PageRule,
    /// Whether older events may have keys of another rule: a rebuild is rewriting them, or was interrupted. Until it is
    /// done, no answer may group events by page.
    pub rewriting: bool,
    /// Whether the setting of queries is only presumed, because an older version that did not store it made the keys.
    pub presumed: bool,
}
