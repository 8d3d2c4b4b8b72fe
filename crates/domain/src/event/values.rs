//! The values that a condition of a filter allows and excludes.

/// The values of one field that a filter allows and excludes.
///
/// An event has at most one value of a field. It matches if its value is among `any_of` (or `any_of` is empty) and not
/// among `none_of`. An event without the field is not among any values: a non-empty `any_of` leaves it out, and
/// `none_of` never does. So "none of these types of target" also shows the events without a target.
///
/// ```
/// use trailkeeper_domain::event::Values;
///
/// let colours = Values { any_of: vec!["red", "blue"], none_of: vec!["blue"] };
/// assert!(colours.match_value(Some(&"red")));
/// assert!(!colours.match_value(Some(&"blue")));
/// assert!(!colours.match_value(None));
/// assert!(Values::none_of(["red"]).match_value(None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values<T> {
    /// The event must have one of these values; an empty list means that any value will do, and none too.
    pub any_of: Vec<T>,
    /// The event must have none of these values.
    pub none_of: Vec<T>,
}

/// No condition.
impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { any_of: Vec::new(), none_of: Vec::new() }
    }
}

impl<T> Values<T> {
    /// The condition that the event has this value.
    pub fn only(value: T) -> Self {
        Self::any_of([value])
    }

    /// The condition that the event has one of these values; no condition if there are none.
    pub fn any_of(values: impl IntoIterator<Item = T>) -> Self {
        Self { any_of: values.into_iter().collect(), ..Self::default() }
    }

    /// The condition that the event has none of these values.
    pub fn none_of(values: impl IntoIterator<Item = T>) -> Self {
        Self { none_of: values.into_iter().collect(), ..Self::default() }
    }

    /// Whether every event matches.
    pub fn is_empty(&self) -> bool {
        self.any_of.is_empty() && self.none_of.is_empty()
    }

    /// Whether an event matches. `is` returns whether the event has this value; for an event without the field it
    /// returns `false`.
    pub fn matches(&self, mut is: impl FnMut(&T) -> bool) -> bool {
        (self.any_of.is_empty() || self.any_of.iter().any(&mut is)) && !self.none_of.iter().any(is)
    }

    /// Whether an event with this value matches; `None` is an event without the field.
    pub fn match_value(&self, value: Option<&T>) -> bool
    where
        T: PartialEq,
    {
        self.matches(|wanted| value.is_some_and(|value| wanted == value))
    }

    /// Both lists in one: `any_of`, then `none_of`.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.any_of.iter().chain(&self.none_of)
    }
}

impl<T> From<Option<T>> for Values<T> {
    /// The condition that the event has this value; no condition for `None`.
    fn from(value: Option<T>) -> Self {
        Self::any_of(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_values_are_no_condition() {
        for values in [Values::default(), Values::from(None), Values::any_of([]), Values::none_of([])] {
            assert!(values.is_empty());
            assert!(values.match_value(Some(&1)) && values.match_value(None));
        }
        assert!(!Values::only(1).is_empty() && !Values::none_of([1]).is_empty());
    }

    #[test]
    fn an_event_without_the_field_is_excluded_only_by_wanted_values() {
        assert!(!Values::only(1).match_value(None));
        assert!(Values::none_of([1]).match_value(None));
        assert!(!Values { any_of: vec![1], none_of: vec![2] }.match_value(None));
    }

    #[test]
    fn a_value_is_wanted_and_not_excluded() {
        let values = Values { any_of: vec![1, 2, 3], none_of: vec![3, 4] };
        let matching: Vec<i32> = (0..6).filter(|value| values.match_value(Some(value))).collect();
        assert_eq!(matching, [1, 2]);
        assert_eq!(values.all().copied().collect::<Vec<_>>(), [1, 2, 3, 3, 4]);
        assert_eq!(Values::from(Some(7)), Values::only(7));
    }

    #[test]
    fn a_value_may_be_a_set_that_contains_that_of_the_event() {
        let even_or_small = Values { any_of: vec![2..=2, 0..=9], none_of: vec![5..=6] };
        let matching: Vec<i32> = (0..20).filter(|value| even_or_small.matches(|set| set.contains(value))).collect();
        assert_eq!(matching, [0, 1, 2, 3, 4, 7, 8, 9]);
    }
}
