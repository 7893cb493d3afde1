//! `SQLite`: one thread that writes and commits for many, some that read.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, ToSql, ffi};

use crate::error::Fault;
use crate::insert::SQLITE_VERB;
use crate::job::{Lane, Verdict};
use crate::stamp::Epoch;
use crate::tx::{Kind, Session};
use crate::value::{Cells, mistyped};
use crate::{Arg, Engine, Error, Image, Options, Result, Row, Stamp};

mod alone;
mod checkpoints;
mod readers;
mod state;
mod writer;

use checkpoints::{Checkpoints, Sizes};
pub(crate) use readers::Readers;

/// How many compiled statements a connection keeps.
const STATEMENTS: usize = 256;
/// The cache of a connection that loads, in KiB and negative: it holds the pages that one transaction changes, and the upper ones of
/// every index. What does not fit is written to the log before its time, and once more later.
const LOADING_CACHE: i32 = -16_384;
/// How often a running statement looks at the clock, in instructions of `SQLite`'s machine.
const STEPS_PER_LOOK: i32 = 1000;
/// How often a connection looks whether another one's lock is gone.
const NAP: Duration = Duration::from_millis(1);

thread_local! {
    /// Until when the connection of this thread may run or wait. `SQLite` asks for it through
    /// callbacks that take no argument of ours.
    static LIMIT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Opens the database at `path` (what follows `sqlite:`), starts the thread that writes, and opens the connections that read:
/// none for a database in memory, which is one connection.
pub(crate) fn start(path: &str, options: &Options) -> Result<Started> {
    if path == ":memory:" {
        return in_memory(Connection::open_in_memory().map_err(error)?, options);
    }
    if options.is_alone {
        return only_connection(alone::open(path)?, options);
    }
    LIMIT.set(Some(Instant::now() + options.deadline));
    let mut writer = open_writer(path)?;
    let mut sizes = Sizes::SERVING;
    if options.is_loading {
        writer.pragma_update(None, "cache_size", LOADING_CACHE).map_err(error)?;
        sizes = Sizes::LOADING;
    }
    let checkpoints = Checkpoints::start(path, &mut writer, sizes)?;
    let readers = Readers::open(path, options)?;
    LIMIT.set(None);
    let epoch = Arc::new(Epoch::default());
    let lane =
        writer::start("store-writer", (writer, Some(checkpoints)), writer::GROUP, options, &epoch)?;
    Ok(Started { lane, readers: Some(readers), epoch })
}

/// Opens a database in memory that has what is in the image.
pub(crate) fn start_from(image: &Image, options: &Options) -> Result<Started> {
    let mut connection = Connection::open_in_memory().map_err(error)?;
    connection
        .deserialize_read_exact(MAIN_DB, image.bytes(), image.bytes().len(), false)
        .map_err(error)?;
    in_memory(connection, options)
}

fn in_memory(connection: Connection, options: &Options) -> Result<Started> {
    only_connection(configured(connection).map_err(error)?, options)
}

/// One connection that reads and writes for everybody.
fn only_connection(connection: Connection, options: &Options) -> Result<Started> {
    let epoch = Arc::new(Epoch::default());
    let lane = writer::start("store", (connection, None), 1, options, &epoch)?;
    Ok(Started { lane, readers: None, epoch })
}

/// A database that is open.
pub(crate) struct Started {
    /// Takes writes, and reads too where nobody else does.
    pub lane: Lane,
    pub readers: Option<Readers>,
    /// Counts the states of a database that only this process can change.
    pub epoch: Arc<Epoch>,
}

/// Opens the file, creating it for this user only: it will hold secrets' hashes and audit events.
fn open_writer(path: &str) -> Result<Connection> {
    let explained = |cause: &dyn std::fmt::Display| {
        Error::Unavailable(format!(
            "cannot open {path}: {cause}; the file must be a rollbook store, and it and its folder \
             must exist on a local disk and be writable by this user"
        ))
    };
    if path.is_empty() || (path.starts_with("//") && !path.starts_with("///")) {
        return Err(explained(&"write sqlite:PATH, for example sqlite:/var/lib/rollbook/store.db"));
    }
    let create = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    create.map_err(|e| explained(&e))?;
    let connection = open(path).map_err(|e| explained(&e))?;
    // Two processes that open a new file at once collide here without the busy handler being asked.
    let mode = loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |r| r.get::<_, String>(0)) {
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && wait(0) => {}
            answer => break answer.map_err(|e| explained(&e))?,
        }
    };
    if mode == "wal" { Ok(connection) } else { Err(explained(&"no write-ahead log here")) }
}

fn open(path: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).and_then(configured)
}

fn configured(mut connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_handler(Some(wait))?;
    connection.progress_handler(STEPS_PER_LOOK, Some(|| !time_left()))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // A plan follows from its statement alone; otherwise a range is planned again for each value that is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

fn time_left() -> bool {
    LIMIT.get().is_none_or(|limit| Instant::now() < limit)
}

/// Waits a little for another connection's lock; `false` gives up.
#[expect(clippy::disallowed_methods, reason = "SQLite does not tell when a lock is released")]
fn wait(_attempt: i32) -> bool {
    thread::sleep(NAP);
    time_left()
}

/// Ends the transaction if there still is one; what has to be kept was committed.
fn roll_back(connection: &Connection) {
    LIMIT.set(None);
    if !connection.is_autocommit()
        && let Err(error) = control(connection, "ROLLBACK")
    {
        tracing::error!(%error, "rolling back failed");
    }
}

fn control(connection: &Connection, sql: &str) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(error)?;
    statement.raw_execute().map(drop).map_err(error)
}

