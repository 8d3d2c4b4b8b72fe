//! Sessions and their refresh tokens.

use std::net::IpAddr;

use trailkeeper_domain::account::{Account, RefreshToken, Session, SessionFilter, SpentSignature};
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_testkit::{account, at, uuid};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    every_field_of_a_session_is_stored,
    sessions_end_once,
    all_sessions_of_an_account_but_one_end,
    only_live_sessions_are_prolonged,
    sessions_are_listed_newest_first,
    lists_of_live_sessions_omit_others,
    old_sessions_expire,
    past_sessions_are_removed,
    deleting_an_account_deletes_its_sessions,
    a_refresh_token_is_spent_once,
    a_lost_successor_is_replaced_once,
    expired_refresh_tokens_are_removed,
    a_valid_signature_is_accepted_once,
);

/// The beginning of the sessions of the cases, and the time at which they expire unless they are refreshed.
const BEGINNING: &str = "2026-01-01T00:00:00Z";
const END: &str = "2026-01-31T00:00:00Z";

fn ann() -> Account {
    account(1, "ann@example.org")
}

fn bob() -> Account {
    account(2, "bob@example.org")
}

fn id(number: u128) -> SessionId {
    SessionId(uuid(number))
}

fn session(number: u128, account: &Account) -> Session {
    Session {
        id: id(number),
        account_id: account.id,
        started_at: at(BEGINNING),
        source: None,
        user_agent: None,
        refreshed_at: at(BEGINNING),
        expires_at: at(END),
        ended_at: None,
    }
}

fn refresh_token(number: u8, session: SessionId, expires_at: &str) -> RefreshToken {
    RefreshToken {
        token_hash: vec![number; 32],
        session_id: session,
        issued_at: at(BEGINNING),
        expires_at: at(expires_at),
        spent_at: None,
        successor_hash: None,
        reissued_at: None,
        superseded_at: None,
    }
}

/// Stores the accounts of Ann and Bob, these sessions, and these tokens.
fn prepare(t: &TestStore, sessions: &[Session], tokens: &[RefreshToken]) {
    t.store
        .writing(|tx| {
            [ann(), bob()].iter().try_for_each(|one| tx.insert_account(one))?;
            sessions.iter().try_for_each(|one| tx.insert_session(one))?;
            tokens.iter().try_for_each(|one| tx.insert_refresh_token(one))
        })
        .unwrap();
}

fn found(t: &TestStore, number: u128) -> Option<Session> {
    t.store.reading(|tx| tx.session(id(number))).unwrap()
}

fn ended(t: &TestStore, number: u128) -> Option<Timestamp> {
    found(t, number).unwrap().ended_at
}

fn every_field_of_a_session_is_stored(t: &TestStore) {
    let from = |source: &str| Some(source.parse::<IpAddr>().unwrap());
    let sessions = [
        session(1, &ann()),
        Session { source: from("192.0.2.7"), user_agent: Some("curl/8".into()), ..session(2, &ann()) },
        Session {
            source: from("2001:db8::7"),
            user_agent: Some("木".repeat(1024)),
            refreshed_at: at("2026-01-02T00:00:00.000001Z"),
            ended_at: Some(at("2026-01-03T00:00:00Z")),
            ..session(3, &bob())
        },
    ];
    prepare(t, &sessions, &[]);
    for (number, expected) in (1..).zip(&sessions) {
        assert_eq!(found(t, number).as_ref(), Some(expected));
    }
    assert_eq!(found(t, 9), None);
    let orphan = session(4, &account(7, "nobody@example.org"));
    assert!(t.store.writing(|tx| tx.insert_session(&orphan)).is_err(), "a session needs its account");
    let nameless = Session { user_agent: Some(String::new()), ..session(5, &ann()) };
    assert!(t.store.writing(|tx| tx.insert_session(&nameless)).is_err(), "an empty user agent is rejected");
    let long = Session { user_agent: Some("x".repeat(1025)), ..session(6, &ann()) };
    assert!(t.store.writing(|tx| tx.insert_session(&long)).is_err(), "a long user agent is rejected");
}

