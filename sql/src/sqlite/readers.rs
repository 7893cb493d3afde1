//! Connections that read, each lent to the thread that asks: handing a page over to another thread and back costs more than
//! reading it.

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use rusqlite::{CachedStatement, Connection, Rows};

use super::state::Index;
use super::{LIMIT, Lent, error, failure, open, roll_back};
use crate::job::{Meter, Verdict, run};
use crate::tx::{Kind, Tx};
use crate::{Error, Observer, Options, Result, Stamp};

/// What a reader keeps of the file in memory, in KiB: enough for the inner pages of the trees of some million rows.
const CACHE: i64 = 12 * 1024;

/// All connections that read.
pub(crate) struct Readers {
    /// Those that are free. A thread gets the one that it had last, because what that needs for a page lies in the cache of the
    /// thread's processor; if that is lent, the one that was given back last, because that keeps what was read most lately.
    free: Mutex<Vec<Reader>>,
    /// As many tokens as there are free connections. Whoever takes one has a connection.
    give: flume::Sender<()>,
    tokens: flume::Receiver<()>,
    count: usize,
    waiting: AtomicUsize,
    most_waiting: usize,
    is_closed: AtomicBool,
    /// `None` if the file has none that can be read; then there are no stamps.
    index: Option<Index>,
    observer: Option<Observer>,
}

/// One of them.
struct Reader {
    connection: Connection,
    /// The state in which the store was found when the index was read last.
    found: Cell<Option<Stamp>>,
    /// The state of the snapshot that `SQLite` gave this number.
    known: Cell<Option<(i64, Stamp)>>,
    /// The thread that used it last.
    thread: Option<ThreadId>,
}

thread_local! {
    /// This thread. To ask the library each time counts a handle up and down.
    static THREAD: ThreadId = thread::current().id();
}

impl Readers {
    pub(super) fn open(path: &str, options: &Options) -> Result<Self> {
        let count = options.readers.max(1);
        let (give, tokens) = flume::bounded(count);
        let mut index = None;
        let mut free = Vec::with_capacity(count);
        for _ in 0..count {
            let reader = Reader::open(path)?;
            index = index.or_else(|| reader.index());
            free.push(reader);
            give.try_send(()).map_err(|_| Error::Closed)?;
        }
        Ok(Self {
            free: Mutex::new(free),
            give,
            tokens,
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
        let token = tokio::time::timeout_at(deadline.into(), self.tokens.recv_async()).await;
        token.map_err(|_| Error::Deadline)?.map_err(|_| Error::Closed)?;
        self.redeem()
    }

    fn take_blocking(&self, deadline: Instant, meter: &Meter) -> Result<Reader> {
        if let Some(reader) = self.try_take()? {
            return Ok(reader);
        }
        let _place = (self.line_up()?, meter.waiting());
        self.tokens.recv_deadline(deadline).map_err(|_| Error::Deadline)?;
        self.redeem()
    }

    /// The present state, if it can be told.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        self.index.and_then(Index::stamp)
    }

    /// Lets those who wait finish, then closes all connections, waiting for each no longer than until then.
    pub(crate) fn close(&self, limit: Instant) -> Result<()> {
        self.is_closed.store(true, Ordering::SeqCst);
        for _ in 0..self.count {
            self.tokens.recv_deadline(limit).map_err(|_| Error::Deadline)?;
            drop(self.redeem()?);
        }
        Ok(())
    }

    fn try_take(&self) -> Result<Option<Reader>> {
        if self.is_closed.load(Ordering::SeqCst) {
            Err(Error::Closed)
        } else {
            self.tokens.try_recv().ok().map(|()| self.redeem()).transpose()
        }
    }

    /// A connection, for whoever took a token.
    fn redeem(&self) -> Result<Reader> {
        let thread = THREAD.with(|thread| Some(*thread));
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let own = free.iter().rposition(|reader| reader.thread == thread);
        let place = own.or(free.len().checked_sub(1));
        let reader = place.map(|place| free.remove(place));
        drop(free);
        Ok(Reader { thread, ..reader.ok_or(Error::Closed)? })
    }

    fn give_back(&self, reader: Reader) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        let _ = self.give.try_send(());
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
        self.give_back(reader);
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
        Ok(Self { connection, found: Cell::new(None), known: Cell::new(None), thread: None })
    }

    fn index(&self) -> Option<Index> {
        drop(Pin::prepare(&self.connection).ok()?.hold().ok()?);
        Index::beside(Path::new(self.connection.path()?)).ok()
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
        let verdict = self.within(index, &mut |stamp| {
            let mut lent = Lent::new(&self.connection, stamp);
            run(Tx::new(&mut lent, Kind::Read, deadline, observer), work)
        });
        // Nothing that a closure may say begins a transaction; if one did, it would hold an old state for ever.
        roll_back(&self.connection);
        verdict.unwrap_or_else(|error| Verdict::Failed(error.into()))
    }

