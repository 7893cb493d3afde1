//! `rollbook serve`: the order in which things come up and go down.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use admin::App;
use admin::domain::clock::{SystemClock, SystemRandom};
use anyhow::{Context, Result};
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use sql::Store;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::config::{self, Settings, seconds};
use crate::connection::Terms;
use crate::listener::Claim;
use crate::{first_start, log, probes, shutdown, telemetry, tls};

/// Files that are open beside connections: the store, the log, the runtime's own.
const OTHER_FILES: u64 = 64;
/// Scrapers are few.
const SCRAPERS: u32 = 64;

/// Serves until a signal. What can be wrong with the settings is found out before the store is touched, and nobody is let in
/// before the store is ready.
pub fn run(settings: &Settings) -> Result<()> {
    log::start(settings.log_format, settings.log_level);
    for name in config::unknown_variables() {
        tracing::warn!("{name} in the environment is no setting of this version and has no effect");
    }
    let gate = Gate::new(settings)?;
    let store = open(settings)?;
    first_start::ensure(&store, settings, &gate.url())?;
    gate.serve(router(&store, settings)?, settings)?;
    store.close();
    tracing::info!("stopped");
    Ok(())
}

/// Opens the store and brings its schema up to date.
pub fn open(settings: &Settings) -> Result<Store> {
    let store = Store::open(settings.store()).context("cannot open the store")?;
    let applied = store
        .migrate(&admin::migrations())
        .context("cannot bring the store's tables up to date")?;
    if !applied.is_empty() {
        tracing::info!(migrations = ?applied, "brought the store's tables up to date");
    }
    Ok(store)
}

/// The API and what is beside it.
pub fn router(store: &Store, settings: &Settings) -> Result<Router> {
    let app =
        App::new(store.clone(), Arc::new(SystemClock), Arc::new(SystemRandom), settings.api());
    Ok(probes::router(store.clone())?.merge(admin::router(app)))
}

/// The addresses of this process, taken but still closed, and what is needed to open them.
pub struct Gate {
    runtime: Runtime,
    tls: Option<TlsAcceptor>,
    claim: Claim,
    address: SocketAddr,
    metrics: Option<(Claim, PrometheusHandle)>,
}

impl Gate {
    /// Takes the addresses, reads the certificate and starts to record metrics.
    pub fn new(settings: &Settings) -> Result<Self> {
        let tls = match (&settings.tls_cert, &settings.tls_key) {
            (Some(chain), Some(key)) => Some(tls::acceptor(chain, key)?),
            _ => None,
        };
        let runtime = Runtime::new().context("cannot start the threads that serve requests")?;
        let context = runtime.enter();
        let claim = take(settings.listen, "--listen")?;
        let address = claim.address()?;
        let metrics = match settings.metrics_listen {
            Some(address) => Some((take(address, "--metrics-listen")?, telemetry::install()?)),
            None => None,
        };
        drop(context);
        Ok(Self { runtime, tls, claim, address, metrics })
    }

    /// Where a client on this machine finds the server.
    pub fn url(&self) -> String {
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => {
                address.set_ip(std::net::Ipv4Addr::LOCALHOST.into())
            }
            IpAddr::V6(ip) if ip.is_unspecified() => {
                address.set_ip(std::net::Ipv6Addr::LOCALHOST.into())
            }
            _ => {}
        }
        format!("{}://{address}", self.scheme())
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Lets requests in until a signal, and returns when those that were under way are finished.
    pub fn serve(self, router: Router, settings: &Settings) -> Result<()> {
        let scheme = self.scheme();
        let Self { runtime, tls, claim, address, metrics } = self;
        let cap = connection_cap(settings);
        let (header_deadline, patience) =
            (seconds(settings.header_timeout), seconds(settings.shutdown_timeout));
        runtime.block_on(async {
            let stop = shutdown::on_signal().context("cannot listen to signals")?;
            let terms = |router, tls| Terms { router, tls, header_deadline, stop: stop.clone() };
            let scraping = match metrics {
                Some((claim, handle)) => {
                    tracing::info!("metrics on http://{}/metrics", claim.address()?);
                    tokio::spawn(telemetry::upkeep(handle.clone()));
                    let listener = claim.listen(SCRAPERS, metrics::Gauge::noop())?;
                    Some(listener.serve(terms(telemetry::router(handle), None), patience))
                }
                None => None,
            };
            let listener = claim.listen(cap, metrics::gauge!("rollbook_connections"))?;
            if settings.is_exposed() {
                tracing::warn!("{address} can be reached from other machines without TLS; set --tls-cert and --tls-key, or put a proxy in front");
            }
            tracing::info!("listening on {scheme}://{address}");
            let scraping = async { if let Some(scraping) = scraping { scraping.await } };
            tokio::join!(listener.serve(terms(router, tls), patience), scraping);
            Ok(())
        })
    }
}

fn take(address: SocketAddr, flag: &str) -> Result<Claim> {
    Claim::new(address)
        .with_context(|| format!("cannot listen on {address}; {flag} names another address"))
}

/// How many connections fit: as many as were asked for, as far as the system grants files for them.
fn connection_cap(settings: &Settings) -> u32 {
    let wanted = settings.max_connections.get();
    let Ok(files) = rlimit::increase_nofile_limit(u64::MAX) else { return wanted };
    let cap = u32::try_from(files.saturating_sub(OTHER_FILES).max(1)).unwrap_or(u32::MAX);
    if cap < wanted {
        tracing::warn!(
            "at most {cap} connections instead of {wanted}: the limit on open files is {files}; raise it, for example LimitNOFILE= of systemd"
        );
    }
    wanted.min(cap)
}
