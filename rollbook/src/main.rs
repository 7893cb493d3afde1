//! Rollbook, the program: the only place that knows of flags, files, terminals, signals and the environment.

mod activity;
mod cli;
mod commands;
mod config;
mod configured;
mod connection;
mod demo;
mod emulate;
mod first_start;
mod gate;
mod key_file;
mod linger;
mod listener;
mod log;
mod mail;
mod model_spec;
mod price_spec;
mod probes;
mod public_url;
mod serve;
mod shutdown;
mod telemetry;
mod tls;

use std::io::Write;
use std::process::ExitCode;

use crate::cli::Command;
use crate::commands::failure::{exit_code, is_closed_pipe};
use crate::commands::text::harmless_lines;
use crate::config::unknown_variables;

// Many short-lived small allocations on all threads: the C library's allocator is visibly slower at that. SQLite keeps the C library's: with
// mimalloc's feature `override` an import takes a tenth less time, but mimalloc gives back to the system what a reader's cache frees after
// each change, and takes it again, and a single writer's addition needs a fifth more of the processor.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let code = run_and_report();
    log::finish();
    code
}

fn run_and_report() -> ExitCode {
    match cli::read().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(serve) => serve::run(&serve.settings, &unknown_variables(&cli::command())),
        Command::Demo(demo) => demo::run(demo.listen),
        Command::Emulate(flags) => emulate::run(&flags),
        Command::CheckConfig(check) => check.run(&unknown_variables(&cli::command())),
        Command::Org(org) => org.run(),
        Command::User(user) => user.run(),
        Command::Project(project) => project.run(),
        Command::Member(member) => member.run(),
        Command::Model(model) => model.run(),
        Command::HostedTool(tool) => tool.run(),
        Command::Invite(invite) => invite.run(),
        Command::AdminKey(key) => key.run(),
        Command::Group(group) => group.run(),
        Command::Role(role) => role.run(),
        Command::ServiceAccount(account) => account.run(),
        Command::ApiKey(key) => key.run(),
        Command::Check(check) => check.run(),
        Command::Pull(pull) => pull.run(),
        Command::Export(export) => export.run(),
        Command::Import(import) => commands::import::run(&import),
        Command::Audit(audit) => audit.run(),
        Command::Usage(usage) => usage.run(),
        Command::Price(price) => price.run(),
        Command::Alerts(alerts) => alerts.run(),
        Command::Migrate(migrate) => migrate.run(),
        Command::Backup(backup) => commands::backup::backup(&backup),
        Command::Restore(backup) => commands::backup::restore(&backup),
        Command::Openapi(openapi) => print_openapi(openapi.own),
        Command::Completions(completions) => completions.run(cli::command()),
        Command::Man(manual) => manual.run(cli::command()),
    }
}

fn print_openapi(own: bool) -> anyhow::Result<()> {
    let document = if own { admin::own_openapi() } else { admin::openapi() };
    let document = serde_json::to_string_pretty(&document)?;
    Ok(writeln!(std::io::stdout(), "{document}")?)
}

/// A server reports into its log, because whoever collects it expects nothing else on standard error. Commands report to a person.
fn report(error: &anyhow::Error) {
    if log::is_of_a_server() {
        tracing::error!("{error:#}");
    } else {
        let text = harmless_lines(&format!("{error:#}"));
        let _ = writeln!(anstream::stderr(), "\x1b[1;31merror:\x1b[0m {text}");
    }
}
