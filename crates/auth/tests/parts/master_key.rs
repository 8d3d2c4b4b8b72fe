//! Sealing with the master key.

use std::sync::{Arc, Mutex};

use trailkeeper_auth::{MasterKey, MasterKeyPair, MasterKeySource, MasterKeys, SystemEntropy};
use trailkeeper_domain::{Error, Result};

#[test]
fn a_sealed_value_opens_only_with_the_same_key_and_context() {
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
fn a_changed_or_cut_value_does_not_open() {
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
fn the_key_is_read_back_from_its_digits_and_never_shown() {
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

/// A source of keys that a test replaces while they are in use.
#[derive(Clone)]
struct Files(Arc<Mutex<(String, Option<String>)>>);

impl Files {
    fn new(current: &MasterKey) -> Self {
        Self(Arc::new(Mutex::new((current.to_hex(), None))))
    }

    fn rotate(&self, new: &MasterKey) {
        let mut files = self.0.lock().unwrap();
        *files = (new.to_hex(), Some(files.0.clone()));
    }
}

impl MasterKeySource for Files {
    fn read(&self) -> Result<MasterKeyPair> {
        let files = self.0.lock().unwrap();
        let previous = files.1.as_deref().map(MasterKey::from_hex).transpose()?;
        Ok(MasterKeyPair { current: MasterKey::from_hex(&files.0)?, previous })
    }
}

#[test]
fn a_pair_seals_with_the_current_key_and_opens_with_both() {
    let entropy = SystemEntropy::new();
    let [current, previous] = [(); 2].map(|()| MasterKey::generate(&entropy));
    let of_current = current.seal(&entropy, "c", b"new").unwrap();
    let of_previous = previous.seal(&entropy, "c", b"old").unwrap();
    let only_current = MasterKey::from_hex(&current.to_hex()).unwrap();
    let keys = MasterKeys::fixed(MasterKeyPair { current, previous: Some(previous) });
    assert_eq!(keys.open("c", &of_current).unwrap().as_slice(), b"new");
    assert_eq!(keys.open("c", &of_previous).unwrap().as_slice(), b"old");
    assert!(keys.open("another", &of_previous).is_err());
    let sealed = keys.seal(&entropy, "c", b"fresh").unwrap();
    assert_eq!(only_current.open("c", &sealed).unwrap().as_slice(), b"fresh");
    assert_eq!(format!("{keys:?}"), "MasterKeys(…)");
}

#[test]
fn a_running_server_opens_and_seals_during_a_rotation() {
    let entropy = SystemEntropy::new();
    let [first, second, third] = [(); 3].map(|()| MasterKey::generate(&entropy));
    let files = Files::new(&first);
    let server = MasterKeys::from_source(files.clone()).unwrap();
    let old = server.seal(&entropy, "c", b"old").unwrap();

    files.rotate(&second);
    assert_eq!(server.open("c", &old).unwrap().as_slice(), b"old", "not resealed yet");
    let resealed = second.seal(&entropy, "c", b"old").unwrap();
    assert_eq!(server.open("c", &resealed).unwrap().as_slice(), b"old", "resealed by another process");
    assert_eq!(server.open("c", &old).unwrap().as_slice(), b"old", "still opens with the previous key");

    // The next rotation: a server must not seal with a key that is about to be deleted.
    files.rotate(&third);
    let sealed = server.seal(&entropy, "c", b"fresh").unwrap();
    assert_eq!(third.open("c", &sealed).unwrap().as_slice(), b"fresh");
    assert!(server.open("c", &old).is_err(), "sealed two rotations ago");
}
