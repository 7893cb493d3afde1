//! `rollbook group`: people and service accounts that get their roles together.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, segment};
use super::confirm::Confirmation;
use super::find::{self, id, text};
use super::output::Output;
use super::place::Place;
use super::project;
use super::table::{Column, Shape};

const GROUPS: Shape = Shape {
    nothing: "There are no groups.",
    columns: &[
        Column::text("NAME", "/name", 0),
        Column::time("CREATED", "/created_at", "-", 1),
        Column::text("ID", "/id", 0),
    ],
};

const MEMBERS: Shape = Shape {
    nothing: "The group has no members.",
    columns: &[
        Column::text("EMAIL", "/email", 0),
        Column::text("NAME", "/name", 0),
        Column::text("ID", "/id", 1),
    ],
};

/// What can be done with groups.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a group
    #[command(after_help = "Example:\n  rollbook group create Researchers")]
    Create(Create),
    /// List the groups
    #[command(after_help = "Example:\n  rollbook group list")]
    List(List),
    /// Give a group another name
    #[command(after_help = "Example:\n  rollbook group rename Researchers Scientists")]
    Rename(Rename),
    /// Delete a group, with all that its members have through it
    #[command(after_help = "Example:\n  rollbook group delete Researchers")]
    Delete(Delete),
    /// List who is in a group
    #[command(after_help = "Example:\n  rollbook group members Researchers")]
    Members(Members),
    /// Add a person or a service account to a group
    #[command(after_help = "Example:\n  rollbook group add Researchers ada@example.com")]
    Add(Membership),
    /// Take somebody out of a group
    #[command(after_help = "Example:\n  rollbook group remove Researchers ada@example.com")]
    Remove(Membership),
    /// Let a group into a project
    #[command(after_help = "Example:\n  rollbook group grant Researchers Search --role viewer")]
    Grant(Grant),
    /// Take a group out of a project, with all its roles there
    #[command(after_help = "Example:\n  rollbook group revoke Researchers Search")]
    Revoke(Revoke),
}

/// The flags of `group create`.
#[derive(Debug, Args)]
pub struct Create {
    /// What people will call it
    name: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `group list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `group rename`.
#[derive(Debug, Args)]
pub struct Rename {
    /// The group's id, or its name where no other has it
    group: String,
    /// Its new name
    name: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `group delete`.
#[derive(Debug, Args)]
pub struct Delete {
    /// The group's id, or its name where no other has it
    group: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `group members`.
#[derive(Debug, Args)]
pub struct Members {
    /// The group's id, or its name where no other has it
    group: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `group add` and `group remove`.
#[derive(Debug, Args)]
pub struct Membership {
    /// The group's id, or its name where no other has it
    group: String,
    /// The person's e-mail address or id, or the id of a service account
    user: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `group grant`.
#[derive(Debug, Args)]
pub struct Grant {
    /// The group's id, or its name where no other has it
    group: String,
    /// The project's id, or its name among the active ones
    project: String,
    /// Its role in the project, by name or id
    #[arg(long, default_value = "member")]
    role: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `group revoke`.
#[derive(Debug, Args)]
pub struct Revoke {
    /// The group's id, or its name where no other has it
    group: String,
    /// The project's id, or its name among the active ones
    project: String,
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
            Self::Rename(rename) => rename.run(),
            Self::Delete(delete) => delete.run(),
            Self::Members(members) => members.run(),
            Self::Add(membership) => membership.add(),
            Self::Remove(membership) => membership.remove(),
            Self::Grant(grant) => grant.run(),
            Self::Revoke(revoke) => revoke.run(),
        }
    }
}

impl Create {
    fn run(&self) -> Result<()> {
        let body = json!({ "name": self.name });
        let group = self.place.client()?.post("/organization/groups", &body)?;
        self.output.done(&group, &format!("Created {}.", called(&group)))
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        self.output.list(client.list("/organization/groups", &[]), &GROUPS)
    }
}

impl Rename {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let before = find::group(&client, &self.group)?;
        let group = client.post(&path(&before), &json!({ "name": self.name }))?;
        self.output.done(&group, &format!("{} is now {}.", capital(&before), called(&group)))
    }
}

impl Delete {
    fn run(&self) -> Result<()> {
        self.confirmation.ensure_possible()?;
        let client = self.place.client()?;
        let group = find::group(&client, &self.group)?;
        let question =
            format!("Delete {}? Its members lose what they have through it.", called(&group));
        self.confirmation.ask(&question)?;
        let answer = client.delete(&path(&group))?;
        self.output.done(&answer, &format!("Deleted {}.", called(&group)))
    }
}

impl Members {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let group = find::group(&client, &self.group)?;
        self.output.list(client.list(&users(&group), &[]), &MEMBERS)
    }
}

impl Membership {
    fn add(&self) -> Result<()> {
        let (client, group, user) = self.find()?;
        let answer = client.post(&users(&group), &json!({ "user_id": user }))?;
        self.output.done(&answer, &format!("Added {} to {}.", self.user, called(&group)))
    }

    fn remove(&self) -> Result<()> {
        let (client, group, user) = self.find()?;
        let answer = client.delete(&format!("{}/{}", users(&group), segment(&user)))?;
        self.output.done(&answer, &format!("Removed {} from {}.", self.user, called(&group)))
    }

    /// The group and the id of whoever is meant.
    fn find(&self) -> Result<(Client, Value, String)> {
        let client = self.place.client()?;
        let group = find::group(&client, &self.group)?;
        let user = find::user_id(&client, &self.user)?;
        Ok((client, group, user))
    }
}

impl Grant {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let group = find::group(&client, &self.group)?;
        let project = find::project(&client, &self.project)?;
        let body = json!({ "group_id": id(&group), "role": self.role });
        let answer = client.post(&groups_of(&project), &body)?;
        let sentence = format!(
            "{} is now in {} as {}.",
            capital(&group),
            project::called(&project),
            self.role
        );
        self.output.done(&answer, &sentence)
    }
}

impl Revoke {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let group = find::group(&client, &self.group)?;
        let project = find::project(&client, &self.project)?;
        let path = format!("{}/{}", groups_of(&project), segment(&id(&group)));
        let answer = client.delete(&path)?;
        let sentence =
            format!("{} is no longer in {}.", capital(&group), project::called(&project));
        self.output.done(&answer, &sentence)
    }
}

fn path(group: &Value) -> String {
    format!("/organization/groups/{}", segment(&id(group)))
}

fn users(group: &Value) -> String {
    format!("{}/users", path(group))
}

fn groups_of(project: &Value) -> String {
    format!("/organization/projects/{}/groups", segment(&id(project)))
}

/// A group as sentences call it.
fn called(group: &Value) -> String {
    format!("group '{}' ({})", text(group, "name"), id(group))
}

/// The same at the beginning of a sentence.
fn capital(group: &Value) -> String {
    called(group).replacen('g', "G", 1)
}
