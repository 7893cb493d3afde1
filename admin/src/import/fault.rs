//! What can be wrong with a file, in words for the person who made it.

use std::fmt;

/// What a report repeats of a value.
const SHOWN: usize = 60;

/// Something that keeps a row, or the whole file, from being imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line on which the row begins, from 1.
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

/// A value as it may stand on a terminal: short, and without anything that the terminal would obey.
pub fn shown(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN).flat_map(visible).collect();
    if value.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn visible(character: char) -> impl Iterator<Item = char> {
    let is_harmless = !character.is_control() && !is_deceptive(character);
    let itself = is_harmless.then_some(character);
    itself
        .into_iter()
        .chain((!is_harmless).then(|| character.escape_unicode()).into_iter().flatten())
}

/// Characters that cannot be seen and change what is seen around them: byte order marks, directions, line separators.
#[must_use]
pub fn is_deceptive(character: char) -> bool {
    matches!(character, '\u{feff}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
