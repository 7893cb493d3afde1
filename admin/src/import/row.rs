//! One row of the file, and everything that can be wrong with it by itself.

use std::io::Read;

use super::fault::{Fault, is_deceptive};
use super::header::{self, COLUMNS, Places};
use super::records::{Record, Records};
use crate::domain::email;
use crate::domain::role::{OrganizationRole, ProjectRole};

/// The most characters of an address, and of any other value.
const LONGEST_EMAIL: usize = 320;
const LONGEST: usize = 255;

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

/// The rows of a file, one after another; memory does not grow with the file.
pub struct Rows<R> {
    records: Records<R>,
    places: Places,
}

impl<R: Read> Rows<R> {
    /// Reads the header. A fault here is one of the whole file.
    pub fn new(source: R) -> Result<Self, Fault> {
        let mut records = Records::new(source);
        let header = records.next().unwrap_or_else(|| {
            let reason = format!("the file is empty; its first line must be {}", COLUMNS.join(","));
            Err(Fault::of_line(1, reason))
        })?;
        let places = header::places(header)?;
        Ok(Self { records, places })
    }

    /// Whether reading stopped before the end of the file.
    pub fn is_unreadable(&self) -> bool {
        self.records.is_unreadable()
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.records.next()?;
        Some(record.and_then(|record| row(record, &self.places)))
    }
}

fn row(record: &Record, places: &Places) -> Result<Row, Fault> {
    let line = record.line;
    if record.len() != COLUMNS.len() {
        let (found, expected) = (record.len(), COLUMNS.len());
        let reason =
            format!("{found} values instead of {expected}; a value with a comma needs quotes");
        return Err(Fault::of_line(line, reason));
    }
    let text = |index: usize| text(line, COLUMNS[index], record.get(places[index]));
    let (email, name, role) = (text(0)?, text(1)?, text(2)?);
    let (project, project_role) = (text(3)?, text(4)?);
    let unknown_role = || Fault::of(line, "role", role, "must be owner or reader");
    Ok(Row {
        line,
        email: address(line, email)?,
        name: Some(name).filter(|name| !name.is_empty()).map(str::to_owned),
        role: OrganizationRole::from_name(role).ok_or_else(unknown_role)?,
        membership: membership(line, project, project_role)?,
    })
}

/// A value that can stand in a table: text, without what cannot be seen, and not too long.
fn text<'a>(line: u64, column: &'static str, bytes: &'a [u8]) -> Result<&'a str, Fault> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        let value = String::from_utf8_lossy(bytes);
        return Err(Fault::of(line, column, &value, "not UTF-8; save the file as UTF-8"));
    };
    if is_plain(text) {
        return Ok(text);
    }
    let longest = if column == "email" { LONGEST_EMAIL } else { LONGEST };
    let reason = if text.contains(['\n', '\r']) {
        "has a line break; a closing quote may be missing".to_owned()
    } else if text.chars().any(|character| character.is_control() || is_deceptive(character)) {
        "has a control character; remove it".to_owned()
    } else if text.trim() != text {
        "begins or ends with a space; remove it".to_owned()
    } else if text.len() > longest && text.chars().nth(longest).is_some() {
        format!("is {} characters long; at most {longest} are kept", text.chars().count())
    } else {
        return Ok(text);
    };
    Err(Fault::of(line, column, text, reason))
}

/// Whether there is nothing to look at: most values are short and have nothing but what a typewriter has.
fn is_plain(text: &str) -> bool {
    let is_printed = |byte| (b' '..=b'~').contains(&byte);
    text.len() <= LONGEST && text.bytes().all(is_printed) && text.trim() == text
}

fn address(line: u64, text: &str) -> Result<String, Fault> {
    match email::fault(text) {
        Some(reason) => Err(Fault::of(line, "email", text, reason)),
        None => Ok(text.to_owned()),
    }
}

fn membership(
    line: u64,
    project: &str,
    role: &str,
) -> Result<Option<(String, ProjectRole)>, Fault> {
    let fault = |reason: &str| Err(Fault::of(line, "project_role", role, reason));
    match (project.is_empty(), ProjectRole::from_name(role)) {
        (true, _) if role.is_empty() => Ok(None),
        (true, _) => fault("must be empty where there is no project"),
        (false, Some(role)) => Ok(Some((project.to_owned(), role))),
        (false, None) => fault("must be owner or member"),
    }
}
