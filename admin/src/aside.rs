//! Where long computing is done, so that it holds up no thread that serves requests.

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio_util::task::AbortOnDropHandle;

use crate::error::{Error, Result};

/// Threads that compute. Without any of their own it is those that the caller's runtime has for what blocks.
#[derive(Debug, Clone, Default)]
pub struct Aside(Option<Handle>);

impl Aside {
    /// On the threads that this runtime has for what blocks.
    #[must_use]
    pub fn on(runtime: Handle) -> Self {
        Self(Some(runtime))
    }

    /// Computes something. It must not wait for the store: whoever serves requests may be waiting for the same connection.
    pub async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let done = match &self.0 {
            Some(runtime) => runtime.spawn_blocking(compute),
            None => spawn_blocking(compute),
        };
        // Of what nobody waits for any more, nothing is begun.
        let done = AbortOnDropHandle::new(done).await;
        done.map_err(|error| Error::internal(format!("something was not computed: {error}")))
    }
}
