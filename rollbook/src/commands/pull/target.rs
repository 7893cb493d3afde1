//! Where a pull goes: a file, standard output, or a store.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use admin::audit::Actor;
use admin::document::{Action, Change, Document, Restoration};
use admin::domain::clock::{Clock, SystemClock, SystemRandom};
use admin::domain::id::Ids;
use admin::error::Error;
use anyhow::{Context, Result, anyhow};
use tempfile::Builder;

use crate::commands::local;

/// Where to.
pub enum Target<'a> {
    /// A file, which is there when it is complete.
    File(&'a Path),
    /// Whoever reads it.
    Output,
    /// A store.
    Store(&'a str),
}

impl<'a> Target<'a> {
    /// What the flags say.
    pub fn of(output: Option<&'a Path>, database: Option<&'a str>) -> Self {
        match (output, database) {
            (Some(file), _) => Self::File(file),
            (None, Some(url)) => Self::Store(url),
            (None, None) => Self::Output,
        }
    }

    /// Beside it, the file that remembers how far a pull came; nowhere, if it is no file itself.
    pub fn state(&self) -> Option<PathBuf> {
        let beside = |file: &Path| {
            let mut name = file.as_os_str().to_owned();
            name.push(".pull");
            PathBuf::from(name)
        };
        match self {
            Self::File(file) => Some(beside(file)),
            Self::Store(url) => sql::backup::file(url).map(beside),
            Self::Output => None,
        }
    }

    /// Puts the document there, and says what was done.
    pub fn write(&self, document: &Document) -> Result<String> {
        match self {
            Self::Output => {
                let mut out = stdout().lock();
                out.write_all(admin::document::render(document).as_bytes())?;
                out.flush()?;
                Ok("the document is complete".to_owned())
            }
            Self::File(file) => {
                publish(file, &admin::document::render(document))?;
                Ok(format!("{} is complete", file.display()))
            }
            Self::Store(url) => restore(url, document),
        }
    }
}

/// Writes all of a file or nothing, for this user only: it tells of everybody.
fn publish(file: &Path, text: &str) -> Result<()> {
    let explained = || format!("cannot write {}; --output names another file", file.display());
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut draft =
        Builder::new().prefix(".rollbook-pull.").tempfile_in(folder).with_context(explained)?;
    draft
        .write_all(text.as_bytes())
        .and_then(|()| draft.as_file().sync_all())
        .with_context(explained)?;
    draft.persist(file).with_context(explained)?;
    Ok(())
}

/// Brings it into a store, which is made if it is not there.
fn restore(url: &str, document: &Document) -> Result<String> {
    let store = local::open(url)?;
    store.migrate(&admin::migrations()).context("cannot bring the store's tables up to date")?;
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
    let actor = Actor::CommandLine { user: local::user() };
    let restoration = Restoration::draw(document.clone(), actor, SystemClock.now(), &ids);
    let restoration = restoration.map_err(|fault| anyhow!("{fault}"))?;
    let outcome = store.write_blocking(move |tx| restoration.execute(tx).map_err(Error::from));
    store.close();
    let outcome = outcome?;
    let is_change = |change: &&Change| change.action != Action::LeftOut;
    let changes = outcome.changes.iter().filter(is_change).count();
    let keys = outcome.changes.len() - changes;
    let slug = &outcome.organization.slug;
    Ok(format!(
        "the organization '{slug}' is as it was shown: {changes} changes, and {keys} keys without their secrets were left out"
    ))
}
