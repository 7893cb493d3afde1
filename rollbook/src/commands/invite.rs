//! `rollbook invite`: how people come into the organization.

use std::io::Write;

use admin::domain::role::{OrganizationRole, ProjectRole};
use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::client::{Client, segment};
use super::confirm::Confirmation;
use super::failure::Failure;
use super::find::{self, id, text};
use super::output::Output;
use super::place::Place;
use super::table::{Column, Shape, time};
use super::user::address;
use crate::config;
use crate::public_url::PublicUrl;

const INVITES: Shape = Shape {
    nothing: "Nobody is invited.",
    columns: &[
        Column::text("EMAIL", "/email", 0),
        Column::text("ROLE", "/role", 1),
        Column::text("STATUS", "/status", 0),
        Column::time("CREATED", "/created_at", "-", 3),
        Column::time("EXPIRES", "/expires_at", "never", 2),
        Column::text("ID", "/id", 0),
    ],
};

/// What can be done with invitations.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Invite somebody, and show the link for them
    #[command(after_help = CREATE_EXAMPLES)]
    Create(Create),
    /// List the invitations, accepted and expired ones too
    #[command(after_help = "Example:\n  rollbook invite list")]
    List(List),
    /// Show a fresh link for an invitation; the one before it is dead
    #[command(after_help = "Example:\n  rollbook invite link ada@example.com")]
    Link(Link),
    /// Take an invitation back
    #[command(after_help = "Example:\n  rollbook invite delete ada@example.com")]
    Delete(Delete),
}

const CREATE_EXAMPLES: &str = "\
Examples:
  rollbook invite create ada@example.com
  rollbook invite create ada@example.com --role owner --no-projects
  rollbook invite create ada@example.com --project Search:owner --project Research

Nothing is sent: give the link to whoever is invited. It works once.";

