//! What is being done, and whether somebody wants it to end.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use indicatif::ProgressBar;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// A line that changes on a terminal, else lines.
///
/// After SIGINT or SIGTERM its next use is an error, so that stores and servers are taken away on the usual way out.
pub struct Progress {
    bar: Option<ProgressBar>,
    interrupted: Arc<AtomicBool>,
}

impl Progress {
    pub fn new(runtime: &Runtime) -> Result<Self> {
        let bar = stderr().is_terminal().then(ProgressBar::new_spinner);
        if let Some(bar) = &bar {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        let interrupted = Arc::new(AtomicBool::new(false));
        let _context = runtime.enter();
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let (mut signals, interrupted) = (signal(kind)?, Arc::clone(&interrupted));
            runtime.spawn(async move {
                signals.recv().await;
                interrupted.store(true, Ordering::Relaxed);
            });
        }
        Ok(Self { bar, interrupted })
    }

    pub fn say(&self, what: &str) -> Result<()> {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => writeln!(stderr(), "{what}")?,
        }
        self.go_on()
    }

    /// Does something that prints.
    pub fn aside(&self, print: impl FnOnce() -> Result<()>) -> Result<()> {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// An error if somebody wants it to end.
    pub fn go_on(&self) -> Result<()> {
        ensure!(!self.interrupted.load(Ordering::Relaxed), "interrupted");
        Ok(())
    }
}
