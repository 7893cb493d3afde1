//! What a person sees of a copy: how far it is, how to stop it, and what became of it.

use std::fs::metadata;
use std::io::{Write, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressState, ProgressStyle};

use crate::{serve, shutdown};

/// How often the terminal shows something new.
const TICK: Duration = Duration::from_millis(100);

/// Work that was done.
pub struct Work(Instant);

/// Does the work on a thread of its own and shows, if there is a terminal, how large the file has become.
///
/// SIGINT and SIGTERM end it with an error, so that the caller removes what is not complete. What is under way goes on until
/// the process ends, which is at once.
pub fn during(
    name: &'static str,
    file: &Path,
    work: impl FnOnce() -> Result<()> + Send + 'static,
) -> Result<Work> {
    let (began, file) = (Instant::now(), file.to_owned());
    let copied = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
        let bytes = metadata(&file).map_or(0, |file| file.len());
        let _ = write!(out, "{}", HumanBytes(bytes));
    };
    let style = ProgressStyle::with_template("{spinner} {msg} {copied} ({elapsed})")?;
    let spinner = ProgressBar::new_spinner().with_style(style.with_key("copied", copied));
    spinner.set_message(name);
    spinner.enable_steady_tick(TICK);
    let runtime = serve::runtime()?;
    let done = runtime.block_on(async {
        let stop = shutdown::on_signal()?;
        tokio::select! {
            done = tokio::task::spawn_blocking(work) => done?,
            () = stop.cancelled() => bail!("interrupted; nothing was changed"),
        }
    });
    runtime.shutdown_background();
    spinner.finish_and_clear();
    done.map(|()| Work(began))
}

impl Work {
    /// One line that says what is where now.
    pub fn summarize(self, what: &str, bytes: u64) -> Result<()> {
        let seconds = self.0.elapsed().as_secs_f64();
        Ok(writeln!(stdout(), "{what}: {} bytes, {seconds:.2} s", HumanCount(bytes))?)
    }
}
