//! Connections that read, each lent to the thread that asks: handing a page over to another thread and back costs more than
//! reading it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use rusqlite::Connection;

use super::state::Index;
use super::{LIMIT, Lent, control, error, failure, open, roll_back};
use crate::job::{Meter, Verdict, run};
use crate::tx::{Kind, Tx};
use crate::{Error, Observer, Options, Result, Stamp};

/// What a reader keeps of the file in memory, in KiB: enough for the inner pages of the trees of some million rows.
const CACHE: i64 = 12 * 1024;

/// All connections that read.
pub(crate) struct Readers {
    give: flume::Sender<Reader>,
    free: flume::Receiver<Reader>,
    count: usize,
    waiting: AtomicUsize,
    most_waiting: usize,
    is_closed: AtomicBool,
    /// `None` if the file has none that can be read; then there are no stamps.
    index: Option<Index>,
    observer: Option<Observer>,
}

/// One of them.
struct Reader(Connection);

impl Readers {
    pub(super) fn open(path: &str, options: &Options) -> Result<Self> {
        let count = options.readers.max(1);
        let (give, free) = flume::bounded(count);
        let mut index = None;
        for _ in 0..count {
            let reader = Reader::open(path)?;
            index = index.or_else(|| reader.index());
            give.try_send(reader).map_err(|_| Error::Closed)?;
        }
        Ok(Self {
            give,
            free,
            count,
            waiting: AtomicUsize::new(0),
            most_waiting: options.queue,
            is_closed: AtomicBool::new(false),
            index,
            observer: options.observer.clone(),
        })
    }

    /// Runs `f` on this thread as soon as a connection is free.
    pub(crate) async fn read<T, E: From<Error>>(
        &self,
        deadline: Instant,
        meter: &Meter,
        f: impl Fn(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let reader = self.take(deadline, meter).await;
        self.run(reader.inspect_err(|error| meter.count(Some(error), false))?, deadline, meter, f)
    }

    /// The same for a thread that may be blocked.
    pub(crate) fn read_blocking<T, E: From<Error>>(
        &self,
        deadline: Instant,
        meter: &Meter,
        f: impl Fn(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let reader = self.take_blocking(deadline, meter);
        self.run(reader.inspect_err(|error| meter.count(Some(error), false))?, deadline, meter, f)
    }

    async fn take(&self, deadline: Instant, meter: &Meter) -> Result<Reader> {
        if let Some(reader) = self.try_take()? {
            return Ok(reader);
        }
        let _place = (self.line_up()?, meter.waiting());
        let free = tokio::time::timeout_at(deadline.into(), self.free.recv_async()).await;
        free.map_err(|_| Error::Deadline)?.map_err(|_| Error::Closed)
    }

    fn take_blocking(&self, deadline: Instant, meter: &Meter) -> Result<Reader> {
        if let Some(reader) = self.try_take()? {
            return Ok(reader);
        }
        let _place = (self.line_up()?, meter.waiting());
        self.free.recv_deadline(deadline).map_err(|_| Error::Deadline)
    }

    /// The present state, if it can be told.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        self.index.and_then(Index::stamp)
    }

    /// Lets those who wait finish, then closes all connections, waiting for each no longer than until then.
    pub(crate) fn close(&self, limit: Instant) -> Result<()> {
        self.is_closed.store(true, Ordering::SeqCst);
        for _ in 0..self.count {
            self.free.recv_deadline(limit).map_err(|_| Error::Deadline)?;
        }
        Ok(())
    }

    fn try_take(&self) -> Result<Option<Reader>> {
        if self.is_closed.load(Ordering::SeqCst) {
            Err(Error::Closed)
        } else {
            Ok(self.free.try_recv().ok())
        }
    }

    /// A place in the line, unless it is too long.
    fn line_up(&self) -> Result<Place<'_>> {
        let before = self.waiting.fetch_add(1, Ordering::SeqCst);
        let place = Place(&self.waiting);
        if before < self.most_waiting { Ok(place) } else { Err(Error::Busy) }
    }

    fn run<T, E: From<Error>>(
        &self,
        reader: Reader,
        deadline: Instant,
        meter: &Meter,
        f: impl Fn(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let started = Instant::now();
        let mut result = None;
        let verdict = reader.run(deadline, self.observer.as_ref(), self.index, &mut |tx| {
            result.insert(f(tx)).is_ok()
        });
        let _ = self.give.try_send(reader);
        let accepted = matches!(verdict, Verdict::Accepted);
        let failure = failure(verdict);
        meter.record(failure.as_ref(), accepted, started);
        match (failure, result) {
            (None, Some(result)) => result,
            (failure, _) => Err(failure.unwrap_or(Error::Closed).into()),
        }
    }
}

/// A place in the line.
struct Place<'r>(&'r AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Reader {
    fn open(path: &str) -> Result<Self> {
        let connection = open(path).map_err(error)?;
        connection.pragma_update(None, "query_only", true).map_err(error)?;
        connection.pragma_update(None, "cache_size", -CACHE).map_err(error)?;
        Ok(Self(connection))
    }

    fn index(&self) -> Option<Index> {
        pin(&self.0).ok()?;
        Index::beside(Path::new(self.0.path()?)).ok()
    }

    fn run(
        &self,
        deadline: Instant,
        observer: Option<&Observer>,
        index: Option<Index>,
        work: &mut dyn FnMut(&mut Tx<'_>) -> bool,
    ) -> Verdict {
        if Instant::now() >= deadline {
            return Verdict::Failed(Error::Deadline.into());
        }
        LIMIT.set(Some(deadline));
        let verdict = match self.begin(index) {
            Ok(stamp) => {
                let mut lent = Lent::new(&self.0, stamp);
                run(Tx::new(&mut lent, Kind::Read, deadline, observer), work)
            }
            Err(error) => Verdict::Failed(error.into()),
        };
        roll_back(&self.0);
        verdict
    }

    /// Takes a snapshot. Its state is what the index says both before and after that.
    fn begin(&self, index: Option<Index>) -> Result<Option<Stamp>> {
        control(&self.0, "BEGIN")?;
        let before = index.and_then(Index::stamp);
        pin(&self.0)?;
        Ok(before.filter(|before| index.and_then(Index::stamp) == Some(*before)))
    }
}

/// Reads something, because a transaction has its snapshot only from then on.
fn pin(connection: &Connection) -> Result<()> {
    let mut statement = connection.prepare_cached("PRAGMA data_version").map_err(error)?;
    statement.query_row([], |_| Ok(())).map_err(error)
}
