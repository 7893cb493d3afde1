//! The store that is imported into. One that is not there yet is not made before the file was found to be in order.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use admin::domain::clock::{Clock as _, SystemClock, SystemRandom};
use admin::domain::id::Ids;
use admin::domain::secret::{ADMIN_PREFIX, PlainKey};
use admin::error::Error;
use admin::founding::Founding;
use admin::organization::{self, Organization};
use anyhow::{Context, Result, bail};
use sql::Store;

use super::{Import, report};
use crate::config::{Settings, Usage};
use crate::{first_start, key_file, serve};

/// How long a transaction may take. No request waits for one; a portion of changed roles far from the database takes longer than any.
const PATIENCE: Duration = Duration::from_mins(1);

/// An organization in its store.
pub struct Target {
    store: Store,
    organization: Organization,
    /// Whether this is only what a first start would make, in memory.
    is_stand_in: bool,
    /// Whether it was founded by this process, which nobody else can enter before it is done.
    is_new: bool,
}

impl Target {
    /// The organization as it is, or a stand-in for one that is still to be founded.
    pub fn find(flags: &Import) -> Result<Self> {
        let settings = flags.settings();
        let existing = existing(&settings, flags.dry_run)?;
        let is_stand_in = existing.is_none();
        let store = existing.map_or_else(|| stand_in(&settings), Ok)?;
        let organization = organization(&store, flags)?;
        Ok(Self { store, organization, is_stand_in, is_new: false })
    }

    /// The same in a store that stays: a stand-in is founded now, as at a server's first start.
    pub fn into_lasting(self, flags: &Import) -> Result<Self> {
        if !self.is_stand_in {
            return Ok(self);
        }
        drop(self);
        let settings = flags.settings();
        let store = serve::open(&settings)?;
        let key = key_file::path(&settings);
        let had_key = key.exists();
        first_start::ensure(&store, &settings, &format!("http://{}", settings.listen))?;
        if !had_key && key.exists() {
            report::note(&format!(
                "The store is new; the admin key of its owner is in {}",
                key.display()
            ));
        }
        store.close();
        let alone = open_alone(&settings)?;
        let is_new = alone.is_some();
        let store = alone.map_or_else(|| open(&settings), Ok)?;
        let organization = organization(&store, flags)?;
        Ok(Self { store, organization, is_stand_in: false, is_new })
    }

    /// An import into it.
    pub fn import<'a>(
        &'a self,
        flags: &Import,
        ids: &'a Ids,
        user: &'a str,
    ) -> admin::import::Import<'a> {
        admin::import::Import {
            store: &self.store,
            organization: self.organization.clone(),
            ids,
            clock: &SystemClock,
            user,
            rows_at_once: flags.batch_size.into(),
            is_new: self.is_new,
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.store.close();
    }
}

fn organization(store: &Store, flags: &Import) -> Result<Organization, Error> {
    let name = flags.organization.clone();
    store.read_blocking(move |tx| organization::find_named_or_only(tx, name.as_deref()))
}

/// The store, if it has an organization. What is not there is not made.
fn existing(settings: &Settings, dry_run: bool) -> Result<Option<Store>> {
    if settings.database == key_file::MEMORY {
        bail!(Usage(
            "a store in memory ends with this process; name a file, as in --database sqlite:PATH"
                .to_owned()
        ));
    }
    let file = settings.database.strip_prefix("sqlite:").map(Path::new);
    if file.is_some_and(|file| !file.exists()) {
        return Ok(None);
    }
    let store = open(settings)?;
    let migrations = admin::migrations();
    let pending = serve::runtime()?.block_on(store.pending(&migrations))?;
    if pending.len() == migrations.len() {
        store.close();
        return Ok(None);
    }
    if !pending.is_empty() && dry_run {
        bail!(
            "the store's tables are those of an older rollbook; run 'rollbook serve' or an import without --dry-run, either brings them up to date"
        );
    }
    if !pending.is_empty() {
        store.migrate(&migrations).context("cannot bring the store's tables up to date")?;
    }
    if store.read_blocking(organization::is_empty)? {
        store.close();
        return Ok(None);
    }
    Ok(Some(store))
}

fn open(settings: &Settings) -> Result<Store> {
    let options = sql::Options { is_loading: true, deadline: PATIENCE, ..settings.store() };
    Store::open(options).context("cannot open the store")
}

/// The store for this process alone, if it is a file and nobody has found it yet.
fn open_alone(settings: &Settings) -> Result<Option<Store>> {
    if !settings.database.starts_with("sqlite:") {
        return Ok(None);
    }
    let options = sql::Options { is_alone: true, deadline: PATIENCE, ..settings.store() };
    match Store::open(options) {
        Err(sql::Error::Busy) => Ok(None),
        opened => opened.map(Some).context("cannot open the store"),
    }
}

fn stand_in(settings: &Settings) -> Result<Store> {
    let store = Store::open(sql::Options::new(key_file::MEMORY))?;
    store.migrate(&admin::migrations())?;
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
    let key = PlainKey::generate(ADMIN_PREFIX, &SystemRandom);
    let (email, name) = (&settings.owner_email, settings.owner_name.as_deref());
    let founding = Founding::draw(&ids, SystemClock.now(), "default", email, name, key);
    store.write_blocking(move |tx| founding.execute(tx))?;
    Ok(store)
}
