//! `PostgreSQL`: some threads, each with a connection of its own.
//!
//! A round trip is what costs here, so nothing is sent before its first statement is, and nothing is waited for that
//! nobody needs to know: see [`connection`].

use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Cure, Fault};
use crate::job::{Job, Lane, Queue, Verdict, lane};
use crate::tx::Kind;
use crate::{Error, Observer, Options, Result};

use self::connection::Connection;
use self::connector::{Attempt, Connector};

mod connection;
mod connector;
mod encoding;
mod fault;
mod line;

const LONGEST_NAP: Duration = Duration::from_millis(64);

/// Connects once, so that a wrong address is told at once, and starts the threads.
pub(crate) fn start(options: &Options) -> Result<Lane> {
    let connector = Connector::new(options)?;
    let mut first = Worker::new(connector.clone(), options.observer.clone());
    first.connection = Some(first.connect(Instant::now() + connector.limit())?);
    let further = (1..options.connections.max(1))
        .map(|_| Worker::new(connector.clone(), options.observer.clone()));
    let serve = |mut worker: Worker| move |queue: &Queue| worker.serve(queue);
    lane("store", options.queue, std::iter::once(first).chain(further).map(serve))
}

/// One thread: a connection, as long as it lasts.
struct Worker {
    connector: Connector,
    observer: Option<Observer>,
    connection: Option<Connection>,
    /// An attempt that nobody could wait for. There is never more than one.
    attempt: Option<Attempt>,
}

impl Worker {
    fn new(connector: Connector, observer: Option<Observer>) -> Self {
        Self { connector, observer, connection: None, attempt: None }
    }

    /// Waits for a connection no longer than its caller can.
    fn connect(&mut self, deadline: Instant) -> Result<Connection> {
        let attempt = self.attempt.take().map_or_else(|| self.connector.attempt(), Ok)?;
        match attempt.recv_deadline(deadline.min(Instant::now() + self.connector.limit())) {
            Ok(outcome) => outcome,
            Err(flume::RecvTimeoutError::Disconnected) => Err(Error::Panicked),
            Err(flume::RecvTimeoutError::Timeout) => {
                self.attempt = Some(attempt);
                let hosts = self.connector.hosts();
                let text = format!("PostgreSQL {hosts:?} accepts connections but does not answer");
                Err(Error::Unavailable(text))
            }
        }
    }

    fn serve(&mut self, queue: &Queue) {
        while let Some(mut job) = queue.waiting().or_else(|| self.rest(queue)) {
            let failure = self.complete(&mut job);
            job.answer(failure);
        }
    }

    /// Waits for the next job. Nobody does so in the middle of a transaction.
    fn rest(&mut self, queue: &Queue) -> Option<Job> {
        if self.connection.as_mut().is_some_and(|connection| !connection.flush()) {
            self.connection = None;
        }
        queue.next()
    }

    /// Runs the job until it succeeds, fails for good, or its time is over.
    fn complete(&mut self, job: &mut Job) -> Option<Error> {
        let (mut collisions, mut reconnected) = (0, false);
        loop {
            let Err(fault) = self.attempt(job) else { return None };
            match fault.cure {
                Cure::None => return Some(fault.error),
                Cure::Again => {
                    pause(collisions);
                    collisions += 1;
                }
                Cure::Reconnect => {
                    tracing::warn!(error = %fault.error, "replacing a connection");
                    self.connection = None;
                    if std::mem::replace(&mut reconnected, true) {
                        return Some(fault.error);
                    }
                }
            }
            if job.expired() {
                return Some(fault.error);
            }
        }
    }

    fn attempt(&mut self, job: &mut Job) -> Result<(), Fault> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect(job.deadline)?,
        };
        // Whoever leaves before the end leaves without the connection: it may be in any state.
        connection.begin(job.kind, job.deadline);
        let verdict = job.run(&mut connection, self.observer.as_ref());
        let (ended, outcome) = match verdict {
            Verdict::Accepted if job.kind == Kind::Write => match connection.commit() {
                Err(Fault { error: error @ Error::OutcomeUnknown(_), .. }) => {
                    (false, Err(error.into()))
                }
                outcome => (true, outcome),
            },
            Verdict::Failed(fault) if fault.cure == Cure::Reconnect => (false, Err(fault)),
            Verdict::Failed(fault) => (connection.end(job.kind), Err(fault)),
            // A read has its answer, however its transaction ends.
            Verdict::Accepted | Verdict::Refused => (connection.end(job.kind), Ok(())),
        };
        self.connection = Some(connection).filter(|_| ended);
        outcome
    }
}

/// Lets the other side of a collision finish; longer each time.
#[expect(clippy::disallowed_methods, reason = "the server does not tell when the other is done")]
fn pause(collisions: u32) {
    match collisions {
        0 => thread::yield_now(),
        n => thread::sleep(Duration::from_millis(1 << (n - 1).min(6)).min(LONGEST_NAP)),
    }
}
