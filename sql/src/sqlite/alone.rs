//! A file that this process has for itself, to fill it.

use std::time::Instant;

use rusqlite::{Connection, Row};

use super::{LIMIT, error};
use crate::{Error, Result};

/// The cache, in KiB and negative. An index that is made sorts as much at once, so it takes memory twice.
const CACHE: i32 = -32_768;

/// Opens a file that is there, and lets nobody in until the connection is closed.
///
/// With a journal instead of a log, pages are written once and where they belong, and of those that a transaction adds to the file
/// nothing is written beside it. What an interrupted transaction leaves is undone by whoever opens the file next.
pub(super) fn open(path: &str) -> Result<Connection> {
    // Somebody who is there stays there.
    LIMIT.set(Some(Instant::now()));
    let connection = open_file(path);
    LIMIT.set(None);
    connection
}

fn open_file(path: &str) -> Result<Connection> {
    let connection = super::open(path).map_err(error)?;
    let text = |row: &Row<'_>| row.get::<_, String>(0);
    connection.query_row("PRAGMA locking_mode = EXCLUSIVE", [], text).map_err(error)?;
    let mode = connection.query_row("PRAGMA journal_mode = DELETE", [], text).map_err(error)?;
    if mode != "delete" {
        return Err(Error::Busy);
    }
    // Nobody is told that something is done while the journal's deletion could still be lost.
    connection.pragma_update(None, "synchronous", "EXTRA").map_err(error)?;
    connection.pragma_update(None, "cache_size", CACHE).map_err(error)?;
    // Each row that refers to another one would look for it. Whoever fills a file has just written or found what the row refers to.
    connection.pragma_update(None, "foreign_keys", false).map_err(error)?;
    Ok(connection)
}
