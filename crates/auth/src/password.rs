//! Passwords: their rules, and bcrypt.
//!
//! Hashing takes a good part of a second on purpose: never do it inside a transaction.

use trailkeeper_domain::clock::Entropy;
use trailkeeper_domain::user::folded_email;
use trailkeeper_domain::{Error, Result, text};

use crate::common_passwords::{self, Guessable};
use crate::entropy::{READABLE, random_text};

/// The shortest password, in bytes of UTF-8.
pub const MIN_BYTES: usize = 12;

/// The longest password, in bytes of UTF-8: all that bcrypt reads. A longer one is refused, never cut, or
/// two passwords that differ behind it would open the same door.
pub const MAX_BYTES: usize = 72;

/// How many characters a generated password has: 50 to choose from make 112 bits.
const GENERATED_CHARACTERS: usize = 20;

/// Checks a new password for the account with this e-mail: 12 to 72 bytes, without control characters, not the e-mail,
/// and none that is guessed first. The error never shows it.
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
    // bcrypt ends a password at NUL and repeats it, so that "a\0a" would open what "a" opens.
    text::no_control(field, password)?;
    let (folded, email) = (password.to_lowercase(), folded_email(email));
    if folded == email {
        return Err(Error::invalid(field, "is the e-mail address, which everyone can guess; choose another one"));
    }
    if email.split_once('@').is_some_and(|(local, _)| folded == local) {
        return Err(Error::invalid(
            field,
            "is the e-mail address without its host, which everyone can guess; choose another one",
        ));
    }
    // The message says why, never what: it goes into answers and logs.
    let told = match common_passwords::guessable(&folded) {
        None => return Ok(()),
        Some(Guessable::Common) => {
            "is one of the commonest passwords; choose another one, for example four random words"
        }
        Some(Guessable::Repetition) => {
            "is 1 to 4 characters again and again; choose another one, for example four random words"
        }
        Some(Guessable::Run) => {
            "is a run along the alphabet, the digits or the keyboard; choose another one, for example four random words"
        }
    };
    Err(Error::invalid(field, told))
}

/// The bcrypt hash of a password that [`check`] let through. `cost` is 4 to 31; each step doubles the time.
pub fn hash(entropy: &dyn Entropy, password: &str, cost: u32) -> Result<String> {
    if password.len() > MAX_BYTES {
        return Err(Error::internal("a password longer than bcrypt reads was about to be hashed"));
    }
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    bcrypt::hash_with_salt(password, cost, salt).map(|parts| parts.to_string()).map_err(Error::internal)
}

/// Whether the password is the one that was hashed. It costs the same for every password, also for those
/// that cannot be anyone's.
pub fn verify(password: &str, hash: &str) -> Result<bool> {
    let possible = password.len() <= MAX_BYTES && !password.contains('\0');
    let tried = if possible { password } else { "" };
    let fits = bcrypt::verify(tried, hash).map_err(Error::internal)?;
    Ok(possible && fits)
}

/// A hash that no password has, for names that nobody has: checking against it costs what checking a real
/// one costs, so that time does not tell which names exist.
pub fn nobodys_hash(cost: u32) -> String {
    // In bcrypt's alphabet a dot is six zero bits: 22 make the salt, 31 the hash.
    format!("$2b${cost:02}${}", ".".repeat(22 + 31))
}

/// Whether the hash was made at a lower cost than this.
pub fn is_cheaper(hash: &str, cost: u32) -> bool {
    cost_of(hash).is_some_and(|made_at| made_at < cost)
}

/// After [`verify`] against a hash that was made at a lower cost: does as much work as is missing to a check at this
/// cost. Without it the time of a refusal would tell old accounts from names that nobody has.
pub fn spend_the_rest(password: &str, hash: &str, cost: u32) -> Result<()> {
    // 2^a, and now 2^a + 2^(a+1) + … + 2^(cost-1): together 2^cost.
    for step in cost_of(hash).unwrap_or(cost)..cost {
        verify(password, &nobodys_hash(step))?;
    }
    Ok(())
}

/// The two digits behind `$2b$`.
fn cost_of(hash: &str) -> Option<u32> {
    hash.get(4..6)?.parse().ok()
}

/// A password for a person to copy: letters and digits that are not mistaken for one another.
pub fn generate(entropy: &dyn Entropy) -> String {
    random_text(entropy, READABLE, GENERATED_CHARACTERS).as_str().to_owned()
}
