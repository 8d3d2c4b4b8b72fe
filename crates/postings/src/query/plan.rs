//! A condition with the frequencies of its values in one segment.

use trailkeeper_domain::Result;
use trailkeeper_domain::event::Outcome;

use super::condition::Condition;
use crate::dimension::{Column, Dimension};
use crate::outcome;
use crate::positions::PositionSet;
use crate::segment::Segment;

/// How a condition is evaluated in one segment. What frequencies decide is decided: a condition that no event or every
/// event of the segment meets reads nothing.
#[derive(Debug)]
pub struct Plan<'q> {
    /// What to do.
    pub step: Step<'q>,
    /// The largest number of events that may match.
    pub at_most: u32,
}

/// One step of a plan.
#[derive(Debug)]
pub enum Step<'q> {
    /// No event matches.
    Nothing,
    /// Every event matches.
    Everything,
    /// The union of the posting lists of these values, each of which occurs.
    Lists(Dimension, Vec<u32>),
    /// The values in the column decide.
    InColumn(Column, &'q PositionSet),
    /// What does not match.
    Not(Box<Plan<'q>>),
    /// The intersection. The step with the fewest events comes first.
    All(Vec<Plan<'q>>),
    /// The union.
    Or(Vec<Plan<'q>>),
}

impl<'q> Plan<'q> {
    /// Plans a condition. It reads no posting list.
    pub fn of(condition: &'q Condition, segment: &mut dyn Segment) -> Result<Self> {
        let len = segment.len();
        match condition {
            Condition::Any(dimension, values) => Self::lists(*dimension, values, segment),
            Condition::InColumn(column, values) => Ok(if values.is_empty() {
                Self::nothing()
            } else {
                Self { step: Step::InColumn(*column, values), at_most: len }
            }),
            Condition::Not(condition) => {
                let plan = Self::of(condition, segment)?;
                Ok(match plan.step {
                    Step::Nothing => Self { step: Step::Everything, at_most: len },
                    Step::Everything => Self::nothing(),
                    // The number of a list is exact; other conditions may match fewer events than they say.
                    Step::Lists(..) => Self { at_most: len - plan.at_most.min(len), step: Step::Not(Box::new(plan)) },
                    Step::Not(plan) => *plan,
                    _ => Self { at_most: len, step: Step::Not(Box::new(plan)) },
                })
            }
            Condition::All(conditions) => {
                let mut plans = Vec::new();
                for condition in conditions {
                    let plan = Self::of(condition, segment)?;
                    match plan.step {
                        Step::Nothing => return Ok(plan),
                        Step::Everything => {}
                        Step::All(more) => plans.extend(more),
                        _ => plans.push(plan),
                    }
                }
                plans.sort_by_key(|plan| (plan.reads_columns(), plan.at_most));
                Ok(match plans.len() {
                    0 => Self { step: Step::Everything, at_most: len },
                    _ => Self {
                        at_most: plans.iter().map(|plan| plan.at_most).min().unwrap_or(len),
                        step: Step::All(plans),
                    },
                })
            }
            Condition::Or(conditions) => {
                let mut plans = Vec::new();
                for condition in conditions {
                    let plan = Self::of(condition, segment)?;
                    match plan.step {
                        Step::Nothing => {}
                        Step::Everything => return Ok(plan),
                        _ => plans.push(plan),
                    }
                }
                let at_most = plans.iter().map(|plan| plan.at_most).fold(0, u32::saturating_add).min(len);
                Ok(match plans.len() {
                    0 => Self::nothing(),
                    _ => Self { step: Step::Or(plans), at_most },
                })
            }
        }
    }

    fn nothing() -> Self {
        Self { step: Step::Nothing, at_most: 0 }
    }

    fn lists(dimension: Dimension, values: &[u32], segment: &mut dyn Segment) -> Result<Self> {
        let mut values = values.to_vec();
        values.sort_unstable();
        values.dedup();
        let (occurring, at_most) = occurring(dimension, values, segment)?;
        let len = segment.len();
        if at_most == 0 {
            return Ok(Self::nothing());
        }
        if at_most == len {
            return Ok(Self { step: Step::Everything, at_most });
        }
        if dimension == Dimension::Outcome && at_most > len / 2 {
            // Nearly all events succeed, and every event has an outcome: the lists of the others are short, where reading
            // that of successes means to decode a position per event.
            let others = Outcome::ALL.map(|outcome| outcome::code(outcome).into());
            let others = others.into_iter().filter(|code| !occurring.contains(code));
            let (others, rest) = self::occurring(dimension, others, segment)?;
            if at_most.checked_add(rest) == Some(len) {
                let others = Self { step: Step::Lists(dimension, others), at_most: rest };
                return Ok(Self { step: Step::Not(Box::new(others)), at_most });
            }
        }
        Ok(Self { step: Step::Lists(dimension, occurring), at_most })
    }

    /// Whether evaluation reads the value of each candidate.
    fn reads_columns(&self) -> bool {
        match &self.step {
            Step::Nothing | Step::Everything | Step::Lists(..) => false,
            Step::InColumn(..) => true,
            Step::Not(plan) => plan.reads_columns(),
            Step::All(plans) | Step::Or(plans) => plans.iter().any(Self::reads_columns),
        }
    }
}

/// Those of the values that occur in a segment, and the number of their events: an event has at most one value in a
/// dimension, so the lists have no common positions.
fn occurring(
    dimension: Dimension,
    values: impl IntoIterator<Item = u32>,
    segment: &mut dyn Segment,
) -> Result<(Vec<u32>, u32)> {
    let (mut occurring, mut events) = (Vec::new(), 0_u32);
    for value in values {
        let frequency = segment.frequency(dimension, value)?;
        if frequency > 0 {
            events = events.saturating_add(frequency);
            occurring.push(value);
        }
    }
    Ok((occurring, events))
}
