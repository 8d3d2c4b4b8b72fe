//! Rules of passwords, and their hashes.

use std::collections::HashSet;
use std::time::Duration;

use trailkeeper_auth::{SystemEntropy, password};

const EMAIL: &str = "jane.doe@example.com";

#[test]
fn a_refused_password_gets_the_field_and_a_way_out() {
    let longest = "six by nine ".repeat(6);
    for good in ["twelve bytes", "äöüÄÖß", longest.as_str(), "jane.doe@example.com!"] {
        password::check("password", good, EMAIL).unwrap();
    }
    for (bad, reason) in [
        ("", "has 0 bytes"),
        ("eleven byte", "has 11 bytes"),
        ("ä".repeat(5).as_str(), "has 10 bytes"),
        ("x".repeat(73).as_str(), "has 73 bytes"),
        ("ä".repeat(37).as_str(), "has 74 bytes"),
        ("with\0nul in it", "U+0000"),
        ("with a\nnew line", "U+000A"),
        (EMAIL, "is the e-mail address"),
        ("jANE.dOE@EXAMPLE.COM", "is the e-mail address"),
        ("passwordpassword", "is one of the commonest passwords"),
        ("Password123!", "is one of the commonest passwords"),
        ("TRAILKEEPER123", "is one of the commonest passwords"),
        ("x".repeat(72).as_str(), "is 1 to 4 characters again and again"),
        ("abcdabcdabcd", "is 1 to 4 characters again and again"),
        ("Abcdefghijklm", "is a run along"),
        ("1234567890123", "is a run along"),
        ("QwertyUiop[]", "is a run along"),
        ("asdfgh654321", "is a run along"),
        ("JANE.DOE@EXAMPLE.COM", "is the e-mail address"),
    ] {
        let error = password::check("password", bad, EMAIL).unwrap_err().to_string();
        assert!(error.starts_with("password: ") && error.contains(reason), "{bad:?}: {error}");
        assert!(bad.is_empty() || !error.contains(bad), "the message shows the password: {error}");
    }
    for local in ["a.long.local.part", "A.Long.Local.PART"] {
        let error = password::check("password", local, "a.long.LOCAL.part@example.com").unwrap_err().to_string();
        assert!(error.contains("without its host") && !error.contains(local), "{error}");
    }
}

/// Hashes made by libxcrypt, through Python's `crypt`.
#[test]
fn hashes_of_another_implementation_verify() {
    for (plain, hash) in [
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ("Bücherwurm-liest-12", "$2b$05$abcdefghijklmnopqrstuuWMnrrcznGbojVeKfcfnpIy7lJmVCi/K"),
        (
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "$2b$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q",
        ),
    ] {
        assert!(password::verify(plain, hash).unwrap(), "{plain}");
        assert!(!password::verify(&plain.to_uppercase(), hash).unwrap() || plain == plain.to_uppercase(), "{plain}");
    }
}

#[test]
fn the_longest_password_counts_to_its_last_byte_and_longer_ones_are_refused() {
    let entropy = SystemEntropy::new();
    let longest = "y".repeat(72);
    let hash = password::hash(&entropy, &longest, 4).unwrap();
    assert!(hash.starts_with("$2b$04$") && hash.len() == 60);
    assert!(password::verify(&longest, &hash).unwrap());
    assert!(!password::verify(&format!("{}z", &longest[1..]), &hash).unwrap());
    assert!(!password::verify(&format!("{longest}z"), &hash).unwrap(), "a longer password is not cut");
    assert!(password::hash(&entropy, &format!("{longest}z"), 4).is_err());
}

#[test]
fn a_password_that_bcrypt_would_take_for_another_one_is_refused() {
    let entropy = SystemEntropy::new();
    let hash = password::hash(&entropy, "abcdefghijkl", 4).unwrap();
    assert!(password::verify("abcdefghijkl", &hash).unwrap());
    assert!(!password::verify("abcdefghijkl\0abcdefghijkl", &hash).unwrap());
    assert!(!password::verify("abcdefghijkl\0", &hash).unwrap());
    let of_nothing = password::hash(&entropy, "", 4).unwrap();
    for impossible in ["\0", &"x".repeat(73)] {
        assert!(!password::verify(impossible, &of_nothing).unwrap());
    }
}

#[test]
fn two_hashes_of_one_password_differ() {
    let entropy = SystemEntropy::new();
    assert_ne!(
        password::hash(&entropy, "same password", 4).unwrap(),
        password::hash(&entropy, "same password", 4).unwrap()
    );
}

#[test]
fn the_placeholder_hash_takes_the_work_of_its_cost_and_matches_no_password() {
    for cost in [4, 12] {
        let hash = password::placeholder_hash(cost);
        // `Ok` means that bcrypt accepted it as a hash of this cost and did the work.
        for tried in ["", "a", "...............................", &"x".repeat(100)] {
            assert!(!password::verify(tried, &hash).unwrap());
        }
        assert_eq!(hash.get(4..6), Some(format!("{cost:02}").as_str()));
    }
    assert!(password::verify("a", &password::placeholder_hash(99)).is_err(), "a cost out of range");
    assert!(password::verify("a", "not a hash").is_err());
}

/// The processor time of this thread, which does not pass while it waits for a processor.
fn thread_time() -> Duration {
    Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime)).unwrap()
}

#[test]
fn a_verification_against_a_hash_of_lower_cost_is_padded_to_the_full_time() {
    let cheap = password::hash(&SystemEntropy::new(), "a good password", 4).unwrap();
    assert!(password::is_cheaper(&cheap, 5) && !password::is_cheaper(&cheap, 4) && !password::is_cheaper("", 12));
    let work = |from: u32, to: u32| {
        let hash = password::placeholder_hash(from);
        let begun = thread_time();
        password::verify("a wrong password", &hash).unwrap();
        password::pad_to_cost("a wrong password", &hash, to).unwrap();
        thread_time().checked_sub(begun).unwrap()
    };
    // The fastest of several, because other programs displace the caches. Without the padding the ratio would be 16 to 1.
    let fastest = |from| (0..7).map(|_| work(from, 9)).min().unwrap();
    let (cheap, dear) = (fastest(5), fastest(9));
    assert!(cheap * 2 > dear && dear * 2 > cheap, "{cheap:?} {dear:?}");
    // No padding: the cost is not lower, or the text is no hash.
    for hash in [password::placeholder_hash(12).as_str(), "nonsense"] {
        password::pad_to_cost("a", hash, 4).unwrap();
    }
}

#[test]
fn generated_passwords_follow_the_rules_and_are_easy_to_copy() {
    let entropy = SystemEntropy::new();
    let made: HashSet<String> = (0..500).map(|_| password::generate(&entropy)).collect();
    assert_eq!(made.len(), 500);
    let used: HashSet<char> = made.iter().flat_map(|password| password.chars()).collect();
    // log2(50) * 20 characters = 112 bits.
    assert_eq!(used.len(), 50);
    assert!(used.iter().all(|c| c.is_ascii_alphanumeric() && !"0Oo1IilL5S2Z".contains(*c)), "{used:?}");
    for password in &made {
        assert_eq!(password.chars().count(), 20);
        password::check("password", password, EMAIL).unwrap();
    }
}
