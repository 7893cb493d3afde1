//! The record as it is checked: events with all that their hash covers, and the chain. A column that cannot be read is no error here,
//! because it is what somebody may have done to the store.

use sql::{Row, Tx, args};

use super::{ID, Seal, hash as hash_of_seal};
use crate::audit::PREFIX;
use crate::audit::actor::ActorRow;
use crate::audit::record::{self, Record};
use crate::error::Result;
use crate::organization;

/// How many bytes a seal keeps of each event.
pub const ENTRY: usize = ID + 32;
/// How many events are looked up by one statement.
const TOGETHER: usize = 128;

/// An event with everything that its hash covers.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its id.
    pub id: String,
    /// The rest, unless some of it cannot be read.
    pub fields: Option<Fields>,
    /// What else it is about, sorted.
    pub others: Vec<String>,
}

/// The columns of an event and of its actor.
#[derive(Debug, Clone)]
pub struct Fields {
    /// Its type.
    pub kind: String,
    /// Its time, in seconds.
    pub effective_at: i64,
    /// The project it happened in.
    pub project_id: Option<String>,
    /// From where the request came.
    pub ip_address: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// What it is about.
    pub resource_id: String,
    /// What it says.
    pub payload: String,
    /// The name of the actor's row.
    pub actor: String,
    /// What that row says.
    pub actor_row: ActorRow,
}

const COLUMNS: &str = "e.id, e.kind, e.effective_at, e.project_id, e.ip_address, e.user_agent, e.resource_id, e.payload, e.actor,
    a.kind, a.actor_id, a.user_id, a.email, a.email_folded
    FROM audit_events e LEFT JOIN audit_actors a ON a.organization_id = $1 AND a.actor = e.actor";

impl Fields {
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        Ok(Self {
            kind: row.get(1)?,
            effective_at: row.get(2)?,
            project_id: row.get(3)?,
            ip_address: row.get(4)?,
            user_agent: row.get(5)?,
            resource_id: row.get(6)?,
            payload: row.get(7)?,
            actor: row.get(8)?,
            actor_row: actor_from_row(row, 9)?,
        })
    }
}

impl Stored {
    /// `None` where not even the id can be read.
    fn from_row(row: &Row<'_>) -> Option<Self> {
        let id = row.get(0).ok()?;
        Some(Self { id, fields: Fields::from_row(row).ok(), others: Vec::new() })
    }

    /// The hash of what is there now.
    #[must_use]
    pub fn hash(&self, organization: &str) -> Option<[u8; 32]> {
        let fields = self.fields.as_ref()?;
        Some(record::hash(&Record {
            organization_id: organization,
            id: &self.id,
            kind: &fields.kind,
            effective_at: fields.effective_at,
            project_id: fields.project_id.as_deref(),
            ip_address: fields.ip_address.as_deref(),
            user_agent: fields.user_agent.as_deref(),
            resource_id: &fields.resource_id,
            payload: &fields.payload,
            actor: &fields.actor,
            actor_row: &fields.actor_row,
            others: &self.others,
        }))
    }
}

fn actor_from_row(row: &Row<'_>, first: usize) -> sql::Result<ActorRow> {
    Ok(ActorRow {
        kind: row.get(first)?,
        actor_id: row.get(first + 1)?,
        user_id: row.get(first + 2)?,
        email: row.get(first + 3)?,
        email_folded: row.get(first + 4)?,
    })
}

/// Some events in the order of their ids.
#[derive(Debug, Default)]
pub struct Window {
    /// The events.
    pub events: Vec<Stored>,
    /// Whether there was one whose id cannot be read.
    pub is_odd: bool,
    /// Ids of events that are not there and of which it still says what they are about.
    pub orphans: Vec<String>,
    /// The last id that was looked at; `None` behind the last event.
    pub end: Option<String>,
}

