//! Removing events by rules of retention, against a brute-force choice of the events that stay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration as Patience;

use chrono::Duration;
use trailkeeper_analytics::Audience;
use trailkeeper_analytics::engine::read;
use trailkeeper_analytics::engine::retention::{Removal, Removed, preview, remove, remove_in_background};
use trailkeeper_analytics::sheet::{Facet, Fold};
use trailkeeper_domain::clock::Clock as _;
use trailkeeper_domain::event::{Event, EventFilter, EventKind};
use trailkeeper_domain::id::{EventId, LegalHoldId, RetentionRuleId, TenantId, UserId};
use trailkeeper_domain::ports::{SheetKey, SheetPeriod, Store};
use trailkeeper_domain::retention::{HoldDraft, RuleDraft, RuleSubject};
use trailkeeper_domain::scope::Level;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::usecase::{place_legal_hold, remove_retention_rule, set_retention_rule};
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::visibility::EVERYTHING;
use trailkeeper_testkit::{Fault, FaultyStore, at, tenant_id, uuid};

use crate::rebuilds::rebuilt;
use crate::world::World;

/// After all events of the histories, which end in the middle of February.
const NOW: &str = "2026-03-01T10:00:00Z";

type Rule = (Option<TenantId>, Option<EventKind>, u32, Option<u32>);
type Hold = (Option<TenantId>, Option<UserId>);
type Ids = BTreeSet<(TenantId, EventId)>;

/// What a test has stored and decided.
struct History<'w> {
    world: &'w World,
    events: Vec<Event>,
    rules: Vec<Rule>,
    holds: Vec<Hold>,
    /// What is removed for good, whatever rules say later.
    gone: Ids,
}

impl<'w> History<'w> {
    fn new(world: &'w World) -> Self {
        world.clock.set(NOW);
        Self { world, events: Vec::new(), rules: Vec::new(), holds: Vec::new(), gone: Ids::new() }
    }

    fn insert(&mut self, number: usize) {
        let mut events: Vec<Event> = (0..number).map(|_| self.world.event()).collect();
        // The last event of all is never removed.
        if let Some(last) = events.last_mut() {
            last.occurred_at = at("2026-02-14T00:00:00Z");
        }
        self.world.store.writing(|tx| tx.insert_events(&events)).unwrap();
        self.events.extend(events);
    }

    /// Sets a rule that was made yesterday.
    fn rule(&mut self, tenant_id: Option<TenantId>, kind: Option<EventKind>, days: u32, sheets: Option<u32>) {
        let subject = RuleSubject { tenant_id, kind: kind.clone() };
        let id = RetentionRuleId(uuid(100 + self.rules.len() as u128));
        let keeps = RuleDraft { keep_days: days, keep_sheets_days: sheets };
        let yesterday = self.world.clock.now() - Duration::days(1);
        self.world.store.writing(|tx| set_retention_rule(tx, yesterday, id, &subject, keeps)).unwrap();
        self.rules.retain(|(of_tenant, of_kind, ..)| (*of_tenant, of_kind) != (tenant_id, &kind));
        self.rules.push((tenant_id, kind, days, sheets));
    }

    fn hold(&mut self, tenant_id: Option<TenantId>, user_id: Option<UserId>) {
        let about = HoldDraft { case: "case".into(), reason: "court".into(), tenant_id, user_id: user_id.clone() };
        let id = LegalHoldId(uuid(200 + self.holds.len() as u128));
        self.world.store.writing(|tx| place_legal_hold(tx, self.world.clock.now(), id, &about).map(drop)).unwrap();
        self.holds.push((tenant_id, user_id));
    }

    fn is_held(&self, event: &Event) -> bool {
        self.holds.iter().any(|(tenant, user)| {
            tenant.is_none_or(|tenant| tenant == event.tenant_id)
                && user.as_ref().is_none_or(|user| Some(user) == event.user_id.as_ref())
        })
    }

    /// Whether the rules want the event to go, whatever holds say.
    fn is_old(&self, event: &Event) -> bool {
        let applies = |(tenant, kind, ..): &&Rule| {
            (tenant.is_none() && event.tenant_id != TenantId::SYSTEM || *tenant == Some(event.tenant_id))
                && kind.as_ref().is_none_or(|kind| *kind == event.kind)
        };
        let rank = |rule: &&Rule| (rule.0.is_some(), rule.1.is_some());
        let Some((_, _, days, _)) = self.rules.iter().filter(applies).max_by_key(rank) else { return false };
        let today = at("2026-03-01T00:00:00Z");
        event.occurred_at < today - Duration::days(i64::from(*days))
    }

