//! `rollbook org`: the organizations of a store. The API knows only the one of the key, so this works on a store alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use admin::audit::Actor;
use admin::domain::clock::{Clock, SystemClock, SystemRandom};
use admin::domain::id::Ids;
use admin::domain::secret::{ADMIN_PREFIX, PlainKey};
use admin::founding::Founding;
use admin::organization::{self, Organization, fault_of_slug};
use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use sql::Store;

use super::local::{open_current, user};
use super::output::Output;
use super::place::StorePlace;
use super::table::{Column, Shape};
use super::user::address;
use crate::config::Usage;
use crate::key_file::Draft;

const ORGANIZATIONS: Shape = Shape {
    nothing: "The store has no organization yet. 'rollbook org create' makes one.",
    columns: &[
        Column::text("SLUG", "/slug", 0),
        Column::text("ID", "/id", 0),
        Column::text("DEFAULT PROJECT", "/default_project_id", 1),
    ],
};

/// What can be done with organizations.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an organization with its owner and first admin key
    #[command(after_help = "Example:\n  rollbook org create example --owner-email ada@example.com")]
    Create(Create),
    /// List the organizations of a store
    #[command(after_help = "Example:\n  rollbook org list")]
    List(List),
}

/// The flags of `org create`.
#[derive(Debug, Args)]
pub struct Create {
    /// A short name of lower-case letters, digits and hyphens, by which commands can name it
    #[arg(value_parser = slug)]
    slug: String,
    /// The e-mail address of the owner
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    owner_email: String,
    /// The name of the owner
    #[arg(long, value_name = "NAME")]
    owner_name: Option<String>,
    /// Write the first admin key into this new file, for this user only, instead of showing it
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    place: StorePlace,
    #[command(flatten)]
    output: Output,
}

/// The flags of `org list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    place: StorePlace,
    #[command(flatten)]
    output: Output,
}

fn slug(text: &str) -> Result<String, String> {
    fault_of_slug(text).map_or_else(|| Ok(text.to_owned()), |fault| Err(fault.to_owned()))
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Create(create) => create.run(),
            Self::List(list) => list.run(),
        }
    }
}

impl Create {
    fn run(&self) -> Result<()> {
        let store = open_current(&self.place.database)?;
        let founding = self.draw();
        match &self.key_file {
            Some(path) => self.found_into_file(&store, &founding, path)?,
            None => self.found_and_show(&store, &founding)?,
        }
        store.close();
        Ok(())
    }

    fn draw(&self) -> Arc<Founding> {
        let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
        let key = PlainKey::generate(ADMIN_PREFIX, &SystemRandom);
        let (email, name) = (&self.owner_email, self.owner_name.as_deref());
        let founding = Founding::draw(&ids, SystemClock.now(), &self.slug, email, name, key);
        Arc::new(founding.by(Actor::CommandLine { user: user() }))
    }

    /// The key is on the disk before the organization exists, so that it cannot be lost.
    fn found_into_file(&self, store: &Store, founding: &Arc<Founding>, path: &Path) -> Result<()> {
        let taken = || {
            Usage(format!("{} exists and may hold another key; name a new file", path.display()))
        };
        ensure!(!path.exists(), taken());
        let draft = Draft::write(path.to_owned(), &founding.key)?;
        found(store, founding)?;
        let path = draft.publish()?;
        let sentence = format!("{}. The admin key is in {}.", made(founding), path.display());
        self.output.done(&shown(founding), &sentence)
    }

    fn found_and_show(&self, store: &Store, founding: &Arc<Founding>) -> Result<()> {
        found(store, founding)?;
        let key = founding.key.expose();
        let mut answer = shown(founding);
        answer["admin_key"]["value"] = json!(key);
        let sentence = format!("{}. This is the owner's admin key.", made(founding));
        let rescue = format!(
            "make another one: rollbook admin-key create NAME --organization {}",
            self.slug
        );
        self.output.secret(&answer, key, &sentence, &rescue)
    }
}

fn found(store: &Store, founding: &Arc<Founding>) -> Result<(), admin::error::Error> {
    let drawn = Arc::clone(founding);
    store.write_blocking(move |tx| drawn.execute(tx))
}

fn made(founding: &Founding) -> String {
    let Organization { slug, id, .. } = &founding.organization;
    format!("Created the organization '{slug}' ({id}) with the owner {}", founding.owner.email)
}

fn shown(founding: &Founding) -> Value {
    let mut answer = row(&founding.organization);
    answer["owner"] = json!({ "id": founding.owner.id, "email": founding.owner.email, "name": founding.owner.name });
    answer["admin_key"] = json!({ "id": founding.key_id });
    answer
}

fn row(organization: &Organization) -> Value {
    json!({
        "object": "organization",
        "id": organization.id,
        "slug": organization.slug,
        "default_project_id": organization.default_project_id,
    })
}

impl List {
    fn run(&self) -> Result<()> {
        let store = open_current(&self.place.database)?;
        let all = store.read_blocking(organization::list)?;
        store.close();
        self.output.list(all.iter().map(|one| Ok(row(one))), &ORGANIZATIONS)
    }
}
