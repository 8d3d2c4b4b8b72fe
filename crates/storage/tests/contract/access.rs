//! Accounts and credentials.

use trailkeeper_domain::Error;
use trailkeeper_domain::account::{Account, ApiToken, RefreshToken, Role, Session, SigningKey, TokenKey};
use trailkeeper_domain::id::{CredentialId, SessionId};
use trailkeeper_testkit::{account, at, tenant_id, uuid};

use crate::TestStore;

on_both!(
    accounts_come_back_and_change,
    an_accounts_email_is_unique,
    api_tokens_are_found_used_and_revoked,
    signing_keys_are_found_and_revoked,
    sessions_end_once,
    a_refresh_token_is_spent_once,
    expired_refresh_tokens_are_removed,
    token_keys_are_listed_newest_first,
);

fn accounts_come_back_and_change(t: &TestStore) {
    let ann = account(1, "Ann@Example.org");
    let bob = Account { role: Role::Ingest, tenant_id: Some(tenant_id(1)), ..account(2, "bob@example.org") };
    t.store.writing(|tx| [&bob, &ann].into_iter().try_for_each(|one| tx.insert_account(one))).unwrap();
    assert_eq!(t.store.reading(|tx| tx.account(ann.id)).unwrap(), Some(ann.clone()));
    assert_eq!(t.store.reading(|tx| tx.account_by_email("ann@example.org")).unwrap(), Some(ann.clone()));
    assert_eq!(t.store.reading(|tx| tx.account_by_email("nobody@example.org")).unwrap(), None);
    assert_eq!(t.store.reading(|tx| tx.accounts(None, 1)).unwrap(), std::slice::from_ref(&ann));
    assert_eq!(t.store.reading(|tx| tx.accounts(Some(ann.id), 10)).unwrap(), std::slice::from_ref(&bob));

    let disabled = Account { disabled_at: Some(at("2026-05-01T00:00:00Z")), email: "ann@new.example".into(), ..ann };
    assert!(t.store.writing(|tx| tx.update_account(&disabled)).unwrap());
    assert_eq!(t.store.reading(|tx| tx.account_by_email("ann@new.example")).unwrap(), Some(disabled.clone()));
    let enabled = Account { disabled_at: None, ..disabled };
    assert!(t.store.writing(|tx| tx.update_account(&enabled)).unwrap());
    assert_eq!(t.store.reading(|tx| tx.account(enabled.id)).unwrap(), Some(enabled));
    assert!(!t.store.writing(|tx| tx.update_account(&account(9, "nobody@example.org"))).unwrap());
}