    /// The events that are to be left. The last one that was stored is never removed.
    fn left(&self) -> Ids {
        let last = self.events.len() - 1;
        let stays = |(nth, event): &(usize, &Event)| *nth == last || !self.is_old(event) || self.is_held(event);
        let ids = self.events.iter().enumerate().filter(stays).map(|(_, event)| (event.tenant_id, event.id));
        ids.filter(|id| !self.gone.contains(id)).collect()
    }

    fn remove_in(&self, store: &dyn Store) -> Result<Removed> {
        let (clock, entropy) = (self.world.clock.as_ref(), self.world.entropy.as_ref());
        remove(store, clock, entropy, Patience::ZERO, &mut |_| ())
    }

    /// Removes, and compares everything.
    fn remove(&mut self) -> Removed {
        let (before, left) = (self.stored(), self.left());
        let expected = preview(self.world.store.as_ref(), self.world.clock.now(), &mut |_| ()).unwrap();
        let removed = self.remove_in(self.world.store.as_ref()).unwrap();
        assert_eq!(expected.would_remove, removed.events);
        assert_eq!(before.len() - left.len(), usize::try_from(removed.events).unwrap());
        self.gone.extend(before.difference(&left));
        self.assert_left();
        removed
    }

    /// The ids that lists show.
    fn stored(&self) -> Ids {
        let filter = EventFilter::within(EVERYTHING);
        let events = self.world.store.reading(|tx| tx.events(&filter, None, 100_000)).unwrap();
        events.into_iter().map(|stored| (stored.event.tenant_id, stored.event.id)).collect()
    }

    /// Lists, counts, look-ups by id, rows and sheets are those of the events that are left.
    fn assert_left(&self) {
        let (left, store) = (self.left(), &self.world.store);
        assert_eq!(self.stored(), left);
        let filter = EventFilter::within(EVERYTHING);
        let (mut rows, count) = (0, store.reading(|tx| tx.count_events(&filter)).unwrap());
        store
            .reading(|tx| {
                rows = 0;
                tx.indexed_events(i64::MIN, usize::MAX, &mut |_| {
                    rows += 1;
                    Ok(())
                })
            })
            .unwrap();
        assert_eq!((rows, count), (left.len(), left.len() as u64));
        for event in self.events.iter().step_by(7) {
            let found = store.reading(|tx| tx.events_by_id(event.id, Some(event.tenant_id))).unwrap();
            assert_eq!(!found.is_empty(), left.contains(&(event.tenant_id, event.id)));
        }
        self.world.assert_clean();
    }

    /// The sum of the sheets of each period.
    fn sheets(&self) -> BTreeMap<SheetPeriod, Vec<u8>> {
        let mut folds: BTreeMap<SheetPeriod, Fold> = BTreeMap::new();
        for (key, payload) in self.world.kept().sheets {
            folds.entry(key.period()).or_insert_with(|| Fold::new(&Facet::ALL)).add(&payload).unwrap();
        }
        let sheets = folds.into_iter().map(|(period, fold)| (period, fold.into_sheet()));
        sheets
            .filter(|(period, sheet)| Level::MERGED.contains(&period.level) && !sheet.is_empty())
            .map(|(period, sheet)| (period, sheet.encode()))
            .collect()
    }

    fn removed_sheets(&self) -> usize {
        let all = TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("9999-01-01T00:00:00Z") };
        self.world.store.reading(|tx| tx.sheets_of_removed(all)).unwrap().len()
    }

    fn kind(&self, nth: usize) -> EventKind {
        self.events[nth].kind.clone()
    }
}

fn active_users(world: &World, start: &str, end: &str) -> Result<u64> {
    let range = TimeRange { start: at(start), end: at(end) };
    let audience = Audience::of(EVERYTHING, None, None).unwrap();
    world.store.reading(|tx| Ok(read::active_users(tx, &audience, range)?.len() as u64))
}

