//! Compares the counts of all tenants with the sheets that they were made of.

use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::scope::Level;
use trailkeeper_domain::{Error, Result};

use super::difference::Difference;
use super::findings::Findings;
use crate::engine::tenants::counts_of;

/// Compares the counts of every period with those that its sheets give, byte for byte. The sheets themselves are compared
/// with the events elsewhere.
pub fn compare(tx: &mut dyn ReadTx, found: &mut Findings<'_>) -> Result<()> {
    for level in [Level::Day, Level::Month] {
        for start in tx.counted_periods(level)? {
            let expected = match counts_of(tx, level, start) {
                Ok(expected) => expected,
                Err(error @ Error::Internal { .. }) => {
                    found.report(Difference::Unreadable { row: error.chain().to_string() });
                    continue;
                }
                Err(other) => return Err(other),
            };
            let mut same = false;
            tx.tenant_counts(level, level.range(start), &mut |_, payload| {
                same = payload == expected;
                Ok(())
            })?;
            if !same {
                found.report(Difference::TenantCounts { level, start });
            }
        }
    }
    Ok(())
}
