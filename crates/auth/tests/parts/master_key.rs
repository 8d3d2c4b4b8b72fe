//! Sealing.

use trailkeeper_auth::{MasterKey, SystemEntropy};
use trailkeeper_domain::Error;

#[test]
fn what_was_sealed_opens_with_the_same_key_and_context_alone() {
    let entropy = SystemEntropy::new();
    let key = MasterKey::generate(&entropy);
    let other = MasterKey::generate(&entropy);
    for plain in [&b""[..], b"secret", &[0; 5000]] {
        let sealed = key.seal(&entropy, "signing_key:1", plain).unwrap();
        assert_eq!(key.open("signing_key:1", &sealed).unwrap().as_slice(), plain);
        assert!(plain.is_empty() || !sealed.windows(plain.len()).any(|window| window == plain));
        for (key, context) in [(&key, "signing_key:2"), (&key, ""), (&other, "signing_key:1")] {
            assert!(matches!(key.open(context, &sealed).unwrap_err(), Error::Internal { .. }));
        }
    }
}

#[test]
fn no_changed_or_cut_byte_goes_unnoticed() {
    let entropy = SystemEntropy::new();
    let key = MasterKey::generate(&entropy);
    let sealed = key.seal(&entropy, "context", b"secret").unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(key.open("context", &changed).is_err(), "byte {at}");
        assert!(key.open("context", &sealed[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn two_seals_of_one_value_differ() {
    let entropy = SystemEntropy::new();
    let key = MasterKey::generate(&entropy);
    assert_ne!(key.seal(&entropy, "c", b"same").unwrap(), key.seal(&entropy, "c", b"same").unwrap());
}

#[test]
fn the_key_survives_its_file_and_is_never_shown() {
    let entropy = SystemEntropy::new();
    let key = MasterKey::generate(&entropy);
    let text = key.to_hex();
    assert_eq!(text.len(), 64);
    let sealed = key.seal(&entropy, "c", b"secret").unwrap();
    let read = MasterKey::from_hex(&format!("{}\n", text.to_uppercase())).unwrap();
    assert_eq!(read.open("c", &sealed).unwrap().as_slice(), b"secret");
    assert_eq!(format!("{key:?}"), "MasterKey(…)");
    for bad in ["", &text[1..], &format!("{text}0"), &format!("g{}", &text[1..]), &"é".repeat(32)] {
        let error = MasterKey::from_hex(bad).unwrap_err().to_string();
        assert!(error.contains("master_key") && error.contains("64"), "{error}");
        assert!(bad.is_empty() || !error.contains(bad), "the message shows the key");
    }
}
