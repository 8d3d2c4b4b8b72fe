//! The memory for the bodies of requests: one budget for all requests.
//!
//! A request draws from the budget as its body arrives, and gives back what it drew when it has been handled. So the
//! number of connections times the largest body is no bound that the memory must meet. Senders whose credential is not
//! verified yet can draw a quarter: strangers must not take the memory that customers need.

use std::sync::Arc;

use parking_lot::Mutex;
use trailkeeper_domain::{Error, Result};

/// The part of the budget that senders without a verified credential can draw together: one over this number.
const UNVERIFIED_PART: usize = 4;

/// Whether the sender of a body has proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The credential of the request is valid.
    Verified,
    /// The request has no credential, or one that only the body can prove.
    Unverified,
}

/// The budget, and the bytes that bodies hold now.
pub struct BodyBudget {
    bytes: usize,
    held: Mutex<Reserved>,
}

#[derive(Default)]
struct Reserved {
    total: usize,
    unverified: usize,
}

impl BodyBudget {
    /// A budget of `bytes` bytes.
    pub fn new(bytes: usize) -> Self {
        Self { bytes, held: Mutex::default() }
    }

    /// The share of one request. It holds nothing yet.
    pub fn share(self: &Arc<Self>, sender: Sender) -> BodyShare {
        BodyShare { budget: Arc::clone(self), sender, bytes: 0 }
    }
}

/// The bytes that one request holds. Dropping it gives them back.
pub struct BodyShare {
    budget: Arc<BodyBudget>,
    sender: Sender,
    bytes: usize,
}

impl BodyShare {
    /// Draws further bytes. [`Error::Overloaded`] if the budget has not enough left; then nothing is drawn.
    pub fn draw(&mut self, bytes: usize) -> Result<()> {
        let mut held = self.budget.held.lock();
        let unverified = if self.sender == Sender::Unverified { bytes } else { 0 };
        if held.total + bytes > self.budget.bytes || held.unverified + unverified > self.budget.bytes / UNVERIFIED_PART
        {
            let cause = format!(
                "bodies hold {} bytes, those of unverified senders {}; the budget has {}",
                held.total, held.unverified, self.budget.bytes
            );
            return Err(Error::overloaded("the bodies of other requests use all memory for bodies", cause));
        }
        held.total += bytes;
        held.unverified += unverified;
        self.bytes += bytes;
        Ok(())
    }

    /// Counts the bytes as those of a verified sender from now on.
    pub fn verified(&mut self) {
        if self.sender == Sender::Unverified {
            self.budget.held.lock().unverified -= self.bytes;
            self.sender = Sender::Verified;
        }
    }
}

impl Drop for BodyShare {
    fn drop(&mut self) {
        let mut held = self.budget.held.lock();
        held.total -= self.bytes;
        if self.sender == Sender::Unverified {
            held.unverified -= self.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(budget: &BodyBudget) -> (usize, usize) {
        let held = budget.held.lock();
        (held.total, held.unverified)
    }

    #[test]
    fn a_share_draws_from_the_budget_until_it_is_dropped() {
        let budget = Arc::new(BodyBudget::new(100));
        let mut first = budget.share(Sender::Verified);
        first.draw(60).unwrap();
        let mut second = budget.share(Sender::Verified);
        second.draw(40).unwrap();
        assert!(matches!(second.draw(1), Err(Error::Overloaded { .. })));
        drop(first);
        second.draw(60).unwrap();
        assert_eq!(held(&budget), (100, 0));
        drop(second);
        assert_eq!(held(&budget), (0, 0));
    }

    #[test]
    fn unverified_senders_share_a_quarter() {
        let budget = Arc::new(BodyBudget::new(100));
        let mut strangers = [budget.share(Sender::Unverified), budget.share(Sender::Unverified)];
        strangers[0].draw(15).unwrap();
        strangers[1].draw(10).unwrap();
        assert!(matches!(strangers[1].draw(1), Err(Error::Overloaded { .. })));
        budget.share(Sender::Verified).draw(75).unwrap();
        strangers[0].verified();
        strangers[0].verified();
        strangers[1].draw(15).unwrap();
        assert_eq!(held(&budget), (40, 25));
        drop(strangers);
        assert_eq!(held(&budget), (0, 0));
    }
}
