//! The hash of an event: what sealing chains, and what shows that a row was changed afterwards.

use sha2::{Digest, Sha256};

use super::actor::ActorRow;

/// Everything that the record says of one event.
#[derive(Debug)]
pub struct Record<'a> {
    /// Whose record it is.
    pub organization_id: &'a str,
    /// The event's id.
    pub id: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// Its time, in seconds.
    pub effective_at: i64,
    /// The project it happened in, if it is in one.
    pub project_id: Option<&'a str>,
    /// From where the request came.
    pub ip_address: Option<&'a str>,
    /// What the client called itself.
    pub user_agent: Option<&'a str>,
    /// What it is about.
    pub resource_id: &'a str,
    /// What it says, as text.
    pub payload: &'a str,
    /// The name of the actor's row.
    pub actor: &'a str,
    /// What that row says.
    pub actor_row: &'a ActorRow,
    /// What else it is about, sorted.
    pub others: &'a [String],
}

/// The hash of an event. It covers every column that a reader sees, and the boundaries between them.
#[must_use]
pub fn hash(record: &Record<'_>) -> [u8; 32] {
    let mut framed = Framed::new("rollbook audit record 1");
    for text in [record.organization_id, record.id, record.kind] {
        framed.text(Some(text));
    }
    framed.number(record.effective_at);
    framed.text(record.project_id);
    framed.text(record.ip_address);
    framed.text(record.user_agent);
    framed.text(Some(record.resource_id));
    framed.text(Some(record.payload));
    framed.text(Some(record.actor));
    record.actor_row.frame(&mut framed);
    framed.number(i64::try_from(record.others.len()).unwrap_or(i64::MAX));
    for other in record.others {
        framed.text(Some(other));
    }
    framed.finish()
}

/// A hash over fields, each with its kind and length before it, so that no two rows of fields read alike.
#[derive(Debug)]
pub(crate) struct Framed(Sha256);

impl Framed {
    /// Begins with what is hashed and in which version of its form.
    pub(crate) fn new(what: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(what.as_bytes());
        hash.update([0]);
        Self(hash)
    }

    /// A text, or that there is none.
    pub(crate) fn text(&mut self, text: Option<&str>) {
        match text {
            None => self.0.update([0]),
            Some(text) => self.bytes(text.as_bytes()),
        }
    }

    /// Bytes. Nothing that is recorded has 4 GiB.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.update([1]);
        self.0.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.update(bytes);
    }

    /// A number.
    pub(crate) fn number(&mut self, number: i64) {
        self.0.update([2]);
        self.0.update(number.to_be_bytes());
    }

    /// The hash.
    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
