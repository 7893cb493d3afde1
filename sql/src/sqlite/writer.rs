//! The thread that writes: one connection that commits for many, and keeps each job's fate its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::Histogram;
use rusqlite::Connection;

use super::checkpoints::Checkpoints;
use super::{LIMIT, Lent, control, failure, roll_back};
use crate::job::{GRACE, Job, Lane, Queue, Verdict, lane};
use crate::stamp::Epoch;
use crate::tx::Kind;
use crate::{Error, Observer, Options, Result};

/// So many jobs share one commit at most: beyond it the sync is no longer what costs.
pub(super) const GROUP: usize = 64;

/// Starts a thread for the connection.
pub(super) fn start(
    name: &str,
    (connection, checkpoints): (Connection, Option<Checkpoints>),
    group: usize,
    options: &Options,
    epoch: &Arc<Epoch>,
) -> Result<Lane> {
    let observer = options.observer.clone();
    let commit_jobs = metrics::histogram!("rollbook_store_commit_jobs");
    let epoch = Arc::clone(epoch);
    let worker = Worker { connection, checkpoints, observer, group, commit_jobs, epoch };
    lane(name, options.queue, [move |queue: &Queue| worker.serve(queue)])
}

/// How a job in a transaction ended.
enum End {
    /// The transaction goes on. Whether the job failed or not is told after its commit.
    Within(Option<Error>),
    /// The transaction is over, and so is the job: it was the first one, it ran out of time, what it changed could not be undone
    /// alone, or `SQLite` dropped everything, as it does on an interrupt or a full disk.
    Alone(Option<Error>),
    /// The transaction is over. The job was refused, which may rest on what the others wrote, so it has to run again as well.
    Again,
}

/// One connection on its thread.
struct Worker {
    connection: Connection,
    /// For a file.
    checkpoints: Option<Checkpoints>,
    observer: Option<Observer>,
    group: usize,
    commit_jobs: Histogram,
    epoch: Arc<Epoch>,
}

impl Worker {
    fn serve(mut self, queue: &Queue) {
        while let Some(job) = queue.next() {
            match job.kind {
                Kind::Read => self.read(job),
                Kind::Write => self.write(job, queue),
            }
        }
        if let Some(checkpoints) = self.checkpoints.take() {
            checkpoints.stop();
        }
        LIMIT.set(Some(Instant::now() + Duration::from_secs(1)));
        // Only tidying: the next process that opens the file reads the log just as well.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    fn read(&self, mut job: Job) {
        LIMIT.set(Some(job.deadline));
        let verdict = match control(&self.connection, "BEGIN") {
            Ok(()) => job.run(&mut self.lent(), self.observer.as_ref()),
            Err(error) => Verdict::Failed(error.into()),
        };
        self.roll_back();
        job.answer(failure(verdict));
    }

