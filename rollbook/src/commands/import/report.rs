//! What an import has to say: tables for people, one JSON document for programs.

use std::io::{Write, stderr, stdout};
use std::time::Instant;

use admin::import::{Check, Demotion, Fault, Tally};
use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::Import;
use crate::commands::output::write_json;
use crate::commands::text::harmless;

/// So many faults are shown; nobody reads on after them.
const SHOWN_FAULTS: usize = 50;

/// What became of the file.
pub enum Outcome {
    /// It has faults, so nothing was done.
    Refused,
    /// This was changed, or would be.
    Done(Tally),
}

/// Everything there is to say.
pub struct Report<'a> {
    /// What was asked for.
    pub flags: &'a Import,
    /// What the first pass found.
    pub check: &'a Check,
    /// Who stops being an owner.
    pub demotions: Vec<Demotion>,
    /// What came of it.
    pub outcome: Outcome,
    /// When it began.
    pub began: Instant,
}

/// One line of the summary: how many there are in the file, and what happened to them.
struct Line(&'static str, [u64; 4]);

impl Report<'_> {
    /// Prints it to standard output.
    pub fn print(&self) -> Result<()> {
        let mut out = stdout().lock();
        if self.flags.json {
            write_json(&mut out, &self.json())?;
        } else {
            let text = [self.faults(), self.demotions(), self.summary()].concat();
            writeln!(out, "{}", text.trim_end())?;
        }
        Ok(out.flush()?)
    }

    fn lines(&self) -> Option<[Line; 3]> {
        let Outcome::Done(tally) = self.outcome else { return None };
        let count = self.check.count;
        let line = |name, all: u64, added, updated| {
            Line(name, [all, added, updated, all.saturating_sub(added + updated)])
        };
        Some([
            line("people", count.people, tally.people_added, tally.people_updated),
            line("projects", count.projects, tally.projects_created, 0),
            line(
                "memberships",
                count.memberships,
                tally.memberships_added,
                tally.memberships_updated,
            ),
        ])
    }

    fn summary(&self) -> String {
        let Some(lines) = self.lines() else { return String::new() };
        let mut table = table();
        table.set_header(["", "in file", "added", "updated", "unchanged"]);
        for Line(name, numbers) in lines {
            table.add_row(
                [name.to_owned()].into_iter().chain(numbers.map(|number| number.to_string())),
            );
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let seconds = self.began.elapsed().as_secs_f64();
        let (rows, skipped) = (self.check.rows, self.check.bad_lines.len());
        let end = if self.flags.dry_run { "; nothing was written" } else { "" };
        format!("{table}\n{rows} rows read, {skipped} skipped, in {seconds:.1} s{end}\n")
    }

    fn faults(&self) -> String {
        let faults = &self.check.faults;
        if faults.is_empty() {
            return String::new();
        }
        let mut table = table();
        table.set_header(["line", "column", "value", "what is wrong"]);
        for Fault { line, column, value, reason } in faults.iter().take(SHOWN_FAULTS) {
            let (line, column) = (line.to_string(), column.unwrap_or_default());
            table.add_row([line.as_str(), column, &harmless(value), &harmless(reason)]);
        }
        let more = self.check.fault_count.saturating_sub(SHOWN_FAULTS as u64);
        let rest = if more > 0 { format!("and {more} more\n") } else { String::new() };
        format!("{table}\n{rest}\n")
    }

    fn demotions(&self) -> String {
        if self.demotions.is_empty() || matches!(self.outcome, Outcome::Refused) {
            return String::new();
        }
        let (become_readers, end) =
            if self.flags.dry_run { ("would become", "would end") } else { ("became", "ended") };
        let mut table = table();
        table.set_header([
            format!("owners who {become_readers} readers"),
            format!("admin keys that {end}"),
        ]);
        for demotion in &self.demotions {
            let keys: Vec<_> = demotion
                .keys
                .iter()
                .map(|key| match &key.name {
                    Some(name) => format!("{} {}", key.id, harmless(name)),
                    None => key.id.clone(),
                })
                .collect();
            table.add_row([harmless(&demotion.email).into_owned(), keys.join("\n")]);
        }
        format!("{table}\n\n")
    }

    fn json(&self) -> Value {
        let rows = json!({ "in_file": self.check.rows, "skipped": self.check.bad_lines.len() });
        let mut document = json!({
            "applied": matches!(self.outcome, Outcome::Done(_)) && !self.flags.dry_run,
            "dry_run": self.flags.dry_run,
            "rows": rows,
            "fault_count": self.check.fault_count,
            "faults": self.check.faults.iter().map(fault).collect::<Value>(),
            "demotions": self.demotions.iter().map(demotion).collect::<Value>(),
            "seconds": self.began.elapsed().as_secs_f64(),
        });
        for Line(name, [all, added, updated, unchanged]) in self.lines().into_iter().flatten() {
            document[name] = json!({ "in_file": all, "added": added, "updated": updated, "unchanged": unchanged });
        }
        document
    }
}

fn fault(fault: &Fault) -> Value {
    json!({ "line": fault.line, "column": fault.column, "value": fault.value, "reason": fault.reason })
}

fn demotion(demotion: &Demotion) -> Value {
    let keys = demotion.keys.iter().map(|key| json!({ "id": key.id, "name": key.name }));
    json!({ "email": demotion.email, "keys": keys.collect::<Value>() })
}

/// A table as every report here has it.
pub fn table() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// A line beside the report.
pub fn note(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}
