//! The sealer of a serving process: a pass every so often, and a last one at the end.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Counter, Gauge};
use sql::Store;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Behind, Passed, Sealer};
use crate::domain::clock::Clock;
use crate::error::Result;

/// How long the last passes may take when the process ends. What is not sealed by then waits for the next start.
const LAST: Duration = Duration::from_secs(2);
/// The longest pause after a pass that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often the log says that sealing does not go on.
const COMPLAINTS: Duration = Duration::from_mins(1);
/// From when on an event has waited too long.
const TOO_LONG_MS: u64 = 10_000;

/// Seals until it is stopped, and then what is left. With no time between passes it never seals.
///
/// Whoever stops it lets nobody write any more, so that the last pass leaves nothing behind.
pub async fn run(store: Store, clock: Arc<dyn Clock>, every: Duration, stop: CancellationToken) {
    if every.is_zero() {
        return;
    }
    let late = async {
        stop.cancelled().await;
        let never = std::future::pending::<()>();
        let _ = timeout(LAST, never).await;
    };
    let mut task = Task::new(store, clock, every);
    tokio::select! {
        () = task.seal(&stop) => {}
        () = late => tracing::warn!("some of the record is not sealed yet; the next start does it"),
    }
}

struct Task {
    store: Store,
    clock: Arc<dyn Clock>,
    every: Duration,
    sealer: Sealer,
    meters: Meters,
    /// How long to wait after the next failure.
    pause: Duration,
    complained: Option<Instant>,
}

impl Task {
    fn new(store: Store, clock: Arc<dyn Clock>, every: Duration) -> Self {
        let (sealer, meters) = (Sealer::default(), Meters::new());
        Self { store, clock, every, sealer, meters, pause: every, complained: None }
    }

    async fn seal(&mut self, stop: &CancellationToken) {
        let mut pause = self.every;
        while timeout(pause, stop.cancelled()).await.is_err() {
            pause = match self.pass(false).await {
                Ok(Passed { is_behind: true, .. }) => Duration::ZERO,
                Ok(_) => self.every,
                Err(error) => self.after(&error.to_string()),
            };
        }
        while self.pass(true).await.is_ok_and(|passed| passed.is_behind) {}
    }

    async fn pass(&mut self, is_last: bool) -> Result<Passed> {
        let now = self.clock.now_ms();
        let passed = self.sealer.pass(&self.store, now, is_last).await;
        let behind = self.sealer.behind();
        self.meters.note(behind, now, passed.as_ref().map_or(0, |passed| passed.sealed));
        let waited = behind.oldest.map_or(0, |oldest| now.saturating_sub(oldest));
        if passed.is_ok() {
            self.pause = self.every;
            if behind.events > 0 && waited > TOO_LONG_MS {
                self.complain(&format!("the oldest event has waited for {} s", waited / 1000));
            }
        }
        passed
    }

    /// Tells of a failure, and how long to wait before the next try: a store that has gone away is not pressed.
    fn after(&mut self, error: &str) -> Duration {
        self.complain(error);
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE.max(self.every));
        pause
    }

    /// Says it, but not over and over.
    fn complain(&mut self, why: &str) {
        if self.complained.is_none_or(|at| at.elapsed() >= COMPLAINTS) {
            self.complained = Some(Instant::now());
            tracing::warn!("sealing the record is behind: {why}");
        }
    }
}

struct Meters {
    unsealed: Gauge,
    lag: Gauge,
    sealed: Counter,
}

impl Meters {
    fn new() -> Self {
        Self {
            unsealed: metrics::gauge!("rollbook_audit_unsealed"),
            lag: metrics::gauge!("rollbook_audit_seal_lag_seconds"),
            sealed: metrics::counter!("rollbook_audit_sealed_total"),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody needs the last digits")]
    fn note(&self, behind: Behind, now_ms: u64, sealed: usize) {
        let waited = behind.oldest.map_or(0, |oldest| now_ms.saturating_sub(oldest));
        self.unsealed.set(behind.events as f64);
        self.lag.set(waited as f64 / 1000.0);
        self.sealed.increment(sealed as u64);
    }
}
