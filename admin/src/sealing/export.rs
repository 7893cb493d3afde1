//! Export: what is sealed, in sequence, as lines for another system. What cannot be shown to be what was sealed ends it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sql::{Store, Tx, args};

use super::read::{self, Stored, StoredSeal};
use crate::error::{Error, Result};

/// The sealed events of an organization behind a sequence, seal by seal.
pub struct Export<'a> {
    store: &'a Store,
    organization: &'a str,
    /// The last sequence that was handed out, or that is not wanted.
    after: i64,
    /// The number of the last seal that was read.
    number: i64,
    /// The hash of that seal.
    hash: Vec<u8>,
}

/// The lines of one seal, as far as they are good.
#[derive(Debug, Default)]
pub struct Lines {
    /// An object for each event.
    pub lines: Vec<Value>,
    /// What is wrong behind them.
    pub fault: Option<String>,
}

impl<'a> Export<'a> {
    /// What is sealed of this organization behind this sequence.
    #[must_use]
    pub fn new(store: &'a Store, organization: &'a str, after: i64) -> Self {
        Self { store, organization, after, number: 0, hash: vec![0; 32] }
    }

    /// The lines of the next seal; `None` behind the last.
    pub async fn next(&mut self) -> Result<Option<Lines>> {
        if self.number == 0 && self.after > 0 {
            self.skip().await?;
        }
        let (organization, number) = (self.organization.to_owned(), self.number);
        let read = move |tx: &mut Tx<'_>| {
            let Some(seal) = read::seal(tx, &organization, number)? else { return Ok(None) };
            let ids: Vec<_> = seal.entries().map(|(id, _)| id).collect();
            Ok::<_, Error>(Some((seal, read::events(tx, &organization, &ids)?)))
        };
        let Some((seal, events)) = self.store.read(read).await? else { return Ok(None) };
        let fault = self.fault(&seal);
        let lines = match fault {
            Some(fault) => Lines { lines: vec![], fault: Some(fault) },
            None => self.lines(&seal, events),
        };
        (self.number, self.hash) = (seal.number, seal.hash);
        Ok(Some(lines))
    }

    /// How many events wait for their seal and are not in the export.
    pub async fn waiting(&self) -> Result<i64> {
        let organization = self.organization.to_owned();
        let sql = "SELECT COUNT(*) FROM audit_tail WHERE organization_id = $1";
        let read = move |tx: &mut Tx<'_>| tx.one(sql, args![&organization], |row| row.get(0));
        Ok(self.store.read::<_, sql::Error>(read).await?.unwrap_or_default())
    }

    /// Goes to the seal before the one in which the next sequence is.
    async fn skip(&mut self) -> Result<()> {
        let (organization, after) = (self.organization.to_owned(), self.after);
        let sql = "SELECT number, hash FROM audit_seals WHERE organization_id = $1 AND first_sequence <= $2
                   ORDER BY first_sequence DESC LIMIT 2";
        let read = move |tx: &mut Tx<'_>| {
            tx.all(sql, args![&organization, after], |row| {
                Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?))
            })
        };
        let seals = self.store.read::<_, sql::Error>(read).await?;
        if let [_, (number, hash)] = &seals[..] {
            (self.number, self.hash) = (*number, hash.clone());
        }
        Ok(())
    }

    fn fault(&self, seal: &StoredSeal) -> Option<String> {
        let is_next = seal.number == self.number + 1;
        if is_next && seal.is_whole(self.organization, &self.hash) {
            return None;
        }
        let number = if is_next { seal.number } else { self.number + 1 };
        Some(format!("seal {number}: {}", if is_next { "changed" } else { "missing" }))
    }

    fn lines(&mut self, seal: &StoredSeal, events: Vec<Stored>) -> Lines {
        let events: BTreeMap<_, _> =
            events.into_iter().map(|event| (event.id.clone(), event)).collect();
        let mut lines = Lines::default();
        for (place, (id, hash)) in (0..).zip(seal.entries()) {
            let sequence = seal.first_sequence + place;
            if sequence <= self.after {
                continue;
            }
            let event = events.get(&id);
            let is_same =
                |event: &&Stored| event.hash(self.organization).is_some_and(|now| now == *hash);
            let Some(event) = event.filter(is_same) else {
                let fault = if event.is_some() { "changed" } else { "missing" };
                lines.fault = Some(format!("record {id} (sequence {sequence}): {fault}"));
                return lines;
            };
            lines.lines.extend(line(self.organization, seal.number, sequence, hash, event));
            self.after = sequence;
        }
        lines
    }
}

/// Everything that the hash covers, with the place in the chain.
fn line(
    organization: &str,
    seal: i64,
    sequence: i64,
    hash: &[u8],
    event: &Stored,
) -> Option<Value> {
    let fields = event.fields.as_ref()?;
    let actor = &fields.actor_row;
    let payload = serde_json::from_str(&fields.payload);
    Some(json!({
        "sequence": sequence,
        "seal": seal,
        "hash": hex(hash),
        "organization_id": organization,
        "id": event.id,
        "type": fields.kind,
        "effective_at": fields.effective_at,
        "project_id": fields.project_id,
        "actor": {
            "type": actor.kind,
            "id": actor.actor_id,
            "user_id": actor.user_id,
            "email": actor.email,
        },
        "ip_address": fields.ip_address,
        "user_agent": fields.user_agent,
        "resource_id": fields.resource_id,
        "other_resource_ids": event.others,
        "payload": payload.unwrap_or_else(|_| Value::from(fields.payload.as_str())),
    }))
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The bytes that these digits stand for.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|two| two.len() == 2)?, 16)
                .ok()
        })
        .collect()
}
