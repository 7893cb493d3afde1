//! `rollbook service-account`: the programs that use a project.

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::admin_key::seconds;
use super::client::{Client, segment};
use super::confirm::Confirmation;
use super::find::{self, id, text};
use super::output::Output;
use super::place::Place;
use super::project;
use super::table::{Column, Shape};

const ACCOUNTS: Shape = Shape {
    nothing: "The project has no service accounts.",
    columns: &[
        Column::text("NAME", "/name", 0),
        Column::text("ROLE", "/role", 0),
        Column::time("CREATED", "/created_at", "-", 1),
        Column::text("ID", "/id", 0),
    ],
};

/// What can be done with service accounts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a service account and show its key, once
    #[command(after_help = "Example:\n  rollbook service-account create Search indexer > key")]
    Create(Create),
    /// List the service accounts of a project
    #[command(after_help = "Example:\n  rollbook service-account list Search")]
    List(List),
    /// Give a service account another name
    #[command(after_help = "Example:\n  rollbook service-account rename Search indexer crawler")]
    Rename(Rename),
    /// Change the role of a service account in its project
    #[command(after_help = "Example:\n  rollbook service-account role Search indexer owner")]
    Role(Role),
    /// Delete a service account with its keys; they are dead at the next request
    #[command(after_help = "Example:\n  rollbook service-account delete Search indexer")]
    Delete(Delete),
    /// Make another key for a service account and show it, once
    #[command(
        after_help = "Example:\n  rollbook service-account key Search indexer --expires-in 90d > key"
    )]
    Key(Key),
}

/// Which one.
#[derive(Debug, Args)]
pub struct Which {
    /// The project's id, or its name among the active ones
    project: String,
    /// The service account's id, or its name where no other of the project has it
    service_account: String,
}

/// The flags of `service-account create`.
#[derive(Debug, Args)]
pub struct Create {
    /// The project's id, or its name among the active ones
    project: String,
    /// What people will call it
    name: String,
    /// Without a key and without a role
    #[arg(long, conflicts_with = "expires_in")]
    no_key: bool,
    /// After how long the key stops, such as 12h, 90d or 6w; without this it does not
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    expires_in: Option<i64>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `service-account list`.
#[derive(Debug, Args)]
pub struct List {
    /// The project's id, or its name among the active ones
    project: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `service-account rename`.
#[derive(Debug, Args)]
pub struct Rename {
    #[command(flatten)]
    which: Which,
    /// Its new name
    name: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `service-account role`.
#[derive(Debug, Args)]
pub struct Role {
    #[command(flatten)]
    which: Which,
    /// Its new role
    #[arg(value_parser = PossibleValuesParser::new(["owner", "member"]))]
    role: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `service-account delete`.
#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `service-account key`.
#[derive(Debug, Args)]
pub struct Key {
    #[command(flatten)]
    which: Which,
    /// What the key is for
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// What limits a key.
#[derive(Debug, Args)]
pub struct Limits {
    /// A permission that the key keeps; may be repeated. Without this, everything that its owner may
    #[arg(long, value_name = "PERMISSION")]
    scope: Vec<String>,
    /// After how long it stops, such as 12h, 90d or 6w; without this it does not
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    expires_in: Option<i64>,
}

impl Limits {
    /// Writes them into the body of a request.
    pub fn add_to(&self, body: &mut Map<String, Value>) {
        if !self.scope.is_empty() {
            body.insert("scopes".to_owned(), json!(self.scope));
        }
        if let Some(seconds) = self.expires_in {
            body.insert("expires_in_seconds".to_owned(), json!(seconds));
        }
    }
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Create(create) => create.run(),
            Self::List(list) => list.run(),
            Self::Rename(rename) => rename.run(),
            Self::Role(role) => role.run(),
            Self::Delete(delete) => delete.run(),
            Self::Key(key) => key.run(),
        }
    }
}

impl Create {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let project = find::project(&client, &self.project)?;
        let account = client.post(&accounts(&project), &self.body())?;
        let sentence = format!("Created {} in {}.", called(&account), project::called(&project));
        let Some(secret) = account["api_key"]["value"].as_str() else {
            return self.output.done(&account, &sentence);
        };
        let rescue = format!(
            "'rollbook service-account key {} {}' makes another one",
            id(&project),
            id(&account)
        );
        self.output.secret(&account, secret, &format!("{sentence} This is its key."), &rescue)
    }

    fn body(&self) -> Value {
        let mut body = json!({ "name": self.name });
        if self.no_key {
            body["create_service_account_only"] = json!(true);
        }
        if let Some(seconds) = self.expires_in {
            body["expires_in_seconds"] = json!(seconds);
        }
        body
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let project = find::project(&client, &self.project)?;
        self.output.list(client.list(&accounts(&project), &[]), &ACCOUNTS)
    }
}

impl Rename {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let found = self.which.find(&client)?;
        let account = client.post(&found.path(), &json!({ "name": self.name }))?;
        let sentence = format!("{} is now {}.", capital(&found.account), called(&account));
        self.output.done(&account, &sentence)
    }
}

impl Role {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let found = self.which.find(&client)?;
        let account = client.post(&found.path(), &json!({ "role": self.role }))?;
        let (who, role) = (capital(&account), text(&account, "role"));
        let sentence = format!("{who} is now {role} of {}.", project::called(&found.project));
        self.output.done(&account, &sentence)
    }
}

impl Delete {
    fn run(&self) -> Result<()> {
        self.confirmation.ensure_possible()?;
        let client = self.place.client()?;
        let found = self.which.find(&client)?;
        let called = called(&found.account);
        self.confirmation
            .ask(&format!("Delete {called}? Whoever uses its keys is locked out at once."))?;
        let answer = client.delete(&found.path())?;
        self.output.done(&answer, &format!("Deleted {called}."))
    }
}

impl Key {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let found = self.which.find(&client)?;
        let mut body = Map::new();
        if let Some(name) = &self.name {
            body.insert("name".to_owned(), json!(name));
        }
        self.limits.add_to(&mut body);
        let key = client.post(&format!("{}/api_keys", found.path()), &body.into())?;
        let sentence = format!(
            "Made the key '{}' ({}) for {}.",
            text(&key, "name"),
            id(&key),
            called(&found.account)
        );
        let rescue = "make another one; the key that nobody saw ends with its service account";
        self.output.secret(&key, &text(&key, "value"), &sentence, rescue)
    }
}

/// A service account and its project.
struct Found {
    project: Value,
    account: Value,
}

impl Which {
    fn find(&self, client: &Client) -> Result<Found> {
        let project = find::project(client, &self.project)?;
        let account = find::service_account(client, &accounts(&project), &self.service_account)?;
        Ok(Found { project, account })
    }
}

impl Found {
    fn path(&self) -> String {
        format!("{}/{}", accounts(&self.project), segment(&id(&self.account)))
    }
}

fn accounts(project: &Value) -> String {
    format!("/organization/projects/{}/service_accounts", segment(&id(project)))
}

/// A service account as sentences call it.
fn called(account: &Value) -> String {
    format!("service account '{}' ({})", text(account, "name"), id(account))
}

/// The same at the beginning of a sentence.
fn capital(account: &Value) -> String {
    called(account).replacen('s', "S", 1)
}
