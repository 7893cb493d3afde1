//! `rollbook backup` and `rollbook restore`: one file to keep, one file to come back from.

use std::path::PathBuf;

use clap::Args;

/// The flags of `backup` and `restore`.
#[derive(Debug, Args)]
pub struct Backup {
    /// The file to write, or to read
    pub file: PathBuf,
    /// The store: sqlite:PATH
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE",
        value_name = "URL",
        default_value = "sqlite:rollbook.db",
        hide_env_values = true
    )]
    pub database: String,
}

/// Writes a copy of the store, while a server may go on writing to it.
pub fn backup(_backup: &Backup) -> anyhow::Result<()> {
    anyhow::bail!("not built yet")
}

/// Puts a copy back.
pub fn restore(_backup: &Backup) -> anyhow::Result<()> {
    anyhow::bail!("not built yet")
}
