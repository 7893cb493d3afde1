//! The command line, and the help that explains it.

use std::fmt::Write as _;
use std::net::SocketAddr;

use clap::builder::styling::{AnsiColor, Style};
use clap::builder::{StyledStr, Styles};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{
    self, admin_key, alerts, api_key, audit, check, check_config, export, group, hosted_tool,
    invite, member, model, org, price, project, pull, role, service_account, shell, store, usage,
    user,
};
use crate::config::Serve;
use crate::emulate::Emulate;

/// Keeps an organization's people, groups, roles, projects and keys, answers OpenAI's Administration API about them, and says what a key may do.
#[derive(Debug, Parser)]
#[command(name = "rollbook", version, arg_required_else_help = true, max_term_width = 100)]
#[command(help_template = TEMPLATE, after_help = EXAMPLES, styles = STYLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API from a store
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<Serve>),
    /// Serve a made-up organization from memory, to look around
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(Demo),
    /// Serve the API for tests: in memory, and put back, stopped and failing when told
    #[command(after_help = EMULATE_EXAMPLES)]
    Emulate(Box<Emulate>),
    /// Say what serve would use, and what is wrong with it
    #[command(after_help = "Example:\n  rollbook check-config --config /etc/rollbook.toml")]
    CheckConfig(Box<check_config::CheckConfig>),
    /// Create and list organizations
    #[command(subcommand, after_help = "Example:\n  rollbook org list")]
    Org(org::Command),
    /// Add, list, change and remove people
    #[command(subcommand, after_help = "Example:\n  rollbook user list")]
    User(user::Command),
    /// Invite people, and show the links for them
    #[command(subcommand, after_help = "Example:\n  rollbook invite create ada@example.com")]
    Invite(invite::Command),
    /// Create, list and archive projects
    #[command(subcommand, after_help = "Example:\n  rollbook project list")]
    Project(project::Command),
    /// Add, list, change and remove the members of projects
    #[command(subcommand, after_help = "Example:\n  rollbook member list Search")]
    Member(member::Command),
    /// Add, list, change and remove the models that projects use
    #[command(subcommand, after_help = "Example:\n  rollbook model list")]
    Model(model::Command),
    /// Say which hosted tools no project can do without
    #[command(subcommand, after_help = "Example:\n  rollbook hosted-tool list")]
    HostedTool(hosted_tool::Command),
    /// Make, list and delete admin keys
    #[command(subcommand, after_help = "Example:\n  rollbook admin-key list")]
    AdminKey(admin_key::Command),
    /// Create groups, fill them, and let them into projects
    #[command(subcommand, after_help = "Example:\n  rollbook group list")]
    Group(group::Command),
    /// Create roles, and give them to people and groups
    #[command(subcommand, after_help = "Example:\n  rollbook role list")]
    Role(role::Command),
    /// Create the service accounts of projects, and their keys
    #[command(subcommand, after_help = "Example:\n  rollbook service-account list Search")]
    ServiceAccount(service_account::Command),
    /// Make, list and delete the keys of projects
    #[command(subcommand, after_help = "Example:\n  rollbook api-key list Search")]
    ApiKey(api_key::Command),
    /// Say what a key opens, and why not
    #[command(after_help = CHECK_EXAMPLES)]
    Check(check::Check),
    /// Copy what a server shows of an organization into a document or a store
    #[command(after_long_help = pull::HELP, after_help = pull::EXAMPLES)]
    Pull(pull::Pull),
    /// Write an organization as a document, or as configuration of Terraform
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(export::Export),
    /// Bring an organization in, from a document or a CSV file
    Import(commands::import::Import),
    /// Check, export and seal the record of what was changed
    #[command(subcommand, after_help = "Example:\n  rollbook audit verify")]
    Audit(audit::Command),
    /// Bring events of usage in, and show what they add up to
    #[command(subcommand, after_help = "Example:\n  rollbook usage show --by project")]
    Usage(usage::Command),
    /// Say what usage costs
    #[command(subcommand, after_help = "Example:\n  rollbook price list")]
    Price(price::Command),
    /// Show which alerts of what was spent have fired
    #[command(subcommand, after_help = "Example:\n  rollbook alerts list")]
    Alerts(alerts::Command),
    /// Bring the tables of a store up to date
    #[command(after_help = "Example:\n  rollbook migrate --check")]
    Migrate(store::Migrate),
    /// Copy a SQLite store into a file, while it is in use
    #[command(after_help = "Example:\n  rollbook backup rollbook-$(date +%F).db")]
    Backup(commands::backup::Backup),
    /// Make a SQLite store from such a file
    #[command(
        after_help = "Example:\n  rollbook restore rollbook-2026-11-24.db --database sqlite:rollbook.db"
    )]
    Restore(commands::backup::Backup),
    /// Print the OpenAPI 3.1 document of the API
    #[command(after_help = "Example:\n  rollbook openapi > openapi.json")]
    Openapi(Openapi),
    /// Print what a shell needs to complete commands
    #[command(
        after_help = "Example:\n  rollbook completions bash > /etc/bash_completion.d/rollbook"
    )]
    Completions(shell::Completions),
    /// Print the manual page, or write those of all commands
    #[command(after_help = "Example:\n  rollbook man --out /usr/local/share/man/man1")]
    Man(shell::Manual),
}

