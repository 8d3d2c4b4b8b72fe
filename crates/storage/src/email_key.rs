//! The keys by which e-mail addresses are compared: the values of the columns `email_folded`.
//!
//! The key of an address is its folded form. Databases from before that rule may hold several owners of one address in
//! one pool. One of them has the folded form as its key; each other one has the folded form, a line feed, and the key of
//! the old rule, the address in lower case. So all keys of an address lie in one range of the index, and a key shows by
//! itself that its owner shares the address. No address contains a line feed.

use trailkeeper_domain::folding::folded;

/// Separates the folded form from the key of the old rule.
pub const SEPARATOR: char = '\n';

/// The keys of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailKey {
    /// The folded form: the key of an address that nobody shares.
    pub folded: String,
    /// The key of an owner who shares the address, and whose key was this address in lower case.
    pub shared: String,
}

impl EmailKey {
    /// The keys of an address.
    pub fn of(email: &str) -> Self {
        Self::with_old(folded(email), &email.to_lowercase())
    }

    /// The keys of an address, and of the owner whose key by the old rule is `old`.
    pub fn with_old(folded: String, old: &str) -> Self {
        let shared = format!("{folded}{SEPARATOR}{old}");
        Self { folded, shared }
    }

    /// The end of the range of all keys of the address; the range begins with the folded form.
    pub fn end(&self) -> String {
        format!("{}\u{b}", self.folded)
    }

    /// Whether an owner with this address may have been given the shared key. If the old rule gave the folded form, its
    /// owner kept it.
    pub fn may_be_shared(&self) -> bool {
        self.shared.split_once(SEPARATOR).is_some_and(|(folded, old)| folded != old)
    }

    /// The key for an owner whose present key of this address is `own`, if the other owners have the keys `others`.
    /// `None` if the address is taken.
    pub fn choose(self, own: Option<&str>, others: &[String]) -> Option<String> {
        if others.is_empty() {
            return Some(self.folded);
        }
        if others.contains(&self.shared) {
            return None;
        }
        [self.folded, self.shared].into_iter().find(|key| Some(key.as_str()) == own)
    }
}

/// The folded form of the address with this key.
pub fn folded_of(key: &str) -> &str {
    key.split_once(SEPARATOR).map_or(key, |(folded, _)| folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_who_shares_an_address_may_keep_it_and_nobody_else_may_take_it() {
        let choose = |email: &str, own: Option<&str>, others: &[&str]| {
            EmailKey::of(email).choose(own, &others.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>())
        };
        let (folded, shared) = ("strasse@x", "strasse@x\nstraße@x");
        assert_eq!(choose("Straße@x", None, &[]).as_deref(), Some(folded));
        assert_eq!(choose("STRASSE@x", None, &[folded]), None);
        assert_eq!(choose("STRASSE@x", None, &[shared]), None);
        // The owners send their own addresses again.
        assert_eq!(choose("Straße@x", Some(shared), &[folded]).as_deref(), Some(shared));
        assert_eq!(choose("STRASSE@x", Some(folded), &[shared]).as_deref(), Some(folded));
        // One takes exactly the address of the other.
        assert_eq!(choose("strasse@x", Some(shared), &[folded]), None);
        assert_eq!(choose("STRAßE@x", Some(folded), &[shared]), None);
        // The other one is gone.
        assert_eq!(choose("Straße@x", Some(shared), &[]).as_deref(), Some(folded));
    }

    #[test]
    fn all_keys_of_an_address_are_in_its_range() {
        let key = EmailKey::of("Straße@x");
        assert!(key.may_be_shared() && !EmailKey::of("jane@x").may_be_shared());
        assert!(key.folded < key.shared && key.shared < key.end());
        assert!(!(key.folded.as_str()..key.end().as_str()).contains(&"strasse@x.example"));
        assert_eq!([&key.shared, &key.folded].map(|key| folded_of(key)), ["strasse@x"; 2]);
    }
}
