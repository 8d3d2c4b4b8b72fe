//! Test messages, sent while an administrator waits.

use std::time::Duration;

use tokio::time::timeout;
use trailkeeper_domain::stream::{DeliveryFailure, Destination, Stream, StreamTester, Tested};
use trailkeeper_domain::{Error, Result};

use crate::sender::Sender;

/// How long a test may take. A destination that answers later fails the test, although a delivery would wait for it.
const TIMEOUT: Duration = Duration::from_secs(10);

impl StreamTester for Sender {
    fn check(&self, destination: &Destination) -> Result<()> {
        self.connector().check(destination)
    }

    fn test(&self, stream: &Stream) -> Result<Tested> {
        let message = self.test_message(stream)?;
        let message_id = message.id.clone();
        let signed = self.sign(stream, message)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::internal)?;
        let sent = runtime.block_on(timeout(TIMEOUT, self.send(&stream.about.destination, &signed)));
        // A name that is still being resolved must not hold the administrator.
        runtime.shutdown_background();
        let failure = match sent {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some(failure),
            Err(_elapsed) => {
                let host = stream.about.destination.host();
                Some(DeliveryFailure::Temporary(format!(
                    "{host} did not accept the message within {} s",
                    TIMEOUT.as_secs()
                )))
            }
        };
        Ok(Tested { message_id, failure })
    }
}
