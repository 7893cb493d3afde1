//! The first start on an empty store: it makes the organization, and sees to it that somebody has its key.

use std::ffi::OsString;
use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::sync::Arc;

use admin::domain::clock::{Clock, SystemClock, SystemRandom};
use admin::domain::id::Ids;
use admin::domain::secret::{ADMIN_PREFIX, PlainKey};
use admin::error::{Error, Kind};
use admin::founding::Founding;
use admin::organization;
use anyhow::{Result, bail};
use sql::Store;

use crate::config::{BOOTSTRAP_KEY, Settings, Usage};
use crate::key_file::{self, Draft};

/// The only organization, as its header names it.
const SLUG: &str = "default";
/// How many characters a chosen key has at least behind its prefix.
const CHOSEN: usize = 40;

/// Founds the organization if the store has none. Any number of processes may do this at once; one of them founds it.
pub fn ensure(store: &Store, settings: &Settings, url: &str) -> Result<()> {
    let chosen = std::env::var_os(BOOTSTRAP_KEY);
    let path = key_file::path(settings);
    // Looked at before the store: another process that founds the organization meanwhile writes its file last.
    let is_taken = path.exists();
    if !store.read_blocking(organization::is_empty)? {
        if chosen.is_some() {
            tracing::debug!("{BOOTSTRAP_KEY} has no effect: the store has an organization already");
        }
        return Ok(());
    }
    match chosen {
        Some(chosen) => {
            found(store, &draw(settings, check(chosen)?))?;
            Ok(())
        }
        None if stdout().is_terminal() => on_terminal(store, settings, path, url),
        None if is_taken => bail!(
            "the store is empty, but {} exists and may hold the key of another one; move it away, \
             or name another file with --key-file",
            path.display()
        ),
        None => in_file(store, settings, path),
    }
}

fn draw(settings: &Settings, key: PlainKey) -> Arc<Founding> {
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
    let (email, name) = (&settings.owner_email, settings.owner_name.as_deref());
    Arc::new(Founding::draw(&ids, SystemClock.now(), SLUG, email, name, key))
}

fn new_key() -> PlainKey {
    PlainKey::generate(ADMIN_PREFIX, &SystemRandom)
}

/// A key that the operator chose. It is never repeated, not even when it is wrong.
pub fn check(chosen: OsString) -> Result<PlainKey, Usage> {
    let key = chosen.into_string().unwrap_or_default();
    let rest = key.strip_prefix(ADMIN_PREFIX).unwrap_or_default();
    if rest.len() >= CHOSEN && rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(PlainKey::given(key));
    }
    Err(Usage(format!(
        "{BOOTSTRAP_KEY} is not usable; it must be '{ADMIN_PREFIX}' and at least {CHOSEN} more printable \
         ASCII characters without spaces, for example from: echo \"{ADMIN_PREFIX}$(openssl rand -hex 32)\""
    )))
}

/// Founds the organization and answers whether it was this process that did.
fn found(store: &Store, founding: &Arc<Founding>) -> Result<bool, Error> {
    let drawn = Arc::clone(founding);
    let outcome = store.write_blocking(move |tx| {
        let is_first = organization::is_empty(tx)?;
        if is_first {
            drawn.execute(tx)?;
        }
        Ok(is_first)
    });
    // Two processes can collide, and a connection can be lost during the commit. What is in the store now tells what came of it.
    outcome.or_else(|error: Error| match store.read_blocking(organization::list) {
        Ok(all) if !all.is_empty() => Ok(all.iter().any(|one| one.id == founding.organization.id)),
        _ => Err(error),
    })
}

fn on_terminal(store: &Store, settings: &Settings, path: PathBuf, url: &str) -> Result<()> {
    let founding = draw(settings, new_key());
    let is_ours = match found(store, &founding) {
        // The organization may exist all the same, and this is the only copy of its key.
        Err(error) if error.kind == Kind::OutcomeUnknown => {
            show(&founding, url)?;
            bail!(
                "{error}; if the organization exists at the next start, the key above is its admin key"
            );
        }
        outcome => outcome?,
    };
    if is_ours && show(&founding, url).is_err() {
        // The terminal went away in that very moment; the key must not go with it.
        deliver(Draft::write(path, &founding.key)?, settings)?;
    }
    Ok(())
}

fn in_file(store: &Store, settings: &Settings, path: PathBuf) -> Result<()> {
    let founding = draw(settings, new_key());
    let draft = Draft::write(path, &founding.key)?;
    match found(store, &founding) {
        Ok(true) => deliver(draft, settings),
        Ok(false) => Ok(()),
        Err(error) if error.kind == Kind::OutcomeUnknown => {
            let path = draft.keep()?;
            bail!(
                "{error}; if the organization exists at the next start, its admin key is in {}",
                path.display()
            );
        }
        Err(error) => Err(error.into()),
    }
}

/// Leaves the key where it will be looked for.
fn deliver(draft: Draft, settings: &Settings) -> Result<()> {
    let path = draft.publish()?;
    let path = std::path::absolute(&path).unwrap_or(path);
    tracing::info!("the admin key of the new organization is in {}", path.display());
    if settings.database == key_file::MEMORY {
        tracing::warn!("the store is in memory: its key opens nothing once this process ends");
    }
    Ok(())
}

fn show(founding: &Founding, url: &str) -> Result<()> {
    let (key, project) = (founding.key.expose(), &founding.organization.default_project_id);
    Ok(writeln!(
        stdout(),
        "This store is new. Its owner is {email}, and this is the owner's admin key. It is shown only now:\n\n  \
           {key}\n\n\
         Try it once the server listens:\n\n  \
           curl -H 'Authorization: Bearer {key}' {url}/v1/organization/projects\n  \
           curl -H 'Authorization: Bearer {key}' {url}/v1/organization/projects/{project}/users\n",
        email = founding.owner.email,
    )?)
}
