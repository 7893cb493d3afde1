//! One row of the file, and everything that can be wrong with it by itself.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder};

use crate::domain::role::{OrganizationRole, ProjectRole};

/// The columns of the file. They may stand in any order; none may be missing, twice there, or another.
pub const COLUMNS: [&str; 5] = ["email", "name", "role", "project", "project_role"];

/// No value can be near this long, so a longer record is a mistake in the quoting.
const LONGEST_RECORD: usize = 1 << 20;
/// What a report repeats of a value.
const SHOWN: usize = 60;

/// A membership, or a person in no project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// The person's address.
    pub email: String,
    /// What the person is called; without it, a known name stays.
    pub name: Option<String>,
    /// The person's role in the organization.
    pub role: OrganizationRole,
    /// The project's name and the person's role in it.
    pub membership: Option<(String, ProjectRole)>,
}

/// Something that keeps a row, or the whole file, from being imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: u64,
    /// The column, if one is at fault.
    pub column: Option<&'static str>,
    /// The value, cut and with control characters made visible.
    pub value: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl Fault {
    /// A fault of a value.
    pub fn of(line: u64, column: &'static str, value: &str, reason: impl Into<String>) -> Self {
        Self { line, column: Some(column), value: shown(value), reason: reason.into() }
    }

    /// A fault of a line.
    pub fn of_line(line: u64, reason: impl Into<String>) -> Self {
        Self { line, column: None, value: String::new(), reason: reason.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(out, ", {column} '{}'", self.value)?;
        }
        write!(out, ": {}", self.reason)
    }
}

fn shown(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if value.chars().count() > SHOWN {
        shown.push('…');
    }
    shown
}

/// The rows of a file, one after another; memory does not grow with the file.
pub struct Rows<R> {
    reader: csv::Reader<Bounded<R>>,
    record: ByteRecord,
    taken: Rc<Cell<usize>>,
    /// Where each column of [`COLUMNS`] stands in the file.
    places: [usize; 5],
    is_over: bool,
}

impl<R: Read> Rows<R> {
    /// Reads the header. A fault here is one of the whole file.
    pub fn new(source: R) -> Result<Self, Fault> {
        let taken = Rc::new(Cell::new(0));
        let bounded = Bounded { source, taken: Rc::clone(&taken) };
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bounded);
        let mut record = ByteRecord::new();
        let has_header = reader
            .read_byte_record(&mut record)
            .map_err(|error| Fault::of_line(1, reading(&error)))?;
        if !has_header {
            return Err(Fault::of_line(
                1,
                format!("the file is empty; its first line must be {}", COLUMNS.join(",")),
            ));
        }
        let places = header(&record)?;
        Ok(Self { reader, record, taken, places, is_over: false })
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        self.taken.set(0);
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => Some(row(&self.record, &self.places)),
            Err(error) => {
                // Nothing behind this can be told apart from it.
                self.is_over = true;
                Some(Err(Fault::of_line(self.reader.position().line(), reading(&error))))
            }
        }
    }
}

fn reading(error: &csv::Error) -> String {
    format!("the file cannot be read on from here: {error}")
}

/// Finds the columns.
fn header(record: &ByteRecord) -> Result<[usize; 5], Fault> {
    let first = record.get(0).unwrap_or_default();
    if first.starts_with(&[0xFF, 0xFE]) || first.starts_with(&[0xFE, 0xFF]) {
        return Err(Fault::of_line(1, "the file is UTF-16; save it as UTF-8"));
    }
    let names: Vec<_> =
        record.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let expected = COLUMNS.join(",");
    let mut seen = BTreeSet::new();
    for name in &names {
        if !COLUMNS.contains(&name.as_str()) {
            let reason =
                format!("unknown column '{}'; the first line must be {expected}", shown(name));
            return Err(Fault::of_line(1, reason));
        }
        if !seen.insert(name) {
            return Err(Fault::of_line(1, format!("the column '{name}' is there twice")));
        }
    }
    let place = |column: &str| names.iter().position(|name| name == column);
    let mut places = [0; 5];
    for (column, found) in COLUMNS.iter().zip(&mut places) {
        let missing = || {
            Fault::of_line(
                1,
                format!("the column '{column}' is missing; the first line must be {expected}"),
            )
        };
        *found = place(column).ok_or_else(missing)?;
    }
    Ok(places)
}

fn row(record: &ByteRecord, places: &[usize; 5]) -> Result<Row, Fault> {
    let line = record.position().map_or(0, csv::Position::line);
    if record.len() != COLUMNS.len() {
        let reason = format!(
            "{} values instead of {}; a value with a comma needs quotes",
            record.len(),
            COLUMNS.len()
        );
        return Err(Fault::of_line(line, reason));
    }
    let text = |index: usize| -> Result<&str, Fault> {
        let column = COLUMNS[index];
        let bytes = record.get(places[index]).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| {
            Fault::of(
                line,
                column,
                &String::from_utf8_lossy(bytes),
                "not UTF-8; save the file as UTF-8",
            )
        })?;
        plain(line, column, text)
    };
    let (email, name, role) = (text(0)?, text(1)?, text(2)?);
    let (project, project_role) = (text(3)?, text(4)?);
    Ok(Row {
        line,
        email: address(line, email)?,
        name: Some(name).filter(|name| !name.is_empty()).map(str::to_owned),
        role: OrganizationRole::from_name(role)
            .ok_or_else(|| Fault::of(line, "role", role, "must be owner or reader"))?,
        membership: membership(line, project, project_role)?,
    })
}

/// A value that can stand in a table: no control characters, not too long.
fn plain<'a>(line: u64, column: &'static str, text: &'a str) -> Result<&'a str, Fault> {
    let most = if column == "email" { 320 } else { 255 };
    if text.contains(['\n', '\r']) {
        return Err(Fault::of(
            line,
            column,
            text,
            "has a line break; a closing quote may be missing",
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Fault::of(line, column, text, "has a control character; remove it"));
    }
    let count = text.chars().count();
    if count > most {
        return Err(Fault::of(
            line,
            column,
            text,
            format!("is {count} characters long; at most {most} are kept"),
        ));
    }
    Ok(text)
}

fn address(line: u64, email: &str) -> Result<String, Fault> {
    let fault = |reason: &str| Err(Fault::of(line, "email", email, reason));
    match email.split_once('@') {
        _ if email.is_empty() => fault("must not be empty; people are told apart by it"),
        _ if email.contains(char::is_whitespace) => fault("must not contain spaces"),
        Some((local, host)) if !local.is_empty() && !host.is_empty() && !host.contains('@') => {
            Ok(email.to_owned())
        }
        _ => fault("is not an e-mail address"),
    }
}

fn membership(
    line: u64,
    project: &str,
    role: &str,
) -> Result<Option<(String, ProjectRole)>, Fault> {
    if project.is_empty() {
        let reason = "must be empty where there is no project";
        return if role.is_empty() {
            Ok(None)
        } else {
            Err(Fault::of(line, "project_role", role, reason))
        };
    }
    match ProjectRole::from_name(role) {
        Some(role) => Ok(Some((project.to_owned(), role))),
        None => Err(Fault::of(line, "project_role", role, "must be owner or member")),
    }
}

/// Stops where one record would swallow the file.
struct Bounded<R> {
    source: R,
    /// Bytes read since the last record began.
    taken: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken.get() > LONGEST_RECORD {
            return Err(io::Error::other(
                "a row is longer than 1 MiB; a closing quote may be missing",
            ));
        }
        let count = self.source.read(buffer)?;
        self.taken.set(self.taken.get() + count);
        Ok(count)
    }
}
