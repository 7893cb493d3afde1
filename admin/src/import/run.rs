//! The driver of both passes.

use std::collections::HashSet;
use std::io::{Read, Seek};
use std::time::Instant;

use sql::Store;

use super::BATCH;
use super::apply::{self, Applied, Portion};
use super::check::{Check, check};
use super::consistency::hash;
use super::lookup::{self, EndingKey};
use super::pace::{Pace, yield_lock};
use super::rehearsal::Rehearsal;
use super::row::{Row, Rows};
use super::tally::Tally;
use crate::audit::{Actor, Author, Origin};
use crate::domain::clock::Clock;
use crate::domain::id::{IdBlock, Ids};
use crate::error::{Error, Kind, Result};
use crate::organization::Organization;
use crate::resources::users::store::{self as users, fold};

/// Role changes write three events each.
const EVENTS_PER_DEMOTION: usize = 3;
/// So many rows are brought into the order of their addresses before they are applied, because the index of addresses is as
/// large as the file and its pages are written with every portion that touches them: now each holds rows side by side. A person's
/// rows keep the order of the file. With 65,536 rows 10^6 people write 13 GB instead of 38, for 15 MiB of memory.
const WINDOW: usize = 1 << 16;

/// An import into an organization. Blocks, so it must not be used inside an asynchronous context.
///
/// The file is read once for each pass. It is the caller's matter that it stays the same; a row that appears in the second pass
/// only stops the import.
pub struct Import<'a> {
    /// Where everything is kept.
    pub store: &'a Store,
    /// The organization.
    pub organization: Organization,
    /// Where ids come from.
    pub ids: &'a Ids,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// Who imports, for the record.
    pub user: &'a str,
    /// How many rows one transaction applies at most; no more than [`BATCH`].
    pub rows_at_once: usize,
}

/// An owner who becomes a reader, and the admin keys that end with that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demotion {
    /// The owner's address.
    pub email: String,
    /// The keys.
    pub keys: Vec<EndingKey>,
}

impl Import<'_> {
    /// The first pass: reads everything and writes nothing.
    pub fn check(&self, source: &mut (impl Read + Seek)) -> Result<Check> {
        check(self.store, &self.organization.id, source)
    }

    /// Whose admin keys would end, and have to be asked for before [`run`](Self::run).
    pub fn demotions(&self, check: &Check) -> Result<Vec<Demotion>> {
        let (organization, demoted) = (self.organization.id.clone(), check.demoted.clone());
        self.store.read_blocking(move |tx| {
            let mut demotions = Vec::new();
            for email in &demoted {
                let Some(user) = users::find_by_email(tx, &organization, email)? else { continue };
                let keys = lookup::keys_of(tx, &organization, &user.id)?;
                demotions.push(Demotion { email: user.email, keys });
            }
            Ok(demotions)
        })
    }

    /// What [`run`](Self::run) would change, from reads only.
    pub fn rehearse(&self, source: &mut (impl Read + Seek), check: &Check) -> Result<Tally> {
        let mut rehearsal = Rehearsal::default();
        let mut rows = GoodRows::new(source, check)?;
        loop {
            let portion = rows.take(BATCH)?;
            if portion.is_empty() {
                break;
            }
            rehearsal.portion(self.store, &self.organization.id, portion)?;
        }
        for email in &check.demoted {
            rehearsal.demote(email);
        }
        Ok(rehearsal.tally)
    }

    /// The second pass: applies every row that the first found no fault with.
    pub fn run(&self, source: &mut (impl Read + Seek), check: &Check) -> Result<Tally> {
        let (mut tally, mut changed) = (Tally::default(), HashSet::new());
        lookup::prepare_writer(self.store)?;
        let mut pace = Pace::new(self.rows_at_once.clamp(1, BATCH));
        let mut rows = GoodRows::new(source, check)?;
        loop {
            let mut window = rows.take(WINDOW)?;
            if window.is_empty() {
                break;
            }
            window.sort_by_cached_key(|row| fold(&row.email));
            let mut window = window.into_iter();
            while window.len() > 0 {
                let portion = window.by_ref().take(pace.rows()).collect();
                let (applied, began) = self.apply(Portion::draw(portion, self.ids))?;
                tally.add(&applied, &mut changed);
                yield_lock(self.store, &mut pace, began);
            }
        }
        for emails in check.demoted.chunks(BATCH) {
            let updated = self.demote(emails.to_vec())?;
            tally.add(&Applied { updated, ..Applied::default() }, &mut changed);
        }
        Ok(tally)
    }

    /// Makes the store's plans fit what was imported.
    pub fn analyze(&self) -> Result<()> {
        lookup::analyze(self.store)
    }

    /// Answers also since when the store was locked, which is not known outside: it may have been somebody else's turn before.
    fn apply(&self, portion: Portion) -> Result<(Applied, Instant)> {
        let author = self.author();
        self.store.write_blocking(move |tx| {
            let began = Instant::now();
            let applied = apply::apply(tx, &author(portion.event_ids()), &portion)?;
            Ok((applied, began))
        })
    }

    fn demote(&self, emails: Vec<String>) -> Result<Vec<u64>> {
        let events = u16::try_from(emails.len() * EVENTS_PER_DEMOTION).unwrap_or(u16::MAX);
        let (author, event_ids) = (self.author(), self.ids.block(events));
        self.store.write_blocking(move |tx| {
            let (by, mut demoted) = (author(event_ids.clone()), Vec::new());
            for email in &emails {
                if apply::demote(tx, &by, email)? {
                    demoted.push(hash(&fold(email)));
                }
            }
            Ok(demoted)
        })
    }

    /// The author of one transaction's events, made anew each time that the transaction runs.
    fn author(&self) -> impl Fn(IdBlock) -> Author + Send + 'static {
        let (organization, now) = (self.organization.clone(), self.clock.now());
        let actor = Actor::CommandLine { user: self.user.to_owned() };
        move |ids| Author::new(organization.clone(), actor.clone(), Origin::default(), now, ids)
    }
}

/// The rows of the second pass: those that the first found no fault with.
struct GoodRows<'a, R> {
    rows: Rows<R>,
    check: &'a Check,
    seen: u64,
}

impl<'a, R: Read + Seek> GoodRows<'a, R> {
    fn new(mut source: R, check: &'a Check) -> Result<Self> {
        source.rewind().map_err(|error| changed(&error.to_string()))?;
        let rows = Rows::new(source).map_err(|fault| changed(&fault.to_string()))?;
        Ok(Self { rows, check, seen: 0 })
    }

    /// The next rows, at most so many; none at the end.
    fn take(&mut self, most: usize) -> Result<Vec<Row>> {
        let mut taken = Vec::with_capacity(most);
        while taken.len() < most {
            let Some(row) = self.rows.next() else { break };
            self.seen += 1;
            match row {
                Ok(row) if self.check.bad_lines.contains(&row.line) => {}
                Ok(row) => taken.push(row),
                Err(fault) if self.check.bad_lines.contains(&fault.line) => {}
                Err(fault) => return Err(changed(&fault.to_string())),
            }
        }
        if self.seen > self.check.rows || (taken.is_empty() && self.seen != self.check.rows) {
            return Err(changed("it has another number of rows"));
        }
        Ok(taken)
    }
}

fn changed(how: &str) -> Error {
    let message = format!("The file changed while it was read: {how}. Run the import again.");
    Error::new(Kind::Invalid, message)
}