/// How the commands are shown: what is looked for together stands together.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Serve", &["serve", "demo", "emulate", "check-config", "check"]),
    (
        "Organization",
        &[
            "org",
            "user",
            "invite",
            "project",
            "member",
            "group",
            "role",
            "service-account",
            "api-key",
            "admin-key",
            "model",
            "hosted-tool",
        ],
    ),
    ("Usage and costs", &["usage", "price", "alerts"]),
    ("Store", &["export", "import", "pull", "audit", "migrate", "backup", "restore"]),
    ("This program", &["openapi", "completions", "man", "help"]),
];

/// The flags of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// The address to listen on; it must be loopback, because everybody knows the demo's key
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

/// The flags of `openapi`.
#[derive(Debug, Args)]
pub struct Openapi {
    /// The document of the operations that only Rollbook has
    #[arg(long)]
    pub own: bool,
}

/// The command line as clap knows it, with its commands in groups.
pub fn command() -> clap::Command {
    let command = Cli::command();
    let groups = groups(&command);
    command.before_help(groups)
}

fn groups(command: &clap::Command) -> StyledStr {
    let (header, literal) = (STYLES.get_header(), STYLES.get_literal());
    let mut text = StyledStr::new();
    for (title, names) in GROUPS {
        let _ = writeln!(text, "{header}{title}:{header:#}");
        for name in names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            let about =
                about.map_or_else(|| "Print the help of a command".to_owned(), ToString::to_string);
            let _ = writeln!(text, "  {literal}{name:<17}{literal:#}{about}");
        }
        let _ = writeln!(text);
    }
    text
}

/// Reads the command line, and what it names: the environment and the file of settings. Ends the process with usage or help
/// where that is the answer.
pub fn read() -> anyhow::Result<Command> {
    let matches = command().get_matches();
    ensure_one_place(&matches);
    let mut command = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command;
    if let Some((_, matches)) = matches.subcommand() {
        match &mut command {
            Command::Serve(serve) => serve.lay_over_file(matches)?,
            Command::CheckConfig(check) => check.serve.lay_over_file(matches)?,
            _ => {}
        }
    }
    Ok(command)
}

/// A store and a server cannot both be meant. A store that the environment names is no contradiction: it is where commands go that
/// name no server.
fn ensure_one_place(matches: &ArgMatches) {
    let mut leaf = matches;
    while let Some((_, inner)) = leaf.subcommand() {
        leaf = inner;
    }
    let is_typed = |name| {
        leaf.try_contains_id(name).is_ok()
            && leaf.value_source(name) == Some(ValueSource::CommandLine)
    };
    if is_typed("server") && is_typed("database") {
        let message = "--server and --database cannot be used together\n";
        command().error(ErrorKind::ArgumentConflict, message).exit();
    }
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(Style::new().fg_color(Some(clap::builder::styling::Color::Ansi(AnsiColor::Cyan))));

const TEMPLATE: &str =
    "{about}\n\n{usage-heading} {usage}\n\n{before-help}Options:\n{options}{after-help}";

const EXAMPLES: &str = "\
Examples:
  rollbook demo                look around in a made-up organization
  rollbook serve               keep an organization in ./rollbook.db
  rollbook member list Search  who is in a project of ./rollbook.db
  rollbook help serve          all settings, with their defaults

Exit codes:
  0  done
  1  refused or failed: the message says why
  2  the command line or a setting is wrong
  3  a file to import has faults
  4  something named does not exist
  5  there is no admin key, or a key may not do this";

const SERVE_EXAMPLES: &str = "\
Examples:
  rollbook serve --owner-email ada@example.com --owner-name Ada
  rollbook serve --listen 0.0.0.0:8443 --tls-cert chain.pem --tls-key key.pem
  rollbook serve --database postgres://USER@HOST/NAME --config rollbook.toml

On an empty store, the first start creates an organization, its owner and an admin key. The key is shown on the \
terminal, or written to the key file if there is none. ROLLBOOK_BOOTSTRAP_KEY in the environment sets it instead: \
'sk-admin-' and at least 40 more characters.";

const CHECK_EXAMPLES: &str = "\
Examples:
  rollbook check < key
  rollbook check --model gpt-4o --server https://rollbook.example.com < key
  rollbook check --permission api.responses.write --json < key

The exit code is 0 if the key may do this, and 5 if not.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  rollbook export > organization.json                    without anything that keys could be told by
  rollbook export --with-key-hashes > organization.json  with what it takes to restore keys too
  rollbook export --terraform infrastructure             as configuration, with import blocks

'rollbook import organization.json' restores it.";

const DEMO_EXAMPLES: &str = "\
Examples:
  rollbook demo
  rollbook demo --listen 127.0.0.1:9000";

const EMULATE_EXAMPLES: &str = "\
Examples:
  rollbook emulate
  rollbook emulate --port 0 --clock 2026-01-01T00:00:00Z
  rollbook emulate --seed small=small.json --seed large=large.json
  curl -X POST 'http://127.0.0.1:8080/rollbook/v1/emulator/reset?seed=large'

It prints OPENAI_BASE_URL and OPENAI_ADMIN_KEY when it listens, in lines that a shell or a CI system can take. Whoever \
knows the key may do anything in it, and its secrets can be guessed: it is for tests.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_command_stands_in_one_group() {
        let mut grouped: Vec<_> =
            GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let mut known: Vec<_> = vec!["help".to_owned()];
        known.extend(command().get_subcommands().map(|command| command.get_name().to_owned()));
        grouped.sort_unstable();
        known.sort_unstable();
        assert_eq!(grouped, known);
    }

    #[test]
    fn every_command_has_an_example_in_its_help() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{}", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&command());
    }
}
