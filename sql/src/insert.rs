//! Many rows in one statement: what a statement costs beside its rows is paid once for many of them.

use std::fmt::Write as _;

use crate::{Arg, Engine, Error, Result, Row};

/// So many rows one statement takes at most: of ten columns 640 parameters, and an engine allows 32,766.
const MOST: usize = 64;

/// How a statement for `SQLite` begins. Its parameters stand in their order and have no names, which would be looked up one by one.
pub(crate) const SQLITE_VERB: &str = "INSERT OR FAIL INTO";

/// What leaves out a row that another one stands in the way of.
pub(crate) const UNLESS_THERE: &str = "ON CONFLICT DO NOTHING";

/// Where rows go, and how many columns each has.
#[derive(Clone, Copy)]
pub(crate) struct Target<'s> {
    into: &'s str,
    columns: usize,
}

impl<'s> Target<'s> {
    /// `into` is a table and its columns, as in `users (id, name)`.
    pub(crate) fn new(into: &'s str) -> Self {
        Self { into, columns: 1 + into.bytes().filter(|byte| *byte == b',').count() }
    }

    /// How many rows these cells are.
    pub(crate) fn rows(self, cells: usize) -> Result<usize> {
        if cells.is_multiple_of(self.columns) {
            return Ok(cells / self.columns);
        }
        let (into, columns) = (self.into, self.columns);
        Err(Error::Statement(format!("{cells} cells are no rows of {columns} for {into}")))
    }

    /// How many columns a row has.
    pub(crate) fn columns(self) -> usize {
        self.columns
    }

    /// What answers these columns of each row that was inserted.
    pub(crate) fn returning(self, key: &[usize]) -> String {
        let names = self.into.split_once('(').map_or("", |(_, names)| names.trim_end_matches(')'));
        let names: Vec<_> = names.split(',').map(str::trim).collect();
        let key: Vec<_> = key.iter().filter_map(|column| names.get(*column).copied()).collect();
        format!("{UNLESS_THERE} RETURNING {}", key.join(", "))
    }

    /// How many cells the next statement takes of those of so many rows. Always a power of two of rows, so that few different statements
    /// are ever compiled.
    pub(crate) fn next(self, rows: usize) -> usize {
        self.columns * rows.checked_ilog2().map_or(0, |power| 1 << power).min(MOST)
    }

    /// The statement for so many cells, with what follows them. `SQLite` need not be able to undo it alone, for which it would copy every
    /// page before its first change, unless the table has foreign keys: whatever fails in a transaction fails all of it.
    pub(crate) fn statement(self, engine: Engine, cells: usize, then: &str) -> String {
        let verb = match engine {
            Engine::Sqlite => SQLITE_VERB,
            Engine::Postgres => "INSERT INTO",
        };
        let length = verb.len() + self.into.len() + then.len() + 16 + cells * "($00000), ".len();
        let mut text = String::with_capacity(length);
        for part in [verb, " ", self.into, " VALUES "] {
            text.push_str(part);
        }
        for first in (1..=cells).step_by(self.columns) {
            text.push_str(if first == 1 { "(" } else { "), (" });
            for number in first..first + self.columns {
                text.push_str(if number == first { "" } else { ", " });
                match engine {
                    Engine::Sqlite => text.push('?'),
                    Engine::Postgres => {
                        let _ = write!(text, "${number}");
                    }
                }
            }
        }
        text.push_str(") ");
        text.push_str(then);
        text
    }
}

/// The texts in these columns of a row, as one: no text contains the character between them.
pub(crate) fn key<'a>(texts: impl Iterator<Item = Result<&'a str>>) -> Result<String> {
    let mut key = String::new();
    for text in texts {
        key.push_str(text?);
        key.push('\0');
    }
    Ok(key)
}

/// The key that an answer tells, of so many columns.
pub(crate) fn told(row: &Row<'_>, columns: usize) -> Result<String> {
    key((0..columns).map(|column| Ok(row.text(column)?.unwrap_or_default())))
}

/// The key in a row's cells.
pub(crate) fn sent(row: &[Arg<'_>], columns: &[usize]) -> Result<String> {
    key(columns.iter().map(|column| match row.get(*column) {
        Some(Arg::Text(text)) => Ok(*text),
        _ => Err(Error::Statement(format!("column {column} is no text that tells rows apart"))),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_written_for_its_engine() {
        let target = Target::new("t (a, b)");
        assert_eq!(
            target.statement(Engine::Sqlite, 4, UNLESS_THERE),
            "INSERT OR FAIL INTO t (a, b) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING"
        );
        assert_eq!(
            target.statement(Engine::Postgres, 4, &target.returning(&[1])),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING RETURNING b"
        );
    }

    #[test]
    fn rows_are_taken_by_powers_of_two_up_to_the_most() {
        let target = Target::new("t (a, b, c)");
        assert_eq!(
            [0, 1, 2, 3, 63, 64, 1000].map(|rows| target.next(rows) / 3),
            [0, 1, 2, 2, 32, 64, 64]
        );
        assert_eq!(target.rows(9).ok(), Some(3));
        assert!(matches!(target.rows(8), Err(Error::Statement(_))));
    }
}
