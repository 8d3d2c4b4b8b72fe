//! Rules of retention, legal holds, and the removal of events.

use std::collections::HashMap;

use trailkeeper_domain::event::EventKind;
use trailkeeper_domain::id::{LegalHoldId, RetentionRuleId, UserId};
use trailkeeper_domain::retention::{HoldDraft, LegalHold, RetentionRule, RuleDraft, RuleSubject};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_testkit::{at, event, tenant_id, uuid};

use crate::TestStore;
use crate::postings::{key, run};
use crate::sheets::{EVERYONE, day, of, with_payloads};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    rules_are_stored_and_replaced_and_a_subject_has_one,
    holds_are_listed_by_page_and_lifted,
    names_have_their_numbers,
    sheets_of_removed_events_are_found_and_stay,
    removed_positions_are_replaced,
    events_are_removed_by_their_numbers,
);

fn rule(number: u128, tenant: Option<u128>, kind: Option<&str>) -> RetentionRule {
    RetentionRule {
        id: RetentionRuleId(uuid(number)),
        subject: RuleSubject { tenant_id: tenant.map(tenant_id), kind: kind.map(EventKind::known) },
        keeps: Some(RuleDraft { keep_days: 30, keep_sheets_days: Some(400) }),
        removed_before: None,
        created_at: at("2026-03-01T12:00:00Z"),
        changed_at: at("2026-03-01T12:00:00Z"),
    }
}

fn rules_are_stored_and_replaced_and_a_subject_has_one(t: &TestStore) {
    let put = |rule: &RetentionRule| t.store.writing(|tx| tx.put_retention_rule(rule));
    let stored = || t.store.reading(|tx| tx.retention_rules()).unwrap();
    let all =
        [rule(1, None, None), rule(2, Some(1), None), rule(3, None, Some("login")), rule(4, Some(1), Some("login"))];
    all.iter().rev().for_each(|rule| put(rule).unwrap());
    assert_eq!(stored(), all);
    let changed = RetentionRule {
        keeps: None,
        removed_before: Some(at("2026-01-01T00:00:00Z")),
        changed_at: at("2026-03-02T00:00:00Z"),
        ..all[0].clone()
    };
    put(&changed).unwrap();
    assert_eq!(stored()[0], changed);
    put(&rule(5, Some(1), None)).unwrap_err();
    put(&rule(5, None, None)).unwrap_err();
    assert_eq!(stored().len(), 4);
}

fn holds_are_listed_by_page_and_lifted(t: &TestStore) {
    let hold = |number: u128| LegalHold {
        id: LegalHoldId(uuid(number)),
        about: HoldDraft {
            case: format!("case {}", number / 2),
            reason: "court".to_owned(),
            tenant_id: number.is_multiple_of(2).then(|| tenant_id(number)),
            user_id: Some(UserId::parse("user_id", format!("user {number}")).unwrap()),
        },
        created_at: at("2026-03-01T12:00:00Z"),
    };
    let all: Vec<LegalHold> = (1..=5).map(hold).collect();
    for hold in &all {
        t.store
            .writing(|tx| {
                tx.lock_retention()?;
                tx.insert_legal_hold(hold)
            })
            .unwrap();
    }
    let page = |after: Option<LegalHoldId>, limit| t.store.reading(|tx| tx.legal_holds(after, limit)).unwrap();
    assert_eq!(page(None, 3), all[..3]);
    assert_eq!(page(Some(all[2].id), 3), all[3..]);
    let lift = |id| t.store.writing(|tx| tx.delete_legal_hold(id)).unwrap();
    assert_eq!((lift(all[0].id), lift(all[0].id)), (true, false));
    assert_eq!(page(None, 10), all[1..]);
}

fn names_have_their_numbers(t: &TestStore) {
    t.store.writing(|tx| tx.insert_events(&[event(1)])).unwrap();
    let (kind, other) = (event(1).kind, EventKind::known("never_sent"));
    let ids = t.store.reading(|tx| tx.kind_ids(&[kind.clone(), other.clone()])).unwrap();
    assert_eq!(ids.len(), 1);
    let names = t.store.reading(|tx| tx.kind_names(&[ids[&kind]])).unwrap();
    assert_eq!(names, HashMap::from([(ids[&kind], kind.as_str().to_owned())]));
    let nobody = UserId::parse("user_id", "nobody").unwrap();
    assert_eq!(t.store.reading(|tx| tx.user_ordinals(std::slice::from_ref(&nobody))).unwrap(), HashMap::new());
}