fn an_accounts_email_is_unique(t: &TestStore) {
    let (ann, bob) = (account(1, "ann@example.org"), account(2, "bob@example.org"));
    t.store.writing(|tx| [&ann, &bob].into_iter().try_for_each(|one| tx.insert_account(one))).unwrap();
    let inserted = t.store.writing(|tx| tx.insert_account(&account(3, "ANN@example.org")));
    let updated = t.store.writing(|tx| tx.update_account(&Account { email: "ann@EXAMPLE.org".into(), ..bob.clone() }));
    for outcome in [inserted, updated.map(|_| ())] {
        match outcome {
            Err(Error::Conflict(fault)) => {
                assert_eq!((fault.code, fault.field.as_deref()), ("email_taken", Some("email")));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(t.store.reading(|tx| tx.accounts(None, 10)).unwrap(), [ann, bob]);
}

fn api_tokens_are_found_used_and_revoked(t: &TestStore) {
    let token = |number: u8| ApiToken {
        id: CredentialId(uuid(u128::from(number))),
        name: format!("token {number}"),
        token_hash: vec![number; 32],
        role: Role::Analyst,
        tenant_id: Some(tenant_id(1)),
        created_at: at("2026-01-01T00:00:00Z"),
        expires_at: Some(at("2027-01-01T00:00:00Z")),
        last_used_at: None,
        revoked_at: None,
    };
    t.store.writing(|tx| [token(2), token(1)].iter().try_for_each(|one| tx.insert_api_token(one))).unwrap();
    assert_eq!(t.store.reading(|tx| tx.api_token_by_hash(&[1; 32])).unwrap(), Some(token(1)));
    assert_eq!(t.store.reading(|tx| tx.api_token_by_hash(&[3; 32])).unwrap(), None);
    assert_eq!(t.store.reading(|tx| tx.api_tokens(None, 10)).unwrap(), [token(1), token(2)]);
    assert_eq!(t.store.reading(|tx| tx.api_tokens(Some(token(1).id), 10)).unwrap(), [token(2)]);

    let (used, revoked) = (at("2026-02-01T00:00:00Z"), at("2026-03-01T00:00:00Z"));
    t.store.writing(|tx| tx.touch_api_token(token(1).id, used)).unwrap();
    assert!(t.store.writing(|tx| tx.revoke_api_token(token(1).id, revoked)).unwrap());
    assert!(!t.store.writing(|tx| tx.revoke_api_token(token(1).id, used)).unwrap());
    assert!(!t.store.writing(|tx| tx.revoke_api_token(token(9).id, used)).unwrap());
    let expected = ApiToken { last_used_at: Some(used), revoked_at: Some(revoked), ..token(1) };
    assert_eq!(t.store.reading(|tx| tx.api_token_by_hash(&[1; 32])).unwrap(), Some(expected));
    assert!(t.store.writing(|tx| tx.insert_api_token(&token(2))).is_err());
}

fn signing_keys_are_found_and_revoked(t: &TestStore) {
    let key = |number: u8| SigningKey {
        id: CredentialId(uuid(u128::from(number))),
        name: format!("key {number}"),
        saas_id: "saas_1".into(),
        api_key: format!("api_{number}"),
        sealed_secret: vec![0, 255, number],
        tenant_id: None,
        created_at: at("2026-01-01T00:00:00Z"),
        revoked_at: None,
    };
    t.store.writing(|tx| [key(2), key(1)].iter().try_for_each(|one| tx.insert_signing_key(one))).unwrap();
    assert_eq!(t.store.reading(|tx| tx.signing_key_by_api_key("api_2")).unwrap(), Some(key(2)));
    assert_eq!(t.store.reading(|tx| tx.signing_key_by_api_key("API_2")).unwrap(), None);
    assert_eq!(t.store.reading(|tx| tx.signing_keys(None, 1)).unwrap(), [key(1)]);
    assert_eq!(t.store.reading(|tx| tx.signing_keys(Some(key(1).id), 5)).unwrap(), [key(2)]);
    let now = at("2026-02-01T00:00:00Z");
    assert!(t.store.writing(|tx| tx.revoke_signing_key(key(2).id, now)).unwrap());
    assert!(!t.store.writing(|tx| tx.revoke_signing_key(key(2).id, now)).unwrap());
    assert!(!t.store.writing(|tx| tx.revoke_signing_key(key(3).id, now)).unwrap());
    let revoked = t.store.reading(|tx| tx.signing_key_by_api_key("api_2")).unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(now));
}

fn session(number: u128, account: &Account) -> Session {
    Session {
        id: SessionId(uuid(number)),
        account_id: account.id,
        started_at: at("2026-01-01T00:00:00Z"),
        ended_at: None,
    }
}

fn sessions_end_once(t: &TestStore) {
    let (ann, bob) = (account(1, "ann@example.org"), account(2, "bob@example.org"));
    let sessions = [session(1, &ann), session(2, &ann), session(3, &bob)];
    t.store
        .writing(|tx| {
            [&ann, &bob].into_iter().try_for_each(|one| tx.insert_account(one))?;
            sessions.iter().try_for_each(|one| tx.insert_session(one))
        })
        .unwrap();
    let (first, later) = (at("2026-02-01T00:00:00Z"), at("2026-03-01T00:00:00Z"));
    assert!(t.store.writing(|tx| tx.end_session(sessions[0].id, first)).unwrap());
    assert!(!t.store.writing(|tx| tx.end_session(sessions[0].id, later)).unwrap());
    assert!(!t.store.writing(|tx| tx.end_session(SessionId(uuid(9)), later)).unwrap());
    t.store.writing(|tx| tx.end_sessions_of(ann.id, later)).unwrap();
    let ended = |at: usize| t.store.reading(|tx| tx.session(sessions[at].id)).unwrap().unwrap().ended_at;
    assert_eq!((ended(0), ended(1), ended(2)), (Some(first), Some(later), None));
    assert_eq!(t.store.reading(|tx| tx.session(SessionId(uuid(9)))).unwrap(), None);
    let orphan = session(4, &account(7, "nobody@example.org"));
    assert!(t.store.writing(|tx| tx.insert_session(&orphan)).is_err(), "a session without its account");
}

fn refresh_token(number: u8, session: &Session, expires_at: &str) -> RefreshToken {
    RefreshToken {
        token_hash: vec![number; 32],
        session_id: session.id,
        issued_at: at("2026-01-01T00:00:00Z"),
        expires_at: at(expires_at),
        spent_at: None,
    }
}

fn prepared(t: &TestStore, tokens: &[RefreshToken]) {
    let ann = account(1, "ann@example.org");
    t.store
        .writing(|tx| {
            tx.insert_account(&ann)?;
            tx.insert_session(&session(1, &ann))?;
            tokens.iter().try_for_each(|one| tx.insert_refresh_token(one))
        })
        .unwrap();
}

fn a_refresh_token_is_spent_once(t: &TestStore) {
    let token = refresh_token(1, &session(1, &account(1, "")), "2026-02-01T00:00:00Z");
    prepared(t, std::slice::from_ref(&token));
    assert_eq!(t.store.reading(|tx| tx.refresh_token(&[1; 32])).unwrap(), Some(token));
    assert_eq!(t.store.reading(|tx| tx.refresh_token(&[2; 32])).unwrap(), None);
    let now = at("2026-01-15T00:00:00Z");
    let won: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| t.store.writing(|tx| tx.spend_refresh_token(&[1; 32], now)).unwrap()))
            .collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(won, 1, "of many users of one token exactly one wins");
    assert_eq!(t.store.reading(|tx| tx.refresh_token(&[1; 32])).unwrap().unwrap().spent_at, Some(now));
    assert!(!t.store.writing(|tx| tx.spend_refresh_token(&[2; 32], now)).unwrap());
}

