//! A transaction over the wire, in as few round trips as it has statements.
//!
//! `BEGIN` leaves with the first statement, and a transaction without a statement is never begun. The end of a read is sent
//! without waiting for it, with the next transaction's beginning if there is one already. So somebody who reads waits once
//! for each statement, and somebody who writes once more for the commit.

use std::collections::HashMap;
use std::future::ready;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use futures_util::future::join;
use tokio_postgres::{Client, SimpleQueryStream, Statement};

use super::fault::fault;
use super::line::Line;
use crate::error::{Cure, Fault};
use crate::tx::{Kind, Session};
use crate::{Arg, Engine, Error, Result, Row};

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 256;

/// Every statement here is made for an index. Left to itself the planner reads small tables whole, and under SERIALIZABLE
/// such a reader collides with every writer of the table; and it joins a page by reading everybody once it no longer knows
/// the limit. Compiling a statement takes longer than any of ours runs.
const PLANNER: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; \
                       SET enable_mergejoin = off; SET jit = off";

/// What a bare `BEGIN` begins. It is a read, and what is outside of a transaction cannot write either: the first statement
/// of a write leaves before it is known that its transaction has begun. A read's statements are planned once, for all of
/// their arguments: without the limit of a page the planner takes it for a large one, and rather plans every page again.
const READS: &str = "SET default_transaction_isolation = 'repeatable read'; \
                     SET default_transaction_read_only = on; \
                     SET plan_cache_mode = force_generic_plan";

/// What begins a write. The engine's own checks of foreign keys are planned too, and one that was planned for an empty table
/// must not be all there is when the table has been filled.
const WRITE: &str =
    "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; SET LOCAL plan_cache_mode = auto";

/// A connection, its prepared statements, and how far its transaction is.
pub(super) struct Connection {
    // Dropped before the line, which waits for that.
    client: Client,
    statements: HashMap<Box<str>, Statement>,
    /// The limit that holds unless a transaction says otherwise.
    limit: Duration,
    /// A transaction of which the server does not know yet.
    opening: Option<(Kind, Instant)>,
    /// Answers that are known to come and that nobody has looked at.
    owed: Vec<SimpleQueryStream>,
    line: Line,
}

impl Connection {
    /// Makes a new connection fit for jobs that take as long as `limit`.
    pub(super) fn new(client: Client, line: Line, limit: Duration) -> Result<Self, Fault> {
        let (statements, owed) = (HashMap::new(), Vec::new());
        let mut connection = Self { client, statements, limit, opening: None, owed, line };
        // Only if this process stops in the middle of a transaction: it must not hold its locks.
        let idle = 2 * limit.as_millis().max(500);
        let limits = limits("", limit);
        connection.control(&format!(
            "SET idle_in_transaction_session_timeout = {idle}; {PLANNER}; {READS}; {limits}"
        ))?;
        Ok(connection)
    }

    /// Begins a transaction as soon as there is a statement for it.
    pub(super) fn begin(&mut self, kind: Kind, deadline: Instant) {
        self.opening = Some((kind, deadline));
    }

    /// Keeps what was written.
    pub(super) fn commit(&mut self) -> Result<(), Fault> {
        if self.opening.take().is_some() {
            return Ok(());
        }
        self.control("COMMIT").map_err(|fault| match fault {
            // Never repeated: it may have happened.
            Fault { cure: Cure::Reconnect, error } => {
                Error::OutcomeUnknown(error.to_string()).into()
            }
            fault => fault,
        })
    }

    /// Ends the transaction without keeping anything. The end of a read leaves with whatever is sent next, or when it is
    /// [flushed](Self::flush): nobody waits for its locks. `false` if the connection is of no more use.
    pub(super) fn end(&mut self, kind: Kind) -> bool {
        let ended = match kind {
            _ if self.opening.take().is_some() => Ok(()),
            Kind::Read => self.send("ROLLBACK", kind),
            Kind::Write => self.control("ROLLBACK"),
        };
        ended.is_ok()
    }

    /// Sends what has not left yet. `false` if the connection is of no more use.
    pub(super) fn flush(&mut self) -> bool {
        self.owed.is_empty() || self.line.flush().is_ok()
    }

    fn control(&mut self, sql: &str) -> Result<(), Fault> {
        let done = self.client.batch_execute(sql);
        let done = async { done.await.map_err(|e| fault(&e, Kind::Write)) };
        self.line.wait(behind(&mut self.owed, Kind::Write, done))
    }

