//! Pages: kept as sent, grouped by their path.

use crate::error::Result;
use crate::text;

/// The longest page, in characters.
pub const MAX_PAGE: usize = 2048;

/// Whether statistics and filters tell pages apart by their query. Fragments never count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageQueries {
    /// `/users?page=2` is the page `/users`.
    #[default]
    Dropped,
    /// `/users?page=2` is a page of its own.
    Kept,
}

/// A page as it was sent, a URL or a bare path, and the key by which statistics group it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// As it was sent; behaviour histories give it back so.
    pub sent: String,
    /// Without fragment and, unless a setting keeps it, without query.
    pub key: String,
}

impl Page {
    /// Checks the length and derives the key; `field` names it in the error.
    pub fn parse(field: &str, sent: impl Into<String>, queries: PageQueries) -> Result<Self> {
        let sent = sent.into();
        text::checked(field, &sent, MAX_PAGE)?;
        let key = page_key(&sent, queries).to_owned();
        Ok(Self { sent, key })
    }
}

/// The part of a page by which it is grouped. A page that is nothing but a query or a fragment is
/// the page `/`, so that no key is empty.
pub fn page_key(sent: &str, queries: PageQueries) -> &str {
    let end = match queries {
        PageQueries::Dropped => sent.find(['?', '#']),
        PageQueries::Kept => sent.find('#'),
    };
    match sent.split_at(end.unwrap_or(sent.len())).0 {
        "" => "/",
        key => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_neither_fragment_nor_query() {
        for (sent, dropped, kept) in [
            ("/users?action=delete_user", "/users", "/users?action=delete_user"),
            ("https://app.example/a#top", "https://app.example/a", "https://app.example/a"),
            ("/a#x?y", "/a", "/a"),
            ("?q=1", "/", "?q=1"),
            ("#top", "/", "/"),
            ("/", "/", "/"),
        ] {
            assert_eq!(page_key(sent, PageQueries::Dropped), dropped);
            assert_eq!(page_key(sent, PageQueries::Kept), kept);
        }
    }
}
