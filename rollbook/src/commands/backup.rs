//! `rollbook backup` and `rollbook restore`: one file to keep, one file to come back from.

mod draft;
mod progress;
mod restore;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::config::Usage;
use draft::{Draft, folder};
pub use restore::restore;

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
    /// Take the place of what is there: a backup replaces the file, a restore first moves the old store aside
    #[arg(long)]
    pub force: bool,
}

impl Backup {
    /// The store's file, or what to do instead where it has none. `command` is PostgreSQL's own, from the URL without its
    /// password and the backup's name, both quoted for a shell.
    fn store(&self, command: impl FnOnce(String, String) -> String) -> Result<&Path> {
        if let Some(file) = sql::backup::file(&self.database) {
            return Ok(file);
        }
        let url = sql::Options::new(&self.database).shown_url();
        let remedy = if url.starts_with("postgres") {
            let command = command(quoted(&url), quoted(&self.file.to_string_lossy()));
            format!(
                "PostgreSQL has its own tool: {command} (it asks for the password, or takes it from PGPASSWORD)"
            )
        } else {
            format!("{url} names no file; write --database sqlite:PATH")
        };
        bail!(Usage(remedy))
    }
}

/// Writes a copy of the store, while a server may go on writing to it.
pub fn backup(flags: &Backup) -> Result<()> {
    let store = flags.store(|url, file| format!("pg_dump --format=custom --file={file} {url}"))?;
    let target = &flags.file;
    refuse_part_of_store(store, target)?;
    if target.symlink_metadata().is_ok() && !flags.force {
        bail!("{} exists; name another file, or replace it with --force", target.display());
    }
    refuse_companions(target)?;
    let draft = Draft::beside(target)?;
    let (from, copy) = (store.to_owned(), draft.path().to_owned());
    let work =
        progress::during("copying", &copy.clone(), move || Ok(sql::backup::copy(&from, &copy)?))?;
    let bytes = draft.publish(target, flags.force)?;
    work.summarize(&format!("{} holds the store {}", target.display(), store.display()), bytes)
}

/// A backup over the store itself, or over its log, would destroy what it was to keep.
fn refuse_part_of_store(store: &Path, target: &Path) -> Result<()> {
    let store = store.canonicalize().with_context(|| {
        format!("cannot find the store {}; --database names another one", store.display())
    })?;
    let place = folder(target).canonicalize().unwrap_or_default();
    let place = place.join(target.file_name().unwrap_or_default());
    if place == store || sql::backup::companions(&store).contains(&place) {
        bail!("{} is part of the store; name another file", target.display());
    }
    Ok(())
}

/// With such a file beside it, a backup is half of a store, and would be read as that.
fn refuse_companions(file: &Path) -> Result<()> {
    match sql::backup::companions(file).iter().find(|beside| beside.symlink_metadata().is_ok()) {
        Some(beside) => bail!(
            "{} belongs to {}, which is therefore a store in use, or one that was not closed, and not a backup; name another \
             file, or make a backup of that store first",
            beside.display(),
            file.display()
        ),
        None => Ok(()),
    }
}

/// In single quotes, for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
