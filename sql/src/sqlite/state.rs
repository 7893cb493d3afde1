//! In which state a `SQLite` file is, without asking `SQLite`: that would take and release a lock of the whole process, on which
//! the threads that ask meet.
//!
//! Beside a file with a write-ahead log lies the index of that log, `…-shm`, which all processes share. It begins with a header of
//! 48 bytes, twice, that every commit replaces before it is acknowledged (<https://www.sqlite.org/walformat.html>, "WAL-Index
//! Header"): a count of changes, the end of the log, and checksums over all of it. Two equal headers are the same state.
//! A header that is being replaced, or of a form that is not known here, is no state: then nothing is kept.

use std::collections::HashMap;
use std::fs::{File, metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::Stamp;

/// The length of the header.
const HEADER: usize = 48;
/// The only form of the index so far, which the header begins with.
const FORM: u32 = 3_007_000;

/// The index of the log of one file.
#[derive(Clone, Copy)]
pub(super) struct Index(&'static File);

/// Every index that was opened, by device and inode. They are never closed: when a process closes a file, it loses all
/// locks that it holds on it, and these would be `SQLite`'s.
static OPEN: LazyLock<Mutex<HashMap<(u64, u64), &'static File>>> = LazyLock::new(Mutex::default);

impl Index {
    /// Opens the index beside a database, on which there must be a connection that has read from it.
    pub(super) fn beside(database: &Path) -> io::Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push("-shm");
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let found = metadata(&path)?;
        if let Some(file) = open.get(&(found.dev(), found.ino())) {
            return Ok(Self(file));
        }
        let file: &'static File = Box::leak(Box::new(File::open(&path)?));
        let opened = file.metadata()?;
        open.insert((opened.dev(), opened.ino()), file);
        Ok(Self(file))
    }

    /// The present state, if it can be told.
    pub(super) fn stamp(self) -> Option<Stamp> {
        let mut bytes = [0; 2 * HEADER];
        self.0.read_exact_at(&mut bytes, 0).ok()?;
        let (first, second) = bytes.split_at(HEADER);
        let form = u32::from_ne_bytes(first[..4].try_into().ok()?);
        if first != second || form != FORM {
            return None;
        }
        let mut stamp = [0; HEADER / 8];
        for (word, bytes) in stamp.iter_mut().zip(first.chunks_exact(8)) {
            *word = u64::from_ne_bytes(bytes.try_into().ok()?);
        }
        Some(Stamp(stamp))
    }
}
