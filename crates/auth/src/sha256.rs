//! SHA-256 as an array of bytes.

use ring::digest::{Context, SHA256};

/// The hash of the concatenation of these parts.
pub(crate) fn sha256<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    parts.into_iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    // SHA-256 always has 32 bytes; `zip` avoids a conversion that could fail.
    hash.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    /// The expected hashes are from FIPS 180-4.
    #[test]
    fn the_hash_is_that_of_the_standard_for_any_division_into_parts() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for parts in [&["abc"][..], &["a", "bc"], &["", "ab", "", "c"]] {
            assert_eq!(hex::encode(&sha256(parts.iter().map(|part| part.as_bytes()))), abc);
        }
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex::encode(&sha256([])), nothing);
    }
}
