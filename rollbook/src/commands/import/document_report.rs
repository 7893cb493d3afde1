//! What restoring a document has to say: tables for people, one JSON document for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::time::Instant;

use admin::document::change::Difference;
use admin::document::{Action, Change, Fault, Outcome};
use anyhow::Result;
use comfy_table::CellAlignment;
use serde_json::{Value, json};

use super::Import;
use super::report::table;
use crate::commands::output::write_json;
use crate::commands::text::harmless;

/// So many lines are shown; nobody reads on after them, and --json has all.
const SHOWN: usize = 100;
/// So much of a value is shown.
const SHOWN_VALUE: usize = 40;

/// Prints what was changed or would be, or what is wrong, to standard output.
pub fn print(
    flags: &Import,
    outcome: Option<&Outcome>,
    faults: &[Fault],
    began: Instant,
) -> Result<()> {
    let mut out = stdout().lock();
    let seconds = began.elapsed().as_secs_f64();
    if flags.json {
        let told = |fault: &Fault| json!({ "path": fault.path, "reason": fault.reason });
        let mut document = json!({
            "applied": outcome.is_some() && !flags.dry_run,
            "dry_run": flags.dry_run,
            "faults": faults.iter().map(told).collect::<Value>(),
            "seconds": seconds,
        });
        if let Some(outcome) = outcome {
            let organization = &outcome.organization;
            document["organization"] = json!({ "id": organization.id, "slug": organization.slug });
            document["changes"] = outcome.changes.iter().map(change).collect::<Value>();
        }
        write_json(&mut out, &document)?;
    } else {
        let mut text = wrong(faults);
        if let Some(outcome) = outcome {
            if flags.dry_run {
                text += &changes(&outcome.changes);
            }
            text += &summary(&outcome.changes);
            let end = if flags.dry_run { "; nothing was written" } else { "" };
            let _ = write!(text, "in {seconds:.1} s{end}");
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(out.flush()?)
}

fn change(change: &Change) -> Value {
    let told =
        |one: &Difference| json!({ "name": one.name, "before": one.before, "after": one.after });
    json!({
        "action": change.action.name(),
        "kind": change.kind,
        "project": change.project,
        "id": change.id,
        "differences": change.differences.iter().map(told).collect::<Value>(),
    })
}

fn wrong(faults: &[Fault]) -> String {
    if faults.is_empty() {
        return String::new();
    }
    let mut table = table();
    table.set_header(["where", "what is wrong"]);
    for fault in faults.iter().take(SHOWN) {
        table.add_row([harmless(&fault.path), harmless(&fault.reason)]);
    }
    format!("{table}\n")
}

/// Every change, one a line.
fn changes(changes: &[Change]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let mut table = table();
    table.set_header(["", "what", "project", "id", "differs in"]);
    for change in changes.iter().take(SHOWN) {
        let differences: Vec<_> = change.differences.iter().map(difference).collect();
        table.add_row([
            change.action.name(),
            change.kind,
            &harmless(change.project.as_deref().unwrap_or_default()),
            &harmless(&change.id),
            &differences.join("\n"),
        ]);
    }
    let more = changes.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!("and {more} more\n") } else { String::new() };
    format!("{table}\n{rest}\n")
}

fn difference(one: &Difference) -> String {
    format!("{}: {} -> {}", one.name, shown(&one.before), shown(&one.after))
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    let cut: String = text.chars().take(SHOWN_VALUE).collect();
    let end = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{end}", harmless(&cut))
}

/// How many of what.
fn summary(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "Nothing differs; there is nothing to do.\n".to_owned();
    }
    let actions = [Action::Added, Action::Updated, Action::Ended, Action::LeftOut];
    let mut counts: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for change in changes {
        let place = actions.iter().position(|action| *action == change.action).unwrap_or(0);
        counts.entry(change.kind).or_default()[place] += 1;
    }
    let mut table = table();
    table.set_header(
        [""].into_iter().map(str::to_owned).chain(actions.map(|action| action.name().to_owned())),
    );
    for (kind, numbers) in counts {
        table
            .add_row([kind.to_owned()].into_iter().chain(numbers.map(|number| number.to_string())));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}
