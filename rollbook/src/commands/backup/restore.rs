//! `rollbook restore`: a store from a backup, which stays as it is.

use std::fs::{File, rename};
use std::io::copy;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sql::backup::{Claim, check, companions};
use sql::{Options, Store};
use tokio::runtime::Handle;

use super::{Backup, Draft, progress, refuse_companions};

/// To look at a store of any size; the deadlines of requests are for requests.
const PATIENCE: Duration = Duration::from_hours(1);
/// How many old stores may lie beside the new one.
const MOST_ASIDE: u32 = 1000;

/// Puts a copy back.
pub fn restore(flags: &Backup) -> Result<()> {
    let store = flags.store(|url, file| {
        format!("pg_restore --clean --if-exists --single-transaction --dbname={url} {file}")
    })?;
    // A link stays a link: what it points at is the store.
    let store = store.canonicalize().unwrap_or_else(|_| store.to_owned());
    let source = File::open(&flags.file)
        .with_context(|| format!("cannot read the backup {}", flags.file.display()))?;
    refuse_companions(&flags.file)?;
    if exists(&store) {
        ensure!(
            flags.force,
            "the store {} exists; name another one with --database, or move it aside with --force",
            store.display()
        );
        drop(claim(&store, Claim::new)?);
    }
    let draft = Draft::beside(&store)?;
    let (path, name) = (draft.path().to_owned(), flags.file.clone());
    let work = progress::during("restoring", &path.clone(), move || {
        fill(source, &path).with_context(|| format!("{} cannot be restored", name.display()))
    })?;
    // From here on only names change, so that the moment in which there is no store is short.
    let aside = if exists(&store) { Some(move_aside(&store)?) } else { None };
    let bytes = draft.publish(&store, false)?;
    let aside = aside.map(|aside| format!("; the store that was there is {} now", aside.display()));
    let what = format!("{} restored from {}", store.display(), flags.file.display());
    work.summarize(&format!("{what}{}", aside.unwrap_or_default()), bytes)
}

/// Copies the backup and finds out whether this program can serve the copy.
fn fill(mut source: File, path: &Path) -> Result<()> {
    let mut draft = File::options().write(true).open(path)?;
    copy(&mut source, &mut draft)?;
    check(path)?;
    let options = Options { readers: 1, deadline: PATIENCE, ..Options::new(url(path)) };
    let migrations = admin::migrations();
    let store = Store::open(options)?;
    let pending = Handle::current().block_on(store.pending(&migrations));
    store.close();
    ensure!(pending?.len() < migrations.len(), "it is a database, but not a rollbook store");
    Ok(())
}

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// Whether there is a store, or what a lost one left behind: its log would be read into the new one.
fn exists(store: &Path) -> bool {
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    is_there(store) || companions(store).iter().any(|path| is_there(path))
}

/// Proof that nobody uses the store; `None` if its file is not even there.
fn claim(store: &Path, how: impl Fn(&Path) -> sql::Result<Claim>) -> Result<Option<Claim>> {
    if !store.exists() {
        return Ok(None);
    }
    match how(store) {
        Err(sql::Error::Busy) => {
            bail!("the store {} is in use; stop the server first", store.display())
        }
        claim => Ok(Some(claim?)),
    }
}

/// Gives the store's files another name and answers it. A server that has connected to them by now is noticed; one that is
/// about to, in these milliseconds, is not.
fn move_aside(store: &Path) -> Result<PathBuf> {
    let _claim = claim(store, Claim::tidied)?;
    let aside = (1..=MOST_ASIDE)
        .map(|number| PathBuf::from(format!("{}.replaced-{number}", store.display())))
        .find(|path| !exists(path))
        .context("too many old stores lie beside it; remove some")?;
    let pairs = companions(store).into_iter().zip(companions(&aside));
    for (from, to) in std::iter::once((store.to_owned(), aside.clone())).chain(pairs) {
        match rename(&from, &to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            renamed => renamed.with_context(|| format!("cannot move {} aside", from.display()))?,
        }
    }
    Ok(aside)
}
