//! Pages: stored as they were sent, grouped by their key.

use crate::error::Result;
use crate::text;

/// The maximum length of a page, in characters.
pub const MAX_PAGE: usize = 2048;

/// Whether the key of a page keeps the query. A key never has a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageQueries {
    /// `/users?page=2` is the page `/users`.
    #[default]
    Dropped,
    /// `/users?page=2` is a page of its own.
    Kept,
}

/// A page as it was sent, a URL or a bare path, and the key by which statistics group it.
///
/// ```
/// use trailkeeper_domain::page::{Page, PageQueries};
///
/// let page = Page::parse("page", "/users?page=2#top", PageQueries::Dropped)?;
/// assert_eq!((page.sent.as_str(), page.key.as_str()), ("/users?page=2#top", "/users"));
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The page as it was sent; behaviour histories return it in this form.
    pub sent: String,
    /// The page without fragment and, unless a setting keeps it, without query.
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

/// The key of a page. A page that consists of a query or a fragment only has the key `/`, so that no key is empty.
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

    #[test]
    fn a_page_keeps_what_was_sent_next_to_its_key() {
        let page = |queries| Page::parse("page", "/a?b=1#c", queries).unwrap();
        let (sent, key) = ("/a?b=1#c".to_owned(), "/a".to_owned());
        assert_eq!(page(PageQueries::Dropped), Page { sent: sent.clone(), key });
        assert_eq!(page(PageQueries::Kept), Page { sent, key: "/a?b=1".to_owned() });
    }

    #[test]
    fn a_page_has_1_to_2048_characters() {
        assert!(Page::parse("page", "/".repeat(MAX_PAGE), PageQueries::Dropped).is_ok());
        for bad in [String::new(), "/".repeat(MAX_PAGE + 1), "/a\nb".to_owned()] {
            assert!(Page::parse("page", bad, PageQueries::Dropped).unwrap_err().to_string().starts_with("page: "));
        }
    }
}
