//! One connection's traffic, driven by whoever waits for an answer.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::runtime::Runtime;

use super::fault::fault;
use crate::error::{Cure, Fault};
use crate::tx::Kind;
use crate::{Error, Result};

/// The driver's half that moves bytes; it ends when the connection does.
pub(super) type Driver = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

/// A connection with the runtime it lives on. Bytes move only while somebody is in one of these functions.
pub(super) struct Line {
    runtime: Runtime,
    /// Or why there is none any more.
    driver: Result<Driver, Fault>,
}

impl Line {
    pub(super) fn new(runtime: Runtime, driver: Driver) -> Self {
        Self { runtime, driver: Ok(driver) }
    }

    /// Waits for an answer. All that it asks before it first has to wait leaves together; if it never has to, nothing leaves.
    pub(super) fn wait<T>(
        &mut self,
        answer: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let (runtime, driver) = (&self.runtime, &mut self.driver);
        let mut answer = pin!(answer);
        runtime.block_on(poll_fn(|cx| {
            if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
                return Poll::Ready(answer);
            }
            let alive = drive(driver, cx);
            // What came last before the end may be the answer, or say better why there is none.
            match (answer.as_mut().poll(cx), alive) {
                (Poll::Pending, Err(end)) => Poll::Ready(Err(end)),
                (answer, _) => answer,
            }
        }))
    }

    /// Sends what was asked without anybody waiting for it.
    pub(super) fn flush(&mut self) -> Result<(), Fault> {
        let (runtime, driver) = (&self.runtime, &mut self.driver);
        runtime.block_on(poll_fn(|cx| Poll::Ready(drive(driver, cx))))
    }
}

/// Moves what can be moved now.
fn drive(driver: &mut Result<Driver, Fault>, cx: &mut Context<'_>) -> Result<(), Fault> {
    let end = match driver {
        Err(end) => return Err(end.clone()),
        Ok(driver) => driver.as_mut().poll(cx),
    };
    let end = match end {
        Poll::Pending => return Ok(()),
        Poll::Ready(Err(error)) => fault(&error, Kind::Read),
        Poll::Ready(Ok(())) => {
            let error = Error::Unavailable("the connection was closed".into());
            Fault { error, cure: Cure::Reconnect }
        }
    };
    *driver = Err(end.clone());
    Err(end)
}

impl Drop for Line {
    /// Takes leave of the server, which would complain of a client that just disappears. The other half must be gone already.
    fn drop(&mut self) {
        if let Ok(driver) = &mut self.driver {
            let _ = self.runtime.block_on(driver);
        }
    }
}
