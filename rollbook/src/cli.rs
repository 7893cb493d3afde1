//! The command line, and the help that explains it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands;
use crate::config::Settings;

/// Keeps an organization's people, projects, members and admin keys, and answers OpenAI's Administration API about them.
#[derive(Debug, Parser)]
#[command(name = "rollbook", version, arg_required_else_help = true, after_help = EXAMPLES)]
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
    /// Bring people, projects and memberships in from a CSV file
    Import(commands::import::Import),
    /// Copy a SQLite store into a file, while it is in use
    Backup(commands::backup::Backup),
    /// Make a SQLite store from such a file
    Restore(commands::backup::Backup),
    /// Print the OpenAPI 3.1 document of the API
    Openapi,
}

/// The flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Read settings from this TOML file
    ///
    /// Its keys are the flags below without the dashes in front. A flag wins over the environment, and the environment over the
    /// file.
    #[arg(long, env = "ROLLBOOK_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// All other settings, which a file may hold as well.
    #[command(flatten)]
    pub settings: Settings,
}

/// The flags of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// The address to listen on; it must be loopback, because everybody knows the demo's key
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

/// Reads the command line, and what it names: the environment and the file of settings. Ends the process with usage or help
/// where that is the answer.
pub fn read() -> anyhow::Result<Command> {
    let matches = Cli::command().get_matches();
    let mut command = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command;
    if let (Command::Serve(serve), Some((_, matches))) = (&mut command, matches.subcommand()) {
        serve.settings = serve.settings.clone().over(serve.config.as_deref(), matches)?;
    }
    Ok(command)
}

const EXAMPLES: &str = "\
Examples:
  rollbook demo                                        look around in a made-up organization
  rollbook serve                                       keep an organization in ./rollbook.db
  rollbook serve --database postgres://USER@HOST/NAME  keep it in PostgreSQL
  rollbook help serve                                  all settings, with their defaults";

const SERVE_EXAMPLES: &str = "\
Examples:
  rollbook serve --owner-email ada@example.com --owner-name Ada
  rollbook serve --listen 0.0.0.0:8443 --tls-cert server.pem --tls-key server.key
  ROLLBOOK_DATABASE=postgres://USER:PASSWORD@HOST/NAME rollbook serve --config /etc/rollbook.toml

On an empty store, the first start creates an organization, its owner and an admin key. The key is shown on the
terminal, or written to the key file if there is none. ROLLBOOK_BOOTSTRAP_KEY in the environment sets it instead:
'sk-admin-' and at least 40 more characters.";

const DEMO_EXAMPLES: &str = "\
Examples:
  rollbook demo
  rollbook demo --listen 127.0.0.1:9000";
