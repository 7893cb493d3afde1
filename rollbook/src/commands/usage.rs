//! `rollbook usage`: events of usage from a file, and what they add up to. Both speak the API, so they work on a store and through a server.

mod bars;
mod events;
mod former;
mod import;
mod names;
mod query;
mod show;

use anyhow::Result;
use clap::Subcommand;

/// What can be done with usage.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring events of usage in from a CSV file or from JSON lines
    #[command(after_help = import::EXAMPLES, after_long_help = import::HELP)]
    Import(import::Import),
    /// Show what was used, or what it cost
    #[command(after_help = show::EXAMPLES)]
    Show(show::Show),
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Import(import) => import.run(),
            Self::Show(show) => show.run(),
        }
    }
}