/// The next events behind this id, up to this one.
pub fn window(
    tx: &mut Tx<'_>,
    organization: &str,
    after: &str,
    until: &str,
    most: i64,
) -> Result<Window> {
    let sql = format!(
        "SELECT {COLUMNS} WHERE e.organization_id = $1 AND e.id > $2 AND e.id <= $3 ORDER BY e.id LIMIT $4"
    );
    let rows =
        tx.all(&sql, args![organization, after, until, most], |row| Ok(Stored::from_row(row)))?;
    let is_full = i64::try_from(rows.len()).unwrap_or(i64::MAX) == most;
    let is_odd = rows.iter().any(Option::is_none);
    let mut events: Vec<Stored> = rows.into_iter().flatten().collect();
    let end = events.last().filter(|_| is_full).map(|last| last.id.clone());
    let last = end.as_deref().unwrap_or(until);
    let sql = "SELECT event_id, resource_id FROM audit_resources
               WHERE organization_id = $1 AND event_id > $2 AND event_id <= $3 ORDER BY event_id, resource_id";
    let others = tx.all(sql, args![organization, after, last], |row| {
        Ok((row.get::<String>(0).unwrap_or_default(), row.get::<String>(1).unwrap_or_default()))
    })?;
    let mut orphans = Vec::new();
    for (event, other) in others {
        match events.binary_search_by(|stored| stored.id.cmp(&event)) {
            Ok(place) => events[place].others.push(other),
            Err(_) => orphans.push(event),
        }
    }
    orphans.dedup();
    Ok(Window { events, is_odd, orphans, end })
}

/// The events of these ids, as far as they are there, in no order.
pub fn events(tx: &mut Tx<'_>, organization: &str, ids: &[String]) -> Result<Vec<Stored>> {
    let mut found = Vec::new();
    for ids in ids.chunks(TOGETHER) {
        let mut arguments = args![organization].to_vec();
        let places = sql::list(&mut arguments, ids);
        let sql = format!("SELECT {COLUMNS} WHERE e.organization_id = $1 AND e.id IN ({places})");
        let first = found.len();
        let stored = tx.all(&sql, &arguments, |row| Ok(Stored::from_row(row)))?;
        found.extend(stored.into_iter().flatten());
        let sql = format!(
            "SELECT event_id, resource_id FROM audit_resources WHERE organization_id = $1 AND event_id IN ({places})
             ORDER BY event_id, resource_id"
        );
        let others = tx.all(&sql, &arguments, |row| {
            Ok((row.get::<String>(0)?, row.get::<String>(1).unwrap_or_default()))
        })?;
        for (event, other) in others {
            if let Some(stored) =
                found[first..].iter_mut().find(|stored: &&mut Stored| stored.id == event)
            {
                stored.others.push(other);
            }
        }
    }
    Ok(found)
}

/// Those of these ids that wait, with their hashes.
pub fn waiting(
    tx: &mut Tx<'_>,
    organization: &str,
    ids: &[String],
) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for ids in ids.chunks(TOGETHER) {
        let mut arguments = args![organization].to_vec();
        let places = sql::list(&mut arguments, ids);
        let sql = format!(
            "SELECT id, hash FROM audit_tail WHERE organization_id = $1 AND id IN ({places})"
        );
        found.extend(tx.all(&sql, &arguments, |row| {
            Ok((row.get::<String>(0)?, row.get::<Vec<u8>>(1).unwrap_or_default()))
        })?);
    }
    Ok(found)
}

/// What waits behind this id, up to this one.
pub fn tail(
    tx: &mut Tx<'_>,
    organization: &str,
    after: &str,
    until: &str,
) -> Result<Vec<(String, Vec<u8>)>> {
    let sql = "SELECT id, hash FROM audit_tail WHERE organization_id = $1 AND id > $2 AND id <= $3 ORDER BY id";
    Ok(tx.all(sql, args![organization, after, until], |row| {
        Ok((row.get::<String>(0).unwrap_or_default(), row.get::<Vec<u8>>(1).unwrap_or_default()))
    })?)
}

