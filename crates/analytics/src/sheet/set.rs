//! A set of ordinals as an ascending list: the form of the sets of a decoded sheet.

/// Distinct ordinals, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct IdSet(Vec<u32>);

impl IdSet {
    /// The set of these ordinals, which may be in any order and repeated.
    pub fn of(mut ids: Vec<u32>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }

    /// The set of a list that ascends strictly.
    pub(super) fn of_ascending(ids: Vec<u32>) -> Self {
        debug_assert!(ids.is_sorted_by(|a, b| a < b), "an IdSet ascends strictly");
        Self(ids)
    }

    /// The number of ordinals.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the set contains this ordinal.
    pub fn contains(&self, id: u32) -> bool {
        self.0.binary_search(&id).is_ok()
    }

    /// All ordinals, ascending.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// Adds all ordinals of another set.
    pub fn unite(&mut self, other: &Self) {
        let (Some(last), Some(first)) = (self.0.last(), other.0.first()) else {
            if self.0.is_empty() {
                self.0.clone_from(&other.0);
            }
            return;
        };
        if last < first {
            self.0.extend_from_slice(&other.0);
            return;
        }
        self.0 = merged(&self.0, &other.0);
    }
}

impl FromIterator<u32> for IdSet {
    fn from_iter<I: IntoIterator<Item = u32>>(ids: I) -> Self {
        Self::of(ids.into_iter().collect())
    }
}

fn merged(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut left, mut right) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    while let (Some(&x), Some(&y)) = (left.peek(), right.peek()) {
        out.push(x.min(y));
        if x <= y {
            left.next();
        }
        if y <= x {
            right.next();
        }
    }
    out.extend(left);
    out.extend(right);
    out
}
