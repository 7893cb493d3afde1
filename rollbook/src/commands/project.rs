//! `rollbook project`: the projects of the organization.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::segment;
use super::confirm::Confirmation;
use super::find::{self, id, text};
use super::output::Output;
use super::place::Place;
use super::table::{Column, Shape};

const ACTIVE: Shape = Shape {
    nothing: "There are no active projects.",
    columns: &[
        Column::text("NAME", "/name", 0),
        Column::time("CREATED", "/created_at", "-", 1),
        Column::text("ID", "/id", 0),
    ],
};

const ALL: Shape = Shape {
    nothing: "There are no projects.",
    columns: &[
        Column::text("NAME", "/name", 0),
        Column::time("CREATED", "/created_at", "-", 2),
        Column::time("ARCHIVED", "/archived_at", "-", 1),
        Column::text("ID", "/id", 0),
    ],
};

/// What can be done with projects.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a project
    #[command(after_help = "Example:\n  rollbook project create 'Search'")]
    Create(Create),
    /// List the active projects
    #[command(after_help = "Example:\n  rollbook project list --archived")]
    List(List),
    /// Archive a project, for good
    #[command(after_help = "Example:\n  rollbook project archive 'Search'")]
    Archive(Archive),
}

/// The flags of `project create`.
#[derive(Debug, Args)]
pub struct Create {
    /// What people will call it
    name: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `project list`.
#[derive(Debug, Args)]
pub struct List {
    /// Archived projects too
    #[arg(long)]
    archived: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `project archive`.
#[derive(Debug, Args)]
pub struct Archive {
    /// The project's id, or its name among the active ones
    project: String,
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
            Self::Archive(archive) => archive.run(),
        }
    }
}

impl Create {
    fn run(&self) -> Result<()> {
        let body = json!({ "name": self.name });
        let project = self.place.client()?.post("/organization/projects", &body)?;
        self.output.done(&project, &format!("Created {}.", called(&project)))
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let filter = [("include_archived", "true")];
        let rows = client.list("/organization/projects", &filter[..usize::from(self.archived)]);
        self.output.list(rows, if self.archived { &ALL } else { &ACTIVE })
    }
}

impl Archive {
    fn run(&self) -> Result<()> {
        self.confirmation.ensure_possible()?;
        let client = self.place.client()?;
        let project = find::project(&client, &self.project)?;
        let question =
            format!("Archive {}? It cannot be used or changed any more.", called(&project));
        self.confirmation.ask(&question)?;
        let path = format!("/organization/projects/{}/archive", segment(&id(&project)));
        let project = client.post(&path, &json!({}))?;
        self.output.done(&project, &format!("Archived {}.", called(&project)))
    }
}

/// A project as sentences call it.
pub fn called(project: &Value) -> String {
    format!("project '{}' ({})", text(project, "name"), id(project))
}
