//! What a store is opened with.

use std::fmt;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use crate::Arg;

/// Sees the text and the arguments of every statement just before it runs, so that tests can
/// collect statements and assert their query plans.
pub type Observer = Arc<dyn Fn(&str, &[Arg<'_>]) + Send + Sync>;

/// Which engine stands behind a store; only diagnostics and tests should ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// `SQLite`, in this process.
    Sqlite,
    /// `PostgreSQL`, over a connection.
    Postgres,
}

/// Where a store lives and how much it may use.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:PATH`, `sqlite::memory:` or `postgres://…`. With several hosts the driver is told
    /// to look for the one that takes writes, unless the URL says otherwise. Certificates are
    /// always checked, whatever `sslmode` asks for TLS.
    pub url: String,
    /// Connections that read a `SQLite` file, each lent to one thread at a time.
    pub readers: usize,
    /// Threads that talk to `PostgreSQL`, each with a connection of its own.
    pub connections: usize,
    /// How many jobs may wait per queue; one more is answered [`Busy`](crate::Error::Busy) at once.
    pub queue: usize,
    /// A job's whole life in the store: waiting, running and running again.
    pub deadline: Duration,
    /// Whether this process loads: it writes so much at once that `SQLite` is to have a larger cache and a longer log, and nobody in it
    /// waits for single changes.
    pub is_loading: bool,
    /// Whether nobody else may have a `SQLite` file open, which must be there. Then one connection does everything and needs no log: of
    /// pages that are new nothing has to be kept for undoing them. Opening is [`Busy`](crate::Error::Busy) if somebody has it open, and
    /// so is whoever opens it meanwhile.
    pub is_alone: bool,
    /// See [`Observer`].
    pub observer: Option<Observer>,
}

impl Options {
    /// The defaults for a server of moderate size.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            readers: available_parallelism().map_or(2, usize::from).clamp(2, 8),
            connections: 16,
            queue: 1024,
            deadline: Duration::from_secs(10),
            is_loading: false,
            is_alone: false,
            observer: None,
        }
    }

    /// The URL as it may be shown: without its password.
    #[must_use]
    pub fn shown_url(&self) -> String {
        redacted(&self.url)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &self.shown_url())
            .field("readers", &self.readers)
            .field("connections", &self.connections)
            .field("queue", &self.queue)
            .field("deadline", &self.deadline)
            .field("is_loading", &self.is_loading)
            .field("is_alone", &self.is_alone)
            .field("observer", &self.observer.is_some())
            .finish()
    }
}

/// The URL without its password, wherever that stands.
fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let open = match rest.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split(':').next().unwrap_or_default()),
        None => rest.to_owned(),
    };
    let (place, query) = open.split_once('?').unwrap_or((&open, ""));
    let kept: Vec<&str> = query.split('&').filter(|p| !p.starts_with("password=")).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{scheme}://{place}{mark}{}", kept.join("&"))
}
