//! `rollbook member`: who is in a project.

use admin::domain::role::ProjectRole;
use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, segment};
use super::find::{self, id, text};
use super::output::Output;
use super::place::Place;
use super::project::called;
use super::table::{Column, Shape};

const MEMBERS: Shape = Shape {
    nothing: "The project has no members.",
    columns: &[
        Column::text("EMAIL", "/email", 0),
        Column::text("NAME", "/name", 1),
        Column::text("ROLE", "/role", 0),
        Column::time("ADDED", "/added_at", "-", 2),
        Column::text("ID", "/id", 3),
    ],
};

/// What can be done with members.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add somebody to a project
    #[command(after_help = "Example:\n  rollbook member add Search ada@example.com --role owner")]
    Add(Add),
    /// List the members of a project
    #[command(after_help = "Example:\n  rollbook member list Search --json | jq -r .email")]
    List(List),
    /// Change a member's role in a project
    #[command(after_help = "Example:\n  rollbook member role Search ada@example.com member")]
    Role(Role),
    /// Take somebody out of a project
    #[command(after_help = "Example:\n  rollbook member remove Search ada@example.com")]
    Remove(Remove),
}

/// The flags of `member add`.
#[derive(Debug, Args)]
pub struct Add {
    #[command(flatten)]
    who: Who,
    /// Their role in the project
    #[arg(long, default_value = "member", value_parser = roles())]
    role: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `member list`.
#[derive(Debug, Args)]
pub struct List {
    /// The project's id, or its name among the active ones
    project: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `member role`.
#[derive(Debug, Args)]
pub struct Role {
    #[command(flatten)]
    who: Who,
    /// Their new role
    #[arg(value_parser = roles())]
    role: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `member remove`.
#[derive(Debug, Args)]
pub struct Remove {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// A member, or somebody who may become one.
#[derive(Debug, Args)]
pub struct Who {
    /// The project's id, or its name among the active ones
    project: String,
    /// The person's e-mail address or id
    user: String,
}

fn roles() -> PossibleValuesParser {
    PossibleValuesParser::new(ProjectRole::ALL.map(ProjectRole::name))
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
        let client = self.place.client()?;
        let found = self.who.find(&client)?;
        let body = json!({ "user_id": found.user, "role": self.role });
        let member = client.post(&members(&found.project), &body)?;
        let sentence =
            format!("Added {} to {} as {}.", person(&member), called(&found.project), self.role);
        self.output.done(&member, &sentence)
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let project = find::project(&client, &self.project)?;
        self.output.list(client.list(&members(&project), &[]), &MEMBERS)
    }
}

impl Role {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let found = self.who.find(&client)?;
        let member = client.post(&found.path(), &json!({ "role": self.role }))?;
        let (who, role) = (person(&member), text(&member, "role"));
        self.output.done(&member, &format!("{who} is now {role} of {}.", called(&found.project)))
    }
}

impl Remove {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let found = self.who.find(&client)?;
        let answer = client.delete(&found.path())?;
        let sentence = format!("Removed {} from {}.", self.who.user, called(&found.project));
        self.output.done(&answer, &sentence)
    }
}

/// A project and the id of a person.
struct Found {
    project: Value,
    user: String,
}

impl Who {
    fn find(&self, client: &Client) -> Result<Found> {
        let project = find::project(client, &self.project)?;
        Ok(Found { project, user: find::user_id(client, &self.user)? })
    }
}

impl Found {
    fn path(&self) -> String {
        format!("{}/{}", members(&self.project), segment(&self.user))
    }
}

fn members(project: &Value) -> String {
    format!("/organization/projects/{}/users", segment(&id(project)))
}

/// A person as sentences call them.
pub fn person(row: &Value) -> String {
    format!("{} ({})", text(row, "email"), id(row))
}