    /// Puts a command before whatever is sent next.
    fn send(&mut self, sql: &str, kind: Kind) -> Result<(), Fault> {
        let sent = async { self.client.simple_query_raw(sql).await.map_err(|e| fault(&e, kind)) };
        self.owed.push(self.line.wait(sent)?);
        Ok(())
    }

    /// Puts the beginning of the transaction before whatever is sent next, unless it has begun.
    fn open(&mut self) -> Result<(), Fault> {
        let Some((kind, deadline)) = self.opening.take() else { return Ok(()) };
        let left = deadline.saturating_duration_since(Instant::now());
        self.send(&beginning(kind, left, self.limit), kind)
    }

    /// The statement, known to the server and with as many arguments as it takes.
    fn prepared(&mut self, kind: Kind, sql: &str, args: usize) -> Result<Statement, Fault> {
        let statement = match self.statements.get(sql) {
            Some(statement) => statement.clone(),
            None => self.prepare(kind, sql)?,
        };
        if statement.params().len() != args {
            return Err(Error::Statement(format!("not exactly $1…${args} in: {sql}")).into());
        }
        self.open()?;
        Ok(statement)
    }

    fn prepare(&mut self, kind: Kind, sql: &str) -> Result<Statement, Fault> {
        self.open()?;
        let made = async { self.client.prepare(sql).await.map_err(|e| fault(&e, kind)) };
        let statement = self.line.wait(behind(&mut self.owed, kind, made))?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }
}

impl Session for Connection {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn statement(
        &mut self,
        kind: Kind,
        sql: &str,
        args: &[Arg<'_>],
        row: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<u64, Fault> {
        let statement = self.prepared(kind, sql, args.len())?;
        let answer = run(&self.client, kind, &statement, args, row);
        self.line.wait(behind(&mut self.owed, kind, answer))
    }
}

/// Asks for something after what was sent before, and answers once both are known to have gone well.
async fn behind<T>(
    owed: &mut Vec<SimpleQueryStream>,
    kind: Kind,
    answer: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let settled = async {
        for earlier in owed.drain(..) {
            earlier.try_for_each(|_| ready(Ok(()))).await.map_err(|e| fault(&e, kind))?;
        }
        Ok::<_, Fault>(())
    };
    let (settled, answer) = join(settled, answer).await;
    settled.and(answer)
}

/// Runs one statement, hands its rows over, and answers how many rows it changed.
async fn run(
    client: &Client,
    kind: Kind,
    statement: &Statement,
    args: &[Arg<'_>],
    row: &mut dyn FnMut(&Row<'_>) -> Result<()>,
) -> Result<u64, Fault> {
    let rows = client.query_raw(statement, args).await.map_err(|e| fault(&e, kind))?;
    let mut rows = pin!(rows);
    while let Some(cells) = rows.try_next().await.map_err(|e| fault(&e, kind))? {
        row(&Row(&cells))?;
    }
    Ok(rows.rows_affected().unwrap_or_default())
}

/// How a transaction begins that has so much time left. While that is most of what every transaction has, the connection's
/// own limits do: setting others costs the server as much as a statement.
fn beginning(kind: Kind, left: Duration, limit: Duration) -> String {
    let begin = match kind {
        Kind::Read => "BEGIN",
        Kind::Write => WRITE,
    };
    if (limit * 19 / 20..=limit).contains(&left) {
        return begin.to_owned();
    }
    format!("{begin}; {}", limits("LOCAL", left))
}

/// Tells the server how long a statement may take. A wait for a lock ends a little earlier, so that it is told apart from a
/// slow statement.
fn limits(scope: &str, left: Duration) -> String {
    let left = left.as_millis().max(2);
    let lock = (left * 9 / 10).max(1);
    format!("SET {scope} statement_timeout = {left}; SET {scope} lock_timeout = {lock}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_sent_when_they_differ_from_the_usual_ones() {
        let usual = Duration::from_secs(10);
        let sends = |millis| {
            let text = beginning(Kind::Read, Duration::from_millis(millis), usual);
            text.contains("statement_timeout")
        };
        assert_eq!(
            [9_000, 9_499, 9_500, 10_000, 10_001].map(sends),
            [true, true, false, false, true]
        );
    }
}
