//! Counts the results of the lines of an import.

use std::fmt;
use std::sync::Arc;

use trailkeeper_auth::audit::{AuditEvent, IMPORT};

/// Number of rejected lines, and of warnings, to report one by one.
const FIRST: usize = 10;

/// What is said of a late line.
const LATE: &str =
    "is older than the lines that are still counted: if an equal line came before, both may count as one";

/// The counts of an import, and its first rejected lines and warnings with their reasons.
#[derive(Debug)]
pub struct Summary {
    labels: [&'static str; 2],
    /// Name of what is counted: `line` or `record`.
    unit: &'static str,
    new: u64,
    old: u64,
    /// Lines about something else than the import is for.
    skipped: u64,
    refused: Noted,
    warnings: Noted,
    late: Noted,
}

/// The place of a line in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the file, if there are several.
    pub file: Option<Arc<str>>,
    /// Number of the line in it, from 1.
    pub line: u64,
}

impl From<u64> for Place {
    fn from(line: u64) -> Self {
        Self { file: None, line }
    }
}

/// Lines with a reason each: their number, and the first of them.
#[derive(Debug, Default)]
struct Noted {
    count: u64,
    first: Vec<(Place, String)>,
}

impl Noted {
    fn add(&mut self, place: Place, reason: &impl fmt::Display) {
        self.count += 1;
        if self.first.len() < FIRST {
            self.first.push((place, reason.to_string()));
        }
    }
}

impl Noted {
    fn write(&self, f: &mut fmt::Formatter<'_>, unit: &str) -> fmt::Result {
        for (Place { file, line }, reason) in &self.first {
            match file {
                Some(file) => writeln!(f, "  {file}: {unit} {line}: {reason}")?,
                None => writeln!(f, "  {unit} {line}: {reason}")?,
            }
        }
        match self.count - self.first.len() as u64 {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more"),
        }
    }
}

impl Summary {
    /// A summary without lines. `new` and `old` label the counts: stored and known, or created and replaced.
    pub fn new(new: &'static str, old: &'static str) -> Self {
        let [refused, warnings, late] = [(); 3].map(|()| Noted::default());
        Self { labels: [new, old], unit: "line", new: 0, old: 0, skipped: 0, refused, warnings, late }
    }

    /// Calls what is counted records: the objects of a JSON file, which may all stand on one line.
    pub fn of_records(self) -> Self {
        Self { unit: "record", ..self }
    }

    /// Counts a line that is about something else.
    pub fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Counts a line that added a record.
    pub fn count_new(&mut self) {
        self.new += 1;
    }

    /// Counts a line whose record was there already.
    pub fn count_old(&mut self) {
        self.old += 1;
    }

    /// Counts a rejected line. Call it in the order of lines.
    pub fn refuse(&mut self, place: impl Into<Place>, reason: &impl fmt::Display) {
        self.refused.add(place.into(), reason);
    }

    /// Counts a field that is not stored as the line has it. Call it in the order of lines.
    pub fn warn(&mut self, place: impl Into<Place>, reason: &impl fmt::Display) {
        self.warnings.add(place.into(), reason);
    }

    /// Counts a line that is so old that equal lines may be forgotten.
    pub fn late(&mut self, place: Place) {
        self.late.add(place, &LATE);
    }

    /// The audit event of the end of the import. It has the counts and not the lines, which may contain secrets.
    pub fn audit_event(&self) -> AuditEvent {
        let [new, old] = self.labels;
        let counted = AuditEvent::done(IMPORT).with(new, self.new).with(old, self.old);
        let counted = if self.skipped > 0 { counted.with("skipped", self.skipped) } else { counted };
        counted.with("refused", self.refused.count)
    }

    /// The counts so far, as one line.
    pub fn progress(&self) -> String {
        let [new, old] = self.labels;
        format!("{} {new}, {} {old}, {} refused", self.new, self.old, self.refused.count)
    }

    /// Whether every line was rejected: most likely, the file has another format.
    pub fn is_hopeless(&self) -> bool {
        self.new == 0 && self.old == 0 && self.refused.count > 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [new, old] = self.labels;
        writeln!(f, "{new:8}  {}", self.new)?;
        writeln!(f, "{old:8}  {}", self.old)?;
        if self.skipped > 0 {
            writeln!(f, "skipped   {}", self.skipped)?;
        }
        writeln!(f, "refused   {}", self.refused.count)?;
        self.refused.write(f, self.unit)?;
        for (label, noted) in [("warnings", &self.warnings), ("late", &self.late)] {
            if noted.count > 0 {
                writeln!(f, "{label:8}  {}", noted.count)?;
                noted.write(f, self.unit)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rejected_lines_are_reported_and_the_rest_counted() {
        let mut summary = Summary::new("stored", "known");
        summary.count_new();
        assert_eq!(summary.to_string(), "stored    1\nknown     0\nrefused   0\n");
        for line in 1..=12 {
            summary.refuse(line, &"type: is missing");
        }
        let message = summary.to_string();
        assert!(message.contains("refused   12\n  line 1: type: is missing\n"), "{message}");
        assert!(message.ends_with("  line 10: type: is missing\n  and 2 more\n"), "{message}");
        assert!(!summary.is_hopeless());
        for line in 7..=18 {
            summary.warn(line, &"user_id: has 129 characters");
        }
        let message = summary.to_string();
        assert!(message.contains("and 2 more\nwarnings  12\n  line 7: user_id: has 129 characters\n"), "{message}");
        assert!(message.ends_with("  line 16: user_id: has 129 characters\n  and 2 more\n"), "{message}");
        assert!(!message.contains("line 17"), "{message}");
    }

    #[test]
    fn records_and_skipped_lines_are_named() {
        let mut summary = Summary::new("stored", "known").of_records();
        summary.refuse(3, &"type: is missing");
        summary.skip();
        let message = summary.to_string();
        assert_eq!(message, "stored    0\nknown     0\nskipped   1\nrefused   1\n  record 3: type: is missing\n");
    }
}
