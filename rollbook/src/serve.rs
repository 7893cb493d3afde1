//! `rollbook serve`: the order in which things come up and go down.

use std::sync::Arc;
use std::thread::available_parallelism;

use admin::aside::Aside;
use admin::domain::clock::{SystemClock, SystemRandom};
use admin::usage::rollup;
use admin::{App, Recall, sealing};
use anyhow::{Context, Result};
use sql::Store;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::connection::Service;
use crate::gate::Gate;
use crate::mail::{self, MailServer, Post};
use crate::{configured, first_start, log, probes};

/// How much less a thread that computes is than one that serves: of a core that both want it gets about a tenth.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Serves until a signal. What can be wrong with the settings is found out before the store is touched, and nobody is let in
/// before the store is ready.
pub fn run(settings: &Settings, unknown_variables: &[String]) -> Result<()> {
    log::start(settings.log_format, settings.log_level);
    for name in unknown_variables {
        tracing::warn!("{name} in the environment is no setting of this version and has no effect");
    }
    let post = post(settings)?;
    let (runtime, beside) = (runtime()?, beside()?);
    let gate = Gate::new(&runtime, settings)?;
    let store = open(settings)?;
    first_start::ensure(&store, settings, &gate.url())?;
    configured::apply(&store, settings).context("cannot bring the settings into the store")?;
    let app = app(&beside, &store, settings, &gate.url());
    let service = service(&app)?;
    runtime.block_on(serve_beside(gate, service, &app, settings, post))?;
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

/// Serves until a signal; seals the record, rolls usage up and brings alerts to people beside that. Nobody writes any more when the last
/// of the record and of usage is done.
pub async fn serve_beside(
    gate: Gate,
    service: Service,
    app: &App,
    settings: &Settings,
    post: Option<Post>,
) -> Result<()> {
    let (stop, clock) = (CancellationToken::new(), Arc::new(SystemClock));
    let delivering = mail::deliver(app.store.clone(), post, clock.clone(), stop.clone());
    let sealing =
        sealing::run::run(app.store.clone(), clock, settings.seal_interval(), stop.clone());
    let rolling = rollup::run::run(app.clone(), settings.roll_up_interval(), stop.clone());
    let (delivering, sealing, rolling) =
        (tokio::spawn(delivering), tokio::spawn(sealing), tokio::spawn(rolling));
    let served = gate.serve(service, settings).await;
    stop.cancel();
    delivering.await?;
    sealing.await?;
    rolling.await?;
    served
}

/// The threads that serve requests. Stores block, so they are opened and closed outside of them.
pub fn runtime() -> Result<Runtime> {
    Runtime::new().context("cannot start the threads that serve requests")
}

/// The threads on which long computing is done, as many as there are cores. They yield to those that serve requests.
pub fn beside() -> Result<Runtime> {
    let threads = available_parallelism().map_or(2, usize::from);
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).max_blocking_threads(threads).thread_name("beside");
    builder.on_thread_start(yield_to_others);
    builder.build().context("cannot start the threads that compute")
}

/// Lowers the priority of this thread. Only Linux gives threads one of their own.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!("a thread that computes has the priority of all others: {error}");
    }
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

/// The application of a server that listens at this URL.
pub fn app(beside: &Runtime, store: &Store, settings: &Settings, url: &str) -> App {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let aside = Aside::on(beside.handle().clone());
    App::computing(aside, store.clone(), clock, random, settings.api(url))
}

/// The API and what is beside it.
pub fn service(app: &App) -> Result<Service> {
    let router = probes::router(app.store.clone())?.merge(admin::router(app.clone()));
    Ok(Service { router, recall: Some(Recall::new(app.clone())) })
}
