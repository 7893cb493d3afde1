//! `PostgreSQL`: some threads, each with a connection of its own.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use ::postgres::config::TargetSessionAttrs;
use ::postgres::error::{DbError, Severity};
use ::postgres::fallible_iterator::FallibleIterator;
use ::postgres::{Client, Config, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Cure, Fault};
use crate::job::{Job, Lane, Queue, Verdict, lane, spawn};
use crate::tx::{Kind, Session};
use crate::{Arg, Engine, Error, Observer, Options, Result, Row};

mod encoding;

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 256;
const LONGEST_CONNECT: Duration = Duration::from_secs(5);
const LONGEST_NAP: Duration = Duration::from_millis(64);
/// The kernel counts whole seconds and refuses none.
const SHORTEST_KEEPALIVE: Duration = Duration::from_secs(1);

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

/// What is needed to make a connection.
#[derive(Clone)]
struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    deadline: Duration,
}

/// Every statement here is made for an index. Left to itself the planner reads small tables whole, and under SERIALIZABLE
/// such a reader collides with every writer of the table; and it joins a page by reading everybody once it no longer knows
/// the limit. Compiling a statement takes longer than any of ours runs.
const PLANNER: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; \
                       SET enable_mergejoin = off; SET jit = off";

impl Connector {
    fn new(options: &Options) -> Result<Self> {
        // The driver knows no verify modes because checking is the TLS library's matter; ours
        // always checks the chain and the name.
        let url = options.url.replace("sslmode=verify-full", "sslmode=require");
        let url = url.replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config = url.parse().map_err(|e| {
            let remedy = "write postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full";
            Error::Unavailable(format!("the store's URL is wrong: {}; {remedy}", chain(&e)))
        })?;
        if !url.contains("target_session_attrs") {
            // A standby would serve the past.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_application_name().is_none() {
            config.application_name("rollbook");
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(options.deadline);
        }
        if !url.contains("keepalives") {
            config
                .keepalives_idle(options.deadline.max(SHORTEST_KEEPALIVE))
                .keepalives_interval(Duration::from_secs(2));
        }
        Ok(Self { config, tls: tls()?, deadline: options.deadline })
    }

    /// How long a connection may take to come about.
    fn limit(&self) -> Duration {
        self.config.get_connect_timeout().copied().unwrap_or(LONGEST_CONNECT)
    }

    /// Begins to connect, on a thread of its own: the driver waits for a silent server without end, and runs a runtime inside
    /// that must not meet another one.
    fn attempt(&self) -> Result<Attempt> {
        let (sender, attempt) = flume::bounded(1);
        let connector = self.clone();
        // Nobody listens if the store was closed meanwhile.
        spawn("store-connect", move || drop(sender.send(connector.connect())))?;
        Ok(attempt)
    }

    fn connect(&self) -> Result<Connection> {
        let connected = self.config.clone().connect_timeout(self.limit()).connect(self.tls.clone());
        let mut client = connected.map_err(|e| self.explain(&e))?;
        // Only if this process stops in the middle of a transaction: it must not hold its locks.
        let idle = 2 * self.deadline.as_millis().max(500);
        let settings = format!("SET idle_in_transaction_session_timeout = {idle}; {PLANNER}");
        client.batch_execute(&settings).map_err(|e| self.explain(&e))?;
        Ok(Connection { client, statements: HashMap::new() })
    }

    /// Says what to do about a connection that does not come about, without the password.
    fn explain(&self, error: &::postgres::Error) -> Error {
        let remedy = match error.code().map(::postgres::error::SqlState::code) {
            Some("28P01" | "28000") => "check the user, the password and pg_hba.conf",
            Some("3D000") => "create the database with createdb",
            Some("53300") => "raise max_connections or lower the store's connections",
            _ if error.to_string().contains("TLS") => {
                "the certificate must match the host and be signed by an authority of this system \
                 or of the file SSL_CERT_FILE names; sslmode=disable trusts the network instead"
            }
            _ => "check the host and port, and that a server that takes writes runs there",
        };
        let hosts = self.config.get_hosts();
        let text = format!("cannot connect to PostgreSQL {hosts:?}: {}; {remedy}", chain(error));
        Error::Unavailable(text)
    }
}

