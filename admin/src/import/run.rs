//! The driver of both passes.

use std::collections::HashSet;
use std::io::{Read, Seek};
use std::sync::Arc;
use std::time::Instant;

use sql::{Store, Tx};

use super::apply::{self, Applied, EVENTS_PER_MEMBERSHIP, EVENTS_PER_PERSON};
use super::check::{Check, check};
use super::consistency::hash;
use super::load::{self, Portions};
use super::lookup::{self, EndingKey};
use super::pace::{Pace, yield_lock};
use super::rehearsal::Rehearsal;
use super::row::{Row, Rows};
use super::tally::Tally;
use super::window::{self, Membership, Person, Window};
use super::{BATCH, LOOKED_AT};
use crate::audit::{Actor, Author, Origin};
use crate::domain::clock::Clock;
use crate::domain::id::{IdBlock, Ids};
use crate::error::{Error, Kind, Result};
use crate::organization::Organization;
use crate::resources::users::store::{self as users, User, fold};

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
    /// How many people or memberships one transaction applies at most; no more than [`BATCH`].
    pub rows_at_once: usize,
    /// Whether the store is new and nobody else uses it. Then everything is one transaction: sooner done, and an interrupted import
    /// leaves nothing.
    pub is_new: bool,
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
            let portion = rows.take(LOOKED_AT)?;
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
        let mut pace = Pace::new(self.rows_at_once.clamp(1, BATCH));
        let rows = GoodRows::new(source, check)?;
        let mut tell = |applied: Applied| tally.add(&applied, &mut changed);
        if self.is_new {
            self.load(rows)?.into_iter().for_each(&mut tell);
        } else {
            self.portions(rows, &mut pace, &mut tell)?;
        }
        for emails in check.demoted.chunks(pace.rows()) {
            let updated = self.demote(emails.to_vec(), &mut pace)?;
            tally.add(&Applied { updated, ..Applied::default() }, &mut changed);
        }
        Ok(tally)
    }

    /// Everything in one transaction.
    fn load<R: Read + Seek>(&self, mut rows: GoodRows<'_, R>) -> Result<Vec<Applied>> {
        let author = self.author();
        let draw = |rows, events| (self.block(rows), author(self.block(events)));
        load::load(self.store, || {
            let window = rows.window()?;
            Ok(window.map(|window| Portions::of(window, draw)))
        })
    }

    /// A portion after the other, so that others can write in between.
    fn portions<R: Read + Seek>(
        &self,
        mut rows: GoodRows<'_, R>,
        pace: &mut Pace,
        tell: &mut impl FnMut(Applied),
    ) -> Result<()> {
        while let Some(Window { people, memberships }) = rows.window()? {
            let people = Arc::new(self.people(people, pace, tell)?);
            self.memberships(memberships, &people, pace, tell)?;
        }
        Ok(())
    }

    /// Makes the store's plans fit what was imported.
    pub fn analyze(&self) -> Result<()> {
        lookup::analyze(self.store)
    }

    fn people(
        &self,
        people: Vec<Person>,
        pace: &mut Pace,
        tell: &mut impl FnMut(Applied),
    ) -> Result<Vec<User>> {
        let (mut rest, mut all) = (people.into_iter(), Vec::new());
        while rest.len() > 0 {
            let portion: Vec<_> = rest.by_ref().take(pace.rows()).collect();
            let (ids, events) = (self.block(portion.len()), portion.len() * EVENTS_PER_PERSON);
            let work = move |tx: &mut Tx<'_>, by: &Author| apply::people(tx, by, &ids, &portion);
            let (applied, now) = self.write(pace, events, work)?;
            tell(applied);
            all.extend(now);
        }
        Ok(all)
    }

    fn memberships(
        &self,
        memberships: Vec<Membership>,
        people: &Arc<Vec<User>>,
        pace: &mut Pace,
        tell: &mut impl FnMut(Applied),
    ) -> Result<()> {
        let mut rest = memberships.into_iter();
        while rest.len() > 0 {
            let portion: Vec<_> = rest.by_ref().take(pace.rows()).collect();
            let (ids, events) = (self.block(portion.len()), portion.len() * EVENTS_PER_MEMBERSHIP);
            let people = Arc::clone(people);
            let work = move |tx: &mut Tx<'_>, by: &Author| {
                let current = apply::read_again(tx, by, &portion, &people)?;
                let person = |place: usize| &current[&people[place].id];
                apply::memberships(tx, by, &ids, &portion, person)
            };
            tell(self.write(pace, events, work)?);
        }
        Ok(())
    }

    fn demote(&self, emails: Vec<String>, pace: &mut Pace) -> Result<Vec<u64>> {
        let events = emails.len() * EVENTS_PER_PERSON;
        self.write(pace, events, move |tx, by| {
            let mut demoted = Vec::new();
            for email in &emails {
                if apply::demote(tx, by, email)? {
                    demoted.push(hash(&fold(email)));
                }
            }
            Ok(demoted)
        })
    }

    /// One transaction that writes at most so many events, and a rest for others after it.
    fn write<T: Send + 'static>(
        &self,
        pace: &mut Pace,
        events: usize,
        work: impl Fn(&mut Tx<'_>, &Author) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (author, event_ids) = (self.author(), self.block(events));
        // Since when the store was locked is not known outside: it may have been somebody else's turn before.
        let (done, began) = self.store.write_blocking(move |tx| {
            let began = Instant::now();
            let done = work(tx, &author(event_ids.clone()))?;
            Ok::<_, Error>((done, began))
        })?;
        yield_lock(self.store, pace, began);
        Ok(done)
    }

    fn block(&self, count: usize) -> IdBlock {
        self.ids.block(u16::try_from(count).unwrap_or(u16::MAX))
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

    /// The next window; `None` at the end.
    fn window(&mut self) -> Result<Option<Window>> {
        let rows = self.take(window::ROWS)?;
        Ok((!rows.is_empty()).then(|| Window::of(rows)))
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
