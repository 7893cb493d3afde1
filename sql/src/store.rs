//! The store: queues in front, engine threads behind.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::job::{Answer, GRACE, Job, Lane, Meter};
use crate::stamp::Epoch;
use crate::tx::Kind;
use crate::{Engine, Error, Image, Options, Result, Stamp, Tx, postgres, sqlite};

/// A handle on an open database; clones share it.
///
/// When the last handle is dropped the threads finish their queues and end by themselves;
/// [`close`](Self::close) is the way to wait for that.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    engine: Engine,
    deadline: Duration,
    /// `None` once the store is closed.
    lane: RwLock<Option<Lane>>,
    /// Where reads need no thread of the store.
    readers: Option<sqlite::Readers>,
    /// Counts the states of a store of which this process has the only connection.
    epoch: Option<Arc<Epoch>>,
    closing: Mutex<()>,
    meters: (Arc<Meter>, Arc<Meter>),
}

impl Store {
    /// Opens the database and starts its threads. Blocks until the first connection works.
    ///
    /// A recorder of the `metrics` facade must be installed before, or nothing is counted.
    #[expect(clippy::needless_pass_by_value, reason = "the store is the owner from here on")]
    pub fn open(options: Options) -> Result<Self> {
        let url = options.url.as_str();
        let (engine, lane, readers, epoch) = match url.strip_prefix("sqlite:") {
            Some(path) => {
                let sqlite::Started { lane, readers, epoch } = sqlite::start(path, &options)?;
                let epoch = Some(epoch).filter(|_| readers.is_none());
                (Engine::Sqlite, lane, readers, epoch)
            }
            None if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                (Engine::Postgres, postgres::start(&options)?, None, None)
            }
            None => {
                let remedy = "write sqlite:PATH, sqlite::memory: or postgres://USER@HOST/DATABASE";
                return Err(Error::Unavailable(format!("not a store URL; {remedy}")));
            }
        };
        Ok(Self(Arc::new(Inner {
            engine,
            deadline: options.deadline,
            lane: RwLock::new(Some(lane)),
            readers,
            epoch,
            closing: Mutex::new(()),
            meters: (Arc::new(Meter::new("read")), Arc::new(Meter::new("write"))),
        })))
    }

    /// Opens a store in memory that begins as another one was when its image was taken. What the options say of the URL does not
    /// count.
    #[expect(clippy::needless_pass_by_value, reason = "the store is the owner from here on")]
    pub fn from_image(image: &Image, options: Options) -> Result<Self> {
        let sqlite::Started { lane, readers, epoch } = sqlite::start_from(image, &options)?;
        Ok(Self(Arc::new(Inner {
            engine: Engine::Sqlite,
            deadline: options.deadline,
            lane: RwLock::new(Some(lane)),
            readers,
            epoch: Some(epoch),
            closing: Mutex::new(()),
            meters: (Arc::new(Meter::new("read")), Arc::new(Meter::new("write"))),
        })))
    }

    /// Everything in this store, if it is in memory: for [`from_image`](Self::from_image), and to tell whether anything changed.
    pub async fn image(&self) -> Result<Image> {
        self.read(|tx| tx.image()).await
    }

    /// [`image`](Self::image) for callers without a runtime.
    pub fn image_blocking(&self) -> Result<Image> {
        self.read_blocking(|tx| tx.image())
    }

    /// The engine behind this store.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// Runs `f` on one snapshot that holds every write acknowledged before. Writes are refused.
    pub async fn read<T: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let inner = &*self.0;
        match &inner.readers {
            Some(readers) => {
                readers.read(Instant::now() + inner.deadline, &inner.meters.0, f).await
            }
            None => self.submit(Kind::Read, inner.deadline, f).wait().await,
        }
    }

    /// The state of the store at a moment within this call. Whatever was read under an equal stamp is what would be read now.
    /// `None` if the engine cannot tell, or not at once.
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        match &self.0.readers {
            Some(readers) => readers.stamp(),
            None => self.0.epoch.as_ref().map(|epoch| epoch.now()),
        }
    }

    /// Runs `f` and keeps what it wrote if, and only if, it returns `Ok`. When this answers `Ok`
    /// the change is on disk. If the caller drops the future, the write may still happen.
    pub async fn write<T: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.submit(Kind::Write, self.0.deadline, f).wait().await
    }

    /// [`read`](Self::read) for callers without a runtime, such as the command line. Blocks, so it has
    /// no place in an asynchronous context.
    pub fn read_blocking<T: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let inner = &*self.0;
        match &inner.readers {
            Some(readers) => {
                readers.read_blocking(Instant::now() + inner.deadline, &inner.meters.0, f)
            }
            None => self.submit(Kind::Read, inner.deadline, f).wait_blocking(),
        }
    }

    /// [`write`](Self::write) for callers without a runtime. Blocks, so it has no place in an asynchronous context.
    pub fn write_blocking<T: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.write_within(self.0.deadline, f)
    }

    /// Stops taking jobs, finishes those that wait, and ends the threads. Blocks until that is
    /// done. Every call afterwards answers [`Error::Closed`]; closing twice does nothing.
    pub fn close(&self) {
        let _second_waits = self.0.closing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Lane { sender, ended }) =
            self.0.lane.write().unwrap_or_else(PoisonError::into_inner).take()
        else {
            return;
        };
        let limit = Instant::now() + self.0.deadline + GRACE;
        // Readers first: SQLite tidies its file when the last connection goes alone.
        let readers = self.0.readers.as_ref().map_or(Ok(()), |readers| readers.close(limit));
        drop(sender);
        let lane = ended.recv_deadline(limit);
        if readers.is_err() || lane == Err(flume::RecvTimeoutError::Timeout) {
            tracing::warn!("the store's engine does not answer; closing without it");
        }
    }

    /// [`write_blocking`](Self::write_blocking) with a time limit of its own: a migration or a load may take longer than any request.
    pub fn write_within<T: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        limit: Duration,
        f: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.submit(Kind::Write, limit, f).wait_blocking()
    }

    fn submit<T: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        kind: Kind,
        limit: Duration,
        f: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Answer<T, E> {
        let inner = &*self.0;
        let meter = if kind == Kind::Read { &inner.meters.0 } else { &inner.meters.1 };
        let (job, answer) = Job::new(kind, Instant::now() + limit, Arc::clone(meter), f);
        match &*inner.lane.read().unwrap_or_else(PoisonError::into_inner) {
            Some(lane) => lane.sender.send(job),
            None => job.answer(Some(Error::Closed)),
        }
        answer
    }
}
