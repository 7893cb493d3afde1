//! Rollbook, the program: the only place that knows of flags, files, terminals, signals and the environment.

mod cli;
mod commands;
mod config;
mod connection;
mod demo;
mod first_start;
mod gate;
mod key_file;
mod linger;
mod listener;
mod log;
mod probes;
mod serve;
mod shutdown;
mod telemetry;
mod tls;

use std::io::Write;
use std::process::ExitCode;

use crate::cli::Command;
use crate::config::Usage;

// Many short-lived small allocations on all threads: the C library's allocator is visibly slower at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::read().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(serve) => serve::run(&serve.settings),
        Command::Demo(demo) => demo::run(demo.listen),
        Command::Import(import) => commands::import::run(&import),
        Command::Backup(backup) => commands::backup::backup(&backup),
        Command::Restore(backup) => commands::backup::restore(&backup),
        Command::Openapi => print_openapi(),
    }
}

fn print_openapi() -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(&admin::openapi())?;
    Ok(writeln!(std::io::stdout(), "{document}")?)
}

/// Into the log once there is one, because whoever collects it expects nothing else on standard error.
fn report(error: &anyhow::Error) {
    if tracing::dispatcher::has_been_set() {
        tracing::error!("{error:#}");
    } else {
        let _ = writeln!(std::io::stderr(), "error: {error:#}");
    }
}