fn random_rules_remove_exactly_what_they_say(world: &World) {
    let mut history = History::new(world);
    history.insert(250);
    let mut removed = 0;
    for round in 0..6 {
        history.insert(40 + usize::try_from(world.entropy.below(40)).unwrap());
        let days = |most| 20 + u32::try_from(world.entropy.below(most)).unwrap();
        let nth = usize::try_from(world.entropy.below(200)).unwrap();
        match round {
            0 => history.rule(Some(tenant_id(1)), None, days(90), None),
            1 => history.rule(None, Some(history.kind(nth)), days(90), Some(300)),
            2 => history.rule(Some(TenantId::SYSTEM), None, days(60), None),
            3 => {
                history.hold(None, history.events[nth].user_id.clone().or_else(|| UserId::parse("id", "u").ok()));
                history.rule(None, None, 60, Some(2_000));
            }
            4 => {
                history.hold(Some(tenant_id(2)), None);
                history.rule(Some(tenant_id(0)), Some(history.kind(nth)), days(30), None);
            }
            _ => history.rule(None, None, 20, None),
        }
        removed += history.remove().events;
        if round % 2 == 1 {
            rebuilt(world, world.store.as_ref()).unwrap();
            history.assert_left();
        }
        assert_eq!(history.remove_in(world.store.as_ref()).unwrap().events, 0, "nothing is left to remove");
    }
    assert!(removed > 150, "{removed}");
    // What is stored later goes into the same months.
    history.insert(60);
    world.merge();
    world.assert_clean();
    history.remove();
}

fn sheets_go_with_their_events(world: &World) {
    let mut history = History::new(world);
    history.insert(300);
    world.merge();
    world.finish_all();
    world.clock.set(NOW);
    history.rule(None, None, 62, None);
    let removed = history.remove();
    assert!(removed.months > 0 && removed.events > 20, "{removed:?}");
    assert_eq!(history.removed_sheets(), 0);
    let sheets = history.sheets();
    // The month with no event left has neither sheets that count nor events in the index.
    assert!(sheets.keys().all(|period| period.start >= at("2025-12-01T00:00:00Z")));
    rebuilt(world, world.store.as_ref()).unwrap();
    assert_eq!(history.sheets(), sheets);
    world.finish_all();
    world.assert_clean();
}

