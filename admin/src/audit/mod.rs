//! The record: who changed what, written in the transaction of the change.

pub mod actor;
pub mod ready;
pub mod record;
#[cfg(test)]
mod tests;

use std::cell::{Cell, OnceCell, RefCell};

use serde::Serialize;
use serde_json::Value;
use sql::{Tx, args};

pub use self::actor::Actor;
use self::actor::ActorRow;
use self::record::Record;
use crate::domain::id::IdBlock;
use crate::error::{Error, Result};
use crate::organization::Organization;

/// How many events one transaction of the API may write. Ids are drawn before the transaction starts, so there is a bound.
pub const EVENTS_PER_CHANGE: u16 = 32;

/// What the ids of events begin with.
pub const PREFIX: &str = "audit_log-";

/// Every type of event that this program writes, sorted. The list of events without a type reads a range for each.
pub const KINDS: &[&str] = &[
    "api_key.created",
    "api_key.deleted",
    "api_key.updated",
    "certificate.created",
    "certificate.deleted",
    "certificate.updated",
    "certificates.activated",
    "certificates.deactivated",
    "group.created",
    "group.deleted",
    "group.updated",
    "invite.accepted",
    "invite.deleted",
    "invite.sent",
    "organization.updated",
    "project.archived",
    "project.created",
    "project.updated",
    "rate_limit.updated",
    "role.assignment.created",
    "role.assignment.deleted",
    "role.created",
    "role.deleted",
    "role.updated",
    "service_account.created",
    "service_account.deleted",
    "service_account.updated",
    "user.added",
    "user.deleted",
    "user.updated",
];

/// Those of them that never happen in a project, sorted: the list of a project's events reads no range for them.
pub const NEVER_IN_PROJECTS: &[&str] = &[
    "certificate.created",
    "certificate.deleted",
    "certificate.updated",
    "group.created",
    "group.deleted",
    "group.updated",
    "invite.accepted",
    "invite.deleted",
    "invite.sent",
    "organization.updated",
];

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
    /// What it did and has not written down yet, if that is done later.
    later: Option<RefCell<Vec<Event>>>,
    /// The actor's row and its name, once it was written by this author's transaction.
    recorded: OnceCell<(String, ActorRow)>,
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
        Self {
            organization,
            actor,
            origin,
            now,
            ids,
            written: Cell::new(0),
            later: None,
            recorded: OnceCell::new(),
        }
    }

    /// The same author, whose events are kept until they are made [`Ready`](ready::Ready) and written down, which has to happen in the same
    /// transaction. One that runs again needs a new author.
    #[must_use]
    pub(crate) fn writing_later(mut self) -> Self {
        self.later = Some(RefCell::default());
        self
    }

    /// How many more events it can write.
    #[must_use]
    pub fn left(&self) -> u16 {
        self.ids.count().saturating_sub(self.written.get())
    }

    /// The organization's id, which leads every key.
    #[must_use]
    pub fn organization_id(&self) -> &str {
        &self.organization.id
    }

    /// The actor's row, which is written before the first event that names it.
    fn recorded(&self, tx: &mut Tx<'_>) -> Result<&(String, ActorRow)> {
        if let Some(recorded) = self.recorded.get() {
            return Ok(recorded);
        }
        let row = ActorRow::of(&self.actor);
        let key = row.key();
        row.write(tx, self.organization_id(), &key)?;
        Ok(self.recorded.get_or_init(|| (key, row)))
    }
}

/// One event. Each resource makes its own; this module only writes them down.
#[derive(Debug, Clone)]
pub struct Event {
    kind: &'static str,
    resource_id: String,
    project_id: Option<String>,
    /// In JSON already: a value of an object takes twenty times as much memory as its text, and an import writes thousands at once.
    payload: String,
    others: Vec<String>,
}

impl Event {
    /// An event of a published type about this resource, with the payload that the type prescribes.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "whoever makes a payload makes it for this")]
    pub fn new(kind: &'static str, resource_id: &str, payload: Value) -> Self {
        Self::of_text(kind, resource_id, payload.to_string())
    }

    /// The same with a payload that is not made a value first: for what is written by the million.
    pub fn of(kind: &'static str, resource_id: &str, payload: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(payload).map_err(|e| Error::internal(e.to_string()))?;
        Ok(Self::of_text(kind, resource_id, text))
    }

    fn of_text(kind: &'static str, resource_id: &str, payload: String) -> Self {
        let resource_id = resource_id.to_owned();
        Self { kind, resource_id, project_id: None, payload, others: vec![] }
    }

