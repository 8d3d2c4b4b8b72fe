//! A bounded memory of names and their numbers, both ways.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;

use super::Space;

/// How much text a name may have on average before the memory forgets some earlier.
const TEXT_PER_NAME: usize = 200;

/// What all connections to one database know in common: names that are committed, and months that have partitions.
///
/// Forgotten names are looked up again, so that the bound costs time alone. What is in use stays: names lie in two
/// generations; a name that is asked for moves to the young one, and when that is half of what is allowed it becomes
/// the old one, and what the old one held is forgotten.
pub struct Names {
    state: Mutex<State>,
    months: Mutex<BTreeSet<NaiveDate>>,
    most: usize,
}

#[derive(Default)]
struct State {
    young: Generation,
    old: Generation,
}

#[derive(Default)]
struct Generation {
    spaces: HashMap<Space, Both>,
    names: usize,
    bytes: usize,
}

#[derive(Default)]
struct Both {
    ids: HashMap<Arc<str>, i32>,
    names: HashMap<i32, Arc<str>>,
}

impl Names {
    /// An empty memory of at most `most` names.
    pub fn new(most: usize) -> Self {
        Self { state: Mutex::default(), months: Mutex::default(), most }
    }

    /// Remembers names whose numbers are committed.
    pub fn put(&self, names: impl IntoIterator<Item = (Space, Arc<str>, i32)>) {
        let mut state = lock(&self.state);
        for (space, name, id) in names {
            self.put_young(&mut state, space, &name, id);
        }
    }

    /// Looks several names up at once.
    pub fn lookup(&self) -> Lookup<'_> {
        Lookup { names: self, state: lock(&self.state) }
    }

    /// Whether the partition of the month that begins on this day is known to be there.
    pub fn has_month(&self, first: NaiveDate) -> bool {
        lock(&self.months).contains(&first)
    }

    /// Remembers that the partitions of these months are there, and committed.
    pub fn put_months(&self, months: impl IntoIterator<Item = NaiveDate>) {
        lock(&self.months).extend(months);
    }

    fn put_young(&self, state: &mut State, space: Space, name: &Arc<str>, id: i32) {
        let both = state.young.spaces.entry(space).or_default();
        if both.ids.insert(Arc::clone(name), id).is_none() {
            both.names.insert(id, Arc::clone(name));
            state.young.names += 1;
            state.young.bytes += name.len();
        }
        let half = self.most / 2;
        if state.young.names > half || state.young.bytes > half.saturating_mul(TEXT_PER_NAME) {
            state.old = std::mem::take(&mut state.young);
        }
    }
}

/// The memory, held for a number of questions.
pub struct Lookup<'a> {
    names: &'a Names,
    state: MutexGuard<'a, State>,
}

impl Lookup<'_> {
    /// The number of a name, where it is remembered.
    pub fn id(&mut self, space: Space, name: &str) -> Option<i32> {
        if let Some(id) = self.state.young.spaces.get(&space).and_then(|both| both.ids.get(name)) {
            return Some(*id);
        }
        let (name, id) =
            self.state.old.spaces.get(&space)?.ids.get_key_value(name).map(|(n, id)| (Arc::clone(n), *id))?;
        self.names.put_young(&mut self.state, space, &name, id);
        Some(id)
    }

    /// The name of a number, where it is remembered.
    pub fn name(&mut self, space: Space, id: i32) -> Option<Arc<str>> {
        if let Some(name) = self.state.young.spaces.get(&space).and_then(|both| both.names.get(&id)) {
            return Some(Arc::clone(name));
        }
        let name = self.state.old.spaces.get(&space)?.names.get(&id).map(Arc::clone)?;
        self.names.put_young(&mut self.state, space, &name, id);
        Some(name)
    }
}

// Nothing that can panic runs under these locks, so a poisoned state is a whole one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(names: &Names, id: i32) {
        names.put([(Space::Users, Arc::from(format!("user-{id}")), id)]);
    }

    #[test]
    fn names_and_numbers_find_one_another() {
        let names = Names::new(100);
        put(&names, 7);
        assert_eq!(names.lookup().id(Space::Users, "user-7"), Some(7));
        assert_eq!(names.lookup().name(Space::Users, 7).as_deref(), Some("user-7"));
        assert_eq!(names.lookup().id(Space::Pages, "user-7"), None);
        assert_eq!(names.lookup().name(Space::Users, 8), None);
    }

    #[test]
    fn it_never_holds_more_than_it_may() {
        for max in [0, 1, 2, 10, 1_000] {
            let names = Names::new(max);
            for id in 0..5_000 {
                put(&names, id);
                names.lookup().id(Space::Users, &format!("user-{}", id / 2));
                let state = lock(&names.state);
                assert!(state.young.names + state.old.names <= max + 2, "{max}");
            }
        }
        let names = Names::new(1_000);
        for id in 0..5_000 {
            names.put([(Space::Pages, Arc::from(format!("{id:2000}")), id)]);
            let state = lock(&names.state);
            assert!(state.young.bytes + state.old.bytes <= 1_000 * TEXT_PER_NAME + 2 * 2_000);
        }
    }

    #[test]
    fn what_is_in_use_stays() {
        let names = Names::new(100);
        put(&names, -1);
        for id in 0..5_000 {
            put(&names, id);
            assert_eq!(names.lookup().id(Space::Users, "user--1"), Some(-1));
        }
        assert_eq!(names.lookup().id(Space::Users, "user-0"), None);
    }
}
