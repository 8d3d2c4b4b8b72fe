//! The form of a text in which case and composition make no difference.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// The folded form of a text. Two texts have the same one exactly if they match canonically without regard to case, as
/// Unicode defines it (chapter 3.13, D145): `straße` and `STRASSE`, final and medial sigma, composed and decomposed `é`.
///
/// Folding a folded text changes nothing.
///
/// ```
/// use trailkeeper_domain::folding::folded;
///
/// assert_eq!(folded("Straße"), folded("STRASSE"));
/// assert_eq!(folded("ΟΔΟΣ"), folded("οδος"));
/// assert_eq!(folded("Cafe\u{301}"), "café");
/// assert_ne!(folded("cafe"), folded("café"));
/// ```
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Decomposed first, because the folding of U+0345 depends on the order of marks. The composed form at the end is as
    // good as the decomposed one for comparing, and equals the text itself for most addresses.
    text.nfd().default_case_fold().nfc().collect()
}
