//! Accounts and credentials.

use std::sync::Barrier;
use std::thread;

use trailkeeper_domain::Error;
use trailkeeper_domain::account::{Account, ApiToken, Role, SigningKey, TokenKey};
use trailkeeper_domain::id::CredentialId;
use trailkeeper_domain::user::{EmailOwner, SharedEmail};
use trailkeeper_testkit::{account, at, tenant_id, uuid};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    accounts_are_stored_and_changed,
    an_accounts_email_is_unique,
    accounts_that_share_an_email_keep_it,
    an_account_is_removed,
    api_tokens_are_found_used_and_revoked,
    api_tokens_change_until_they_are_revoked,
    signing_keys_are_found_and_revoked,
    signing_keys_are_renamed_until_they_are_revoked,
    signing_keys_are_resealed,
    token_keys_are_listed_newest_first,
    token_keys_are_resealed_and_removed,
    the_first_cursor_key_stays,
    a_cursor_key_is_resealed,
    one_of_many_cursor_keys_is_stored,
);

fn accounts_are_stored_and_changed(t: &TestStore) {
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

/// Addresses that became one when the rule of comparing them changed: both owners must be able to log in.
fn accounts_that_share_an_email_keep_it(t: &TestStore) {
    let (ann, bob) = (account(1, "Straße@x.example"), account(2, "strasse@x.example"));
    let found = |email: &str| t.store.reading(|tx| tx.account_by_email(email)).unwrap().map(|account| account.id);
    t.store.writing(|tx| tx.insert_account(&ann)).unwrap();
    assert_eq!(found("STRASSE@x.example"), Some(ann.id));
    assert!(matches!(t.store.writing(|tx| tx.insert_account(&bob)), Err(Error::Conflict(_))));
    t.ask("UPDATE accounts SET email_folded = 'strasse@x.example\nstraße@x.example'");
    assert!(matches!(t.store.writing(|tx| tx.insert_account(&bob)), Err(Error::Conflict(_))));
    let other = Account { email: "bob@x.example".into(), ..bob };
    t.store.writing(|tx| tx.insert_account(&other)).unwrap();
    t.ask(
        "UPDATE accounts SET email = 'strasse@x.example', email_folded = 'strasse@x.example' WHERE email LIKE 'bob%'",
    );
    assert_eq!(found("STRAßE@x.example"), Some(ann.id));
    assert_eq!(found("STRASSE@x.example"), Some(other.id));
    for (own, display_name) in [(&ann, "Ann"), (&other, "Bob")] {
        let stored = t.store.reading(|tx| tx.account(own.id)).unwrap().unwrap();
        let renamed = Account { display_name: display_name.into(), ..stored };
        assert!(t.store.writing(|tx| tx.update_account(&renamed)).unwrap());
    }
    let shared = t.store.reading(|tx| tx.shared_emails()).unwrap();
    let owners = [(ann.id, "Straße@x.example"), (other.id, "strasse@x.example")];
    let owners = owners.map(|(id, email)| (EmailOwner::Account(id), email.to_owned())).to_vec();
    assert_eq!(shared, [SharedEmail { user_pool_id: None, owners }]);
}

fn an_account_is_removed(t: &TestStore) {
    let (ann, bob) = (account(1, "ann@example.org"), account(2, "bob@example.org"));
    t.store.writing(|tx| [&ann, &bob].into_iter().try_for_each(|one| tx.insert_account(one))).unwrap();
    assert!(t.store.writing(|tx| tx.delete_account(ann.id)).unwrap());
    assert!(!t.store.writing(|tx| tx.delete_account(ann.id)).unwrap());
    assert_eq!(t.store.reading(|tx| tx.account_by_email("ann@example.org")).unwrap(), None);
    assert_eq!(t.store.reading(|tx| tx.accounts(None, 10)).unwrap(), [bob]);
    t.store.writing(|tx| tx.insert_account(&account(3, "ann@example.org"))).unwrap();
}

fn token(number: u8) -> ApiToken {
    ApiToken {
        id: CredentialId(uuid(u128::from(number))),
        name: format!("token {number}"),
        token_hash: vec![number; 32],
        role: Role::Analyst,
        tenant_id: Some(tenant_id(1)),
        created_at: at("2026-01-01T00:00:00Z"),
        expires_at: Some(at("2027-01-01T00:00:00Z")),
        last_used_at: None,
        revoked_at: None,
    }
}

fn api_tokens_are_found_used_and_revoked(t: &TestStore) {
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
    assert_eq!(t.store.reading(|tx| tx.api_token_by_hash(&[1; 32])).unwrap(), Some(expected.clone()));
    assert_eq!(t.store.reading(|tx| tx.api_token(token(1).id)).unwrap(), Some(expected));
    assert_eq!(t.store.reading(|tx| tx.api_token(token(2).id)).unwrap(), Some(token(2)));
    assert_eq!(t.store.reading(|tx| tx.api_token(token(9).id)).unwrap(), None);
    assert!(t.store.writing(|tx| tx.insert_api_token(&token(2))).is_err());
}

fn api_tokens_change_until_they_are_revoked(t: &TestStore) {
    t.store.writing(|tx| [token(1), token(2)].iter().try_for_each(|one| tx.insert_api_token(one))).unwrap();
    let change = |number, name: &str, expires_at| {
        t.store.writing(|tx| tx.update_api_token(token(number).id, name, expires_at)).unwrap()
    };
    let later = Some(at("2028-01-01T00:00:00Z"));
    assert!(change(1, "renamed", later));
    let changed = ApiToken { name: "renamed".into(), expires_at: later, ..token(1) };
    assert_eq!(t.store.reading(|tx| tx.api_token(token(1).id)).unwrap(), Some(changed.clone()));
    assert!(change(1, "renamed", None), "a token may never expire");
    let endless = ApiToken { expires_at: None, ..changed };
    assert_eq!(t.store.reading(|tx| tx.api_token(token(1).id)).unwrap(), Some(endless.clone()));

    let now = at("2026-02-01T00:00:00Z");
    assert!(t.store.writing(|tx| tx.revoke_api_token(token(1).id, now)).unwrap());
    assert!(!change(1, "too late", later));
    assert!(!change(9, "nobody's", later));
    let revoked = ApiToken { revoked_at: Some(now), ..endless };
    assert_eq!(t.store.reading(|tx| tx.api_tokens(None, 10)).unwrap(), [revoked, token(2)]);
}

fn key(number: u8) -> SigningKey {
    SigningKey {
        id: CredentialId(uuid(u128::from(number))),
        name: format!("key {number}"),
        saas_id: "saas_1".into(),
        api_key: format!("api_{number}"),
        sealed_secret: vec![0, 255, number],
        tenant_id: None,
        created_at: at("2026-01-01T00:00:00Z"),
        revoked_at: None,
    }
}

fn signing_keys_are_found_and_revoked(t: &TestStore) {
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
    assert_eq!(t.store.reading(|tx| tx.signing_key(key(2).id)).unwrap(), Some(revoked));
    assert_eq!(t.store.reading(|tx| tx.signing_key(key(1).id)).unwrap(), Some(key(1)));
    assert_eq!(t.store.reading(|tx| tx.signing_key(key(3).id)).unwrap(), None);
}

fn signing_keys_are_renamed_until_they_are_revoked(t: &TestStore) {
    t.store.writing(|tx| [key(1), key(2)].iter().try_for_each(|one| tx.insert_signing_key(one))).unwrap();
    let rename = |number, name: &str| t.store.writing(|tx| tx.rename_signing_key(key(number).id, name)).unwrap();
    assert!(rename(1, "renamed"));
    let now = at("2026-02-01T00:00:00Z");
    assert!(t.store.writing(|tx| tx.revoke_signing_key(key(1).id, now)).unwrap());
    assert!(!rename(1, "too late"));
    assert!(!rename(9, "nobody's"));
    let expected = SigningKey { name: "renamed".into(), revoked_at: Some(now), ..key(1) };
    assert_eq!(t.store.reading(|tx| tx.signing_keys(None, 10)).unwrap(), [expected, key(2)]);
}

fn signing_keys_are_resealed(t: &TestStore) {
    t.store.writing(|tx| [key(1), key(2)].iter().try_for_each(|one| tx.insert_signing_key(one))).unwrap();
    let now = at("2026-02-01T00:00:00Z");
    assert!(t.store.writing(|tx| tx.revoke_signing_key(key(1).id, now)).unwrap());
    let reseal = |number| t.store.writing(|tx| tx.reseal_signing_key(key(number).id, &[9, 0, 9])).unwrap();
    assert!(reseal(1), "revoked keys too: no secret may stay sealed with the old master key");
    assert!(!reseal(9));
    let expected = SigningKey { sealed_secret: vec![9, 0, 9], revoked_at: Some(now), ..key(1) };
    assert_eq!(t.store.reading(|tx| tx.signing_keys(None, 10)).unwrap(), [expected, key(2)]);
}

fn token_key(kid: &str, created_at: &str) -> TokenKey {
    TokenKey { kid: kid.into(), sealed_private: vec![1, 2, 3], public: vec![7; 32], created_at: at(created_at) }
}

fn token_keys_are_listed_newest_first(t: &TestStore) {
    let (old, new) = (token_key("b", "2026-01-01T00:00:00Z"), token_key("a", "2026-02-01T00:00:00Z"));
    t.store.writing(|tx| [&old, &new].into_iter().try_for_each(|one| tx.insert_token_key(one))).unwrap();
    assert_eq!(t.store.reading(|tx| tx.token_keys()).unwrap(), [new, old]);
}

fn token_keys_are_resealed_and_removed(t: &TestStore) {
    let (old, new) = (token_key("b", "2026-01-01T00:00:00Z"), token_key("a", "2026-02-01T00:00:00Z"));
    t.store.writing(|tx| [&old, &new].into_iter().try_for_each(|one| tx.insert_token_key(one))).unwrap();
    assert!(t.store.writing(|tx| tx.reseal_token_key("a", &[0, 9])).unwrap());
    assert!(!t.store.writing(|tx| tx.reseal_token_key("A", &[0, 9])).unwrap());
    let resealed = TokenKey { sealed_private: vec![0, 9], ..new };
    assert_eq!(t.store.reading(|tx| tx.token_keys()).unwrap(), [resealed.clone(), old]);
    assert!(t.store.writing(|tx| tx.delete_token_key("b")).unwrap());
    assert!(!t.store.writing(|tx| tx.delete_token_key("b")).unwrap());
    assert_eq!(t.store.reading(|tx| tx.token_keys()).unwrap(), [resealed]);
}

fn cursor_key(t: &TestStore) -> Option<Vec<u8>> {
    t.store.reading(|tx| tx.cursor_key()).unwrap()
}

fn the_first_cursor_key_stays(t: &TestStore) {
    assert_eq!(cursor_key(t), None);
    // In one transaction, and in another one.
    let both = t.store.writing(|tx| Ok([tx.insert_cursor_key(&[1, 0, 255])?, tx.insert_cursor_key(&[2])?]));
    assert_eq!(both.unwrap(), [true, false]);
    assert!(!t.store.writing(|tx| tx.insert_cursor_key(&[3])).unwrap());
    assert_eq!(cursor_key(t), Some(vec![1, 0, 255]));
}

fn a_cursor_key_is_resealed(t: &TestStore) {
    let reseal = || t.store.writing(|tx| tx.reseal_cursor_key(&[0, 9])).unwrap();
    assert!(!reseal());
    assert_eq!(cursor_key(t), None);
    assert!(t.store.writing(|tx| tx.insert_cursor_key(&[1])).unwrap());
    assert!(reseal());
    assert_eq!(cursor_key(t), Some(vec![0, 9]));
}

fn one_of_many_cursor_keys_is_stored(t: &TestStore) {
    let start = Barrier::new(4);
    let stored: Vec<u8> = thread::scope(|scope| {
        let threads: Vec<_> = (1..=4)
            .map(|number| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    t.store.writing(|tx| tx.insert_cursor_key(&[number])).unwrap().then_some(number)
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(stored.len(), 1, "{stored:?}");
    assert_eq!(cursor_key(t), Some(stored));
}
