//! `rollbook role`: what people, groups and service accounts may do.

use admin::domain::permission::{Area, CATALOGUE};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::client::{Client, segment};
use super::confirm::Confirmation;
use super::find::{self, id, text};
use super::output::Output;
use super::place::Place;
use super::project;
use super::table::{Column, Shape};

const ROLES: Shape = Shape {
    nothing: "There are no roles.",
    columns: &[
        Column::text("NAME", "/name", 0),
        Column::text("BUILT IN", "/predefined_role", 2),
        Column::text("DESCRIPTION", "/description", 3),
        Column::text("ID", "/id", 0),
    ],
};

const ASSIGNED: Shape = Shape {
    nothing: "No role is assigned there.",
    columns: &[
        Column::text("NAME", "/name", 0),
        Column::text("THROUGH", "/through", 0),
        Column::text("ID", "/id", 1),
    ],
};

const PERMISSIONS: Shape = Shape {
    nothing: "There are no permissions.",
    columns: &[Column::text("PERMISSION", "/permission", 0), Column::text("ABOUT", "/about", 0)],
};

/// What can be done with roles.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the roles of the organization, or of a project
    #[command(after_help = "Example:\n  rollbook role list --project Search")]
    List(List),
    /// Create a role
    #[command(
        after_help = "Example:\n  rollbook role create Reviewer --project Search --permission api.evals.read"
    )]
    Create(Create),
    /// Change a role of your own
    #[command(after_help = "Example:\n  rollbook role update Reviewer --name Judge")]
    Update(Update),
    /// Delete a role of your own; whoever has it loses it
    #[command(after_help = "Example:\n  rollbook role delete Reviewer")]
    Delete(Delete),
    /// Give somebody a role
    #[command(
        after_help = "Example:\n  rollbook role assign Reviewer --user ada@example.com --project Search"
    )]
    Assign(Assignment),
    /// Take a role from somebody
    #[command(after_help = "Example:\n  rollbook role unassign owner --user ada@example.com")]
    Unassign(Assignment),
    /// List the roles of somebody
    #[command(after_help = "Example:\n  rollbook role of --group Researchers")]
    Of(Of),
    /// List the permissions that roles are made of
    #[command(after_help = "Example:\n  rollbook role permissions")]
    Permissions(Permissions),
}

/// Of which level.
#[derive(Debug, Args)]
pub struct At {
    /// The project, by id or by its name among the active ones; without this, the organization
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
}

/// The flags of `role list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `role create`.
#[derive(Debug, Args)]
pub struct Create {
    /// What people will call it
    name: String,
    /// What it permits; may be repeated
    #[arg(long)]
    permission: Vec<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `role update`.
#[derive(Debug, Args)]
pub struct Update {
    /// The role's id or name
    role: String,
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// What becomes different.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Change {
    /// Its new name
    #[arg(long)]
    name: Option<String>,
    /// What it permits from now on, and nothing else; may be repeated
    #[arg(long)]
    permission: Vec<String>,
    /// What it is for; an empty text is kept as one
    #[arg(long)]
    description: Option<String>,
}

/// The flags of `role delete`.
#[derive(Debug, Args)]
pub struct Delete {
    /// The role's id or name
    role: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `role assign` and `role unassign`.
#[derive(Debug, Args)]
pub struct Assignment {
    /// The role's id or name
    role: String,
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `role of`.
#[derive(Debug, Args)]
pub struct Of {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `role permissions`.
#[derive(Debug, Args)]
pub struct Permissions {
    #[command(flatten)]
    output: Output,
}

/// Who has roles.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Whose {
    /// A person, by e-mail address or id, or a service account by id
    #[arg(long)]
    user: Option<String>,
    /// A group, by id or by its name where no other has it
    #[arg(long)]
    group: Option<String>,
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::List(list) => list.run(),
            Self::Create(create) => create.run(),
            Self::Update(update) => update.run(),
            Self::Delete(delete) => delete.run(),
            Self::Assign(assignment) => assignment.assign(),
            Self::Unassign(assignment) => assignment.unassign(),
            Self::Of(of) => of.run(),
            Self::Permissions(permissions) => permissions.run(),
        }
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let level = self.at.find(&client)?;
        self.output.list(client.list(&level.roles(), &[]), &ROLES)
    }
}

impl Create {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let level = self.at.find(&client)?;
        let mut body = json!({ "role_name": self.name, "permissions": self.permission });
        if let Some(description) = &self.description {
            body["description"] = json!(description);
        }
        let role = client.post(&level.roles(), &body)?;
        self.output.done(&role, &format!("Created {} of {}.", called(&role), level.called))
    }
}

impl Update {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let level = self.at.find(&client)?;
        let role = find::role(&client, &level.roles(), &self.role)?;
        let role = client.post(&level.role(&role), &self.change.body())?;
        self.output.done(&role, &format!("Changed {} of {}.", called(&role), level.called))
    }
}

