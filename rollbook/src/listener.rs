//! The accept loop: how many connections there may be, and what happens to them when the server stops.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics::Gauge;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::connection::Terms;

/// How many connections may wait in the kernel. It takes the smaller of this and `net.core.somaxconn`.
const BACKLOG: u32 = 4096;
/// How long to wait after the system had no resources for one more connection.
const RECOVERY: Duration = Duration::from_millis(250);

/// An address that is taken but not served yet. Taken first, so that a second server on the same port fails before it touches
/// the store; served last, so that nobody is let in before everything is ready.
pub struct Claim(TcpSocket);

impl Claim {
    /// Takes the address. Needs a runtime around it.
    pub fn new(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Or a restart would have to wait for the old connections to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self(socket))
    }

    /// The address, with the port that the system chose if it was left open.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Lets connections in, at most `connections` at a time, which are counted in `open`.
    pub fn listen(self, connections: u32, open: Gauge) -> io::Result<Listener> {
        Ok(Listener { socket: self.0.listen(BACKLOG)?, connections, open })
    }
}

/// A listening socket.
pub struct Listener {
    socket: TcpListener,
    connections: u32,
    open: Gauge,
}

impl Listener {
    /// Serves connections until `terms.stop`, then waits for `patience` until those that are open have finished.
    pub async fn serve(self, terms: Terms, patience: Duration) {
        let permits = Arc::new(Semaphore::new(self.connections as usize));
        loop {
            let (permit, stream, peer) = tokio::select! {
                biased;
                () = terms.stop.cancelled() => break,
                accepted = self.accept(&permits) => accepted,
            };
            let open = Open::count(&self.open, permit);
            let serving = terms.clone().serve(stream, peer);
            tokio::spawn(async move {
                serving.await;
                drop(open);
            });
        }
        // Whoever connects from now on is told at once that nobody is here.
        drop(self.socket);
        // Every connection holds a permit: when all are back, all connections are gone.
        if timeout(patience, permits.acquire_many(self.connections)).await.is_err() {
            let open = self.connections as usize - permits.available_permits();
            tracing::warn!(connections = open, "not everything was finished in time");
        }
    }

    /// The next connection. The permit is taken first: beyond the cap, connections wait in the kernel and cost nothing here.
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing tells when the system has resources again"
    )]
    async fn accept(
        &self,
        permits: &Arc<Semaphore>,
    ) -> (OwnedSemaphorePermit, TcpStream, SocketAddr) {
        let permit =
            Arc::clone(permits).acquire_owned().await.expect("nobody closes the semaphore");
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => return (permit, stream, peer),
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections; raise the limit on open files if this lasts");
                    sleep(RECOVERY).await;
                }
            }
        }
    }
}

/// Whether the client was gone before it was accepted, which says nothing about the next one.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// One open connection: counted while it lives, and its place in the cap.
struct Open {
    open: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    fn count(open: &Gauge, permit: OwnedSemaphorePermit) -> Self {
        open.increment(1);
        Self { open: open.clone(), _permit: permit }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.open.decrement(1);
    }
}
