//! A page as it was sent.

use super::key::MAX_PAGE;
use super::rule::PageRule;
use crate::error::Result;
use crate::text;

/// A page as it was sent, a URL or a bare path. Statistics group pages by their keys, which the store makes by the
/// [`PageRule`] of its database.
///
/// ```
/// use trailkeeper_domain::page::{Page, PageRule};
///
/// let page = Page::parse("page", "/caf%c3%a9?page=2#top")?;
/// assert_eq!(page.as_str(), "/caf%c3%a9?page=2#top");
/// assert_eq!(page.key(&PageRule::default()), "/café");
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page(String);

impl Page {
    /// Checks the length; `field` names it in the error.
    pub fn parse(field: &str, sent: impl Into<String>) -> Result<Self> {
        let sent = sent.into();
        text::checked(field, &sent, MAX_PAGE)?;
        Ok(Self(sent))
    }

    /// A page that was checked before it was stored.
    pub fn stored(sent: String) -> Self {
        Self(sent)
    }

    /// The page as it was sent; behaviour histories return it in this form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the page by this rule.
    pub fn key(&self, rule: &PageRule) -> String {
        rule.key(&self.0).into_owned()
    }
}

impl From<Page> for String {
    fn from(page: Page) -> Self {
        page.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_2048_characters() {
        assert!(Page::parse("page", "/".repeat(MAX_PAGE)).is_ok());
        for bad in [String::new(), "/".repeat(MAX_PAGE + 1), "/a\nb".to_owned()] {
            assert!(Page::parse("page", bad).unwrap_err().to_string().starts_with("page: "));
        }
    }
}
