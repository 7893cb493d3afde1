//! A closure on its way to a store thread and its answer on the way back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::{Counter, Gauge, Histogram};

use crate::error::{Cure, Fault};
use crate::tx::{Kind, Session, Tx};
use crate::{Error, Observer, Result};

/// The metrics of one kind of job, looked up once because a look-up per job would cost more than
/// a point read does.
pub(crate) struct Meter {
    queue: Gauge,
    seconds: Histogram,
    results: [Counter; RESULTS.len()],
}

const RESULTS: [&str; 8] =
    ["ok", "refused", "busy", "deadline", "unavailable", "unknown", "panicked", "failed"];

impl Meter {
    pub(crate) fn new(kind: &'static str) -> Self {
        Self {
            queue: metrics::gauge!("rollbook_store_queue", "kind" => kind),
            seconds: metrics::histogram!("rollbook_store_seconds", "kind" => kind),
            results: RESULTS.map(|result| {
                metrics::counter!("rollbook_store_jobs_total", "kind" => kind, "result" => result)
            }),
        }
    }

    /// Counts a job that ran on the caller's own thread.
    pub(crate) fn record(&self, error: Option<&Error>, accepted: bool, started: Instant) {
        self.count(error, accepted);
        self.seconds.record(started.elapsed());
    }

    /// Counts a job that waits as long as the answer lives.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        self.queue.increment(1);
        Waiting(&self.queue)
    }

    /// Counts how a job ended.
    pub(crate) fn count(&self, error: Option<&Error>, accepted: bool) {
        let result = match error {
            None if accepted => 0,
            None => 1,
            Some(Error::Busy) => 2,
            Some(Error::Deadline) => 3,
            Some(Error::Unavailable(_)) => 4,
            Some(Error::OutcomeUnknown(_)) => 5,
            Some(Error::Panicked) => 6,
            Some(_) => 7,
        };
        self.results[result].increment(1);
    }
}

/// One job that waits; none any more when this is dropped.
pub(crate) struct Waiting<'m>(&'m Gauge);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// How a closure ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It wants its changes kept.
    Accepted,
    /// It answered an error of its own: its changes are dropped and that error is the answer.
    Refused,
    /// The engine failed under it.
    Failed(Fault),
}

/// A closure with its types erased, the answer it gave last, and the way back to the caller.
trait Work: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    fn answer(self: Box<Self>, fault: Option<Error>);
}

struct Task<F, T, E> {
    closure: F,
    result: Option<Result<T, E>>,
    reply: flume::Sender<Result<T, E>>,
}

impl<F, T, E> Work for Task<F, T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        self.result.insert((self.closure)(tx)).is_ok()
    }

    fn answer(self: Box<Self>, fault: Option<Error>) {
        let result = match (fault, self.result) {
            (None, Some(result)) => result,
            (fault, _) => Err(E::from(fault.unwrap_or(Error::Closed))),
        };
        // Nobody listens if the caller gave up; the outcome stands all the same.
        let _ = self.reply.send(result);
    }
}

/// One closure to run, with its limits.
pub(crate) struct Job {
    pub kind: Kind,
    pub deadline: Instant,
    work: Box<dyn Work>,
    meter: Arc<Meter>,
    started: Option<Instant>,
    accepted: bool,
}