/// A seal as it is stored.
#[derive(Debug, Clone, Default)]
pub struct StoredSeal {
    /// Its place in the chain.
    pub number: i64,
    /// The sequence of its first event.
    pub first_sequence: i64,
    /// How many events it says that it has.
    pub events: i64,
    /// When it was made.
    pub sealed_at: i64,
    /// Its events.
    pub records: Vec<u8>,
    /// Its hash.
    pub hash: Vec<u8>,
}

impl StoredSeal {
    /// The events in it, by id and hash. What is no id is shown as well as it can be.
    pub fn entries(&self) -> impl Iterator<Item = (String, &[u8])> {
        self.records.chunks_exact(ENTRY).map(|entry| {
            (format!("{PREFIX}{}", String::from_utf8_lossy(&entry[..ID])), &entry[ID..])
        })
    }

    /// Whether it is what was sealed behind a seal of this hash.
    #[must_use]
    pub fn is_whole(&self, organization: &str, before: &[u8]) -> bool {
        let count = usize::try_from(self.events).ok();
        let hash = hash_of_seal(&Seal {
            organization_id: organization,
            number: self.number,
            first_sequence: self.first_sequence,
            events: self.events,
            sealed_at: self.sealed_at,
            before,
            records: &self.records,
        });
        count.and_then(|count| count.checked_mul(ENTRY)) == Some(self.records.len())
            && self.hash == hash
    }

    /// The sequence of its last event.
    #[must_use]
    pub fn last_sequence(&self) -> i64 {
        self.first_sequence.saturating_add(self.events).saturating_sub(1)
    }
}

/// The next seal behind this number.
pub fn seal(tx: &mut Tx<'_>, organization: &str, after: i64) -> Result<Option<StoredSeal>> {
    let sql = "SELECT number, first_sequence, events, sealed_at, records, hash FROM audit_seals
               WHERE organization_id = $1 AND number > $2 ORDER BY number LIMIT 1";
    Ok(tx.one(sql, args![organization, after], |row| {
        Ok(StoredSeal {
            number: row.get(0)?,
            first_sequence: row.get(1).unwrap_or_default(),
            events: row.get(2).unwrap_or_default(),
            sealed_at: row.get(3).unwrap_or_default(),
            records: row.get(4).unwrap_or_default(),
            hash: row.get(5).unwrap_or_default(),
        })
    })?)
}

/// An actor's row: what it is called and what it says, as far as that can be read.
pub type StoredActor = (Option<String>, Option<ActorRow>);

/// Actors behind this one.
pub fn actors(tx: &mut Tx<'_>, organization: &str, after: &str) -> Result<Vec<StoredActor>> {
    let sql = "SELECT actor, kind, actor_id, user_id, email, email_folded FROM audit_actors
               WHERE organization_id = $1 AND actor > $2 ORDER BY actor LIMIT 4096";
    let row = |row: &Row<'_>| Ok((row.get(0).ok(), actor_from_row(row, 1).ok()));
    Ok(tx.all(sql, args![organization, after], row)?)
}

/// Every organization of which the record says something, whether it is known or not.
pub fn organizations(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for table in ["audit_events", "audit_seals", "audit_tail", "audit_actors", "audit_resources"] {
        let sql = format!(
            "SELECT organization_id FROM {table} WHERE organization_id > $1 ORDER BY organization_id LIMIT 1"
        );
        let mut after = String::new();
        // What cannot be read is nobody's, and the organization that it was taken from misses it.
        while let Some(Some(next)) = tx.one(&sql, args![&after], |row| Ok(row.get(0).ok()))? {
            after.clone_from(&next);
            found.push(next);
        }
    }
    found.extend(organization::list(tx)?.into_iter().map(|organization| organization.id));
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
