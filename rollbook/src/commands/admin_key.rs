//! `rollbook admin-key`: the keys that open the API.

use admin::domain::scope::Scope;
use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use jiff::{Span, SpanRelativeTo, Unit};
use serde_json::{Map, Value, json};

use super::client::segment;
use super::confirm::Confirmation;
use super::find::{self, id, text};
use super::output::Output;
use super::place::Place;
use super::table::{Column, Shape, time};
use crate::config::Usage;

const KEYS: Shape = Shape {
    nothing: "There are no admin keys.",
    columns: &[
        Column::text("NAME", "/name", 0),
        Column::text("OWNER", "/owner/name", 1),
        Column::text("KEY", "/redacted_value", 4),
        Column::time("CREATED", "/created_at", "-", 5),
        Column::time("LAST USED", "/last_used_at", "never", 3),
        Column::time("EXPIRES", "/expires_at", "never", 2),
        Column::text("ID", "/id", 0),
    ],
};

/// What can be done with admin keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an admin key and show it, once
    #[command(
        after_help = "Example:\n  rollbook admin-key create terraform --expires-in 90d > key"
    )]
    Create(Create),
    /// List the admin keys, without their secrets
    #[command(after_help = "Example:\n  rollbook admin-key list")]
    List(List),
    /// Delete an admin key; it is dead at the next request
    #[command(after_help = "Example:\n  rollbook admin-key delete terraform")]
    Delete(Delete),
}

/// The flags of `admin-key create`.
#[derive(Debug, Args)]
pub struct Create {
    /// What it is for
    name: String,
    /// After how long it stops, such as 12h, 90d or 6w; without this it does not
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    expires_in: Option<i64>,
    /// What it may do; may be repeated. Without this, everything that its maker may
    #[arg(long, value_parser = PossibleValuesParser::new(Scope::ALL.map(Scope::name)))]
    scope: Vec<String>,
    /// Whose key it is, where the organization has several owners; a server makes it for the owner of its own key
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `admin-key list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// The flags of `admin-key delete`.
#[derive(Debug, Args)]
pub struct Delete {
    /// The key's id, or its name where no other has it
    key: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// A length of time as people write it, in seconds. A day has 24 hours.
pub fn seconds(text: &str) -> Result<i64, String> {
    let span: Span = text.parse().map_err(|_| "write for example 12h, 90d or 6w".to_owned())?;
    let total = span.total((Unit::Second, SpanRelativeTo::days_are_24_hours()));
    let total = total.map_err(|_| "months and years differ in length; write days".to_owned())?;
    #[expect(clippy::cast_possible_truncation, reason = "the server knows how long is too long")]
    Ok(total as i64)
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
        if self.place.server.is_some() && self.owner.is_some() {
            let message = "--owner works with a store of this machine only: a server makes keys for the owner of \
                           the key that asks";
            return Err(Usage(message.to_owned()).into());
        }
        let client = self.place.client_for(self.owner.as_deref())?;
        let key = client.post("/organization/admin_api_keys", &self.body())?;
        let end = key["expires_at"].as_i64().and_then(time);
        let end =
            end.map_or_else(|| "does not expire".to_owned(), |end| format!("expires at {end}"));
        let owner = key["owner"]["name"].as_str().unwrap_or("its owner");
        let sentence =
            format!("Made the admin key '{}' ({}) for {owner}; it {end}.", self.name, id(&key));
        let rescue = format!(
            "make another one, and delete this one: rollbook admin-key delete {}",
            id(&key)
        );
        self.output.secret(&key, &text(&key, "value"), &sentence, &rescue)
    }

    fn body(&self) -> Value {
        let mut body = Map::from_iter([("name".to_owned(), json!(self.name))]);
        if let Some(seconds) = self.expires_in {
            body.insert("expires_in_seconds".to_owned(), json!(seconds));
        }
        if !self.scope.is_empty() {
            body.insert("scopes".to_owned(), json!(self.scope));
        }
        body.into()
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let client = self.place.client()?;
        self.output.list(client.list("/organization/admin_api_keys", &[]), &KEYS)
    }
}

impl Delete {
    fn run(&self) -> Result<()> {
        self.confirmation.ensure_possible()?;
        let client = self.place.client()?;
        let key = find::admin_key(&client, &self.key)?;
        let called = format!("the admin key '{}' ({})", text(&key, "name"), id(&key));
        self.confirmation
            .ask(&format!("Delete {called}? Whoever uses it is locked out at once."))?;
        let path = format!("/organization/admin_api_keys/{}", segment(&id(&key)));
        let answer = client.delete(&path)?;
        self.output.done(&answer, &format!("Deleted {called}."))
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, expected) in
            [("90d", 7_776_000), ("12h", 43_200), ("6w", 3_628_800), ("1h 30m", 5400)]
        {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "90", "soon", "1y", "2mo"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