impl Change {
    fn body(&self) -> Value {
        let permissions = (!self.permission.is_empty()).then(|| json!(self.permission));
        let members = [
            ("role_name", self.name.as_ref().map(|name| json!(name))),
            ("permissions", permissions),
            ("description", self.description.as_ref().map(|text| json!(text))),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
        Value::Object(members.collect::<Map<_, _>>())
    }
}

impl Delete {
    fn run(&self) -> Result<()> {
        self.confirmation.ensure_possible()?;
        let client = self.place.client()?;
        let level = self.at.find(&client)?;
        let role = find::role(&client, &level.roles(), &self.role)?;
        let called = format!("{} of {}", called(&role), level.called);
        self.confirmation.ask(&format!("Delete {called}? Whoever has it loses it at once."))?;
        let answer = client.delete(&level.role(&role))?;
        self.output.done(&answer, &format!("Deleted {called}."))
    }
}

impl Assignment {
    fn assign(&self) -> Result<()> {
        let found = self.find()?;
        let answer = found.client.post(&found.roles, &json!({ "role_id": id(&found.role) }))?;
        self.output.done(&answer, &format!("{} now has {}.", found.who, found.called))
    }

    fn unassign(&self) -> Result<()> {
        let found = self.find()?;
        let path = format!("{}/{}", found.roles, segment(&id(&found.role)));
        let answer = found.client.delete(&path)?;
        self.output.done(&answer, &format!("{} no longer has {}.", found.who, found.called))
    }

    fn find(&self) -> Result<Found> {
        let client = self.place.client()?;
        let level = self.at.find(&client)?;
        let role = find::role(&client, &level.roles(), &self.role)?;
        let roles = self.whose.roles(&client, &level)?;
        let called = format!("{} of {}", called(&role), level.called);
        Ok(Found { client, role, roles, who: self.whose.typed().to_owned(), called })
    }
}

/// A role, and somebody who has it or may have it.
struct Found {
    client: Client,
    role: Value,
    /// The list of what they have.
    roles: String,
    who: String,
    called: String,
}

impl Of {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        let level = self.at.find(&client)?;
        let rows = client.list(&self.whose.roles(&client, &level)?, &[]);
        if self.output.json {
            return self.output.list(rows, &ASSIGNED);
        }
        self.output.list(rows.map(|row| row.map(with_way)), &ASSIGNED)
    }
}

/// An assigned role with a word on how somebody has it.
fn with_way(mut row: Value) -> Value {
    let sources = row["assignment_sources"].as_array();
    let groups = sources.into_iter().flatten().filter(|source| source["principal_type"] == "group");
    let groups: Vec<_> = groups.map(|source| text(source, "principal_id")).collect();
    row["through"] = if groups.is_empty() { Value::Null } else { json!(groups.join(", ")) };
    row
}

impl Permissions {
    fn run(&self) -> Result<()> {
        let rows = CATALOGUE.iter().map(|(permission, area)| {
            Ok(json!({ "permission": permission, "about": about(*area) }))
        });
        self.output.list(rows, &PERMISSIONS)
    }
}

fn about(area: Area) -> &'static str {
    match area {
        Area::Organization => "managing the organization",
        Area::Usage => "seeing usage and costs",
        Area::Project => "using a project",
    }
}

impl Whose {
    /// What was typed.
    fn typed(&self) -> &str {
        self.user.iter().chain(&self.group).next().map_or("", String::as_str)
    }

    /// The list of what they have at a level.
    fn roles(&self, client: &Client, level: &Level) -> Result<String> {
        let (kind, id) = match (&self.user, &self.group) {
            (Some(user), _) => ("users", find::user_id(client, user)?),
            (None, group) => {
                let group = group.as_deref().unwrap_or_default();
                ("groups", id(&find::group(client, group)?))
            }
        };
        Ok(format!("{}/{kind}/{}/roles", level.base, segment(&id)))
    }
}

/// The organization, or one of its projects.
struct Level {
    base: String,
    called: String,
}

impl At {
    fn find(&self, client: &Client) -> Result<Level> {
        let Some(text) = &self.project else {
            let (base, called) = ("/organization".to_owned(), "the organization".to_owned());
            return Ok(Level { base, called });
        };
        let project = find::project(client, text)?;
        let base = format!("/projects/{}", segment(&id(&project)));
        Ok(Level { base, called: project::called(&project) })
    }
}

impl Level {
    fn roles(&self) -> String {
        format!("{}/roles", self.base)
    }

    fn role(&self, role: &Value) -> String {
        format!("{}/{}", self.roles(), segment(&id(role)))
    }
}

/// A role as sentences call it.
fn called(role: &Value) -> String {
    format!("the role '{}' ({})", text(role, "name"), id(role))
}
