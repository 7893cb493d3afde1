//! The transaction a closure works in.

use std::collections::HashSet;
use std::time::Instant;

use crate::error::Fault;
use crate::insert::{self, Target, UNLESS_THERE};
use crate::{Arg, Engine, Error, Image, Observer, Result, Row, Stamp};

/// Whether a closure may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
}

/// What an engine lends to a transaction: a connection on which one has begun.
pub(crate) trait Session {
    fn engine(&self) -> Engine;

    /// Runs one statement, hands its rows over, and answers how many rows it changed.
    fn statement(
        &mut self,
        kind: Kind,
        sql: &str,
        args: &[Arg<'_>],
        row: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<u64, Fault>;

    /// How many rows the last statement changed, also if a duplicate ended it: `SQLite` keeps those before.
    fn changes(&self) -> u64 {
        0
    }

    /// How many instructions of its machine the engine has run for statements of this transaction, if it counts them.
    #[cfg(feature = "testing")]
    fn steps(&self) -> Option<u64> {
        None
    }

    /// The state of the store that this transaction sees, if the engine can name it.
    fn stamp(&self) -> Option<Stamp> {
        None
    }

    /// Everything in the store, if it is in memory.
    fn image(&self) -> Result<Image> {
        Err(Error::Statement("only a store in memory has an image".to_owned()))
    }
}

/// One transaction, handed to the closures of [`Store::read`](crate::Store::read) and
/// [`Store::write`](crate::Store::write).
///
/// The first error of a statement sticks: later statements answer it again, and the transaction
/// fails even if the closure returns `Ok`. `PostgreSQL` cannot go on after an error, so nobody may.
///
/// Statements name their arguments `$1…$n`, in any order and as often as they like; every argument
/// must be used.
pub struct Tx<'c> {
    session: &'c mut dyn Session,
    kind: Kind,
    deadline: Instant,
    observer: Option<&'c Observer>,
    poison: Option<Fault>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(
        session: &'c mut dyn Session,
        kind: Kind,
        deadline: Instant,
        observer: Option<&'c Observer>,
    ) -> Self {
        Self { session, kind, deadline, observer, poison: None }
    }

    /// The first failure of a statement, if any.
    pub(crate) fn into_poison(self) -> Option<Fault> {
        self.poison
    }

    /// The engine this transaction runs on.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.session.engine()
    }