fn sessions_end_once(t: &TestStore) {
    prepare(t, &[session(1, &ann()), session(2, &ann())], &[]);
    let (first, later) = (at("2026-01-02T00:00:00Z"), at("2026-01-03T00:00:00Z"));
    assert!(t.store.writing(|tx| tx.end_session(id(1), first)).unwrap());
    assert!(!t.store.writing(|tx| tx.end_session(id(1), later)).unwrap());
    assert!(!t.store.writing(|tx| tx.end_session(id(9), later)).unwrap());
    assert_eq!((ended(t, 1), ended(t, 2)), (Some(first), None));
}

fn all_sessions_of_an_account_but_one_end(t: &TestStore) {
    let run_out = Session { expires_at: at("2026-01-02T00:00:00Z"), ..session(4, &ann()) };
    prepare(t, &[session(1, &ann()), session(2, &ann()), session(3, &ann()), run_out, session(5, &bob())], &[]);
    let (first, later) = (at("2026-01-02T00:00:00Z"), at("2026-01-03T00:00:00Z"));
    t.store.writing(|tx| tx.end_session(id(1), first)).unwrap();
    let end = |except| t.store.writing(|tx| tx.end_sessions_of(ann().id, except, later)).unwrap();
    assert_eq!(end(Some(id(3))), 1, "ended sessions and the excepted one do not count");
    let ends = [1, 2, 3, 4, 5].map(|number| ended(t, number));
    assert_eq!(ends, [Some(first), Some(later), None, Some(later), None]);
    assert_eq!(end(Some(id(5))), 1, "a session of another account excepts none");
    assert_eq!(end(None), 0);
    assert_eq!((ended(t, 3), ended(t, 5)), (Some(later), None));
    assert_eq!(t.store.writing(|tx| tx.end_sessions_of(bob().id, None, later)).unwrap(), 1);
    assert_eq!(t.store.writing(|tx| tx.end_sessions_of(account(7, "").id, None, later)).unwrap(), 0);
}

fn only_live_sessions_are_prolonged(t: &TestStore) {
    prepare(t, &[session(1, &ann()), session(2, &ann()), session(3, &ann())], &[]);
    let prolong =
        |number, now: &str, end: &str| t.store.writing(|tx| tx.prolong_session(id(number), at(now), at(end))).unwrap();
    assert!(prolong(1, "2026-01-20T00:00:00Z", "2026-02-19T00:00:00Z"));
    let expected = Session {
        refreshed_at: at("2026-01-20T00:00:00Z"),
        expires_at: at("2026-02-19T00:00:00Z"),
        ..session(1, &ann())
    };
    assert_eq!(found(t, 1), Some(expected));
    assert!(prolong(1, "2026-02-10T00:00:00Z", "2026-03-12T00:00:00Z"), "after its first time of expiry");

    t.store.writing(|tx| tx.end_session(id(2), at("2026-01-02T00:00:00Z"))).unwrap();
    let over = found(t, 2);
    assert!(!prolong(2, "2026-01-03T00:00:00Z", "2026-03-01T00:00:00Z"), "the session was ended");
    assert_eq!(found(t, 2), over);
    assert!(!prolong(3, END, "2026-03-01T00:00:00Z"), "the session has expired");
    assert_eq!(found(t, 3), Some(session(3, &ann())));
    assert!(!prolong(9, "2026-01-03T00:00:00Z", "2026-03-01T00:00:00Z"), "there is no such session");
}

/// The numbers of the sessions of a list, in its order.
fn listed(t: &TestStore, filter: SessionFilter, before: Option<u128>, limit: usize) -> Vec<u128> {
    let sessions = t.store.reading(|tx| tx.sessions(filter, before.map(id), limit)).unwrap();
    for session in &sessions {
        assert_eq!(Some(session), t.store.reading(|tx| tx.session(session.id)).unwrap().as_ref());
    }
    sessions.iter().map(|session| (1..100).find(|number| id(*number) == session.id).unwrap()).collect()
}

