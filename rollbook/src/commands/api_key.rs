//! `rollbook api-key`: the keys with which people use a project.

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::client::segment;
use super::confirm::Confirmation;
use super::find::{self, id, text};
use super::output::Output;
use super::place::Place;
use super::project;
use super::service_account::Limits;
use super::table::{Column, Shape, time};

const KEYS: Shape = Shape {
    nothing: "The project has no such keys.",
    columns: &[
        Column::text("NAME", "/name", 0),
        Column::text("OWNER", "/owner_name", 0),
        Column::text("ACCESS", "/owner_project_access", 2),
        Column::text("KEY", "/redacted_value", 5),
        Column::time("CREATED", "/created_at", "-", 4),
        Column::time("LAST USED", "/last_used_at", "never", 3),
        Column::text("ID", "/id", 0),
    ],
};

/// What can be done with the keys of a project.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key for somebody in a project and show it, once; a server must be a Rollbook server
    #[command(
        after_help = "Example:\n  rollbook api-key create Search laptop --user ada@example.com > key"
    )]
    Create(Create),
    /// List the keys of a project, those of service accounts too, without their secrets
    #[command(after_help = "Example:\n  rollbook api-key list Search --access inactive")]
    List(List),
    /// Delete the key of a person; it is dead at the next request
    #[command(after_help = "Example:\n  rollbook api-key delete Search laptop")]
    Delete(Delete),
}

/// The flags of `api-key create`.
#[derive(Debug, Args)]
pub struct Create {
    /// The project's id, or its name among the active ones
    project: String,
    /// What it is for
    name: String,
    /// Whose key it is, by e-mail address or id; a server takes the owner of the key that asks, a store must be told
    #[arg(long)]
    user: Option<String>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `api-key list`.
#[derive(Debug, Args)]
pub struct List {
    /// The project's id, or its name among the active ones
    project: String,
    /// Whose keys: of owners who may use the project, of those who may not any more, or all; without this, those of its
    /// members and service accounts
    #[arg(long, value_parser = PossibleValuesParser::new(["any", "active", "inactive"]))]
    access: Option<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `api-key delete`.
#[derive(Debug, Args)]
pub struct Delete {
    /// The project's id, or its name among the active ones
    project: String,
    /// The key's id, or its name where no other of the project has it
    key: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Create(create) => create.run(),
            Self::List(list) => list.run(),
            Self::Delete(delete) => delete.run(),
        }
    }
}

impl Create {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let project = find::project(&client, &self.project)?;
        let mut body = Map::from_iter([("name".to_owned(), json!(self.name))]);
        if let Some(user) = &self.user {
            body.insert("user_id".to_owned(), json!(find::user_id(&client, user)?));
        }
        self.limits.add_to(&mut body);
        let path = format!("/rollbook/v1/projects/{}/api_keys", segment(&id(&project)));
        let key = client.post(&path, &body.into())?;
        let end = key["expires_at"].as_i64().and_then(time);
        let end =
            end.map_or_else(|| "does not expire".to_owned(), |end| format!("expires at {end}"));
        let sentence = format!(
            "Made the key '{}' ({}) of {} in {}; it {end}.",
            self.name,
            id(&key),
            owner(&key),
            project::called(&project)
        );
        let rescue = format!(
            "make another one, and delete this one: rollbook api-key delete {} {}",
            id(&project),
            id(&key)
        );
        self.output.secret(&key, &text(&key, "value"), &sentence, &rescue)
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let project = find::project(&client, &self.project)?;
        let filter: Vec<_> =
            self.access.iter().map(|access| ("owner_project_access", access.as_str())).collect();
        let rows = client.list(&keys(&project), &filter);
        if self.output.json {
            return self.output.list(rows, &KEYS);
        }
        self.output.list(rows.map(|row| row.map(with_owner)), &KEYS)
    }
}

impl Delete {
    fn run(&self) -> Result<()> {
        self.confirmation.ensure_possible()?;
        let client = self.place.client()?;
        let project = find::project(&client, &self.project)?;
        let key = find::project_key(&client, &keys(&project), &self.key)?;
        let called = format!("the key '{}' ({}) of {}", text(&key, "name"), id(&key), owner(&key));
        self.confirmation
            .ask(&format!("Delete {called}? Whoever uses it is locked out at once."))?;
        let answer = client.delete(&format!("{}/{}", keys(&project), segment(&id(&key))))?;
        self.output.done(&answer, &format!("Deleted {called}."))
    }
}

fn keys(project: &Value) -> String {
    format!("/organization/projects/{}/api_keys", segment(&id(project)))
}

/// Whoever a key belongs to, as sentences and tables call them.
fn owner(key: &Value) -> String {
    let owner = &key["owner"];
    let names = [
        &owner["user"]["email"],
        &owner["service_account"]["name"],
        &owner["user"]["id"],
        &owner["service_account"]["id"],
    ];
    names.iter().find_map(|name| name.as_str()).unwrap_or("its owner").to_owned()
}

/// A key with the name of its owner, of whichever kind they are.
fn with_owner(mut row: Value) -> Value {
    row["owner_name"] = json!(owner(&row));
    row
}
