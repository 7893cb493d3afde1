//! Bringing what is in the write-ahead log into the file, on a thread of its own: it copies megabytes and syncs them, and whoever
//! changes something meanwhile waits for the log alone.

use std::cell::Cell;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use rusqlite::{Connection, Row};

use super::{error, open};
use crate::{Error, Result};

/// When the log is brought into the file, in pages of the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Each time that it has grown by so many.
    portion: i32,
    /// From so many on, the connection that writes does it itself between two commits. Only then is all of the log in the file for a
    /// moment although more is written all the time, and the log begins anew.
    most: i32,
}

impl Sizes {
    /// For a process that serves: 4 MiB at a time and 32 MiB in all.
    pub(super) const SERVING: Self = Self { portion: 1000, most: 8192 };
    /// For one that loads: 64 MiB, so that a page is copied from it once for several transactions, and 256 MiB.
    pub(super) const LOADING: Self = Self { portion: 16_384, most: 65_536 };

    /// If somebody still read an older state, it is tried again when the log has grown by so many more.
    fn again(self) -> i32 {
        self.portion / 8
    }
}

/// Looks after the log of the connection that writes.
pub(super) struct Checkpoints {
    sizes: Sizes,
    /// How many pages the log had after the last commit.
    pages: Arc<AtomicI32>,
    /// How many it had when it was last asked for.
    asked: Cell<i32>,
    /// How many it had when the writer last did it.
    done: Cell<i32>,
    wake: flume::Sender<()>,
    turn: Arc<Mutex<()>>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    /// Takes over from `SQLite`, which would do it at the end of a commit, before that is acknowledged.
    pub(super) fn start(path: &str, writer: &mut Connection, sizes: Sizes) -> Result<Self> {
        let pages = Arc::<AtomicI32>::default();
        let count = Arc::clone(&pages);
        let hook = move |_: &mut rusqlite::hooks::Wal, now| {
            count.store(now, Ordering::Relaxed);
            Ok(())
        };
        writer.wal_hook(Some(hook)).map_err(error)?;
        let connection = open(path).map_err(error)?;
        // The tables are looked at now, when waiting for somebody else's lock has a limit.
        connection.query_row("PRAGMA schema_version", [], |_| Ok(())).map_err(error)?;
        let (wake, woken) = flume::bounded(1);
        let turn = Arc::<Mutex<()>>::default();
        let own = Arc::clone(&turn);
        let work = move || {
            while woken.recv().is_ok() {
                let _turn = own.lock().unwrap_or_else(PoisonError::into_inner);
                checkpoint(&connection);
            }
        };
        let thread = Builder::new().name("store-checkpoint".to_owned()).spawn(work);
        let thread = thread.map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self { sizes, pages, asked: Cell::new(0), done: Cell::new(0), wake, turn, thread })
    }

    /// To be called after each commit, when nobody waits for it any more.
    pub(super) fn look(&self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.asked.get() {
            self.asked.set(0);
            self.done.set(0);
        }
        let Sizes { portion, most } = self.sizes;
        if pages >= most && pages >= self.done.get() + portion {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let is_all = checkpoint(writer);
            self.done.set(if is_all { pages } else { pages - portion + self.sizes.again() });
        } else if pages >= self.asked.get() + portion {
            self.asked.set(pages);
            // Somebody who is woken already looks at all of the log.
            let _ = self.wake.try_send(());
        }
    }

    /// Ends the thread, and with it its connection.
    pub(super) fn stop(self) {
        drop(self.wake);
        let _ = self.thread.join();
    }
}

/// Brings as much of the log into the file as nobody reads an older state of, unless another process is at it; waits for nobody. Answers
/// whether all of the log is in the file.
fn checkpoint(connection: &Connection) -> bool {
    let pages = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], pages) {
        Ok::<(bool, i64, i64), _>((is_busy, all, done)) => !is_busy && all == done,
        Err(error) => {
            // What is in the log stays there, and is read from there.
            tracing::warn!(%error, "the write-ahead log could not be brought into the file");
            false
        }
    }
}