fn sheets_that_are_kept_answer_as_before_and_edges_say_so(world: &World) {
    let mut history = History::new(world);
    history.insert(300);
    world.merge();
    let (before, day) = (history.sheets(), ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"));
    let november = active_users(world, "2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z").unwrap();
    assert!(active_users(world, day.0, day.1).unwrap() > 0);
    history.rule(None, None, 20, Some(365));
    assert!(history.remove().events > 100);
    assert_eq!(history.sheets(), before);
    assert!(history.removed_sheets() > 0);
    assert_eq!(active_users(world, "2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z").unwrap(), november);
    active_users(world, day.0, day.1).unwrap();
    let error = active_users(world, "2026-01-01T00:00:01Z", "2026-01-02T00:00:00Z").unwrap_err();
    assert!(matches!(&error, Error::Invalid(_)), "{error}");
    assert!(error.to_string().contains("whole UTC hours"), "{error}");
    active_users(world, "2026-02-20T00:00:01Z", "2026-02-21T00:00:00Z").unwrap();
    rebuilt(world, world.store.as_ref()).unwrap();
    assert_eq!(history.sheets(), before);
    world.assert_clean();
    // A year after the end of the month, they go.
    world.clock.set("2026-12-01T00:00:00Z");
    history.remove_in(world.store.as_ref()).unwrap();
    world.assert_clean();
    assert_eq!(active_users(world, "2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z").unwrap(), 0);
    assert!(active_users(world, day.0, day.1).unwrap() > 0, "December and later are kept");
}

fn a_key_never_has_another_content(world: &World) {
    let mut history = History::new(world);
    let mut known: BTreeMap<(i64, SheetKey), Vec<u8>> = BTreeMap::new();
    let mut runs = BTreeMap::new();
    for round in 0..12_u32 {
        history.insert(25);
        world.merge();
        if round.is_multiple_of(2) {
            // Everything but the newest events, so that whole months go and come again.
            history.rule(None, None, 10 + round, None);
            history.remove_in(world.store.as_ref()).unwrap();
        }
        let (kept, generation) = (world.kept(), world.generation());
        for (key, payload) in kept.sheets {
            let before = known.insert((generation, key), payload.clone());
            assert!(before.is_none_or(|before| before == payload), "{key:?}");
        }
        for (key, run) in kept.runs {
            let before = runs.insert(key, run.header.clone());
            assert!(before.is_none_or(|before: Vec<u8>| before == run.header), "{key:?}");
        }
        world.assert_clean();
    }
}

fn a_crash_at_any_write_loses_nothing(world: &World) {
    let mut history = History::new(world);
    history.rule(None, None, 30, Some(500));
    history.rule(Some(tenant_id(1)), None, 40, None);
    history.hold(Some(tenant_id(2)), None);
    let mut crashes = 0;
    for fault in [Some(Fault::RolledBack), Some(Fault::CommitLost), None] {
        for nth in 0_usize.. {
            history.insert(25);
            let (left, before) = (history.left(), history.stored());
            let store = FaultyStore::over(&world.store);
            store.crash_at_write(nth, fault);
            let outcome = history.remove_in(&*store);
            world.clock.advance(Duration::seconds(91));
            world.assert_clean();
            let stored = history.stored();
            assert!(left.is_subset(&stored) && stored.is_subset(&before), "write {nth}, {fault:?}");
            if nth.is_multiple_of(3) {
                rebuilt(world, world.store.as_ref()).unwrap();
                world.assert_clean();
            }
            history.remove();
            crashes += 1;
            if !store.has_struck() {
                outcome.unwrap();
                break;
            }
        }
    }
    assert!(crashes > 12, "{crashes}");
}

fn changes_during_a_step_stop_it(world: &World) {
    let mut history = History::new(world);
    history.insert(200);
    world.merge();
    history.rule(None, None, 30, None);
    let all = history.stored();
    // The first write takes the lease, the second is the first step: just before it, someone holds everything of a tenant.
    let (inner, now) = (world.store.clone(), world.clock.now());
    let about = HoldDraft { case: "case".into(), reason: "court".into(), tenant_id: Some(tenant_id(1)), user_id: None };
    let store = FaultyStore::over(&world.store);
    store.before_write(1, move |_| {
        inner.writing(|tx| place_legal_hold(tx, now, LegalHoldId(uuid(9)), &about).map(drop)).unwrap();
    });
    history.remove_in(&*store).unwrap();
    assert!(store.has_struck());
    history.holds.push((Some(tenant_id(1)), None));
    history.assert_left();
    assert!(history.stored().len() < all.len());
    let found = preview(world.store.as_ref(), world.clock.now(), &mut |_| ()).unwrap();
    assert!(found.would_remove == 0 && found.held > 0, "{found:?}");
    assert_eq!(found.holds[0].1, found.held);
}

fn young_and_removed_rules_remove_nothing(world: &World) {
    let mut history = History::new(world);
    history.insert(100);
    world.merge();
    let before = world.kept();
    let background = |world: &World| {
        let (clock, entropy) = (world.clock.as_ref(), world.entropy.as_ref());
        remove_in_background(world.store.as_ref(), clock, entropy, &Arc::default(), &|| false).unwrap()
    };
    assert_eq!(background(world), Removal::Done(Removed::default()), "without rules");
    let (id, now) = (RetentionRuleId(uuid(1)), world.clock.now());
    let keeps = RuleDraft { keep_days: 30, keep_sheets_days: None };
    let subject = RuleSubject { tenant_id: None, kind: None };
    world.store.writing(|tx| set_retention_rule(tx, now, id, &subject, keeps).map(drop)).unwrap();
    let error = history.remove_in(world.store.as_ref()).unwrap_err();
    assert!(error.chain().to_string().contains("2026-03-01T10:01:00Z"), "{}", error.chain());
    assert_eq!(background(world), Removal::Later);
    world.store.writing(|tx| remove_retention_rule(tx, now, id).map(drop)).unwrap();
    world.clock.advance(Duration::seconds(61));
    assert_eq!(history.remove_in(world.store.as_ref()).unwrap().events, 0);
    assert_eq!(world.kept(), before);
    history.rule(None, None, 30, None);
    assert!(matches!(background(world), Removal::Done(done) if done.events > 0));
    history.assert_left();
    let rules = world.store.reading(|tx| tx.retention_rules()).unwrap();
    let today: Timestamp = at("2026-03-01T00:00:00Z");
    assert_eq!(rules[0].removed_before, Some(today - Duration::days(30)), "{rules:?}");
}

trailkeeper_testkit::on_both!(crate::world::World::new =>
    random_rules_remove_exactly_what_they_say,
    sheets_go_with_their_events,
    sheets_that_are_kept_answer_as_before_and_edges_say_so,
    a_key_never_has_another_content,
    a_crash_at_any_write_loses_nothing,
    changes_during_a_step_stop_it,
    young_and_removed_rules_remove_nothing,
);
