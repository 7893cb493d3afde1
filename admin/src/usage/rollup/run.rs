//! The roller of a serving process: a pass every so often, and a last one at the end.

use std::sync::Arc;
use std::time::Duration;

use metrics::Counter;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Passed, Roller};
use crate::app::App;
use crate::error::Result;

/// How long the last passes may take when the process ends. What is not rolled up by then waits for the next start.
const LAST: Duration = Duration::from_secs(2);
/// The longest pause after a pass that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often the log says that rolling up does not go on.
const COMPLAINTS: Duration = Duration::from_mins(1);

/// Rolls up until it is stopped, and then what is left. With no time between passes it never does.
///
/// Answers are right whatever it does: what is not rolled up is counted where it waits.
pub async fn run(app: App, every: Duration, stop: CancellationToken) {
    if every.is_zero() {
        return;
    }
    let pace = Arc::clone(&app.usage_pace);
    let _rolling = pace.rolling();
    let late = async {
        stop.cancelled().await;
        let never = std::future::pending::<()>();
        let _ = timeout(LAST, never).await;
    };
    let mut task = Task {
        roller: Roller::new(app),
        every,
        rolled: metrics::counter!("rollbook_usage_batches_rolled_up_total"),
        pause: every,
        complained: None,
    };
    tokio::select! {
        () = task.roll(&stop) => {}
        () = late => tracing::info!("some usage is not rolled up yet; the next start does it"),
    }
}

struct Task {
    roller: Roller,
    every: Duration,
    rolled: Counter,
    /// How long to wait after the next failure.
    pause: Duration,
    complained: Option<Instant>,
}

impl Task {
    async fn roll(&mut self, stop: &CancellationToken) {
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
        let passed = self.roller.pass(is_last).await?;
        self.rolled.increment(passed.rolled as u64);
        self.pause = self.every;
        Ok(passed)
    }

    /// Tells of a failure, but not over and over, and how long to wait before the next try: a store that has gone away is not
    /// pressed.
    fn after(&mut self, error: &str) -> Duration {
        if self.complained.is_none_or(|at| at.elapsed() >= COMPLAINTS) {
            self.complained = Some(Instant::now());
            tracing::warn!("rolling up usage does not go on: {error}");
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE.max(self.every));
        pause
    }
}