    /// The state that this transaction sees: whatever it reads may be kept under it. Always `None` for a transaction that may
    /// write, and where it cannot be told.
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        if self.kind == Kind::Read { self.session.stamp() } else { None }
    }

    /// Everything that this transaction sees.
    pub(crate) fn image(&self) -> Result<Image> {
        self.session.image()
    }

    /// How many instructions of its machine `SQLite` has run so far: for the same statement as many as it reads rows, times what
    /// it does with each.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn steps(&self) -> Option<u64> {
        self.session.steps()
    }

    /// The only row, or `None`. A second row is [`Error::Statement`]: say `LIMIT 1` if any will do.
    pub fn one<T>(
        &mut self,
        sql: &str,
        args: &[Arg<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut found = None;
        self.run(sql, args, &mut |r| {
            if found.is_some() {
                return Err(Error::Statement(format!("more than one row: {sql}")));
            }
            found = Some(row(r)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// All rows, in the order of the statement.
    pub fn all<T>(
        &mut self,
        sql: &str,
        args: &[Arg<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.run(sql, args, &mut |r| {
            rows.push(row(r)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Runs a statement for its effect and answers how many rows an `INSERT`, `UPDATE` or `DELETE`
    /// changed.
    pub fn execute(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<u64> {
        self.run(sql, args, &mut |_| Ok(()))
    }

    /// Inserts rows: `into` is a table and its columns, as in `users (id, name)`, and `cells` are the rows one after another. No row at
    /// all is no statement, and several may be needed for many.
    pub fn insert(&mut self, into: &str, cells: &[Arg<'_>]) -> Result<()> {
        let target = Target::new(into);
        self.portions(target, cells, |tx, portion, _| {
            let (sql, arguments) = target.statement(tx.engine(), portion, "");
            tx.execute(&sql, &arguments).map(drop)
        })
    }

    /// The same for those that nothing stands in the way of, and answers for each row whether it went in. The texts in the columns `key`,
    /// counted from 0, tell the rows apart; of those that are alike the first goes in.
    pub fn insert_new(
        &mut self,
        into: &str,
        cells: &[Arg<'_>],
        key: &[usize],
    ) -> Result<Vec<bool>> {
        let (target, mut went_in) = (Target::new(into), Vec::new());
        self.portions(target, cells, |tx, portion, rows| {
            if rows == 1 {
                // Counted, because SQLite prepares to undo whatever answers rows.
                let (sql, arguments) = target.statement(tx.engine(), portion, UNLESS_THERE);
                went_in.push(tx.execute(&sql, &arguments)? == 1);
                return Ok(());
            }
            let inserted = tx.insert_up_to_duplicate(target, portion)?.min(rows);
            went_in.extend(std::iter::repeat_n(true, inserted));
            let rest = &portion[inserted * target.columns()..];
            let then = target.returning(key);
            tx.portions(target, rest, |tx, portion, _| {
                let (sql, arguments) = target.statement(tx.engine(), portion, &then);
                let told = tx.all(&sql, &arguments, |row| insert::told(row, key.len()))?;
                let mut told: HashSet<_> = told.into_iter().collect();
                for row in portion.chunks(target.columns()) {
                    went_in.push(told.remove(&insert::sent(row, key)?));
                }
                Ok(())
            })
        })?;
        Ok(went_in)
    }

    /// Inserts rows up to the first that something stands in the way of, and answers how many those are. Mostly all are new, and on `SQLite`
    /// counting rows costs less than answering them. `PostgreSQL` keeps none before one that fails, so there it is none.
    fn insert_up_to_duplicate(&mut self, target: Target<'_>, rows: &[Arg<'_>]) -> Result<usize> {
        if self.engine() == Engine::Postgres {
            return Ok(0);
        }
        let (sql, arguments) = target.statement(Engine::Sqlite, rows, "");
        let admitted = self.admit(&sql, &arguments).map(|()| 0);
        self.noted(admitted)?;
        // Only what the engine says of this very statement is a duplicate that may be passed over.
        let inserted = match self.session.statement(self.kind, &sql, &arguments, &mut |_| Ok(())) {
            Err(Fault { error: Error::Duplicate, .. }) => self.session.changes(),
            done => self.noted(done)?,
        };
        Ok(usize::try_from(inserted).unwrap_or(usize::MAX))
    }

    /// Hands over the rows for one statement after the other, with their number.
    fn portions(
        &mut self,
        target: Target<'_>,
        mut cells: &[Arg<'_>],
        mut each: impl FnMut(&mut Self, &[Arg<'_>], usize) -> Result<()>,
    ) -> Result<()> {
        let mut left = target.rows(cells.len())?;
        while left > 0 {
            let (portion, rest) = cells.split_at(target.next(left));
            let rows = portion.len() / target.columns();
            each(self, portion, rows)?;
            (cells, left) = (rest, left - rows);
        }
        Ok(())
    }

    fn run(
        &mut self,
        sql: &str,
        args: &[Arg<'_>],
        row: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<u64> {
        let done =
            self.admit(sql, args).and_then(|()| self.session.statement(self.kind, sql, args, row));
        self.noted(done)
    }

    fn noted(&mut self, done: Result<u64, Fault>) -> Result<u64> {
        done.map_err(|fault| {
            let error = fault.error.clone();
            self.poison = Some(fault);
            error
        })
    }

    /// Whether a statement may run.
    fn admit(&self, sql: &str, args: &[Arg<'_>]) -> Result<(), Fault> {
        if let Some(fault) = &self.poison {
            return Err(fault.clone());
        }
        if let Some(observer) = self.observer {
            observer(sql, args);
        }
        if Instant::now() >= self.deadline {
            return Err(Error::Deadline.into());
        }
        if args
            .iter()
            .any(|a| matches!(a, Arg::Text(t) if memchr::memchr(0, t.as_bytes()).is_some()))
        {
            return Err(Error::Statement("a text argument contains NUL".into()).into());
        }
        Ok(())
    }
}
