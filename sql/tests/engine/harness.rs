//! A fresh store per test, and the few things several tests need.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::{LazyLock, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rollbook_sql::testing::{TestDatabase, VARIABLE};
use rollbook_sql::{Engine, Error, Migration, Options, Result, Row, Store, Tx, args};
use tokio::runtime::Runtime;

/// The tables the tests use.
pub const SCHEMA: &[Migration<'_>] = &[Migration {
    number: 1,
    name: "tables",
    text: "
CREATE TABLE items (
    id KEYTEXT PRIMARY KEY,
    owner KEYTEXT NOT NULL,
    n BIGINT NOT NULL
) CLUSTERED;
CREATE UNIQUE INDEX items_by_owner ON items (owner, id);
CREATE TABLE parts (
    id KEYTEXT PRIMARY KEY,
    item KEYTEXT NOT NULL REFERENCES items (id) ON DELETE RESTRICT
) CLUSTERED;
CREATE TABLE samples (id BIGINT PRIMARY KEY, t TEXT, i BIGINT, b BOOLEAN, y BYTES);
",
}];

/// A store of the selected kind with [`SCHEMA`] applied.
pub struct Fixture {
    pub store: Store,
    pub url: String,
    database: TestDatabase,
}

impl Fixture {
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    /// A store opened with changed options. The schema is applied by a store without those
    /// changes, because some of them leave no time for it.
    pub fn with(change: impl FnOnce(&mut Options)) -> Self {
        let fixture = Self::empty(change);
        match fixture.second() {
            None => fixture.store.migrate(SCHEMA).unwrap(),
            Some(patient) => {
                let applied = patient.migrate(SCHEMA).unwrap();
                patient.close();
                applied
            }
        };
        fixture
    }

    /// A store without any table.
    pub fn empty(change: impl FnOnce(&mut Options)) -> Self {
        let database = TestDatabase::new();
        let url = database.url().to_owned();
        let mut options = options(&url);
        change(&mut options);
        Self { store: Store::open(options).unwrap(), url, database }
    }

    /// Another store on the same database, as another process would have it; in memory there is
    /// no such thing.
    pub fn second(&self) -> Option<Store> {
        if self.is_memory() { None } else { Some(Store::open(options(&self.url)).unwrap()) }
    }

    pub fn is_memory(&self) -> bool {
        self.database.is_memory()
    }

    pub fn is_file(&self) -> bool {
        self.database.path().is_some()
    }

    pub fn is_postgres(&self) -> bool {
        !self.is_memory() && !self.is_file()
    }

    /// Runs statements on the server past the store.
    pub fn administer(&self, sql: &str) {
        self.database.administer(sql);
    }

    /// The path of the file, if it is one.
    pub fn path(&self) -> Option<&str> {
        self.url.strip_prefix("sqlite:").filter(|_| self.is_file())
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.store.close();
    }
}

fn options(url: &str) -> Options {
    Options { connections: 4, readers: 2, ..Options::new(url) }
}

/// Says why a test does not apply here.
pub fn skip(reason: &str) {
    eprintln!("not applicable: {reason}");
}

/// A future of the store, already waiting in its queue.
pub type Queued<T, E = Error> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// The runtime whose clock bounds the waiting.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Puts a job into the queue without waiting for its answer. `PostgreSQL` has several connections, so there it may run at once and be
/// answered before this thread looks; elsewhere it waits for whoever is before it.
pub fn enqueue<T: Send + 'static>(
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Queued<T> {
    let mut future: Queued<T> = Box::pin(future);
    match polled(&mut future) {
        Poll::Ready(answer) => {
            let store = std::env::var(VARIABLE).unwrap_or_default();
            assert!(store.starts_with("postgres"), "answered before it was awaited");
            Box::pin(std::future::ready(answer))
        }
        Poll::Pending => future,
    }
}

pub fn is_ready<T>(future: &mut Queued<T>) -> bool {
    polled(future).is_ready()
}

fn polled<T>(future: &mut Queued<T>) -> Poll<Result<T>> {
    let _clock = RUNTIME.enter();
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

/// A job that reports when it runs and then waits to be released.
pub struct Gate {
    entered: mpsc::Receiver<()>,
    release: mpsc::Sender<()>,
}

/// The half of a [`Gate`] that goes into the closure.
pub struct Hold {
    entered: mpsc::Sender<()>,
    release: mpsc::Receiver<()>,
    passed: Cell<bool>,
}

const PATIENCE: Duration = Duration::from_mins(1);

pub fn gate() -> (Gate, Hold) {
    let (enter, entered) = mpsc::channel();
    let (release, released) = mpsc::channel();
    (
        Gate { entered, release },
        Hold { entered: enter, release: released, passed: Cell::new(false) },
    )
}

impl Gate {
    /// Returns once the job runs.
    pub fn entered(&self) {
        self.entered.recv_timeout(PATIENCE).expect("the job never ran");
    }

    pub fn open(&self) {
        self.release.send(()).expect("the job is gone");
    }
}

impl Hold {
    /// Waits for the gate to open; only the first time, because a closure may run again.
    pub fn wait(&self) {
        if self.passed.replace(true) {
            return;
        }
        self.entered.send(()).expect("the test is gone");
        self.release.recv_timeout(PATIENCE).expect("the test never went on");
    }
}

pub fn insert(tx: &mut Tx<'_>, id: &str, n: i64) -> Result<u64> {
    tx.execute("INSERT INTO items (id, owner, n) VALUES ($1, $2, $3)", args![id, "o", n])
}

pub fn count(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one("SELECT COUNT(*) FROM items", args![], number)?.unwrap_or_default())
}

pub fn number(row: &Row<'_>) -> Result<i64> {
    row.get(0)
}

pub fn text(row: &Row<'_>) -> Result<String> {
    row.get(0)
}

/// A statement that runs for minutes if nobody stops it.
pub fn endless(tx: &mut Tx<'_>) -> Result<i64> {
    let sql = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < $1)
               SELECT COUNT(*) FROM c";
    let most = if tx.engine() == Engine::Postgres { 2_000_000_000 } else { i64::MAX };
    Ok(tx.one(sql, args![most], number)?.unwrap_or_default())
}