fn of(account: &Account) -> SessionFilter {
    SessionFilter { account_id: Some(account.id), ..SessionFilter::default() }
}

fn sessions_are_listed_newest_first(t: &TestStore) {
    let sessions =
        [(4, ann()), (1, ann()), (3, bob()), (2, ann()), (5, bob())].map(|(n, account)| session(n, &account));
    prepare(t, &sessions, &[]);
    t.store.writing(|tx| tx.end_session(id(2), at("2026-01-02T00:00:00Z"))).unwrap();
    let all = SessionFilter::default();
    assert_eq!(listed(t, all, None, 10), [5, 4, 3, 2, 1]);
    assert_eq!(listed(t, all, None, 2), [5, 4]);
    assert_eq!(listed(t, all, Some(4), 2), [3, 2]);
    assert_eq!(listed(t, all, Some(2), 2), [1]);
    assert_eq!(listed(t, all, Some(1), 2), [0; 0]);
    assert_eq!(listed(t, of(&ann()), None, 10), [4, 2, 1]);
    assert_eq!(listed(t, of(&ann()), None, 1), [4]);
    assert_eq!(listed(t, of(&ann()), Some(4), 10), [2, 1]);
    assert_eq!(listed(t, of(&ann()), Some(3), 10), [2, 1], "after a session of another account");
    assert_eq!(listed(t, of(&bob()), Some(3), 10), [0; 0]);
    assert_eq!(listed(t, SessionFilter { account_id: Some(AccountId(uuid(9))), ..all }, None, 10), [0; 0]);
}

fn lists_of_live_sessions_omit_others(t: &TestStore) {
    let now = at("2026-01-10T00:00:00Z");
    let until = |number, account: &Account, end: &str| Session { expires_at: at(end), ..session(number, account) };
    let sessions = [
        until(1, &ann(), "2026-01-10T00:00:00.000001Z"),
        until(2, &ann(), "2026-01-10T00:00:00Z"),
        until(3, &ann(), "2026-01-11T00:00:00Z"),
        until(4, &bob(), "2026-01-11T00:00:00Z"),
        until(5, &bob(), "2026-01-09T00:00:00Z"),
        Session { ended_at: Some(at("2026-01-05T00:00:00Z")), ..session(6, &ann()) },
    ];
    prepare(t, &sessions, &[]);
    let live: Vec<u128> =
        (1..).zip(&sessions).filter(|(_, session)| session.is_live(now)).map(|(number, _)| number).collect();
    assert_eq!(live, [1, 3, 4], "the same sessions as by the rule of the domain");
    let live = SessionFilter { live_at: Some(now), account_id: None };
    assert_eq!(listed(t, live, None, 10), [4, 3, 1]);
    assert_eq!(listed(t, live, None, 2), [4, 3]);
    assert_eq!(listed(t, live, Some(3), 2), [1], "a page skips sessions that are not live");
    assert_eq!(listed(t, SessionFilter { account_id: Some(ann().id), ..live }, None, 10), [3, 1]);
    assert_eq!(listed(t, SessionFilter { account_id: Some(ann().id), ..live }, Some(3), 10), [1]);
    assert_eq!(listed(t, SessionFilter { live_at: Some(at("2026-03-01T00:00:00Z")), ..of(&bob()) }, None, 10), [0; 0]);
}

/// The numbers of rows of the tables of sessions and refresh tokens.
fn rows(t: &TestStore) -> (String, String) {
    let count = |table: &str| t.ask(&format!("SELECT CAST(count(*) AS TEXT) FROM {table}"))[0][0].clone();
    (count("sessions"), count("refresh_tokens"))
}

