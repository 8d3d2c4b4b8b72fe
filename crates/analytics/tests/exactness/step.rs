//! The steps of a history.

/// A change of the database, before questions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Insert,
    InsertAndFail,
    Report,
    Create,
    Merge,
    MergeAmidFaults,
    Rebuild,
    RebuildAmidFaults,
    Reopen,
    ReadWhileMerging,
    ReadWhileRebuilding,
    InsertWhileMerging,
    InsertWhileRebuilding,
}

/// Steps on which others depend are frequent, slow ones are rare.
pub(crate) const STEPS: [Step; 21] = [
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
