//! What a command shows: tables and sentences for people, JSON for programs.

use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal, Write, stdout};

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter};

use super::failure::Failure;
use super::table::{self, Shape};
use super::text::{harmless, is_harmful};

/// The flag that says for whom.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Print what the API answers, one object a line; a list is one line a row
    #[arg(long)]
    pub json: bool,
}

impl Output {
    /// Shows a list. As JSON, rows are printed as they come; a table needs all of them to find its widths.
    pub fn list(self, rows: impl Iterator<Item = Result<Value>>, shape: &Shape<'_>) -> Result<()> {
        if !self.json {
            return table::show(rows, shape);
        }
        let mut out = BufWriter::new(stdout().lock());
        for row in rows {
            write_json(&mut out, &row?)?;
        }
        Ok(out.flush()?)
    }

    /// Shows what was done: the answer, or a sentence about it.
    pub fn done(self, answer: &Value, sentence: &str) -> Result<()> {
        let mut out = stdout().lock();
        if self.json {
            write_json(&mut out, answer)?;
        } else {
            writeln!(out, "{}", harmless(sentence))?;
        }
        Ok(out.flush()?)
    }

    /// Shows a secret this once: with a sentence on a terminal, alone elsewhere, so that a script can take it. `rescue` says what to
    /// do when it could not be shown.
    pub fn secret(self, answer: &Value, secret: &str, sentence: &str, rescue: &str) -> Result<()> {
        let mut out = stdout().lock();
        let shown = if self.json {
            write_json(&mut out, answer)
        } else if out.is_terminal() {
            writeln!(out, "{} It is shown only now:\n\n  {secret}\n", harmless(sentence))
        } else {
            writeln!(out, "{secret}")
        };
        shown.and_then(|()| out.flush()).map_err(|error| {
            let message = format!("the key was made but could not be shown ({error})");
            Failure::refused(&message).note("hint", rescue).into()
        })
    }
}

/// Writes a value on a line of its own.
pub fn write_json(out: &mut impl Write, value: &Value) -> io::Result<()> {
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut *out, Visible(CompactFormatter));
    value.serialize(&mut serializer)?;
    writeln!(out)
}

/// Compact JSON in which also those characters are escaped that JSON allows but a terminal would obey.
struct Visible(CompactFormatter);

impl Formatter for Visible {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        if !text.contains(is_harmful) {
            return self.0.write_string_fragment(out, text);
        }
        let mut escaped = String::new();
        for character in text.chars() {
            if is_harmful(character) {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(escaped, "\\u{unit:04x}").map_err(io::Error::other)?;
                }
            } else {
                escaped.push(character);
            }
        }
        out.write_all(escaped.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_harmless_and_still_means_the_same() {
        let value = json!({ "name": "\u{1b}[2J \u{9b}m \u{202e} \u{e0041} \"quoted\" \\ Søren\n" });
        let mut line = Vec::new();
        write_json(&mut line, &value).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert!(!line.trim_end().contains(is_harmful), "{line}");
        assert!(line.contains("Søren"), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
    }
}
