//! The cryptography of `jsonwebtoken`: Ed25519 by ring, and nothing else.
//!
//! A token whose header names another algorithm cannot be verified at all: neither `HS256` with the public key as secret
//! nor RSA is compiled in.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use signature::{Error as SignatureError, Signer, Verifier};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(signer(*algorithm, key)?)),
    verifier_factory: |algorithm, key| Ok(Box::new(verifier(*algorithm, key)?)),
    // Used only for reading JWKs, which we do not do. Each returns an error; the library's own defaults would panic.
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| Err(ErrorKind::InvalidAlgorithm.into()),
        rsa_pub_components_from_public_key: |_| Err(ErrorKind::InvalidAlgorithm.into()),
        ec_pub_components_from_private_key: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
        ed_pub_components_from_private_key: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
        compute_digest: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    },
};

/// Makes ring the provider of this process. Must be called before the first token is signed or verified; the constructor
/// of [`super::KeyPair`] does so.
pub(super) fn install() {
    // Fails if there is a provider already: ours from an earlier call, or one that the embedding program chose, which
    // verifies Ed25519 as well.
    let _already_there = PROVIDER.install_default();
}

struct RingSigner(Ed25519KeyPair);

fn signer(algorithm: Algorithm, key: &EncodingKey) -> Result<RingSigner> {
    if algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.as_bytes())
        .map(RingSigner)
        .map_err(|_| ErrorKind::InvalidEddsaKey.into())
}

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct RingVerifier(UnparsedPublicKey<Vec<u8>>);

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<RingVerifier> {
    if algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(RingVerifier(UnparsedPublicKey::new(&ED25519, key.try_get_as_bytes()?.to_vec())))
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), SignatureError> {
        self.0.verify(message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
