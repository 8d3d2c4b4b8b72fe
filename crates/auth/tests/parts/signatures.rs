//! Request signatures, against vectors that `scripts/saasus_signature.py` made with Python's hmac.

use serde::Deserialize;
use trailkeeper_auth::SignedRequest;
use trailkeeper_auth::signature::{Credentials, verify};
use trailkeeper_domain::{Error, time};

#[derive(Deserialize)]
struct Vector {
    name: String,
    accepted: bool,
    secret: String,
    header: String,
    method: String,
    host: String,
    path_and_query: String,
    body: String,
    now: String,
    public_hosts: Vec<String>,
}

#[test]
fn every_vector_of_the_other_implementation_gets_the_expected_result() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../saasus_signature_vectors.json")).unwrap();
    assert!(vectors.iter().filter(|vector| vector.accepted).count() >= 20);
    assert!(vectors.iter().filter(|vector| !vector.accepted).count() >= 10);
    for vector in vectors {
        let request = SignedRequest {
            method: &vector.method,
            host: &vector.host,
            path_and_query: &vector.path_and_query,
            body: vector.body.as_bytes(),
        };
        let now = time::parse_rfc3339("now", &vector.now).unwrap();
        let credentials = Credentials::parse(&vector.header).unwrap();
        let held = verify(vector.secret.as_bytes(), &credentials, &request, &vector.public_hosts, now);
        assert_eq!(held, vector.accepted, "{}", vector.name);
    }
}

#[test]
fn a_signature_with_any_bit_changed_is_refused() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../saasus_signature_vectors.json")).unwrap();
    let vector = vectors.first().unwrap();
    let request = SignedRequest {
        method: &vector.method,
        host: &vector.host,
        path_and_query: &vector.path_and_query,
        body: vector.body.as_bytes(),
    };
    let now = time::parse_rfc3339("now", &vector.now).unwrap();
    let right = Credentials::parse(&vector.header).unwrap();
    assert!(verify(vector.secret.as_bytes(), &right, &request, &[], now));
    for bit in 0..256 {
        let mut changed = right.clone();
        changed.sig[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify(vector.secret.as_bytes(), &changed, &request, &[], now), "bit {bit}");
    }
}

#[test]
fn an_incomplete_header_is_refused_with_the_expected_form() {
    let sig = "a".repeat(64);
    let long = "x".repeat(129);
    for header in [
        String::new(),
        "Bearer abc".to_owned(),
        sig.clone(),
        format!("Sig={sig}"),
        format!("Sig={sig}, SaaSID=a"),
        format!("Sig={sig}, SaaSID=, APIKey=b"),
        format!("Sig={sig}, SaaSID=a, APIKey="),
        format!("Sig={sig}, SaaSID=a, APIKey=b, APIKey=c"),
        format!("Sig={sig}, SaaSID=a, APIKey=b, Extra=c"),
        format!("Sig={sig}, SaaSID=a, APIKey=b,"),
        format!("Sig={sig}0, SaaSID=a, APIKey=b"),
        format!("Sig={}, SaaSID=a, APIKey=b", "g".repeat(64)),
        format!("Sig={}, SaaSID=a, APIKey=b", "é".repeat(32)),
        format!("Sig=+{}, SaaSID=a, APIKey=b", "a".repeat(63)),
        format!("Sig={sig}, SaaSID={long}, APIKey=b"),
        format!("Sig={sig}, SaaSID=a, APIKey={long}"),
        format!("Sig={sig}, SaaSID=a, APIKey=b\0"),
        format!("Sig={sig}, SaaSID=a, APIKey=キー"),
    ] {
        match Credentials::parse(&header).unwrap_err() {
            Error::Unauthenticated(fault) => assert!(fault.detail.contains("Sig=<64"), "{header:?}: {fault}"),
            other => panic!("{header:?}: {other}"),
        }
    }
}
