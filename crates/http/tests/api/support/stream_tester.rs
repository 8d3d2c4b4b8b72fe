//! Destinations of streams, without a network.

use trailkeeper_domain::stream::{DeliveryFailure, Destination, Stream, StreamTester, Tested};
use trailkeeper_domain::{Error, Result};

/// Allows names only, and finds that `siem.example` accepts messages.
pub struct Picky;

impl StreamTester for Picky {
    fn check(&self, destination: &Destination) -> Result<()> {
        match destination.address() {
            Some(address) => Err(Error::invalid("destination", format!("is at {address}"))),
            None => Ok(()),
        }
    }

    fn test(&self, stream: &Stream) -> Result<Tested> {
        let host = stream.about.destination.host();
        let failure = (host != "siem.example").then(|| DeliveryFailure::Temporary(format!("{host} answered 404")));
        Ok(Tested { message_id: format!("msg_{}", "0f".repeat(16)), failure })
    }
}
