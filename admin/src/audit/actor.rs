//! Who acted, as the record keeps it: a row for each different actor, named by a hash of what it says.

use sql::{Tx, args};

use super::record::Framed;
use crate::domain::id::base62;
use crate::error::Result;
use crate::resources::users::store::fold;

/// Who acts. Events made without a key say how they were made.
#[derive(Debug, Clone)]
pub enum Actor {
    /// An admin key, and the person whose key it is.
    ApiKey {
        /// The id of the key, never the key.
        key_id: String,
        /// Its owner.
        user_id: String,
        /// The owner's address at that time.
        email: String,
    },
    /// Somebody at the command line of the machine that has the store.
    CommandLine {
        /// Their name at the operating system.
        user: String,
    },
    /// The program itself, at the first start of an empty store.
    System,
    /// A person in a browser, who accepts an invitation.
    Session {
        /// The person's id.
        user_id: String,
        /// Their address.
        email: String,
    },
}

/// The columns of an actor. A row never changes: whoever is called something else by now is another row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActorRow {
    /// `api_key`, `session`, `command_line` or `system`.
    pub kind: String,
    /// The id of the key or of the person; of the command line, the name at the operating system behind `command_line:`.
    pub actor_id: String,
    /// The person, where one is known.
    pub user_id: Option<String>,
    /// The person's address at that time.
    pub email: Option<String>,
    /// The address as it is compared.
    pub email_folded: Option<String>,
}

impl ActorRow {
    /// The row of this actor.
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        let row = |kind: &str, actor_id: &str, user: Option<(&str, &str)>| Self {
            kind: kind.to_owned(),
            actor_id: actor_id.to_owned(),
            user_id: user.map(|(id, _)| id.to_owned()),
            email: user.map(|(_, email)| email.to_owned()),
            email_folded: user.map(|(_, email)| fold(email)),
        };
        match actor {
            Actor::ApiKey { key_id, user_id, email } => {
                row("api_key", key_id, Some((user_id, email)))
            }
            Actor::CommandLine { user } => {
                row("command_line", &format!("command_line:{user}"), None)
            }
            Actor::System => row("system", "rollbook", None),
            Actor::Session { user_id, email } => row("session", user_id, Some((user_id, email))),
        }
    }

    /// The name of the row: 22 characters of a hash of everything in it.
    #[must_use]
    pub fn key(&self) -> String {
        let mut framed = Framed::new("rollbook audit actor 1");
        self.frame(&mut framed);
        base62(&framed.finish()[..16], 22)
    }

    /// Adds the columns to what is hashed.
    pub(super) fn frame(&self, framed: &mut Framed) {
        framed.text(Some(&self.kind));
        framed.text(Some(&self.actor_id));
        framed.text(self.user_id.as_deref());
        framed.text(self.email.as_deref());
        framed.text(self.email_folded.as_deref());
    }

    /// Writes the row down unless it is there.
    pub(super) fn write(&self, tx: &mut Tx<'_>, organization: &str, key: &str) -> Result<()> {
        tx.execute(
            "INSERT INTO audit_actors (organization_id, actor, kind, actor_id, user_id, email, email_folded)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            args![
                organization,
                key,
                &self.kind,
                &self.actor_id,
                self.user_id.as_deref(),
                self.email.as_deref(),
                self.email_folded.as_deref()
            ],
        )?;
        Ok(())
    }
}
