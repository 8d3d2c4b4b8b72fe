//! The steps of a history.

/// A change of the database, before questions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Insert,
    InsertAndFail,
    Report,
    Create,
    Merge,
    FinishPeriods,
    MergeAmidFaults,
    Rebuild,
    RebuildAmidFaults,
    Reopen,
    ReadWhileMerging,
    ReadWhileRebuilding,
    InsertWhileMerging,
    InsertWhileRebuilding,
    ChangeRule,
    ChangeRuleAmidFaults,
    InsertWhileChangingRule,
}

/// Steps on which others depend are frequent, slow ones are rare.
pub(crate) const STEPS: [Step; 24] = [
    Step::Insert,
    Step::Insert,
    Step::Insert,
    Step::Insert,
    Step::Insert,
    Step::Insert,
    Step::InsertAndFail,
    Step::Report,
    Step::Create,
    Step::Merge,
    Step::Merge,
    Step::Merge,
    Step::FinishPeriods,
    Step::FinishPeriods,
    Step::FinishPeriods,
    Step::MergeAmidFaults,
    Step::MergeAmidFaults,
    Step::Rebuild,
    Step::RebuildAmidFaults,
    Step::Reopen,
    Step::ReadWhileMerging,
    Step::ReadWhileRebuilding,
    Step::InsertWhileMerging,
    Step::InsertWhileRebuilding,
];

/// Further steps of histories in which the rule of pages changes.
pub(crate) const STEPS_OF_RULES: [Step; 6] = [
    Step::ChangeRule,
    Step::ChangeRule,
    Step::ChangeRuleAmidFaults,
    Step::ChangeRuleAmidFaults,
    Step::InsertWhileChangingRule,
    Step::InsertWhileChangingRule,
];
