//! Tables for people: aligned, harmless, and no wider than the terminal.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write, stderr, stdout};

use anyhow::Result;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table};
use indicatif::HumanCount;
use jiff::Timestamp;
use serde_json::Value;

use super::text::harmless;

/// The space between two columns.
const GAP: u16 = 2;

/// How a list looks.
pub struct Shape<'a> {
    /// What to say when it is empty.
    pub nothing: &'a str,
    /// Its columns, from left to right.
    pub columns: &'a [Column],
}

/// One column.
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// Where its value stands in a row, as a JSON pointer.
    pub member: &'static str,
    /// How the value is written.
    pub kind: Kind,
    /// Where the terminal is too narrow, columns with a higher number are left out first; 0 never is.
    pub spare: u8,
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As it is.
    Text,
    /// To the right, with commas between the thousands.
    Number,
    /// As a date and time in UTC, from Unix seconds; this is what an absent one means.
    Time(&'static str),
}

impl Column {
    /// A column of text.
    pub const fn text(title: &'static str, member: &'static str, spare: u8) -> Self {
        Self { title, member, kind: Kind::Text, spare }
    }

    /// A column of numbers.
    pub const fn number(title: &'static str, member: &'static str, spare: u8) -> Self {
        Self { title, member, kind: Kind::Number, spare }
    }

    /// A column of times.
    pub const fn time(
        title: &'static str,
        member: &'static str,
        absent: &'static str,
        spare: u8,
    ) -> Self {
        Self { title, member, kind: Kind::Time(absent), spare }
    }

    fn cell(&self, row: &Value) -> String {
        let value = row.pointer(self.member).unwrap_or(&Value::Null);
        match (self.kind, value) {
            (Kind::Time(absent), Value::Null) => absent.to_owned(),
            (Kind::Time(_), value) => value.as_i64().and_then(time).unwrap_or_else(|| plain(value)),
            (Kind::Number, value) => value.as_u64().map_or_else(|| plain(value), thousands),
            (Kind::Text, value) => plain(value),
        }
    }
}

/// A time as tables and sentences show it, to the minute.
pub fn time(seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%MZ").to_string())
}

fn thousands(number: u64) -> String {
    HumanCount(number).to_string()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => harmless(text).into_owned(),
        other => other.to_string(),
    }
}

/// Shows these rows. On a terminal the table fits, and says which columns it left out for that; elsewhere it is whole.
pub fn show(rows: impl Iterator<Item = Result<Value>>, shape: &Shape<'_>) -> Result<()> {
    let table = filled(rows, shape.columns)?;
    if table.is_empty() {
        return Ok(writeln!(stderr(), "{}", shape.nothing)?);
    }
    let width = stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    let text = render(table, shape.columns, width.map(|(width, _)| width.0));
    let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
    let mut out = anstream::stdout().lock();
    // Bold where the terminal can; anstream takes it away elsewhere and for NO_COLOR.
    writeln!(out, "\x1b[1m{head}\x1b[0m\n{body}")?;
    Ok(out.flush()?)
}

/// A table of these rows, of which only the cells are kept.
fn filled(rows: impl Iterator<Item = Result<Value>>, columns: &[Column]) -> Result<Table> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(columns.iter().map(|column| column.title));
    for row in rows {
        let row = row?;
        table.add_row(columns.iter().map(|column| column.cell(&row)));
    }
    for (column, Column { kind, .. }) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, GAP));
        if *kind == Kind::Number {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Ok(table)
}

fn render(mut table: Table, columns: &[Column], width: Option<u16>) -> String {
    let left_out = width.map(|width| fit(&mut table, columns, width)).unwrap_or_default();
    let mut text = table.trim_fmt();
    if !left_out.is_empty() {
        let _ = write!(text, "\n\nToo narrow for: {}.", left_out.join(", "));
    }
    text
}

/// Leaves columns out until the others fit. If the last ones do not, their cells are wrapped.
fn fit(table: &mut Table, columns: &[Column], width: u16) -> Vec<&'static str> {
    let widths = table.column_max_content_widths();
    let total = |shown: &[bool]| -> u32 {
        let widths = widths.iter().zip(shown).filter(|(_, shown)| **shown);
        widths.map(|(width, _)| u32::from(*width) + u32::from(GAP)).sum()
    };
    let mut shown = vec![true; columns.len()];
    // The gap behind the last column is trimmed.
    while total(&shown) > u32::from(width) + u32::from(GAP) {
        let spare = (0..columns.len()).filter(|place| shown[*place] && columns[*place].spare > 0);
        let Some(place) = spare.max_by_key(|place| columns[*place].spare) else { break };
        shown[place] = false;
    }
    for (column, _) in table.column_iter_mut().zip(&shown).filter(|(_, shown)| !**shown) {
        column.set_constraint(ColumnConstraint::Hidden);
    }
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width.saturating_add(GAP));
    columns
        .iter()
        .zip(&shown)
        .filter(|(_, shown)| !**shown)
        .map(|(column, _)| column.title)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column::text("EMAIL", "/email", 0),
        Column::text("NAME", "/name", 1),
        Column::time("ADDED", "/added_at", "-", 2),
        Column::text("ID", "/id", 3),
    ];

    fn rows() -> Vec<Value> {
        vec![
            json!({ "email": "ada@example.com", "name": "Ada", "added_at": 1_763_958_480, "id": "user-0123456789" }),
            json!({ "email": "李@example.com", "name": "李小龍\u{1b}[2J", "added_at": null, "id": "user-1" }),
        ]
    }

    fn shown(columns: &[Column], width: Option<u16>) -> String {
        render(filled(rows().into_iter().map(Ok), columns).unwrap(), columns, width)
    }

    #[test]
    fn columns_are_aligned_whatever_is_in_them() {
        let expected = "\
EMAIL            NAME             ADDED              ID
ada@example.com  Ada              2025-11-24T04:28Z  user-0123456789
李@example.com   李小龍\\u{1b}[2J  -                  user-1";
        assert_eq!(shown(COLUMNS, None), expected);
        assert_eq!(shown(COLUMNS, Some(68)), expected);
    }

    #[test]
    fn a_narrow_terminal_gets_fewer_columns_and_a_word_about_it() {
        let expected = "\
EMAIL            NAME
ada@example.com  Ada
李@example.com   李小龍\\u{1b}[2J

Too narrow for: ADDED, ID.";
        assert_eq!(shown(COLUMNS, Some(32)), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 8..90 {
            let text = shown(&COLUMNS[..2], Some(width));
            let table = text.split("\n\n").next().unwrap();
            let widest = table.lines().map(comfy_width).max().unwrap();
            assert!(widest <= width, "{width}:\n{text}");
        }
    }

    /// How wide a line is: the widest cell of a table that holds nothing else.
    fn comfy_width(line: &str) -> u16 {
        let mut table = Table::new();
        table.add_row([line]);
        table.column_max_content_widths()[0]
    }
}