    /// Takes a snapshot and runs `work` in it. Its state is what the index says both before and after it was taken, and *before*
    /// may be long ago, because no state comes twice: so the index is read once, unless something was written since. Then the
    /// snapshot is taken anew, once. `SQLite` gives snapshots of one connection the same number only if it found the same index, so
    /// the state of a number that is known need not be read at all.
    fn within<T>(
        &self,
        index: Option<Index>,
        work: &mut dyn FnMut(Option<Stamp>) -> T,
    ) -> Result<T> {
        let mut pin = Pin::prepare(&self.connection)?;
        let (held, number) = pin.hold()?;
        let stamp = self.known_stamp(number).or_else(|| self.stamp(index, number));
        if stamp.is_some() || index.is_none() {
            return Ok(work(stamp));
        }
        drop(held);
        let (_held, number) = pin.hold()?;
        Ok(work(self.stamp(index, number)))
    }

    fn known_stamp(&self, number: i64) -> Option<Stamp> {
        self.known.get().filter(|(known, _)| *known == number).map(|(_, stamp)| stamp)
    }

    /// The state of the snapshot of this number, if it is still the one in which the store was found last.
    fn stamp(&self, index: Option<Index>, number: i64) -> Option<Stamp> {
        let now = index.and_then(Index::stamp);
        let before = self.found.replace(now);
        let stamp = now.filter(|now| before == Some(*now));
        self.known.set(stamp.map(|stamp| (number, stamp)));
        stamp
    }
}

/// What holds a snapshot: a statement that has begun to read and is not at its end. As long as it is not, all statements of its
/// connection read the same, without a `BEGIN` and an end that would be two statements more.
struct Pin<'c>(CachedStatement<'c>);

impl<'c> Pin<'c> {
    fn prepare(connection: &'c Connection) -> Result<Self> {
        connection.prepare_cached("PRAGMA data_version").map(Self).map_err(error)
    }

    /// Takes a snapshot, keeps it until the rows are dropped, and answers its number.
    fn hold(&mut self) -> Result<(Rows<'_>, i64)> {
        let mut rows = self.0.raw_query();
        let row = rows.next().map_err(error)?.ok_or(Error::Closed)?;
        let number = row.get(0).map_err(error)?;
        Ok((rows, number))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};
    use std::time::Duration;

    use super::*;

    /// Marks a connection, to know it again.
    fn mark(reader: &Reader, name: u64) {
        reader.found.set(Some(Stamp([name; 6])));
    }

    /// So many connections to a new file, and what has to live as long.
    fn readers(count: usize) -> (Readers, crate::Store, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let url = format!("sqlite:{}", path.display());
        let options = Options { readers: count, ..Options::new(&url) };
        let store = crate::Store::open(options.clone()).unwrap();
        (Readers::open(path.to_str().unwrap(), &options).unwrap(), store, folder)
    }

    /// Whether a future was woken.
    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn whoever_stops_waiting_when_it_is_their_turn_leaves_it_to_the_next() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _within = runtime.enter();
        let (readers, store, _folder) = readers(1);
        let ours = readers.try_take().unwrap().unwrap();
        let (meter, deadline) = (Meter::new("read"), Instant::now() + Duration::from_mins(1));
        let mut first = Box::pin(readers.take(deadline, &meter));
        let mut second = Box::pin(readers.take(deadline, &meter));
        let woken = [(); 2].map(|()| Arc::<Woken>::default());
        let wakers = woken.each_ref().map(|woken| Waker::from(Arc::clone(woken)));
        assert!(first.as_mut().poll(&mut Context::from_waker(&wakers[0])).is_pending());
        assert!(second.as_mut().poll(&mut Context::from_waker(&wakers[1])).is_pending());

        readers.give_back(ours);
        let are_woken = || woken.each_ref().map(|woken| woken.0.load(Ordering::SeqCst));
        assert_eq!(are_woken(), [true, false]);
        drop(first);
        assert_eq!(are_woken(), [true, true]);
        let theirs = second.as_mut().poll(&mut Context::from_waker(&wakers[1]));
        assert!(matches!(theirs, Poll::Ready(Ok(_))));
        drop(second);
        assert_eq!(readers.waiting.load(Ordering::SeqCst), 0);
        drop(theirs);
        drop(readers);
        store.close();
    }

    #[test]
    fn a_thread_that_read_beside_another_gets_its_connection_again() {
        let (readers, store, _folder) = readers(2);
        let take = || readers.try_take().unwrap().unwrap();
        let ours = take();
        mark(&ours, 1);
        thread::scope(|scope| {
            let theirs = scope.spawn(|| {
                let theirs = take();
                mark(&theirs, 2);
                theirs
            });
            let theirs = theirs.join().unwrap();
            // Theirs is the one that is given back last.
            readers.give_back(ours);
            readers.give_back(theirs);
        });
        assert_eq!(take().found.get(), Some(Stamp([1; 6])));
        drop(readers);
        store.close();
    }
}
