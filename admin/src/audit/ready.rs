//! Events of an author who writes later: made ready beside the transaction, by another thread, and written down in it.

use sql::Tx;

use super::record::{self, Record};
use super::{Author, Drawn, Event, Waits, write};
use crate::error::{Error, Result};

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
    pub(crate) fn of(mut by: Author) -> Self {
        let events = by.later.take().unwrap_or_default().into_inner();
        let drawn = events.iter().map(|event| Drawn::of(&by, event)).collect();
        let mut ready = Self { by, events, drawn, hashes: vec![] };
        ready.hashes = ready.records().iter().map(record::hash).collect();
        ready
    }

    /// Writes them down. They are not put among those that wait for their seal, so nobody else makes it.
    pub(crate) fn write(self, tx: &mut Tx<'_>) -> Result<Written> {
        let records = self.records();
        if records.len() != self.events.len() {
            return Err(Error::internal("events whose actor is not known"));
        }
        write(tx, &records)?;
        let ids = self.drawn.into_iter().map(|drawn| drawn.id);
        Ok(Written { by: self.by, waits: ids.zip(self.hashes).collect() })
    }

    /// None, if the author's row was not written, which the first event does.
    fn records(&self) -> Vec<Record<'_>> {
        let pairs = self.events.iter().zip(&self.drawn);
        let recorded = self.by.recorded.get();
        recorded.map_or(vec![], |recorded| {
            pairs.map(|(event, drawn)| drawn.record(&self.by, recorded, event)).collect()
        })
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
