//! The form of tokens.

use std::collections::HashSet;

use ring::digest::{SHA256, digest};
use trailkeeper_auth::{PlainSecret, PlainToken, SystemEntropy, TokenKind};

#[test]
fn a_token_parses_only_as_its_own_kind() {
    let entropy = SystemEntropy::new();
    for (kind, other, prefix) in
        [(TokenKind::Api, TokenKind::Refresh, "tk_"), (TokenKind::Refresh, TokenKind::Api, "rt_")]
    {
        let token = PlainToken::generate(kind, &entropy);
        assert!(token.expose().starts_with(prefix));
        assert_eq!(token.expose().len(), 52);
        let read = PlainToken::read(kind, token.expose()).unwrap();
        assert_eq!(read.hash(), token.hash());
        assert_eq!(token.hash().as_bytes(), digest(&SHA256, token.expose().as_bytes()).as_ref());
        assert!(PlainToken::read(other, token.expose()).is_none());
    }
}

#[test]
fn the_checksum_detects_a_mistyped_token() {
    let token = PlainToken::generate(TokenKind::Api, &SystemEntropy::new());
    let text = token.expose();
    for at in 0..text.len() {
        for replacement in ['0', 'z', '_', 'é', ' '] {
            let mut typed: Vec<char> = text.chars().collect();
            if typed[at] != replacement {
                typed[at] = replacement;
                let typed: String = typed.into_iter().collect();
                assert!(PlainToken::read(TokenKind::Api, &typed).is_none(), "{typed}");
            }
        }
        assert!(PlainToken::read(TokenKind::Api, &text[..at]).is_none(), "cut at {at}");
    }
    assert!(PlainToken::read(TokenKind::Api, &format!("{text}0")).is_none());
    assert!(PlainToken::read(TokenKind::Api, &format!(" {text}")).is_none());
}

#[test]
fn tokens_and_secrets_are_new_each_time_and_never_shown() {
    let entropy = SystemEntropy::new();
    let tokens: HashSet<String> =
        (0..1000).map(|_| PlainToken::generate(TokenKind::Api, &entropy).expose().to_owned()).collect();
    assert_eq!(tokens.len(), 1000);
    let used: HashSet<char> = tokens.iter().flat_map(|token| token.chars().skip(3)).collect();
    assert_eq!(used.len(), 62, "every letter and digit occurs");
    let (token, secret) = (PlainToken::generate(TokenKind::Api, &entropy), PlainSecret::generate(&entropy));
    assert!(secret.expose().starts_with("sk_") && secret.expose().len() == 46);
    assert_eq!(format!("{token:?} {secret:?}"), "PlainToken(…) PlainSecret(…)");
}
