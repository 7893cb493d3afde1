//! Events of an author who writes later: made ready beside the transaction, by another thread, and written down in it.

use sql::Tx;

use super::{Author, Drawn, Event, Waits, record, records, write};
use crate::error::Result;

/// Events with everything that they need to be written.
#[derive(Debug)]
pub(crate) struct Ready {
    by: Author,
    events: Vec<Event>,
    drawn: Vec<Drawn>,
    hashes: Vec<[u8; 32]>,
}

impl Ready {
    /// What this author did so far, in this order. Needs no store, and takes as long as half of what it takes to write it.
    pub(crate) fn of(mut by: Author) -> Result<Self> {
        let events = by.later.take().unwrap_or_default().into_inner();
        let drawn: Vec<_> = events.iter().map(|event| Drawn::of(&by, event)).collect();
        let hashes = records(&by, &events, &drawn)?.iter().map(record::hash).collect();
        Ok(Self { by, events, drawn, hashes })
    }

    /// Writes them down. They are not put among those that wait for their seal, so nobody else makes it.
    pub(crate) fn write(self, tx: &mut Tx<'_>) -> Result<Written> {
        write(tx, &records(&self.by, &self.events, &self.drawn)?)?;
        let ids = self.drawn.into_iter().map(|drawn| drawn.id);
        Ok(Written { by: self.by, waits: ids.zip(self.hashes).collect() })
    }
}

/// Events that were written and are not sealed.
#[derive(Debug)]
#[must_use = "nobody else seals them"]
pub(crate) struct Written {
    /// Who wrote them.
    pub by: Author,
    /// Which they are, by id.
    pub waits: Vec<Waits>,
}