fn expired_refresh_tokens_are_removed(t: &TestStore) {
    let session = session(1, &account(1, ""));
    let tokens =
        [(1, "2026-02-01T00:00:00Z"), (2, "2026-02-02T00:00:00Z")].map(|(n, at)| refresh_token(n, &session, at));
    prepared(t, &tokens);
    t.store.writing(|tx| tx.delete_expired_refresh_tokens(at("2026-02-02T00:00:00Z"))).unwrap();
    assert_eq!(t.store.reading(|tx| tx.refresh_token(&[1; 32])).unwrap(), None);
    assert_eq!(t.store.reading(|tx| tx.refresh_token(&[2; 32])).unwrap(), Some(tokens[1].clone()));
}

fn token_keys_are_listed_newest_first(t: &TestStore) {
    let key = |kid: &str, created_at: &str| TokenKey {
        kid: kid.into(),
        sealed_private: vec![1, 2, 3],
        public: vec![7; 32],
        created_at: at(created_at),
    };
    let (old, new) = (key("b", "2026-01-01T00:00:00Z"), key("a", "2026-02-01T00:00:00Z"));
    t.store.writing(|tx| [&old, &new].into_iter().try_for_each(|one| tx.insert_token_key(one))).unwrap();
    assert_eq!(t.store.reading(|tx| tx.token_keys()).unwrap(), [new, old]);
}
