//! `rollbook emulate`: the same API for the tests of other people's programs. In memory, on this machine only, and in the hands of the
//! test: it goes back to where it began, its clock stands still, its ids fall alike, and it fails when it is told to.
//!
//! None of it is in the way of `serve`: this module composes [`admin::Operations`] with a clock, randomness and faults of its own.

mod clock;
mod control;
mod dice;
mod faults;
mod seed;
mod stage;
#[cfg(test)]
mod tests;

use std::io::{Write, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use admin::domain::secret::PlainKey;
use anyhow::{Context, Result, ensure};
use axum::Router;
use clap::Args;
use jiff::Timestamp;

use self::clock::{MovableClock, SecondBefore};
use self::seed::{Named, plant_all};
use self::stage::Stage;
use crate::config::{Settings, Usage, seconds};
use crate::connection::{Service, Terms};
use crate::key_file::MEMORY;
use crate::listener::Claim;
use crate::log::Level;
use crate::{demo, log, probes, serve, shutdown};

/// The key, unless another one is named. Some clients want its prefix.
const KEY: &str = "sk-admin-emulator";
/// How long requests that are under way may take to finish when the emulator is stopped: no test waits for them any more.
const PATIENCE: Duration = Duration::from_secs(1);

/// The flags of `emulate`.
#[derive(Debug, Args)]
pub struct Emulate {
    /// An organization to start from, as a document; may be repeated, and the first is loaded
    #[arg(long, value_name = "NAME=FILE")]
    seed: Vec<Named>,
    /// The admin key; any text that fits into a header
    #[arg(long, value_name = "KEY", default_value = KEY)]
    key: String,
    /// The port on 127.0.0.1; with 0 the system chooses one
    #[arg(long, value_name = "PORT", default_value = "8080")]
    port: u16,
    /// Stop the clock at this moment
    #[arg(long, value_name = "TIME")]
    clock: Option<Timestamp>,
    /// The least important events to log
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log_level: Level,
    /// Refused: here only to say why.
    #[arg(long, env = "ROLLBOOK_DATABASE", hide = true, hide_env_values = true)]
    database: Option<String>,
    /// Refused as well.
    #[arg(long, env = "ROLLBOOK_CONFIG", hide = true)]
    config: Option<String>,
}

/// Emulates until a signal.
pub fn run(flags: &Emulate) -> Result<()> {
    flags.check()?;
    log::start(None, flags.log_level);
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, flags.port));
    let settings = Settings { listen, database: MEMORY.to_owned(), ..Settings::default() };
    let runtime = serve::runtime()?;
    let context = runtime.enter();
    let claim = Claim::new(listen)
        .with_context(|| format!("cannot listen on {listen}; --port names another port"))?;
    drop(context);
    let url = format!("http://{}", claim.address()?);
    let stage = flags.stage(settings.api(&url))?;
    let service = service(&Arc::new(stage), listen)?;
    runtime.block_on(async {
        let stop = shutdown::on_signal().context("cannot listen to signals")?;
        let header_deadline = seconds(settings.header_timeout);
        let terms = Terms { service, tls: None, header_deadline, stop };
        let open = claim.listen(settings.max_connections.get(), metrics::Gauge::noop());
        let open = open.with_context(|| format!("cannot listen on {listen}"))?;
        introduce(&url, &flags.key)?;
        open.serve(terms, PATIENCE).await;
        Ok(())
    })
}

impl Emulate {
    fn check(&self) -> Result<(), Usage> {
        if self.database.as_ref().is_some_and(|database| database != MEMORY) {
            let message = "an emulator is in memory and forgets everything, so it takes no --database and no ROLLBOOK_DATABASE; \
                 'rollbook serve' keeps a store, and 'rollbook export' makes a seed from one";
            return Err(Usage(message.to_owned()));
        }
        if self.config.is_some() {
            let message = "an emulator has no settings but its flags, so it takes no --config and no ROLLBOOK_CONFIG; \
                 'rollbook serve' reads settings";
            return Err(Usage(message.to_owned()));
        }
        if self.key.is_empty() || !self.key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message =
                "--key must be a key as it stands in a header: visible ASCII without spaces";
            return Err(Usage(message.to_owned()));
        }
        if self.clock.is_some_and(|clock| clock < Timestamp::UNIX_EPOCH) {
            return Err(Usage("--clock must not lie before 1970".to_owned()));
        }
        Ok(())
    }

    fn stage(&self, settings: admin::Settings) -> Result<Stage> {
        let clock = Arc::new(MovableClock::new(self.clock));
        let key = PlainKey::given(self.key.clone());
        let before = Arc::new(SecondBefore(&clock).stopped());
        let seeds = plant_all(&self.seed, &key, &before)?;
        Ok(Stage::new(seeds, clock, settings)?)
    }
}

/// The API, what is beside it, and the emulator's own operations, for this machine only.
fn service(stage: &Arc<Stage>, listen: SocketAddr) -> Result<Service> {
    ensure!(listen.ip().is_loopback(), "an emulator is for this machine only");
    // Whether it is ready is asked of the first store, because whichever comes later is like it.
    let router = probes::router(stage.now().1)?
        .merge(control::router(Arc::clone(stage)))
        .merge(Router::new().fallback(Stage::answer).with_state(Arc::clone(stage)));
    Ok(demo::local_only(router, listen).into())
}

/// In the form in which a shell, and a step of GitHub Actions, takes it for its environment.
fn introduce(url: &str, key: &str) -> Result<()> {
    tracing::info!("listening on {url}");
    let mut out = stdout().lock();
    writeln!(out, "OPENAI_BASE_URL={url}/v1\nOPENAI_ADMIN_KEY={key}")?;
    Ok(out.flush()?)
}
