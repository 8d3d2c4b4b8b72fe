//! Passwords: their rules, and bcrypt.
//!
//! Hashing takes a good part of a second on purpose: it must never happen inside a transaction.

use trailkeeper_domain::clock::Entropy;
use trailkeeper_domain::folding;
use trailkeeper_domain::{Error, Result, text};

use crate::common_passwords::{self, Weakness};
use crate::entropy::{READABLE, random_text};

/// The shortest password, in bytes of UTF-8.
pub const MIN_BYTES: usize = 12;

/// The longest password, in bytes of UTF-8: bcrypt reads no more. A longer one is refused and never cut; otherwise all
/// passwords with the same beginning would be accepted.
pub const MAX_BYTES: usize = 72;

/// The length of a generated password. With an alphabet of 50 characters it has 112 bits.
const GENERATED_CHARACTERS: usize = 20;

/// Checks a new password for the account with this e-mail address: 12 to 72 bytes, no control characters, not the e-mail
/// address or its local part, not common, and no mere repetition or run.
///
/// [`Error::Invalid`] names `field`, and never shows the password.
pub fn check(field: &str, password: &str, email: &str) -> Result<()> {
    let bytes = password.len();
    if !(MIN_BYTES..=MAX_BYTES).contains(&bytes) {
        return Err(Error::invalid(
            field,
            format!(
                "has {bytes} bytes; choose one of {MIN_BYTES} to {MAX_BYTES} bytes (letters beyond ASCII count 2 to 4)"
            ),
        ));
    }
    // bcrypt ends a password at NUL and repeats it, so that "a\0a" would be accepted for "a".
    text::no_control(field, password)?;
    let (folded, email) = (folding::folded(password), folding::folded(email));
    if folded == email {
        return Err(Error::invalid(field, "is the e-mail address, which everyone can guess; choose another one"));
    }
    if email.split_once('@').is_some_and(|(local, _)| folded == local) {
        return Err(Error::invalid(
            field,
            "is the e-mail address without its host, which everyone can guess; choose another one",
        ));
    }
    // The messages do not show the password: they go into responses and logs.
    let reason = match common_passwords::weakness_of(&folded) {
        None => return Ok(()),
        Some(Weakness::Common) => {
            "is one of the commonest passwords; choose another one, for example four random words"
        }
        Some(Weakness::Repetition) => {
            "is 1 to 4 characters again and again; choose another one, for example four random words"
        }
        Some(Weakness::Run) => {
            "is a run along the alphabet, the digits or the keyboard; choose another one, for example four random words"
        }
    };
    Err(Error::invalid(field, reason))
}

/// The bcrypt hash of a password that [`check`] accepted. `cost` is 4 to 31; each step doubles the time.
///
/// [`Error::Internal`] when the password is longer than [`MAX_BYTES`] or the cost is out of range.
pub fn hash(entropy: &dyn Entropy, password: &str, cost: u32) -> Result<String> {
    if password.len() > MAX_BYTES {
        return Err(Error::internal("a password longer than bcrypt reads was about to be hashed"));
    }
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    bcrypt::hash_with_salt(password, cost, salt).map(|parts| parts.to_string()).map_err(Error::internal)
}

/// Whether the password is the one that was hashed. Takes the same time for every password, also for those that no
/// account can have.
///
/// [`Error::Internal`] when `hash` is not a bcrypt hash.
pub fn verify(password: &str, hash: &str) -> Result<bool> {
    let possible = password.len() <= MAX_BYTES && !password.contains('\0');
    let candidate = if possible { password } else { "" };
    let matches = bcrypt::verify(candidate, hash).map_err(Error::internal)?;
    Ok(possible && matches)
}

/// A hash of no password, for user names that no account has. To verify against it takes as long as against a real one, so
/// that the time does not reveal which names exist.
pub fn placeholder_hash(cost: u32) -> String {
    // In bcrypt's alphabet a dot is six zero bits: 22 dots make the salt, 31 the hash.
    format!("$2b${cost:02}${}", ".".repeat(22 + 31))
}

/// Whether the hash has a lower cost than this. False for a text that is no hash.
pub fn is_cheaper(hash: &str, cost: u32) -> bool {
    cost_of(hash).is_some_and(|own| own < cost)
}

/// Takes the time that a [`verify`] against this hash took less than one at `cost`, if the hash has a lower cost. Without
/// this, the time of a refusal would distinguish old accounts from names that no account has.
pub fn pad_to_cost(password: &str, hash: &str, cost: u32) -> Result<()> {
    // The verification took 2^a, and this takes 2^a + 2^(a+1) + … + 2^(cost-1): together 2^cost.
    for step in cost_of(hash).unwrap_or(cost)..cost {
        verify(password, &placeholder_hash(step))?;
    }
    Ok(())
}

/// The cost of a hash: the two digits after `$2b$`.
fn cost_of(hash: &str) -> Option<u32> {
    hash.get(4..6)?.parse().ok()
}

/// A random password for a person to copy: 20 letters and digits that do not look alike.
pub fn generate(entropy: &dyn Entropy) -> String {
    random_text(entropy, READABLE, GENERATED_CHARACTERS).as_str().to_owned()
}
