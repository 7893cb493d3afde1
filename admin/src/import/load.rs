//! An import in one transaction, into a store that was just made: rows first, then the indexes of the record.
//! Its events are sealed as they come, because nobody can write one in between. One thread reads the file, one writes to the store, and one
//! makes events ready (`events.rs`).

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use sql::{Store, Tx};

use super::apply::{self, Applied, EVENTS_PER_MEMBERSHIP, EVENTS_PER_PERSON};
use super::events::Events;
use super::window::{Membership, Person, Window};
use crate::audit::Author;
use crate::domain::id::IdBlock;
use crate::error::{Error, Result};
use crate::sealing;

/// How long the transaction may take. Nobody else waits for it.
const LIMIT: Duration = Duration::from_hours(12);
/// The tables whose indexes are made at the end. An import only adds to them; the others are asked on the way, such as for the memberships
/// of somebody whose name stands in a later row.
const TABLES: &[&str] = &["audit_events", "audit_resources"];
/// How many rows a portion has: as many as make a seal of events.
const ROWS: usize = sealing::BATCH;

/// Some rows, with everything that is drawn for them.
struct Portion<T> {
    rows: Vec<T>,
    /// The ids of what they make.
    ids: IdBlock,
    /// Who writes their events.
    by: Author,
}

/// A window in portions: people first.
pub struct Portions {
    people: Vec<Portion<Person>>,
    memberships: Vec<Portion<Membership>>,
}

impl Portions {
    /// Draws what the rows need: `draw` is told how many rows a portion has, and how many events they can write.
    pub fn of(window: Window, draw: impl Fn(usize, usize) -> (IdBlock, Author)) -> Self {
        Self {
            people: portions(window.people, |rows| draw(rows, rows * EVENTS_PER_PERSON)),
            memberships: portions(window.memberships, |rows| {
                draw(rows, rows * EVENTS_PER_MEMBERSHIP)
            }),
        }
    }

    fn apply(self, tx: &mut Tx<'_>, events: &mut Events, done: &mut Vec<Applied>) -> Result<()> {
        let mut people = Vec::new();
        for Portion { rows, ids, by } in self.people {
            let (applied, now) = apply::people(tx, &by, &ids, &rows)?;
            events.pass(tx, by)?;
            done.push(applied);
            people.extend(now);
        }
        for Portion { rows, ids, by } in self.memberships {
            done.push(apply::memberships(tx, &by, &ids, &rows, |place| &people[place])?);
            events.pass(tx, by)?;
        }
        Ok(())
    }
}

fn portions<T>(rows: Vec<T>, draw: impl Fn(usize) -> (IdBlock, Author)) -> Vec<Portion<T>> {
    let (mut rest, mut portions) = (rows.into_iter(), Vec::new());
    while rest.len() > 0 {
        let rows: Vec<_> = rest.by_ref().take(ROWS).collect();
        let (ids, by) = draw(rows.len());
        portions.push(Portion { rows, ids, by: by.writing_later() });
    }
    portions
}

/// Applies all windows or nothing. They are read on this thread and applied on another.
pub fn load(store: &Store, mut next: impl FnMut() -> Next) -> Result<Vec<Applied>> {
    // One window is applied while the next is made ready; none waits between.
    let (sender, windows) = sync_channel(0);
    // It runs once: nobody else writes, so nothing makes it run again.
    let windows = Mutex::new(Some(windows));
    let work = move |tx: &mut Tx<'_>| {
        let windows = windows.lock().unwrap_or_else(PoisonError::into_inner).take();
        apply_all(tx, windows.ok_or(sql::Error::Busy)?)
    };
    thread::scope(|scope| {
        let applying = scope.spawn(|| store.write_within(LIMIT, work));
        feed(&mut next, &sender);
        drop(sender);
        applying.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// A window, the end of the file, or why it could not be read to its end.
type Next = Result<Option<Portions>>;

/// Sends windows and the end, until one could not be read or nobody takes them.
fn feed(next: &mut impl FnMut() -> Next, sender: &SyncSender<Next>) {
    loop {
        let window = next();
        let is_last = !matches!(window, Ok(Some(_)));
        if sender.send(window).is_err() || is_last {
            return;
        }
    }
}

/// Whoever reads may also break off without a word; only a file whose end was told is kept.
fn apply_all(tx: &mut Tx<'_>, windows: Receiver<Next>) -> Result<Vec<Applied>> {
    let indexes = tx.take_indexes(TABLES)?;
    let done = thread::scope(|scope| {
        let (mut events, mut done) = (Events::start(scope), Vec::new());
        for window in windows {
            let Some(window) = window? else {
                events.end(tx)?;
                return Ok(done);
            };
            window.apply(tx, &mut events, &mut done)?;
        }
        Err(Error::internal("the file was not read to its end"))
    })?;
    indexes.make(tx)?;
    Ok(done)
}