fn old_sessions_expire(t: &TestStore) {
    let begun = |number, start: &str| Session { started_at: at(start), ..session(number, &ann()) };
    let (limit, now) = (at("2026-01-05T00:00:00Z"), at("2026-01-20T00:00:00Z"));
    let old = begun(1, "2026-01-05T00:00:00Z");
    let others = [
        begun(2, "2026-01-05T00:00:00.000001Z"),
        Session { ended_at: Some(at("2026-01-06T00:00:00Z")), ..begun(3, BEGINNING) },
        Session { expires_at: now, ..begun(4, BEGINNING) },
        Session { expires_at: at("2026-01-19T00:00:00Z"), ..begun(5, BEGINNING) },
    ];
    let all: Vec<Session> = others.iter().chain([&old]).cloned().collect();
    prepare(t, &all, &[]);
    for _ in 0..2 {
        t.store.writing(|tx| tx.expire_sessions_begun(limit, now)).unwrap();
        assert_eq!(found(t, 1), Some(Session { expires_at: now, ..old.clone() }));
        for (number, other) in (2..).zip(&others) {
            assert_eq!(found(t, number).as_ref(), Some(other));
        }
    }
}

fn past_sessions_are_removed(t: &TestStore) {
    let limit = at("2026-01-10T00:00:00Z");
    let before = at("2026-01-09T23:59:59.999999Z");
    let sessions = [
        Session { ended_at: Some(before), ..session(1, &ann()) },
        Session { ended_at: Some(limit), ..session(2, &ann()) },
        Session { expires_at: before, ..session(3, &ann()) },
        Session { expires_at: limit, ..session(4, &bob()) },
        session(5, &bob()),
        Session { ended_at: Some(before), expires_at: before, ..session(6, &bob()) },
    ];
    let tokens = [(1, 1), (2, 1), (3, 2), (4, 3), (5, 5), (6, 4)].map(|(n, of)| refresh_token(n, id(of), END));
    prepare(t, &sessions, &tokens);
    t.store.writing(|tx| tx.delete_past_sessions(limit)).unwrap();
    assert_eq!(listed(t, SessionFilter::default(), None, 10), [5, 4, 2]);
    for (number, stays) in [(1, false), (2, false), (3, true), (4, false), (5, true), (6, true)] {
        let token = t.store.reading(|tx| tx.refresh_token(&[number; 32])).unwrap();
        assert_eq!(token.is_some(), stays, "refresh token {number}");
    }
    t.store.writing(|tx| tx.delete_past_sessions(limit)).unwrap();
    assert_eq!(rows(t), ("3".into(), "3".into()));
}

fn deleting_an_account_deletes_its_sessions(t: &TestStore) {
    let over = Session { ended_at: Some(at("2026-01-02T00:00:00Z")), ..session(2, &ann()) };
    let tokens = [(1, 1), (2, 1), (3, 2), (4, 3)].map(|(n, of)| refresh_token(n, id(of), END));
    prepare(t, &[session(1, &ann()), over, session(3, &bob())], &tokens);
    t.store.writing(|tx| tx.spend_refresh_token(&[1; 32], &[9; 32], at("2026-01-02T00:00:00Z"))).unwrap();
    assert!(!t.store.writing(|tx| tx.delete_account(account(7, "").id)).unwrap());
    assert_eq!(rows(t), ("3".into(), "4".into()));

    assert!(t.store.writing(|tx| tx.delete_account(ann().id)).unwrap());
    assert_eq!(t.store.reading(|tx| tx.account(ann().id)).unwrap(), None);
    assert_eq!(listed(t, SessionFilter::default(), None, 10), [3]);
    assert_eq!(rows(t), ("1".into(), "1".into()));
    assert!(t.store.reading(|tx| tx.refresh_token(&[4; 32])).unwrap().is_some(), "Bob's");
    assert_eq!(t.store.reading(|tx| tx.accounts(None, 10)).unwrap(), [bob()]);
}

