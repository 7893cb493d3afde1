//! `rollbook user`: the people of the organization.

use std::sync::Arc;

use admin::domain::clock::{SystemClock, SystemRandom};
use admin::domain::email;
use admin::domain::id::Ids;
use admin::domain::role::OrganizationRole;
use admin::resources::users::store::{self as users, NewUser};
use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::json;

use super::client::{Client, segment};
use super::confirm::Confirmation;
use super::find::{self, id, text};
use super::local::Local;
use super::member::person;
use super::output::Output;
use super::place::Place;
use super::table::{Column, Shape};
use crate::config::Usage;

const PEOPLE: Shape = Shape {
    nothing: "Nobody found.",
    columns: &[
        Column::text("EMAIL", "/email", 0),
        Column::text("NAME", "/name", 1),
        Column::text("ROLE", "/role", 0),
        Column::time("ADDED", "/added_at", "-", 2),
        Column::text("ID", "/id", 3),
    ],
};

/// What can be done with people.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a person to the organization of a store
    #[command(after_help = "Example:\n  rollbook user add ada@example.com --name 'Ada Lovelace'")]
    Add(Add),
    /// List the people of the organization
    #[command(after_help = "Example:\n  rollbook user list --email ada@example.com")]
    List(List),
    /// Change a person's role in the organization
    #[command(after_help = "Example:\n  rollbook user role ada@example.com owner")]
    Role(Role),
    /// Remove a person, with their memberships and admin keys
    #[command(after_help = "Example:\n  rollbook user remove ada@example.com")]
    Remove(Remove),
}

/// The flags of `user add`.
#[derive(Debug, Args)]
pub struct Add {
    /// The person's e-mail address
    #[arg(value_parser = address)]
    email: String,
    /// What the person is called
    #[arg(long)]
    name: Option<String>,
    /// The person's role in the organization
    #[arg(long, default_value = "reader", value_parser = roles())]
    role: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `user list`.
#[derive(Debug, Args)]
pub struct List {
    /// Only whoever has this e-mail address; may be repeated
    #[arg(long, value_name = "EMAIL")]
    email: Vec<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `user role`.
#[derive(Debug, Args)]
pub struct Role {
    /// The person's e-mail address or id
    user: String,
    /// Their new role; who is no owner any more loses their admin keys
    #[arg(value_parser = roles())]
    role: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `user remove`.
#[derive(Debug, Args)]
pub struct Remove {
    /// The person's e-mail address or id
    user: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

fn roles() -> PossibleValuesParser {
    PossibleValuesParser::new(OrganizationRole::ALL.map(OrganizationRole::name))
}

/// An address as an argument.
pub fn address(text: &str) -> Result<String, String> {
    email::fault(text).map_or_else(|| Ok(text.to_owned()), |fault| Err(fault.to_owned()))
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Add(add) => add.run(),
            Self::List(list) => list.run(),
            Self::Role(role) => role.run(),
            Self::Remove(remove) => remove.run(),
        }
    }
}

impl Add {
    fn run(&self) -> Result<()> {
        if self.place.server.is_some() {
            let message = "the API has no operation that adds a person: people join by an invitation. \
                           Without --server, this command adds one to a store of this machine";
            return Err(Usage(message.to_owned()).into());
        }
        let client = self.place.client()?;
        let Client::Local(local) = &client else { unreachable!("there is no server") };
        let id = self.add(local)?;
        let user = client.get(&format!("/organization/users/{id}"))?;
        self.output.done(&user, &format!("Added {} as {}.", person(&user), text(&user, "role")))
    }

    /// Adds the person as the operator, by the same functions as the API, and answers the new id.
    fn add(&self, local: &Local) -> Result<String> {
        let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
        let new = NewUser {
            id: ids.make("user-"),
            email: self.email.clone(),
            name: self.name.clone(),
            role: OrganizationRole::from_name(&self.role).unwrap_or(OrganizationRole::Reader),
        };
        let id = new.id.clone();
        local.change(move |tx, by| users::add(tx, by, &new).map(drop))?;
        Ok(id)
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let filter: Vec<_> = self.email.iter().map(|email| ("emails[]", email.as_str())).collect();
        self.output.list(client.list("/organization/users", &filter), &PEOPLE)
    }
}

impl Role {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let path = path(&find::user_id(&client, &self.user)?);
        let user = client.post(&path, &json!({ "role": self.role }))?;
        let sentence =
            format!("{} is now {} of the organization.", person(&user), text(&user, "role"));
        self.output.done(&user, &sentence)
    }
}

impl Remove {
    fn run(&self) -> Result<()> {
        self.confirmation.ensure_possible()?;
        let client = self.place.client()?;
        let user = find::user(&client, &self.user)?;
        let what = format!("{} with all their memberships and admin keys", person(&user));
        self.confirmation.ask(&format!("Remove {what}?"))?;
        let answer = client.delete(&path(&id(&user)))?;
        self.output.done(&answer, &format!("Removed {what}."))
    }
}

fn path(id: &str) -> String {
    format!("/organization/users/{}", segment(id))
}
