//! A database of one's own for a test, of the kind that the run selects. One suite runs on every engine that way.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use ::postgres::Client;
use tempfile::TempDir;

/// The environment variable that selects the kind: `memory` (or nothing), `file`, or the URL of a `PostgreSQL` server.
pub const VARIABLE: &str = "ROLLBOOK_TEST_STORE";

/// A database whose own order is English, not bytewise, so that a key that forgets to ask for byte order shows.
const EMPTY: &str = "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'";

/// An empty database; gone, with all that was put into it, when this is dropped.
pub struct TestDatabase {
    url: String,
    place: Place,
}

enum Place {
    Memory,
    File(TempDir),
    Postgres { server: String, name: String },
}

impl TestDatabase {
    /// A database of the kind that the environment selects.
    ///
    /// # Panics
    /// When it cannot be made; a test cannot go on without one.
    #[must_use]
    pub fn new() -> Self {
        match std::env::var(VARIABLE).as_deref() {
            Err(_) | Ok("memory") => {
                Self { url: "sqlite::memory:".to_owned(), place: Place::Memory }
            }
            Ok("file") => Self::file(),
            Ok(server) => Self::on_server(server.to_owned(), EMPTY),
        }
    }

    /// The same, with what `fill` puts into the database at a URL. A server does that once for each `version` and
    /// copies it from then on. The original stays there for the runs to come.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    pub fn filled(version: impl Hash, fill: impl FnOnce(&str)) -> Self {
        static ORIGINAL: OnceLock<String> = OnceLock::new();
        let server = match std::env::var(VARIABLE) {
            Ok(server) if server != "memory" && server != "file" => server,
            _ => {
                let database = Self::new();
                fill(database.url());
                return database;
            }
        };
        let original = ORIGINAL.get_or_init(|| original(&server, version, fill));
        Self::on_server(server, &format!("TEMPLATE {original} STRATEGY file_copy"))
    }

    /// The same for tests of whole processes, which cannot share a memory: a file instead.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    pub fn shared() -> Self {
        let database = Self::new();
        if matches!(database.place, Place::Memory) { Self::file() } else { database }
    }

    /// A file of SQLite's, whatever the environment selects.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    pub fn file() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        Self { url, place: Place::File(folder) }
    }

    fn on_server(server: String, like: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "rollbook_test_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        administer(&server, &format!("CREATE DATABASE {name} {like}"));
        let (base, query) = server.split_once('?').unwrap_or((&server, ""));
        let (host, _) = base.rsplit_once('/').expect("the server's URL ends with a database");
        let url = format!("{host}/{name}?{query}");
        Self { url: url.trim_end_matches('?').to_owned(), place: Place::Postgres { server, name } }
    }

    /// What [`Options::new`](crate::Options::new) takes.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the database ends with the store that opened it.
    #[must_use]
    pub fn is_memory(&self) -> bool {
        matches!(self.place, Place::Memory)
    }

    /// The file, if it is one.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        let Place::File(folder) = &self.place else { return None };
        Some(folder.path().join("store.db"))
    }

    /// Runs statements past every store, on a connection of their own. For what a store would refuse.
    ///
    /// # Panics
    /// When the database is not a server's, or refuses.
    pub fn administer(&self, sql: &str) {
        administer(&self.url, sql);
    }
}

impl Default for TestDatabase {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Place::Postgres { server, name } = &self.place {
            administer(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

/// The name of the filled database that others are copied from. It gets its name when it is complete, and the first of
/// several processes gives it.
fn original(server: &str, version: impl Hash, fill: impl FnOnce(&str)) -> String {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    let original = format!("rollbook_original_{:x}", hasher.finish());
    let is_there = format!("SELECT FROM pg_database WHERE datname = '{original}'");
    if count(server, &is_there) == 0 {
        let draft = TestDatabase::on_server(server.to_owned(), EMPTY);
        fill(draft.url());
        let Place::Postgres { name, .. } = &draft.place else { unreachable!("it is on a server") };
        let rename = format!("ALTER DATABASE {name} RENAME TO {original}");
        if let Err(error) = run(server, |client| client.batch_execute(&rename)) {
            assert_eq!(count(server, &is_there), 1, "another process was first, or else: {error}");
        }
    }
    original
}

fn count(server: &str, query: &str) -> usize {
    run(server, |client| client.query(query, &[])).expect("the server answers").len()
}

/// On a thread of its own: the driver blocks, and a test may be asynchronous.
fn run<T: Send>(
    url: &str,
    act: impl FnOnce(&mut Client) -> Result<T, ::postgres::Error> + Send,
) -> Result<T, ::postgres::Error> {
    let run = || act(&mut Client::connect(url, ::postgres::NoTls)?);
    std::thread::scope(|scope| scope.spawn(run).join()).expect("the driver does not panic")
}

fn administer(url: &str, sql: &str) {
    run(url, |client| client.batch_execute(sql)).expect("the server does as it is told");
}
