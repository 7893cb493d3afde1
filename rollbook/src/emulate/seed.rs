//! Seeds: an organization as it is at the beginning of a test, kept as an image that a reset starts from.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use admin::audit::{Actor, Author, EVENTS_PER_CHANGE, Origin};
use admin::document::{self, Restoration};
use admin::domain::clock::Clock;
use admin::domain::id::Ids;
use admin::domain::role::OrganizationRole;
use admin::domain::scope::Scopes;
use admin::domain::secret::PlainKey;
use admin::error::Error;
use admin::organization::{self, Organization};
use admin::resources::admin_api_keys::store::{self as keys, NewKey};
use admin::resources::users::store::{self as users, User};
use anyhow::{Context, Result, anyhow};
use sql::{Image, Options, Store, Tx, args};

use super::clock::MovableClock;
use super::dice::Dice;
use crate::config::Usage;
use crate::key_file::MEMORY;

/// The organization of an emulator that is given none.
const DEFAULT: &str = include_str!("default.json");
/// Its name.
const DEFAULT_NAME: &str = "default";

/// A seed as the command line names it.
#[derive(Debug, Clone)]
pub struct Named {
    name: String,
    file: PathBuf,
}

impl FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write NAME=FILE, for example small=small.json; a name has letters, digits, - and _ only";
        let (name, file) = text.split_once('=').ok_or(wrong)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_plain) || file.is_empty() {
            return Err(wrong);
        }
        Ok(Self { name: name.to_owned(), file: file.into() })
    }
}

/// A seed that can be started from.
#[derive(Debug)]
pub struct Seed {
    /// What it is called in a reset.
    pub name: String,
    /// The store as the seed has it.
    pub image: Image,
}

/// Reads and plants every seed. Blocks.
pub fn plant_all(named: &[Named], key: &PlainKey, clock: &Arc<MovableClock>) -> Result<Vec<Seed>> {
    let mut seeds: Vec<Seed> = Vec::new();
    for Named { name, file } in named {
        let shown = file.display();
        let wrong = |what: &dyn std::fmt::Display| Usage(format!("the seed {name}={shown} {what}"));
        if seeds.iter().any(|seed| seed.name == *name) {
            return Err(wrong(&"has the name of another one").into());
        }
        let text =
            fs::read_to_string(file).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        let image = plant(&text, key, clock)
            .map_err(|error| wrong(&format!("cannot be planted: {error:#}")))?;
        seeds.push(Seed { name: name.clone(), image });
    }
    if seeds.is_empty() {
        let image = plant(DEFAULT, key, clock)
            .context("the organization that the program brings along is at fault")?;
        seeds.push(Seed { name: DEFAULT_NAME.to_owned(), image });
    }
    Ok(seeds)
}

/// A store in memory with what a document says, in which the key opens everything.
fn plant(text: &str, key: &PlainKey, clock: &Arc<MovableClock>) -> Result<Image> {
    let document = document::parse(text).map_err(|fault| anyhow!("{fault}"))?;
    let store = Store::open(Options::new(MEMORY))?;
    store.migrate(&admin::migrations())?;
    let ids = Ids::new(Arc::clone(clock) as _, Arc::new(Dice::new("seed")));
    let restoration = Restoration::draw(document, Actor::System, clock.now(), &ids);
    let restoration = restoration.map_err(|fault| anyhow!("{fault}"))?;
    store.write_blocking(move |tx| restoration.execute(tx).map_err(Error::from).map(drop))?;
    let key = key.clone();
    let (now, key_id, event_ids) = (clock.now(), ids.make("key_"), ids.block(EVENTS_PER_CHANGE));
    store.write_blocking(move |tx| {
        let organization = organization::find_named_or_only(tx, None)?;
        let by =
            Author::new(organization, Actor::System, Origin::default(), now, event_ids.clone());
        admit(tx, &by, &key, &key_id)
    })?;
    let image = store.image_blocking()?;
    store.close();
    Ok(image)
}

/// Lets the emulator's key open everything, unless the seed brings it along.
fn admit(tx: &mut Tx<'_>, by: &Author, key: &PlainKey, id: &str) -> Result<(), Error> {
    if keys::find_by_secret(tx, &key.hash())?.is_some() {
        return Ok(());
    }
    let owner = first_owner(tx, &by.organization)?;
    let new = NewKey {
        id: id.to_owned(),
        name: Some("Emulator".to_owned()),
        hash: key.hash(),
        redacted_value: key.redacted(),
        scopes: Scopes::all(),
        expires_at: None,
    };
    keys::create(tx, by, &owner, &new)?;
    Ok(())
}

fn first_owner(tx: &mut Tx<'_>, organization: &Organization) -> Result<User, Error> {
    let sql = "SELECT id FROM users WHERE organization_id = $1 AND role = $2 ORDER BY id LIMIT 1";
    let args = args![&organization.id, OrganizationRole::Owner.name()];
    let id: Option<String> = tx.one(sql, args, |row| row.get(0))?;
    let id = id.ok_or_else(|| {
        let message = "The organization has no owner, and a key needs one. Give one of its users the role 'owner'.";
        Error::invalid("no_owner", message)
    })?;
    users::find(tx, &organization.id, &id)
}
