//! The first line of the file: which column stands where.

use std::collections::BTreeSet;

use super::fault::{Fault, shown};
use super::records::Record;

/// The columns of the file. They may stand in any order; none may be missing, twice there, or another.
pub const COLUMNS: [&str; 5] = ["email", "name", "role", "project", "project_role"];

/// Where each column of [`COLUMNS`] stands in the file.
pub type Places = [usize; 5];

/// Finds the columns.
pub fn places(record: &Record) -> Result<Places, Fault> {
    let fault = |reason: String| Fault::of_line(record.line, reason);
    if let Some(encoding) = foreign_encoding(record.text()) {
        return Err(fault(format!("the file is {encoding}; save it as CSV in UTF-8")));
    }
    let names: Vec<_> =
        (0..record.len()).map(|index| String::from_utf8_lossy(record.get(index))).collect();
    let expected = format!("the first line must be {}", COLUMNS.join(","));
    if let [only] = names.as_slice()
        && let Some(separator) = [';', '\t', '|'].into_iter().find(|other| only.contains(*other))
    {
        let separator = separator.escape_default();
        return Err(fault(format!(
            "the values are separated by '{separator}'; separate them by commas"
        )));
    }
    let mut seen = BTreeSet::new();
    for name in &names {
        if !COLUMNS.contains(&name.as_ref()) {
            return Err(fault(format!("unknown column '{}'; {expected}", shown(name))));
        }
        if !seen.insert(name) {
            return Err(fault(format!("the column '{name}' is there twice")));
        }
    }
    let mut places = Places::default();
    for (column, found) in COLUMNS.iter().zip(&mut places) {
        let place = names.iter().position(|name| name == column);
        *found =
            place.ok_or_else(|| fault(format!("the column '{column}' is missing; {expected}")))?;
    }
    Ok(places)
}

/// What spreadsheets write when they are not asked for UTF-8.
fn foreign_encoding(text: &[u8]) -> Option<&'static str> {
    let is_utf_16 = text.starts_with(b"\xFF\xFE") || text.starts_with(b"\xFE\xFF");
    if text.starts_with(b"PK\x03\x04") {
        Some("a workbook or another archive")
    } else if is_utf_16 || text.contains(&0) {
        Some("UTF-16 or binary")
    } else {
        None
    }
}
