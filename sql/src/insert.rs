//! Many rows in one statement: what a statement costs beside its rows is paid once for many of them.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::{Arg, Engine, Error, Result, Row};

/// So many rows one statement takes at most: of ten columns 640 parameters, and an engine allows 32,766.
const MOST: usize = 64;

/// How a statement for `SQLite` begins. Its parameters are counted and have no names, which would be looked up one by one. The rows before
/// one that fails are kept, on which [`Tx::insert_new`](crate::Tx::insert_new) counts.
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

    /// The statement for these cells, with what follows them, and its arguments. `SQLite` need not be able to undo it alone, for which it
    /// would copy every page before its first change: whatever fails in a transaction fails all of it, but for a duplicate that is passed over.
    pub(crate) fn statement<'c, 'a>(
        self,
        engine: Engine,
        cells: &'c [Arg<'a>],
        then: &str,
    ) -> (String, Cow<'c, [Arg<'a>]>) {
        let shared = match engine {
            Engine::Sqlite => self.shared(cells),
            Engine::Postgres => None,
        };
        let Some(shared) = shared else {
            return (self.text(engine, cells.len(), then, &[]), Cow::Borrowed(cells));
        };
        let mut arguments = cells[..self.columns].to_vec();
        for row in cells.chunks(self.columns).skip(1) {
            arguments
                .extend(row.iter().zip(&shared).filter(|(_, shared)| !**shared).map(|(c, _)| *c));
        }
        (self.text(engine, cells.len(), then, &shared), Cow::Owned(arguments))
    }

    /// Which columns have the same value in all of very many rows, if any has. To bind a value costs as much as to store it. With fewer
    /// rows it does not matter, and each choice of columns is another statement to compile.
    fn shared(self, cells: &[Arg<'_>]) -> Option<Vec<bool>> {
        if cells.len() < MOST * self.columns {
            return None;
        }
        let is_shared = |column: usize| {
            cells[column..].iter().step_by(self.columns).all(|cell| is_same(*cell, cells[column]))
        };
        let shared: Vec<_> = (0..self.columns).map(is_shared).collect();
        shared.contains(&true).then_some(shared)
    }

    /// The statement, in which rows behind the first one refer to its parameters in the columns that are shared.
    fn text(self, engine: Engine, cells: usize, then: &str, shared: &[bool]) -> String {
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
            match engine {
                // All rows but the first are written alike, and copied.
                Engine::Sqlite if first > 1 => {
                    let next = self.next_row(shared);
                    let rest = cells / self.columns - 1;
                    text.push_str(&vec![&*next; rest].join("), ("));
                    break;
                }
                Engine::Sqlite => (0..self.columns)
                    .for_each(|column| text.push_str(if column == 0 { "?" } else { ", ?" })),
                Engine::Postgres => self.numbered(first, &mut text),
            }
        }
        text.push_str(") ");
        text.push_str(then);
        text
    }

    fn numbered(self, first: usize, text: &mut String) {
        for column in 0..self.columns {
            text.push_str(if column == 0 { "" } else { ", " });
            let _ = write!(text, "${}", first + column);
        }
    }

    /// The parameters of a row behind the first, without the parentheses.
    fn next_row(self, shared: &[bool]) -> String {
        let mut row = String::new();
        for column in 0..self.columns {
            row.push_str(if column == 0 { "?" } else { ", ?" });
            if shared.get(column) == Some(&true) {
                let _ = write!(row, "{}", column + 1);
            }
        }
        row
    }
}

/// Whether two cells are certainly the same. Texts are compared by where they are: reading them costs what is to be saved.
fn is_same(one: Arg<'_>, other: Arg<'_>) -> bool {
    match (one, other) {
        (Arg::Text(one), Arg::Text(other)) => std::ptr::eq(one, other),
        (Arg::Bytes(one), Arg::Bytes(other)) => std::ptr::eq(one, other),
        _ => one == other,
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
    use crate::args;

    #[test]
    fn a_statement_is_written_for_its_engine() {
        let target = Target::new("t (a, b)");
        let cells: &[Arg<'_>] = args![1_i64, 2_i64, 1_i64, 3_i64];
        assert_eq!(
            target.statement(Engine::Sqlite, cells, UNLESS_THERE),
            (
                "INSERT OR FAIL INTO t (a, b) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING"
                    .to_owned(),
                Cow::Borrowed(cells)
            )
        );
        assert_eq!(
            target.statement(Engine::Postgres, cells, &target.returning(&[1])).0,
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING RETURNING b"
        );
    }

    #[test]
    fn what_is_the_same_in_very_many_rows_is_bound_once() {
        let (target, texts) = (Target::new("t (a, b, c, d)"), ["x".to_owned(), "x".to_owned()]);
        let mut cells = Vec::new();
        for row in 0..MOST {
            // The third column has equal texts that are not one.
            cells.extend_from_slice(args![
                i64::try_from(row).unwrap(),
                7_i64,
                &texts[row % 2],
                &texts[0]
            ]);
        }
        let (text, arguments) = target.statement(Engine::Sqlite, &cells, "");
        assert!(text.contains("VALUES (?, ?, ?, ?), (?, ?2, ?, ?4), (?, ?2, "), "{text}");
        assert_eq!(arguments.len(), 4 + 2 * (MOST - 1));
        assert_eq!(arguments[..6], *args![0_i64, 7_i64, "x", "x", 1_i64, "x"]);
        let fewer = &cells[4..];
        assert_eq!(target.statement(Engine::Sqlite, fewer, "").1, Cow::Borrowed(fewer));
        assert_eq!(target.statement(Engine::Postgres, &cells, "").1, Cow::Borrowed(&*cells));
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
