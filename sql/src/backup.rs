//! What a backup of a `SQLite` file needs to know of `SQLite`: how to copy it while it is in use, how to tell that a copy is
//! sound, and how to tell that nobody uses a file.
//!
//! Names, permissions and the syncing of folders are the caller's: a copy goes into a file that exists already.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::{Error, Result};

/// How long another connection may lock readers out. Only one that repairs the file after a crash does that.
const PATIENCE: Duration = Duration::from_secs(10);

/// The file behind a store's URL; `None` for a store in memory or on a server.
#[must_use]
pub fn file(url: &str) -> Option<&Path> {
    url.strip_prefix("sqlite:").filter(|path| *path != ":memory:").map(Path::new)
}

/// The files that belong to a database file: what was written last stands in them while it is in use and after a crash.
#[must_use]
pub fn companions(file: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|suffix| {
        let mut name = OsString::from(file);
        name.push(suffix);
        name.into()
    })
}

/// Copies the store in `file` as it is at one moment into `copy`, an empty file, and looks the copy over.
///
/// It reads one snapshot on a connection of its own, so others may read and write meanwhile and neither side waits. Nothing is
/// synced: the caller knows when the copy is complete. However long it takes, no deadline of a request's applies.
pub fn copy(file: &Path, copy: &Path) -> Result<()> {
    let failed = |cause: &dyn Display| {
        let remedy = "it must be a rollbook store that this user may read and write, and the disk must have room for the copy";
        Error::Unavailable(format!("cannot copy {}: {cause}; {remedy}", file.display()))
    };
    // Absolute, because SQLite takes a name that begins with "file:" for a URI.
    let target = absolute(copy).map_err(|e| failed(&e))?;
    let target = target.to_str().ok_or_else(|| failed(&"the new file's name is not UTF-8"))?;
    // Opened for writing, although it writes nothing: only so can it read what a killed server left in its log.
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|e| failed(&e))?;
    connection
        .query_row("SELECT COUNT(*) FROM schema_migrations", [], |_| Ok(()))
        .and_then(|()| connection.execute("VACUUM INTO ?1", [target]))
        .map_err(|e| failed(&e))?;
    verdict(copy, "PRAGMA quick_check(1)")
}

/// Checks every page, row and index of a copy that nobody writes to.
pub fn check(copy: &Path) -> Result<()> {
    verdict(copy, "PRAGMA integrity_check(1)")
}

fn verdict(copy: &Path, pragma: &str) -> Result<()> {
    let damaged = |cause: &dyn Display| Error::Unavailable(format!("the copy is damaged: {cause}"));
    let verdict: String = open(copy, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|copy| copy.query_row(pragma, [], |row| row.get(0)))
        .map_err(|e| damaged(&e))?;
    if verdict == "ok" { Ok(()) } else { Err(damaged(&verdict)) }
}

/// Never creates the file: a copy of nothing would be worth nothing.
fn open(file: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// A database file that no other process is connected to, and none can connect to while this lives.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

impl Claim {
    /// Claims the file, or answers [`Error::Busy`] if another process has it open.
    ///
    /// Every connection to a file with a write-ahead log holds a shared lock on it from its first statement to its end, busy or
    /// idle, and the kernel takes the lock from a process that dies. So the exclusive lock is free exactly when nobody is
    /// connected. It is taken from the kernel and not through `SQLite`, which would have to read the file first, and it may be
    /// damaged. Not seen: a process on another machine that shares the disk, and one that has opened the file but not read from it
    /// yet.
    ///
    /// This process must have no connection to the file: closing a file drops all locks that a process has on it.
    pub fn new(file: &Path) -> Result<Self> {
        let failed = |cause: std::io::Error| {
            Error::Unavailable(format!("cannot lock {}: {cause}", file.display()))
        };
        let handle = File::options().read(true).write(true).open(file).map_err(failed)?;
        match fcntl_lock(&handle, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _lock: handle }),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Err(Error::Busy),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Closes a store that was killed: what its log holds goes into the file, so that the two need not stay together. A damaged
    /// file keeps its log.
    pub fn tidied(file: &Path) -> Result<Self> {
        drop(Self::new(file)?);
        let closed = open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .and_then(|connection| connection.query_row("PRAGMA schema_version", [], |_| Ok(())));
        if let Err(error) = closed {
            tracing::debug!(%error, "the file keeps its log");
        }
        Self::new(file)
    }
}