    /// The same event, placed in a project.
    #[must_use]
    pub fn in_project(mut self, project_id: &str) -> Self {
        self.project_id = Some(project_id.to_owned());
        self
    }

    /// The same event, about these as well: whoever asks for the events of one of them finds it.
    #[must_use]
    pub fn about(mut self, others: &[&str]) -> Self {
        self.others.extend(others.iter().map(|other| (*other).to_owned()));
        self.others.retain(|other| *other != self.resource_id);
        self.others.sort_unstable();
        self.others.dedup();
        self
    }
}

/// Writes an event down within the caller's transaction, with its hash among those that are to be sealed. Its time is the time in
/// its id.
pub fn append(tx: &mut Tx<'_>, by: &Author, event: &Event) -> Result<()> {
    if by.later.is_some() {
        return append_all(tx, by, vec![event.clone()]);
    }
    write_now(tx, by, std::slice::from_ref(event))
}

/// Writes several down as [`append`] writes one, in this order. Of an author who writes later only the actor is written.
pub fn append_all(tx: &mut Tx<'_>, by: &Author, events: Vec<Event>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let Some(later) = &by.later else {
        return write_now(tx, by, &events);
    };
    by.recorded(tx)?;
    later.borrow_mut().extend(events);
    Ok(())
}

fn write_now(tx: &mut Tx<'_>, by: &Author, events: &[Event]) -> Result<()> {
    by.recorded(tx)?;
    let drawn: Vec<_> = events.iter().map(|event| Drawn::of(by, event)).collect();
    let records = records(by, events, &drawn)?;
    write(tx, &records)?;
    let hashes: Vec<_> = records.iter().map(record::hash).collect();
    let mut tail = Vec::new();
    for (record, hash) in records.iter().zip(&hashes) {
        tail.extend_from_slice(args![record.organization_id, record.id, hash]);
    }
    Ok(tx.insert("audit_tail (organization_id, id, hash)", &tail)?)
}

/// An event that waits for its seal: its id and its hash.
pub(crate) type Waits = (String, [u8; 32]);

/// What an event gets when it is written.
#[derive(Debug)]
struct Drawn {
    id: String,
    effective_at: i64,
}

impl Drawn {
    fn of(by: &Author, event: &Event) -> Self {
        debug_assert!(KINDS.contains(&event.kind), "{} is no type that is listed", event.kind);
        debug_assert!(
            event.project_id.is_none() || !NEVER_IN_PROJECTS.contains(&event.kind),
            "{} happened in a project",
            event.kind
        );
        let place = by.written.replace(by.written.get() + 1);
        Self { id: by.ids.id(PREFIX, place), effective_at: by.ids.seconds(place) }
    }

    fn record<'a>(
        &'a self,
        by: &'a Author,
        (actor, actor_row): &'a (String, ActorRow),
        event: &'a Event,
    ) -> Record<'a> {
        Record {
            organization_id: by.organization_id(),
            id: &self.id,
            kind: event.kind,
            effective_at: self.effective_at,
            project_id: event.project_id.as_deref(),
            ip_address: by.origin.ip_address.as_deref(),
            user_agent: by.origin.user_agent.as_deref(),
            resource_id: &event.resource_id,
            payload: &event.payload,
            actor,
            actor_row,
            others: &event.others,
        }
    }
}

/// Events as they are written, of an author whose row is written already.
fn records<'a>(by: &'a Author, events: &'a [Event], drawn: &'a [Drawn]) -> Result<Vec<Record<'a>>> {
    if events.is_empty() {
        return Ok(vec![]);
    }
    let unknown = || Error::internal("events whose actor was not written before them");
    let recorded = by.recorded.get().ok_or_else(unknown)?;
    let pairs = events.iter().zip(drawn);
    Ok(pairs.map(|(event, drawn)| drawn.record(by, recorded, event)).collect())
}

/// Events, and what else they are about.
fn write(tx: &mut Tx<'_>, records: &[Record<'_>]) -> Result<()> {
    let (mut events, mut others) = (vec![], vec![]);
    for record in records {
        events.extend_from_slice(args![
            record.organization_id,
            record.id,
            record.kind,
            record.effective_at,
            record.project_id,
            record.actor,
            record.ip_address,
            record.user_agent,
            record.resource_id,
            record.payload
        ]);
        for other in record.others {
            others.extend_from_slice(args![record.organization_id, other, record.id]);
        }
    }
    let columns = "audit_events (organization_id, id, kind, effective_at, project_id, actor, ip_address, user_agent, resource_id, payload)";
    tx.insert(columns, &events)?;
    tx.insert("audit_resources (organization_id, resource_id, event_id)", &others)?;
    Ok(())
}
