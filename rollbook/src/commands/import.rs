//! `rollbook import`: brings an organization in from a CSV file.

use std::path::PathBuf;

use clap::Args;

/// The flags of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The file, with the header email,name,role,project,project_role
    pub file: PathBuf,
    /// The store: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME
    #[arg(
        long,
        env = "ROLLBOOK_DATABASE",
        value_name = "URL",
        default_value = "sqlite:rollbook.db",
        hide_env_values = true
    )]
    pub database: String,
}

/// Imports the file.
pub fn run(_import: &Import) -> anyhow::Result<()> {
    anyhow::bail!("not built yet")
}
