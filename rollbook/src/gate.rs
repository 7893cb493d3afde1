//! The addresses of this process: taken first, opened last.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context, Result};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::config::{Settings, seconds};
use crate::connection::{Service, Terms};
use crate::listener::{Claim, Listener};
use crate::{shutdown, telemetry, tls};

/// Files that are open beside connections: the store, the log, the runtime's own.
const OTHER_FILES: u64 = 64;
/// How many connections the metrics get. Those who scrape them are few.
const SCRAPERS: u32 = 64;

/// Where requests will come in, and what is needed to let them.
pub struct Gate {
    claim: Claim,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    metrics: Option<(Claim, PrometheusHandle)>,
}

impl Gate {
    /// Reads the certificate, takes the addresses and starts to record metrics.
    pub fn new(runtime: &Runtime, settings: &Settings) -> Result<Self> {
        let tls = match (&settings.tls_cert, &settings.tls_key) {
            (Some(chain), Some(key)) => Some(tls::acceptor(chain, key)?),
            _ => None,
        };
        let _context = runtime.enter();
        let claim = take(settings.listen, "--listen")?;
        let address = claim.address()?;
        let metrics = match settings.metrics_listen {
            Some(address) => Some((take(address, "--metrics-listen")?, telemetry::install()?)),
            None => None,
        };
        Ok(Self { claim, address, tls, metrics })
    }

    /// Where a client on this machine finds the server.
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("{}://{}", self.scheme(), SocketAddr::new(ip, self.address.port()))
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Lets requests in until a signal, and ends when those that were under way are finished.
    pub async fn serve(self, service: Service, settings: &Settings) -> Result<()> {
        let (scheme, address) = (self.scheme(), self.address);
        let stop = shutdown::on_signal().context("cannot listen to signals")?;
        let header_deadline = seconds(settings.header_timeout);
        let terms = |service, tls| Terms { service, tls, header_deadline, stop: stop.clone() };
        let mut open = Vec::new();
        if let Some((claim, handle)) = self.metrics {
            tracing::info!("metrics on http://{}/metrics", claim.address()?);
            tokio::spawn(telemetry::upkeep(handle.clone()));
            let listener = claim.listen(SCRAPERS, metrics::Gauge::noop());
            let listener = listener.context("cannot listen for those who read the metrics")?;
            open.push((listener, terms(telemetry::router(handle).into(), None)));
        }
        let connections = metrics::gauge!("rollbook_connections");
        let listener = self.claim.listen(connection_cap(settings), connections);
        let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
        open.push((listener, terms(service, self.tls)));
        if settings.is_exposed() {
            tracing::warn!(
                "{address} can be reached from other machines without TLS; set --tls-cert and \
                 --tls-key, or put a proxy in front that speaks it"
            );
        }
        tracing::info!("listening on {scheme}://{address}");
        let patience = seconds(settings.shutdown_timeout);
        let serve = |(listener, terms)| tokio::spawn(Listener::serve(listener, terms, patience));
        let serving: Vec<_> = open.into_iter().map(serve).collect();
        for listener in serving {
            listener.await?;
        }
        Ok(())
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
            "at most {cap} connections instead of {wanted}, because {files} files may be open; \
             raise that limit, for example with LimitNOFILE= of systemd"
        );
    }
    wanted.min(cap)
}
