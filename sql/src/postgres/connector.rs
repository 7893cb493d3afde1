//! How a connection comes about.

use std::time::Duration;

use tokio::runtime::Builder;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::Connection;
use super::fault::chain;
use super::line::Line;
use crate::job::spawn;
use crate::{Error, Options, Result};

const LONGEST_CONNECT: Duration = Duration::from_secs(5);
/// The kernel counts whole seconds and refuses none.
const SHORTEST_KEEPALIVE: Duration = Duration::from_secs(1);

/// A connection on its way.
pub(super) type Attempt = flume::Receiver<Result<Connection>>;

/// What is needed to make a connection.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    deadline: Duration,
}

impl Connector {
    pub(super) fn new(options: &Options) -> Result<Self> {
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
    pub(super) fn limit(&self) -> Duration {
        self.config.get_connect_timeout().copied().unwrap_or(LONGEST_CONNECT)
    }

    /// Begins to connect, on a thread of its own: the driver waits for a silent server without end, and runs a runtime inside
    /// that must not meet another one.
    pub(super) fn attempt(&self) -> Result<Attempt> {
        let (sender, attempt) = flume::bounded(1);
        let connector = self.clone();
        // Nobody listens if the store was closed meanwhile.
        spawn("store-connect", move || drop(sender.send(connector.connect())))?;
        Ok(attempt)
    }

    fn connect(&self) -> Result<Connection> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| Error::Unavailable(format!("no runtime: {e}")))?;
        let mut config = self.config.clone();
        config.connect_timeout(self.limit());
        let connected = runtime.block_on(config.connect(self.tls.clone()));
        let (client, driver) = connected.map_err(|e| self.explain(&e))?;
        let line = Line::new(runtime, Box::pin(driver));
        Connection::new(client, line, self.deadline).map_err(|fault| fault.error)
    }

    /// Where the server is looked for.
    pub(super) fn hosts(&self) -> &[Host] {
        self.config.get_hosts()
    }

    /// Says what to do about a connection that does not come about, without the password.
    fn explain(&self, error: &tokio_postgres::Error) -> Error {
        let remedy = match error.code().map(SqlState::code) {
            Some("28P01" | "28000") => "check the user, the password and pg_hba.conf",
            Some("3D000") => "create the database with createdb",
            Some("53300") => "raise max_connections or lower the store's connections",
            _ if error.to_string().contains("TLS") => {
                "the certificate must match the host and be signed by an authority of this system \
                 or of the file SSL_CERT_FILE names; sslmode=disable trusts the network instead"
            }
            _ => "check the host and port, and that a server that takes writes runs there",
        };
        let hosts = self.hosts();
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