fn a_refresh_token_is_spent_once(t: &TestStore) {
    let token = refresh_token(1, id(1), END);
    prepare(t, &[session(1, &ann())], std::slice::from_ref(&token));
    assert_eq!(t.store.reading(|tx| tx.refresh_token(&[1; 32])).unwrap(), Some(token));
    assert_eq!(t.store.reading(|tx| tx.refresh_token(&[2; 32])).unwrap(), None);
    let now = at("2026-01-15T00:00:00Z");
    let won: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| t.store.writing(|tx| tx.spend_refresh_token(&[1; 32], &[9; 32], now)).unwrap()))
            .collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(won, 1, "exactly one of many requests spends the token");
    let spent = t.store.reading(|tx| tx.refresh_token(&[1; 32])).unwrap().unwrap();
    assert_eq!((spent.spent_at, spent.successor_hash), (Some(now), Some(vec![9; 32])));
    assert!(!t.store.writing(|tx| tx.spend_refresh_token(&[2; 32], &[9; 32], now)).unwrap());
}

fn a_lost_successor_is_replaced_once(t: &TestStore) {
    let tokens = [1, 2, 3, 4].map(|number| refresh_token(number, id(1), END));
    prepare(t, &[session(1, &ann())], &tokens);
    let (first, second) = (at("2026-01-15T00:00:00Z"), at("2026-01-16T00:00:00Z"));
    let stored = |number: u8| t.store.reading(|tx| tx.refresh_token(&[number; 32])).unwrap().unwrap();
    let reissue = |token: u8, lost: u8, successor: u8| {
        t.store.writing(|tx| tx.reissue_refresh_token(&[token; 32], &[lost; 32], &[successor; 32], second)).unwrap()
    };
    assert!(!reissue(1, 2, 3), "it is not spent");
    assert!(t.store.writing(|tx| tx.spend_refresh_token(&[1; 32], &[2; 32], first)).unwrap());
    assert!(!reissue(1, 4, 3), "another token is its successor");
    assert_eq!([1, 2, 3, 4].map(|number| stored(number).superseded_at), [None; 4]);

    assert!(reissue(1, 2, 3));
    let token = stored(1);
    assert_eq!((token.spent_at, token.reissued_at), (Some(first), Some(second)));
    assert_eq!(token.successor_hash, Some(vec![3; 32]));
    assert_eq!((stored(2).spent_at, stored(2).superseded_at), (None, Some(second)));
    assert!(!reissue(1, 2, 3) && !reissue(1, 3, 4), "it has its second successor");
    assert!(!t.store.writing(|tx| tx.spend_refresh_token(&[2; 32], &[9; 32], second)).unwrap(), "superseded");

    assert!(t.store.writing(|tx| tx.spend_refresh_token(&[3; 32], &[4; 32], second)).unwrap());
    assert!(t.store.writing(|tx| tx.spend_refresh_token(&[4; 32], &[9; 32], second)).unwrap());
    assert!(!reissue(3, 4, 5), "its successor was used");
    assert_eq!(stored(4).superseded_at, None);
}

fn expired_refresh_tokens_are_removed(t: &TestStore) {
    let tokens =
        [(1, "2026-02-01T00:00:00Z"), (2, "2026-02-02T00:00:00Z")].map(|(n, end)| refresh_token(n, id(1), end));
    prepare(t, &[session(1, &ann())], &tokens);
    t.store.writing(|tx| tx.delete_expired_refresh_tokens(at("2026-02-02T00:00:00Z"))).unwrap();
    assert_eq!(t.store.reading(|tx| tx.refresh_token(&[1; 32])).unwrap(), None);
    assert_eq!(t.store.reading(|tx| tx.refresh_token(&[2; 32])).unwrap(), Some(tokens[1].clone()));
}

fn a_valid_signature_is_accepted_once(t: &TestStore) {
    let spend = |number: u8, now: &str| {
        let spent = SpentSignature { signature: [number; 32], until: at(END) };
        t.store.writing(|tx| tx.spend_signature(&spent, at(now))).unwrap()
    };
    assert!(spend(1, BEGINNING));
    assert!(!spend(1, BEGINNING));
    assert!(spend(2, BEGINNING), "another request");
    // After its end every server rejects it, so it need not be stored.
    assert!(spend(1, END));
}