/// The flags of `invite create`.
#[derive(Debug, Args)]
pub struct Create {
    /// The e-mail address of whoever is invited
    #[arg(value_parser = address)]
    email: String,
    /// Their role in the organization
    #[arg(long, default_value = "reader", value_parser = PossibleValuesParser::new(OrganizationRole::ALL.map(OrganizationRole::name)))]
    role: String,
    /// A project that they will be in, by name or id, as a member unless ':owner' follows; may be repeated. Without this, the
    /// default project
    #[arg(long, value_name = "PROJECT[:ROLE]")]
    project: Vec<String>,
    /// No project at all
    #[arg(long, conflicts_with = "project")]
    no_projects: bool,
    /// In a store of this machine: how long the invitation can be accepted
    #[arg(
        long,
        env = "ROLLBOOK_INVITE_LIFETIME",
        value_name = "DAYS",
        default_value_t = config::INVITE_LIFETIME,
        value_parser = config::invite_lifetime()
    )]
    invite_lifetime: u8,
    #[command(flatten)]
    address: Address,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `invite list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `invite link`.
#[derive(Debug, Args)]
pub struct Link {
    /// The invitation's id, or the e-mail address of whoever is invited
    invite: String,
    #[command(flatten)]
    address: Address,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `invite delete`.
#[derive(Debug, Args)]
pub struct Delete {
    /// The invitation's id, or the e-mail address of whoever is invited
    invite: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flag that says what links begin with.
#[derive(Debug, Args)]
struct Address {
    /// In a store of this machine: where people reach its server, for the link
    #[arg(long, env = "ROLLBOOK_PUBLIC_URL", value_name = "URL")]
    public_url: Option<PublicUrl>,
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Create(create) => create.run(),
            Self::List(list) => list.run(),
            Self::Link(link) => link.run(),
            Self::Delete(delete) => delete.run(),
        }
    }
}

impl Create {
    fn run(&self) -> Result<()> {
        let settings = admin::Settings {
            invite_lifetime: config::days(self.invite_lifetime),
            ..self.address.settings()
        };
        let client = self.place.client_with(settings)?;
        let invite = client.post("/organization/invites", &self.body(&client)?)?;
        let link = make_link(&client, &id(&invite)).map_err(|error| {
            let made =
                format!("{} is invited ({}), but there is no link yet", self.email, id(&invite));
            error.context(made)
        })?;
        let sentence = format!(
            "Invited {} as {} ({}).{}",
            self.email,
            text(&invite, "role"),
            id(&invite),
            until(&invite)
        );
        self.address.warn(&self.place);
        show(self.output, &link, &sentence)
    }

    fn body(&self, client: &Client) -> Result<Value> {
        let mut body = Map::from_iter([
            ("email".to_owned(), json!(self.email)),
            ("role".to_owned(), json!(self.role)),
        ]);
        if self.no_projects || !self.project.is_empty() {
            let projects: Result<Vec<_>> =
                self.project.iter().map(|text| invited_to(client, text)).collect();
            body.insert("projects".to_owned(), projects?.into());
        }
        Ok(body.into())
    }
}

/// A project and a role in it, as they are typed. Only what is a role counts as one, because names may have colons too.
fn project_and_role(text: &str) -> (&str, &str) {
    let typed = text.rsplit_once(':').and_then(|(project, role)| {
        let role = ProjectRole::from_name(role)?;
        Some((project, role.name()))
    });
    typed.unwrap_or((text, ProjectRole::Member.name()))
}

fn invited_to(client: &Client, text: &str) -> Result<Value> {
    let (project, role) = project_and_role(text);
    Ok(json!({ "id": id(&find::project(client, project)?), "role": role }))
}

impl List {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        self.output.list(client.list("/organization/invites", &[]), &INVITES)
    }
}

impl Link {
    fn run(&self) -> Result<()> {
        let client = self.place.client_with(self.address.settings())?;
        let invite = invite(&client, &self.invite)?;
        let link = make_link(&client, &id(&invite))?;
        let sentence =
            format!("Made a fresh link for {}.{}", text(&invite, "email"), until(&invite));
        self.address.warn(&self.place);
        show(self.output, &link, &sentence)
    }
}

impl Delete {
    fn run(&self) -> Result<()> {
        self.confirmation.ensure_possible()?;
        let client = self.place.client()?;
        let invite = invite(&client, &self.invite)?;
        let called = format!("the invitation of {} ({})", text(&invite, "email"), id(&invite));
        self.confirmation.ask(&format!("Take back {called}? Its link is dead at once."))?;
        let path = format!("/organization/invites/{}", segment(&id(&invite)));
        let answer = client.delete(&path)?;
        self.output.done(&answer, &format!("Took back {called}."))
    }
}

impl Address {
    fn settings(&self) -> admin::Settings {
        let defaults = admin::Settings::default();
        let public_url = self.public_url.as_ref().map(ToString::to_string);
        admin::Settings {
            public_url: public_url.unwrap_or(defaults.public_url.clone()),
            ..defaults
        }
    }

    /// Says it if a link leads to this machine only because nobody said where it should. A server knows that better.
    fn warn(&self, place: &Place) {
        if self.public_url.is_none() && place.server.is_none() {
            let _ = writeln!(
                anstream::stderr(),
                "\x1b[1mnote:\x1b[0m the link leads to this machine; --public-url says where people reach the server"
            );
        }
    }
}

fn make_link(client: &Client, invite: &str) -> Result<Value> {
    client.post(&format!("/rollbook/v1/invites/{}/link", segment(invite)), &json!({}))
}

fn show(output: Output, link: &Value, sentence: &str) -> Result<()> {
    let rescue = format!("make a fresh one: rollbook invite link {}", text(link, "invite_id"));
    output.secret(link, &text(link, "url"), sentence, &rescue)
}

fn until(invite: &Value) -> String {
    let end = invite["expires_at"].as_i64().and_then(time);
    end.map_or_else(String::new, |end| format!(" It can be accepted until {end}."))
}

/// An invitation by id, or by address: the one that can be accepted, else the last one.
fn invite(client: &Client, text: &str) -> Result<Value> {
    if !text.contains('@') {
        return client.get(&format!("/organization/invites/{}", segment(text)));
    }
    let mut found = None;
    for row in client.list("/organization/invites", &[]) {
        let row = row?;
        let email = row["email"].as_str().unwrap_or_default();
        if email.to_lowercase() != text.to_lowercase() {
            continue;
        }
        if row["status"] == "pending" {
            return Ok(row);
        }
        found = Some(row);
    }
    found.ok_or_else(|| {
        let failure =
            Failure::not_found(&format!("nobody with the e-mail address {text} is invited"));
        failure.note("hint", "'rollbook invite list' shows who is").into()
    })
}

#[cfg(test)]
mod tests {
    use super::project_and_role;

    #[test]
    fn a_role_may_follow_a_project_and_a_colon_may_be_part_of_its_name() {
        assert_eq!(project_and_role("Search"), ("Search", "member"));
        assert_eq!(project_and_role("Search:owner"), ("Search", "owner"));
        assert_eq!(project_and_role("Search:member"), ("Search", "member"));
        assert_eq!(project_and_role("Team: Search"), ("Team: Search", "member"));
        assert_eq!(project_and_role("a:b:owner"), ("a:b", "owner"));
    }
}
