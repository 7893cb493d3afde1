//! The log: to standard error, because standard output belongs to what was asked for.

mod json;
mod lines;

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{fmt, registry};

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The least important events to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}

static OF_A_SERVER: AtomicBool = AtomicBool::new(false);

/// Whether a server has started its log.
pub fn is_of_a_server() -> bool {
    OF_A_SERVER.load(Ordering::Relaxed)
}

/// Starts the log of a server.
pub fn start(format: Option<Format>, level: Level) {
    OF_A_SERVER.store(true, Ordering::Relaxed);
    start_for(format, level);
}

/// Starts the log of a command, which shows nothing but defects.
pub fn start_for_command() {
    start_for(Some(Format::Text), Level::Error);
}

/// Starts logging. Libraries are heard from warnings upwards only: below that some of them show what passes through them, which
/// here includes keys.
fn start_for(format: Option<Format>, level: Level) {
    let level = LevelFilter::from(level);
    let targets =
        Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("rollbook", level);
    let format = format.unwrap_or(if stderr().is_terminal() { Format::Text } else { Format::Json });
    let layer = match format {
        // A log that cannot be written must not take the server down with it, so failing to is not reported there either.
        Format::Text => fmt::layer()
            .with_writer(stderr)
            .log_internal_errors(false)
            .with_ansi(stderr().is_terminal())
            .boxed(),
        Format::Json => json::JsonLines::new().boxed(),
    };
    registry().with(layer.with_filter(targets)).init();
}

/// Writes what is still to be written, before the process ends.
pub fn finish() {
    lines::finish();
}