    /// All changes go through this connection if it is the only one, and are counted before they are acknowledged.
    fn lent(&self) -> Lent<'_> {
        Lent::new(&self.connection, Some(self.epoch.now()))
    }

    /// Runs `first` and what else waits in one transaction and answers after its commit. Nobody is
    /// answered before, not even a refusal: it may rest on changes that the commit could lose.
    fn write(&self, first: Job, queue: &Queue) {
        let mut taken = 1;
        let mut todo = VecDeque::from([first]);
        let mut is_careful = false;
        while let Some(next) = todo.front() {
            LIMIT.set(Some(next.deadline));
            if let Err(error) = self.control("BEGIN IMMEDIATE") {
                for job in todo {
                    job.answer(Some(error.clone()));
                }
                return;
            }
            let mut done: Vec<(Job, Option<Error>)> = Vec::new();
            while let Some(mut job) = todo.pop_front().or_else(|| self.another(&mut taken, queue)) {
                let end = if is_careful && !done.is_empty() {
                    self.savepoint(&mut job)
                } else {
                    self.trusting(&mut job, done.is_empty())
                };
                let End::Within(failure) = end else {
                    // The whole transaction is gone. The others did nothing wrong and run again, each so that it can be
                    // undone alone.
                    is_careful |= !done.is_empty();
                    let mut again: VecDeque<Job> = done.into_iter().map(|(job, _)| job).collect();
                    // Whoever was in time once is in time again.
                    let in_time = Instant::now() + GRACE / 2;
                    for job in &mut again {
                        job.deadline = job.deadline.max(in_time);
                    }
                    match end {
                        End::Alone(failure) => job.answer(failure),
                        _ => again.push_back(job),
                    }
                    again.append(&mut todo);
                    (todo, done) = (again, Vec::new());
                    break;
                };
                done.push((job, failure));
            }
            if !done.is_empty() {
                self.commit(done);
            }
        }
    }

    fn another(&self, taken: &mut usize, queue: &Queue) -> Option<Job> {
        if *taken >= self.group {
            return None;
        }
        *taken += 1;
        queue.waiting()
    }

    /// Runs one job as if it could not fail. If it does after it has changed something, the whole transaction is over: nearly all
    /// that are refused have changed nothing by then, and a savepoint would copy every page before its first change.
    fn trusting(&self, job: &mut Job, is_first: bool) -> End {
        LIMIT.set(Some(job.deadline));
        let before = self.connection.total_changes();
        let mut lent = self.lent();
        let verdict = job.run(&mut lent, self.observer.as_ref());
        LIMIT.set(None);
        if matches!(verdict, Verdict::Accepted) {
            return End::Within(None);
        }
        if is_first {
            self.roll_back();
            self.commit_jobs.record(1.0);
            return End::Alone(failure(verdict));
        }
        if self.connection.is_autocommit() {
            return End::Alone(failure(verdict));
        }
        if self.connection.total_changes() == before && !lent.changed_more_than_rows {
            return End::Within(failure(verdict));
        }
        self.roll_back();
        match failure(verdict) {
            Some(Error::Deadline) => End::Alone(Some(Error::Deadline)),
            _ => End::Again,
        }
    }

    /// Runs one job so that only its own changes are lost if it fails.
    fn savepoint(&self, job: &mut Job) -> End {
        LIMIT.set(Some(job.deadline));
        if let Err(error) = self.control("SAVEPOINT job") {
            return self.end(Some(error));
        }
        let verdict = job.run(&mut self.lent(), self.observer.as_ref());
        LIMIT.set(None);
        let undone = match verdict {
            Verdict::Accepted => Ok(()),
            _ if self.connection.is_autocommit() => return End::Alone(failure(verdict)),
            _ => self.control("ROLLBACK TO job"),
        };
        let released = undone.and_then(|()| self.control("RELEASE job"));
        if released.is_err() {
            // What this job wrote can no longer be told from what the others wrote.
            self.roll_back();
        }
        self.end(failure(verdict).or(released.err()))
    }

    fn end(&self, failure: Option<Error>) -> End {
        if self.connection.is_autocommit() { End::Alone(failure) } else { End::Within(failure) }
    }

    fn commit(&self, done: Vec<(Job, Option<Error>)>) {
        LIMIT.set(None);
        // A log that could not be synced may still be found whole after a crash.
        let lost = self.control("COMMIT").err().map(|error| match error {
            Error::Unavailable(cause) => Error::OutcomeUnknown(cause),
            error => error,
        });
        self.epoch.count();
        self.roll_back();
        #[expect(clippy::cast_precision_loss, reason = "at most GROUP")]
        self.commit_jobs.record(done.len() as f64);
        for (job, failure) in done {
            job.answer(lost.clone().or(failure));
        }
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.look(&self.connection);
        }
    }

    fn roll_back(&self) {
        roll_back(&self.connection);
    }

    fn control(&self, sql: &str) -> Result<()> {
        control(&self.connection, sql)
    }
}