/// TLS against the system's authorities. The provider is named, because none is global.
fn tls() -> Result<MakeRustlsConnect> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::Unavailable(format!("TLS cannot be set up: {e}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// A connection on its way.
type Attempt = flume::Receiver<Result<Connection>>;

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
                let hosts = self.connector.config.get_hosts();
                let text = format!("PostgreSQL {hosts:?} accepts connections but does not answer");
                Err(Error::Unavailable(text))
            }
        }
    }

    fn serve(&mut self, queue: &Queue) {
        while let Some(mut job) = queue.next() {
            let failure = self.complete(&mut job);
            job.answer(failure);
        }
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
        connection.begin(job.kind, job.deadline)?;
        let verdict = job.run(&mut connection, self.observer.as_ref());
        let (ended, outcome) = match verdict {
            Verdict::Accepted if job.kind == Kind::Write => match connection.commit() {
                Err(Fault { error: error @ Error::OutcomeUnknown(_), .. }) => {
                    (false, Err(error.into()))
                }
                outcome => (true, outcome),
            },
            Verdict::Failed(fault) if fault.cure == Cure::Reconnect => (false, Err(fault)),
            Verdict::Failed(fault) => (connection.roll_back(), Err(fault)),
            // A read has its answer, however its transaction ends.
            Verdict::Accepted | Verdict::Refused => (connection.roll_back(), Ok(())),
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

/// A connection and its prepared statements.
struct Connection {
    client: Client,
    statements: HashMap<Box<str>, Statement>,
}

impl Connection {
    /// Begins the transaction and tells the server its limits, in one round trip.
    fn begin(&mut self, kind: Kind, deadline: Instant) -> Result<(), Fault> {
        let left = deadline.saturating_duration_since(Instant::now()).as_millis().max(2);
        let level = match kind {
            Kind::Read => "REPEATABLE READ READ ONLY",
            Kind::Write => "SERIALIZABLE READ WRITE",
        };
        // A wait for a lock ends a little earlier, so that it is told apart from a slow statement.
        let lock = (left * 9 / 10).max(1);
        let text = format!(
            "BEGIN ISOLATION LEVEL {level}; \
             SET LOCAL statement_timeout = {left}; SET LOCAL lock_timeout = {lock}"
        );
        self.client.batch_execute(&text).map_err(|e| fault(&e, kind))
    }

    fn commit(&mut self) -> Result<(), Fault> {
        self.client.batch_execute("COMMIT").map_err(|e| match fault(&e, Kind::Write) {
            // Never repeated: it may have happened.
            Fault { cure: Cure::Reconnect, .. } => Error::OutcomeUnknown(chain(&e)).into(),
            fault => fault,
        })
    }

    /// `false` if the connection is of no more use.
    fn roll_back(&mut self) -> bool {
        self.client.batch_execute("ROLLBACK").is_ok()
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement, ::postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
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
        let statement = self.prepared(sql).map_err(|e| fault(&e, kind))?;
        if statement.params().len() != args.len() {
            let text = format!("not exactly $1…${} in: {sql}", args.len());
            return Err(Error::Statement(text).into());
        }
        let mut rows = self.client.query_raw(&statement, args).map_err(|e| fault(&e, kind))?;
        while let Some(cells) = rows.next().map_err(|e| fault(&e, kind))? {
            row(&Row(&cells))?;
        }
        Ok(rows.rows_affected().unwrap_or_default())
    }
}

/// What an error of the driver means, and whether it can be cured.
fn fault(error: &::postgres::Error, kind: Kind) -> Fault {
    let Some(cause) = error.as_db_error() else {
        if encoding::is_mismatch(error) {
            return Error::Statement(chain(error)).into();
        }
        return Fault { error: Error::Unavailable(chain(error)), cure: Cure::Reconnect };
    };
    let text = || format!("{} ({})", cause.message(), cause.code().code());
    match cause.code().code() {
        "23505" => Error::Duplicate.into(),
        "23503" | "23001" => Error::MissingReference.into(),
        "40001" | "40P01" => Fault { error: Error::Busy, cure: Cure::Again },
        "55P03" => Error::Busy.into(),
        "57014" => Error::Deadline.into(),
        // A prepared statement no longer fits the schema, or the server never knew it.
        "0A000" | "26000" => Fault { error: Error::Statement(text()), cure: Cure::Reconnect },
        code if is_disconnect(code, cause, kind) => {
            Fault { error: Error::Unavailable(text()), cure: Cure::Reconnect }
        }
        code if ["53", "58", "XX"].contains(&&code[..2]) => Error::Unavailable(text()).into(),
        _ => Error::Statement(text()).into(),
    }
}

/// Whether the server ended the connection or is the wrong one: a write that meets a read-only
/// server found a primary that became a standby.
fn is_disconnect(code: &str, cause: &DbError, kind: Kind) -> bool {
    let fatal = matches!(cause.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    fatal
        || code.starts_with("08")
        || code.starts_with("57P")
        || code == "53300"
        || (code == "25006" && kind == Kind::Write)
}

/// An error with its causes, which the driver's own message leaves out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
