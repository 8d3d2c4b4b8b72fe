//! The rows that a merge writes.

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{SheetKey, WriteTx};
use trailkeeper_domain::scope::Scope;

/// Rows to write and rows to remove, all in one transaction or none.
#[derive(Debug)]
pub struct Plan {
    generation: i64,
    deletes: Vec<SheetKey>,
    puts: Vec<(SheetKey, Vec<u8>)>,
    bytes_read: u64,
}

impl Plan {
    /// An empty plan for this generation.
    pub fn new(generation: i64) -> Self {
        Self { generation, deletes: Vec::new(), puts: Vec::new(), bytes_read: 0 }
    }

    /// The generation that the plan changes.
    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// Replaces sheets of one period by a new one.
    pub fn replace(&mut self, old: impl IntoIterator<Item = SheetKey>, new: SheetKey, payload: Vec<u8>) {
        self.deletes.extend(old);
        self.puts.push((new, payload));
    }

    /// Removes a scope from the plan, so that its sheets stay as they are.
    pub fn leave_out(&mut self, scope: Scope) {
        self.deletes.retain(|key| key.scope != scope);
        self.puts.retain(|(key, _)| key.scope != scope);
    }

    /// Counts payloads of this many bytes that were read for the plan.
    pub fn count_read(&mut self, bytes: u64) {
        self.bytes_read += bytes;
    }

    /// Executes the plan. The caller has the lease, and prolongs it in the same transaction.
    pub fn write(&self, tx: &mut dyn WriteTx) -> Result<()> {
        if !self.deletes.is_empty() {
            tx.delete_sheets(self.generation, &self.deletes)?;
        }
        if self.puts.is_empty() { Ok(()) } else { tx.put_sheets(self.generation, &self.puts) }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.deletes.is_empty() && self.puts.is_empty()
    }

    /// The number of sheets that the plan writes.
    pub fn sheets_written(&self) -> u64 {
        self.puts.len() as u64
    }

    /// The number of sheets that the plan replaces.
    pub fn sheets_replaced(&self) -> u64 {
        self.deletes.len() as u64
    }

    /// The bytes of the payloads that were read for the plan.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The bytes of the payloads that the plan writes.
    pub fn bytes_written(&self) -> u64 {
        self.puts.iter().map(|(_, payload)| payload.len() as u64).sum()
    }
}
