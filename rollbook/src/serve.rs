//! `rollbook serve`: the order in which things come up and go down.

use std::sync::Arc;

use admin::domain::clock::{SystemClock, SystemRandom};
use admin::{App, Recall, sealing};
use anyhow::{Context, Result};
use sql::Store;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::connection::Service;
use crate::gate::Gate;
use crate::mail::{self, MailServer, Post};
use crate::{configured, first_start, log, probes};

/// Serves until a signal. What can be wrong with the settings is found out before the store is touched, and nobody is let in
/// before the store is ready.
pub fn run(settings: &Settings, unknown_variables: &[String]) -> Result<()> {
    log::start(settings.log_format, settings.log_level);
    for name in unknown_variables {
        tracing::warn!("{name} in the environment is no setting of this version and has no effect");
    }
    let post = post(settings)?;
    let runtime = runtime()?;
    let gate = Gate::new(&runtime, settings)?;
    let store = open(settings)?;
    first_start::ensure(&store, settings, &gate.url())?;
    configured::apply(&store, settings).context("cannot bring the settings into the store")?;
    let service = service(&store, settings, &gate.url())?;
    runtime.block_on(serve_and_seal(gate, service, &store, settings, post))?;
    store.close();
    tracing::info!("stopped");
    Ok(())
}

/// What sends alerts, if a mail server is set.
pub fn post(settings: &Settings) -> Result<Option<Post>> {
    let Some(server) = MailServer::of(settings)? else { return Ok(None) };
    let transport = server.transport(settings)?;
    tracing::info!("alerts go to the mail server {server}");
    Ok(Some(Post { transport, from: server.from }))
}

/// Serves until a signal, seals the record beside that, and brings alerts to people. Nobody writes any more when the last of the record
/// is sealed.
pub async fn serve_and_seal(
    gate: Gate,
    service: Service,
    store: &Store,
    settings: &Settings,
    post: Option<Post>,
) -> Result<()> {
    let (stop, clock) = (CancellationToken::new(), Arc::new(SystemClock));
    let delivering = mail::deliver(store.clone(), post, clock.clone(), stop.clone());
    let delivering = tokio::spawn(delivering);
    let sealing = sealing::run::run(store.clone(), clock, settings.seal_interval(), stop.clone());
    let sealing = tokio::spawn(sealing);
    let served = gate.serve(service, settings).await;
    stop.cancel();
    delivering.await?;
    sealing.await?;
    served
}

/// The threads that serve requests. Stores block, so they are opened and closed outside of them.
pub fn runtime() -> Result<Runtime> {
    Runtime::new().context("cannot start the threads that serve requests")
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

/// The API and what is beside it, for a server that listens at this URL.
pub fn service(store: &Store, settings: &Settings, url: &str) -> Result<Service> {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let app = App::new(store.clone(), clock, random, settings.api(url));
    let router = probes::router(store.clone())?.merge(admin::router(app.clone()));
    Ok(Service { router, recall: Some(Recall::new(app)) })
}
