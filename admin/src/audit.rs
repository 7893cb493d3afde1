//! The record: who changed what, written in the transaction of the change.

use std::cell::Cell;

use serde_json::Value;
use sql::{Tx, args};

use crate::domain::id::IdBlock;
use crate::error::Result;
use crate::organization::Organization;

/// How many events one transaction of the API may write. Ids are drawn before the transaction starts, so there is a bound.
pub const EVENTS_PER_CHANGE: u16 = 32;

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

/// Where a request came from, as far as it can be known.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The client's address; behind a trusted proxy, the one that the proxy reports.
    pub ip_address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

/// Everything an event says of its circumstances. One author writes the events of one transaction.
#[derive(Debug)]
pub struct Author {
    /// The organization in which this author acts, and the only one it can touch.
    pub organization: Organization,
    /// Who acts.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
    /// The time of the whole change, in seconds.
    pub now: i64,
    ids: IdBlock,
    written: Cell<u16>,
}

impl Author {
    /// An author whose events take these ids, in turn.
    #[must_use]
    pub fn new(
        organization: Organization,
        actor: Actor,
        origin: Origin,
        now: i64,
        ids: IdBlock,
    ) -> Self {
        Self { organization, actor, origin, now, ids, written: Cell::new(0) }
    }

    /// The organization's id, which leads every key.
    #[must_use]
    pub fn organization_id(&self) -> &str {
        &self.organization.id
    }
}

/// One event. Each resource makes its own; this module only writes them down.
#[derive(Debug)]
pub struct Event {
    kind: &'static str,
    resource_id: String,
    project_id: Option<String>,
    payload: Value,
}

impl Event {
    /// An event of a published type about this resource, with the payload that the type prescribes.
    #[must_use]
    pub fn new(kind: &'static str, resource_id: &str, payload: Value) -> Self {
        Self { kind, resource_id: resource_id.to_owned(), project_id: None, payload }
    }

    /// The same event, placed in a project.
    #[must_use]
    pub fn in_project(mut self, project_id: &str) -> Self {
        self.project_id = Some(project_id.to_owned());
        self
    }
}

/// Writes an event down within the caller's transaction.
pub fn append(tx: &mut Tx<'_>, by: &Author, event: &Event) -> Result<()> {
    let place = by.written.replace(by.written.get() + 1);
    let (actor_kind, actor_id, user_id, email) = match &by.actor {
        Actor::ApiKey { key_id, user_id, email } => {
            ("api_key", key_id.as_str(), Some(user_id.as_str()), Some(email.as_str()))
        }
        Actor::CommandLine { user } => ("command_line", user.as_str(), None, None),
        Actor::System => ("system", "rollbook", None, None),
        Actor::Session { user_id, email } => {
            ("session", user_id.as_str(), Some(user_id.as_str()), Some(email.as_str()))
        }
    };
    tx.execute(
        "INSERT INTO audit_events (organization_id, id, kind, effective_at, project_id, actor_kind, actor_id,
             actor_user_id, actor_email, ip_address, user_agent, resource_id, payload)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        args![
            by.organization_id(),
            &by.ids.id("audit_log-", place),
            event.kind,
            by.now,
            event.project_id.as_deref(),
            actor_kind,
            actor_id,
            user_id,
            email,
            by.origin.ip_address.as_deref(),
            by.origin.user_agent.as_deref(),
            &event.resource_id,
            &event.payload.to_string()
        ],
    )?;
    Ok(())
}
