//! What became of the lines of a file.

use std::fmt;

use trailkeeper_auth::audit::{AuditEvent, IMPORT};

/// How many refused lines are told one by one.
const FIRST: usize = 10;

/// Counts, and the first refused lines with their reasons.
#[derive(Debug)]
pub struct Summary {
    labels: [&'static str; 2],
    new: u64,
    old: u64,
    refused: u64,
    first: Vec<(u64, String)>,
}

impl Summary {
    /// `new` and `old` are what the counts are called: stored and known, created and replaced.
    pub fn new(new: &'static str, old: &'static str) -> Self {
        Self { labels: [new, old], new: 0, old: 0, refused: 0, first: Vec::new() }
    }

    /// A line brought something new.
    pub fn count_new(&mut self) {
        self.new += 1;
    }

    /// A line brought something that was there.
    pub fn count_old(&mut self) {
        self.old += 1;
    }

    /// A line was refused. Call it in the order of lines.
    pub fn refuse(&mut self, line: u64, reason: &impl fmt::Display) {
        self.refused += 1;
        if self.first.len() < FIRST {
            self.first.push((line, reason.to_string()));
        }
    }

    /// What the trail tells of it when it has ended: counts, and not the lines, which may hold anything.
    pub fn audit_event(&self) -> AuditEvent {
        let [new, old] = self.labels;
        AuditEvent::done(IMPORT).with(new, self.new).with(old, self.old).with("refused", self.refused)
    }

    /// Whether lines were refused and nothing else happened: a file of another format, most likely.
    pub fn is_hopeless(&self) -> bool {
        self.new == 0 && self.old == 0 && self.refused > 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [new, old] = self.labels;
        writeln!(f, "{new:8}  {}", self.new)?;
        writeln!(f, "{old:8}  {}", self.old)?;
        writeln!(f, "refused   {}", self.refused)?;
        for (line, reason) in &self.first {
            writeln!(f, "  line {line}: {reason}")?;
        }
        match self.refused - self.first.len() as u64 {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_refusals_are_told_and_the_rest_counted() {
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
    }
}