fn failure(verdict: Verdict) -> Option<Error> {
    if let Verdict::Failed(fault) = verdict { Some(fault.error) } else { None }
}

/// A connection in the hands of a closure.
struct Lent<'c> {
    connection: &'c Connection,
    stamp: Option<Stamp>,
    /// Whether a statement ran whose changes are not counted as rows, such as one that changes the schema.
    changed_more_than_rows: bool,
    #[cfg(feature = "testing")]
    steps: u64,
}

/// How statements begin whose changes are rows.
const OF_ROWS: [&str; 5] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];

impl<'c> Lent<'c> {
    fn new(connection: &'c Connection, stamp: Option<Stamp>) -> Self {
        Self {
            connection,
            stamp,
            changed_more_than_rows: false,
            #[cfg(feature = "testing")]
            steps: 0,
        }
    }
}

impl Session for Lent<'_> {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn statement(
        &mut self,
        kind: Kind,
        sql: &str,
        args: &[Arg<'_>],
        row: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<u64, Fault> {
        let mut statement = self.connection.prepare_cached(sql).map_err(error)?;
        if kind == Kind::Read && !statement.readonly() {
            return Err(Error::Statement(format!("a read must not write: {sql}")).into());
        }
        if kind == Kind::Write && !OF_ROWS.iter().any(|word| sql.trim_start().starts_with(word)) {
            self.changed_more_than_rows |= !statement.readonly();
        }
        bind(&mut statement, args, sql)?;
        let mut rows = statement.raw_query();
        let outcome = loop {
            match rows.next().map_err(error) {
                Ok(Some(cells)) => row(&Row(cells))?,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(rows);
        // A broken constraint leaves a count of what was changed before it; nothing else promises one.
        if !matches!(outcome, Ok(()) | Err(Error::Duplicate | Error::MissingReference)) {
            self.changed_more_than_rows |= !statement.readonly();
        }
        #[cfg(feature = "testing")]
        {
            let steps = statement.reset_status(rusqlite::StatementStatus::VmStep);
            self.steps += u64::try_from(steps).unwrap_or_default();
        }
        outcome?;
        Ok(self.connection.changes())
    }

    #[cfg(feature = "testing")]
    fn steps(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn changes(&self) -> u64 {
        self.connection.changes()
    }

    fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    fn image(&self) -> Result<Image> {
        if self.connection.path().is_some_and(|path| !path.is_empty()) {
            return Err(Error::Statement("only a store in memory has an image".to_owned()));
        }
        // Only a connection of one's own can be serialized, and this one is lent.
        let mut copy = Connection::open_in_memory().map_err(error)?;
        Backup::new(self.connection, &mut copy)
            .and_then(|backup| backup.step(-1).map(drop))
            .map_err(error)?;
        let bytes = copy.serialize(MAIN_DB).map_err(error)?;
        Ok(Image(Arc::from(&*bytes)))
    }
}

/// Binds by name, because `SQLite` numbers `$3` by where it first appears and not by its digit; by place where the store made the text.
fn bind(statement: &mut rusqlite::Statement<'_>, args: &[Arg<'_>], sql: &str) -> Result<()> {
    let wrong = || Error::Statement(format!("not exactly $1…${} in: {sql}", args.len()));
    if statement.parameter_count() != args.len() {
        return Err(wrong());
    }
    let has_places = sql.starts_with(SQLITE_VERB);
    for place in 1..=args.len() {
        let number = if has_places {
            Some(place)
        } else {
            let name = statement.parameter_name(place);
            name.and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok())
        };
        let arg = number.and_then(|n| args.get(n.checked_sub(1)?)).ok_or_else(wrong)?;
        statement.raw_bind_parameter(place, arg).map_err(error)?;
    }
    Ok(())
}

impl ToSql for Arg<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Bool(truth) => ValueRef::Integer((*truth).into()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Cells for rusqlite::Row<'_> {
    fn value(&self, index: usize) -> Result<Arg<'_>> {
        match self.get_ref(index).map_err(error)? {
            ValueRef::Null => Ok(Arg::Null),
            ValueRef::Integer(number) => Ok(Arg::Int(number)),
            ValueRef::Blob(bytes) => Ok(Arg::Bytes(bytes)),
            ValueRef::Text(text) => std::str::from_utf8(text)
                .map(Arg::Text)
                .map_err(|_| Error::Statement(format!("column {index} is not UTF-8"))),
            ValueRef::Real(_) => Err(Error::Statement(format!("column {index} is a fraction"))),
        }
    }

    fn bytes_of_text(&self, index: usize) -> Result<Option<&[u8]>> {
        match self.get_ref(index).map_err(error)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => Ok(Some(text)),
            _ => Err(mistyped::<Option<&str>>(index)),
        }
    }
}

/// What an error of `SQLite` means. Only the codes a wrong statement can cause are our defect.
#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn error(error: rusqlite::Error) -> Error {
    let Some(cause) = error.sqlite_error() else {
        return Error::Statement(error.to_string());
    };
    match (cause.code, cause.extended_code) {
        (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => Error::Duplicate,
        // ON DELETE RESTRICT is a trigger inside SQLite; we write none ourselves.
        (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_CONSTRAINT_TRIGGER) => {
            Error::MissingReference
        }
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Error::Busy,
        (ErrorCode::OperationInterrupted, _) => Error::Deadline,
        (
            ErrorCode::Unknown
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::TooBig
            | ErrorCode::ApiMisuse
            | ErrorCode::ParameterOutOfRange,
            _,
        ) => Error::Statement(error.to_string()),
        _ => Error::Unavailable(error.to_string()),
    }
}