fn sheets_of_removed_events_are_found_and_stay(t: &TestStore) {
    let all = TimeRange { start: at("2020-01-01T00:00:00Z"), end: at("2030-01-01T00:00:00Z") };
    let has = |scope: Scope, level, start: &str, end: &str| {
        let starts = TimeRange { start: at(start), end: at(end) };
        t.store.reading(|tx| tx.has_removed(scope, level, starts)).unwrap()
    };
    let (everyone, tenant) = (day(EVERYONE, "2026-02-01", 0), day(of(1), "2026-02-03", 2));
    t.put_sheets(1, &with_payloads(&[everyone]));
    assert!(!has(EVERYONE, Level::Day, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"));
    t.put_sheets(-401, &with_payloads(&[tenant]));
    t.put_sheets(-1, &with_payloads(&[everyone, tenant]));
    let found = || t.store.reading(|tx| tx.sheets_of_removed(all)).unwrap();
    assert_eq!(found(), [(-401, tenant), (-1, everyone), (-1, tenant)]);
    assert!(has(of(1), Level::Day, "2026-02-03T00:00:00Z", "2026-02-04T00:00:00Z"));
    assert!(!has(of(1), Level::Day, "2026-02-04T00:00:00Z", "2026-02-05T00:00:00Z"));
    assert!(!has(of(2), Level::Day, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"));
    assert!(!has(EVERYONE, Level::Hour, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"));
    t.store.writing(|tx| tx.set_generation(2, true)).unwrap();
    let deleted = t.store.writing(|tx| tx.delete_other_generations(None, 100)).unwrap();
    assert_eq!((deleted, found().len()), (1, 3), "a rebuild keeps them");
}

fn removed_positions_are_replaced(t: &TestStore) {
    let key = key(of(1), "2026-02", 3);
    let put = |removed: &[u8]| t.store.writing(|tx| tx.put_removed_positions(1, key, removed)).unwrap();
    assert!(!put(&[1]), "the run does not exist");
    t.put_runs(1, &[key]);
    assert!(put(&[1, 2]) && put(&[3]));
    let expected = trailkeeper_domain::ports::PostingRun { removed: Some(vec![3]), ..run(key) };
    assert_eq!(t.runs_of(1, of(1)), [expected]);
}

fn events_are_removed_by_their_numbers(t: &TestStore) {
    let events = [event(1), event(2), event(3)];
    t.store.writing(|tx| tx.insert_events(&events)).unwrap();
    let mut seqs = Vec::new();
    t.store
        .reading(|tx| {
            seqs.clear();
            tx.indexed_events(i64::MIN, 10, &mut |event| {
                seqs.push(event.seq);
                Ok(())
            })
        })
        .unwrap();
    let removed = t.store.writing(|tx| tx.delete_events(&[seqs[0], seqs[1], 1_000_000])).unwrap();
    assert_eq!(removed, 2);
    let found = |nth: usize| t.store.reading(|tx| tx.events_by_id(events[nth].id, None)).unwrap().len();
    assert_eq!([found(0), found(1), found(2)], [0, 0, 1]);
    // The rows are gone, so their ids are new; the number of the last event is not used again.
    assert_eq!(t.store.writing(|tx| tx.insert_events(&events[..1])).unwrap(), [true]);
    assert!(t.store.reading(|tx| tx.last_seq()).unwrap() > seqs[2]);
    let mut facts = 0;
    let range = TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("1971-01-01T00:00:00Z") };
    let merged = t.store.reading(|tx| {
        tx.merged_facts(EVERYONE, range, &mut |_| {
            facts += 1;
            Ok(())
        })
    });
    merged.unwrap();
    assert_eq!(facts, 0, "everything waits to be merged");
}
