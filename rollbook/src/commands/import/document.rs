//! An organization from a document: all of it or nothing.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use admin::audit::{Actor, Origin};
use admin::document::{Action, Change, Fault, Outcome, Refusal, Restoration, parse};
use admin::domain::clock::{Clock as _, SystemClock, SystemRandom};
use admin::domain::id::Ids;
use admin::import::analyze;
use anyhow::{Context, Result, bail};
use sql::Store;

use super::report::note;
use super::{Import, document_report};
use crate::commands::failure::Failure;
use crate::commands::local::{AGENT, PATIENCE, open_within, user};
use crate::config::Usage;
use crate::key_file::MEMORY;
use crate::serve;

/// Whether a file is a document: it is called so, or begins like one.
pub fn is_one(path: &Path) -> Result<bool> {
    let is_called = |extension: &str| {
        path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
    };
    if is_called("json") || is_called("csv") {
        return Ok(is_called("json"));
    }
    let name = path.display();
    let mut beginning = Vec::new();
    let file = File::open(path).with_context(|| Usage(format!("cannot read {name}")))?;
    if !file.metadata()?.is_file() {
        // What can be read once only is left to whoever refuses it.
        return Ok(false);
    }
    file.take(64).read_to_end(&mut beginning)?;
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&beginning);
    Ok(text.trim_ascii_start().first() == Some(&b'{'))
}

/// Restores the document.
pub fn run(flags: &Import, began: Instant) -> Result<()> {
    if flags.skip_invalid {
        let message =
            "--skip-invalid is for CSV files; a document is restored as a whole or not at all";
        return Err(Usage(message.to_owned()).into());
    }
    let name = flags.file.display();
    let text = std::fs::read_to_string(&flags.file)
        .with_context(|| Usage(format!("cannot read {name}")))?;
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
    let actor = Actor::CommandLine { user: user() };
    let origin = Origin { ip_address: None, user_agent: Some(AGENT.to_owned()) };
    let drawn = parse(&text)
        .and_then(|document| Restoration::draw(document, actor, SystemClock.now(), &ids));
    let mut restoration = match drawn {
        Ok(restoration) => restoration.from_origin(origin),
        Err(fault) => return refuse(flags, &[fault], began),
    };
    if let Some(named) = &flags.organization {
        restoration = restoration.into_organization(named);
    }
    match restore(flags, &restoration) {
        Ok(outcome) => {
            document_report::print(flags, Some(&outcome), &[], began)?;
            tell_of_keys(flags, &outcome);
            Ok(())
        }
        Err(error) => match error.downcast::<Refusal>() {
            Ok(Refusal::Faulty(faults)) => refuse(flags, &faults, began),
            Ok(Refusal::Trouble(error)) => Err(error.into()),
            Err(error) => Err(error),
        },
    }
}

fn refuse(flags: &Import, faults: &[Fault], began: Instant) -> Result<()> {
    document_report::print(flags, None, faults, began)?;
    let (count, name) = (faults.len(), flags.file.display());
    let noun = if count == 1 { "fault" } else { "faults" };
    let message = format!("{name} has {count} {noun} and nothing was written; mend the file");
    Err(Failure::faulty_file(&message).into())
}

/// What nobody should find out later: a store that nobody can enter, and keys that are not there.
fn tell_of_keys(flags: &Import, outcome: &Outcome) {
    let count = |action: Action, kinds: &[&str]| {
        let is_meant = |change: &&Change| change.action == action && kinds.contains(&change.kind);
        outcome.changes.iter().filter(is_meant).count()
    };
    let left_out = count(Action::LeftOut, &["admin key", "api key"]);
    if left_out > 0 {
        note(&format!(
            "note: {left_out} keys were left out: without their secrets or the hashes of those they would open nothing; 'rollbook export --with-key-hashes' writes the hashes"
        ));
    }
    let is_new = count(Action::Added, &["organization"]) > 0;
    if is_new && !flags.dry_run && count(Action::Added, &["admin key"]) == 0 {
        note("note: the organization has no admin key yet; 'rollbook admin-key create' makes one");
    }
}

fn restore(flags: &Import, restoration: &Restoration) -> Result<Outcome> {
    let Some(store) = existing(flags)? else {
        // A store is not made for a document that cannot be restored.
        let outcome = rehearse(&empty()?, restoration)?;
        if flags.dry_run {
            return Ok(outcome);
        }
        return execute(&open_within(&flags.database, PATIENCE)?, restoration);
    };
    if flags.dry_run { rehearse(&store, restoration) } else { execute(&store, restoration) }
}

fn rehearse(store: &Store, restoration: &Restoration) -> Result<Outcome> {
    let restoration = restoration.clone();
    let outcome = store.read_blocking(move |tx| restoration.rehearse(tx));
    store.close();
    Ok(outcome?)
}

fn execute(store: &Store, restoration: &Restoration) -> Result<Outcome> {
    store.migrate(&admin::migrations()).context("cannot bring the store's tables up to date")?;
    let restoration = restoration.clone();
    let outcome = store.write_blocking(move |tx| restoration.execute(tx))?;
    if !outcome.changes.is_empty()
        && let Err(error) = analyze(store)
    {
        note(&format!("note: the store's statistics are not up to date: {error}"));
    }
    store.close();
    Ok(outcome)
}

fn empty() -> Result<Store> {
    let store = Store::open(sql::Options::new(MEMORY))?;
    store.migrate(&admin::migrations())?;
    Ok(store)
}

/// The store, if its tables are there. A rehearsal does not bring them up to date.
fn existing(flags: &Import) -> Result<Option<Store>> {
    if flags.database == MEMORY {
        let message =
            "a store in memory ends with this process; name a file, as in --database sqlite:PATH";
        return Err(Usage(message.to_owned()).into());
    }
    let file = flags.database.strip_prefix("sqlite:").map(Path::new);
    if file.is_some_and(|file| !file.exists()) {
        return Ok(None);
    }
    let store = open_within(&flags.database, PATIENCE)?;
    let migrations = admin::migrations();
    let pending = serve::runtime()?.block_on(store.pending(&migrations))?;
    if pending.len() == migrations.len() {
        store.close();
        return Ok(None);
    }
    if !pending.is_empty() && flags.dry_run {
        bail!(
            "the store's tables are those of an older rollbook; run 'rollbook migrate' or an import without --dry-run, either brings them up to date"
        );
    }
    if !pending.is_empty() {
        store.migrate(&migrations).context("cannot bring the store's tables up to date")?;
    }
    Ok(Some(store))
}