impl Job {
    pub(crate) fn new<T: Send + 'static, E: From<Error> + Send + 'static>(
        kind: Kind,
        deadline: Instant,
        meter: Arc<Meter>,
        closure: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> (Self, Answer<T, E>) {
        let (reply, answer) = flume::bounded(1);
        let work = Box::new(Task { closure, result: None, reply });
        let answer = Answer { kind, limit: deadline + GRACE, answer };
        (Self { kind, deadline, work, meter, started: None, accepted: false }, answer)
    }

    pub(crate) fn expired(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Runs the closure once. The caller ends the transaction according to the verdict.
    pub(crate) fn run(
        &mut self,
        session: &mut dyn Session,
        observer: Option<&Observer>,
    ) -> Verdict {
        let tx = Tx::new(session, self.kind, self.deadline, observer);
        let verdict = run(tx, &mut |tx| self.work.run(tx));
        self.accepted = matches!(verdict, Verdict::Accepted);
        verdict
    }

    /// Answers the caller: with `error` if there is one, otherwise with what the closure answered.
    pub(crate) fn answer(self, error: Option<Error>) {
        self.meter.count(error.as_ref(), self.accepted);
        if let Some(started) = self.started {
            self.meter.seconds.record(started.elapsed());
        }
        self.work.answer(error);
    }
}

/// Runs a closure once, of which only remains whether it wants its changes kept.
pub(crate) fn run(mut tx: Tx<'_>, work: &mut dyn FnMut(&mut Tx<'_>) -> bool) -> Verdict {
    let ran = catch_unwind(AssertUnwindSafe(|| work(&mut tx)));
    match (ran, tx.into_poison()) {
        (Err(_), _) => Verdict::Failed(Error::Panicked.into()),
        (Ok(true), None) => Verdict::Accepted,
        // The closure knows better what e.g. a duplicate means, unless it is to run again.
        (Ok(false), None | Some(Fault { cure: Cure::None, .. })) => Verdict::Refused,
        (Ok(_), Some(fault)) => Verdict::Failed(fault),
    }
}

/// How long after a job's deadline its caller is still willing to hear of it. The engine answers at the deadline by itself,
/// unless it hangs in a call that nobody can end.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// The caller's end of a job.
pub(crate) struct Answer<T, E> {
    kind: Kind,
    limit: Instant,
    answer: flume::Receiver<Result<T, E>>,
}

impl<T, E: From<Error>> Answer<T, E> {
    /// Waits without holding a thread.
    pub(crate) async fn wait(self) -> Result<T, E> {
        match tokio::time::timeout_at(self.limit.into(), self.answer.recv_async()).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(Error::Closed.into())),
            Err(_) => Err(self.overdue()),
        }
    }

    /// Waits on this thread.
    pub(crate) fn wait_blocking(self) -> Result<T, E> {
        match self.answer.recv_deadline(self.limit) {
            Ok(answer) => answer,
            Err(flume::RecvTimeoutError::Disconnected) => Err(Error::Closed.into()),
            Err(flume::RecvTimeoutError::Timeout) => Err(self.overdue()),
        }
    }

    fn overdue(&self) -> E {
        match self.kind {
            Kind::Read => Error::Deadline.into(),
            Kind::Write => Error::OutcomeUnknown("the engine did not answer in time".into()).into(),
        }
    }
}

/// The sending end of a bounded queue.
#[derive(Clone)]
pub(crate) struct Sender(flume::Sender<Job>);

/// The receiving end of a bounded queue; several threads may share it.
#[derive(Clone)]
pub(crate) struct Queue(flume::Receiver<Job>);

fn queue(capacity: usize) -> (Sender, Queue) {
    let (sender, receiver) = flume::bounded(capacity);
    (Sender(sender), Queue(receiver))
}

impl Sender {
    /// Puts a job into the queue, or answers it at once if there is no room.
    pub(crate) fn send(&self, job: Job) {
        let meter = Arc::clone(&job.meter);
        meter.queue.increment(1);
        if let Err(error) = self.0.try_send(job) {
            meter.queue.decrement(1);
            let reason = match &error {
                flume::TrySendError::Full(_) => Error::Busy,
                flume::TrySendError::Disconnected(_) => Error::Closed,
            };
            error.into_inner().answer(Some(reason));
        }
    }
}

impl Queue {
    /// The next job that still has time, waiting for it; `None` once the store is closed and the
    /// queue is empty.
    pub(crate) fn next(&self) -> Option<Job> {
        self.0.iter().find_map(started)
    }

    /// The next job that is already waiting and still has time.
    pub(crate) fn waiting(&self) -> Option<Job> {
        self.0.try_iter().find_map(started)
    }
}

/// Marks a job as taken, or answers it if it waited for too long.
fn started(mut job: Job) -> Option<Job> {
    job.meter.queue.decrement(1);
    if job.expired() {
        job.answer(Some(Error::Deadline));
        return None;
    }
    job.started = Some(Instant::now());
    Some(job)
}

/// A queue and the threads that serve it. An engine starts one for everything, or one for reads
/// followed by one for writes.
pub(crate) struct Lane {
    pub sender: Sender,
    /// Disconnected when the last thread has ended.
    pub ended: flume::Receiver<()>,
}

/// Starts named engine threads, one for each piece of work. Each ends once its queue is closed and empty.
pub(crate) fn lane<W: FnOnce(&Queue) + Send + 'static>(
    name: &str,
    capacity: usize,
    workers: impl IntoIterator<Item = W>,
) -> Result<Lane> {
    let ((sender, queue), (alive, ended)) = (queue(capacity), flume::bounded(0));
    for work in workers {
        let (queue, alive) = (queue.clone(), alive.clone());
        spawn(name, move || {
            work(&queue);
            drop(alive);
        })?;
    }
    Ok(Lane { sender, ended })
}

/// Starts a named thread.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread
        .map(drop)
        .map_err(|e| Error::Unavailable(format!("cannot start a thread: {e}; raise the limit")))
}
