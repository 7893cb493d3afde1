//! What was found, for people.

use std::fmt;
use std::fs::{read_to_string, write};
use std::path::Path;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use comfy_table::presets::{ASCII_MARKDOWN, UTF8_FULL_CONDENSED};
use comfy_table::{CellAlignment, Table, TableStyle};
use indicatif::HumanCount;

use crate::load::Tally;

/// Between these two lines of a document stands the last table.
const MARKS: [&str; 2] = ["<!-- make bench, from here -->\n", "<!-- make bench, to here -->"];
const HEADER: [&str; 6] = [
    "median (least to most)",
    "requests/s",
    "of the limit",
    "p50, µs",
    "p99, µs",
    "server CPU, µs a request",
];

/// Under which conditions something was found.
pub struct Conditions {
    pub rounds: u64,
    pub seconds: u64,
    pub connections: u64,
    pub bytes: usize,
    /// Before and after.
    pub load: [String; 2],
}

/// The table and the line below it.
pub struct Report {
    rows: Vec<[String; HEADER.len()]>,
    conditions: String,
}

impl Report {
    /// Of subjects with a tally for each round. The first subject is the limit.
    pub fn new(subjects: &[(String, Vec<Tally>)], conditions: Conditions) -> Result<Self> {
        let (_, limit) = subjects.first().context("nothing was measured")?;
        let limit: Vec<f64> = limit.iter().map(rate).collect();
        let rows = subjects.iter().map(|(name, tallies)| row(name, tallies, &limit)).collect();
        let Conditions { rounds, seconds, connections, bytes, load: [before, after] } = conditions;
        let cores = available_parallelism()?;
        let conditions = format!(
            "{rounds} rounds of {seconds} s, {connections} connections, {} bytes a page; {cores} cores, load average {before} \
             before and {after} after, the run's own load included",
            HumanCount(bytes as u64)
        );
        Ok(Self { rows, conditions })
    }

    /// Replaces the last table in a document.
    pub fn write_into(&self, file: &Path) -> Result<()> {
        let name = file.display();
        let text = read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        let [from, to] = MARKS;
        let (head, rest) =
            text.split_once(from).with_context(|| format!("no {from:?} in {name}"))?;
        let (_, tail) = rest.split_once(to).with_context(|| format!("no {to:?} in {name}"))?;
        let table = self.table(ASCII_MARKDOWN);
        let text = format!("{head}{from}\n{table}\n\n{}.\n\n{to}{tail}", self.conditions);
        write(file, text).with_context(|| format!("cannot write {name}"))
    }

    fn table(&self, style: TableStyle) -> Table {
        let mut table = Table::new();
        table.load_style(style).set_header(HEADER).add_rows(&self.rows);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}\n{}", self.table(UTF8_FULL_CONDENSED), self.conditions)
    }
}

fn row(name: &str, tallies: &[Tally], limit: &[f64]) -> [String; HEADER.len()] {
    let rates = tallies.iter().map(rate);
    // Each round against the limit in the same round, because the two had about the same machine.
    let ratios = rates.clone().zip(limit).map(|(rate, limit)| rate / limit);
    let quantile = |quantile| {
        tallies.iter().map(move |tally| {
            #[expect(clippy::cast_precision_loss, reason = "half a minute at most")]
            let nanos = tally.times.value_at_quantile(quantile) as f64;
            nanos / 1e3
        })
    };
    let cpu = tallies.iter().map(|tally| tally.cpu_micros / answers(tally));
    [
        name.to_owned(),
        spread(rates, thousands),
        spread(ratios, |number| format!("{number:.2}")),
        spread(quantile(0.5), thousands),
        spread(quantile(0.99), thousands),
        spread(cpu, |number| format!("{number:.1}")),
    ]
}

fn answers(tally: &Tally) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 answers")]
    let answers = tally.times.len() as f64;
    answers
}

fn rate(tally: &Tally) -> f64 {
    answers(tally) / tally.seconds
}

fn thousands(number: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "neither negative nor large"
    )]
    let whole = number.round() as u64;
    HumanCount(whole).to_string()
}

/// The median with the smallest and the largest value.
fn spread(values: impl Iterator<Item = f64>, show: impl Fn(f64) -> String) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match (values.first(), values.get(values.len() / 2), values.last()) {
        (Some(least), Some(median), Some(most)) => {
            format!("{} ({} to {})", show(*median), show(*least), show(*most))
        }
        _ => "not measured".to_owned(),
    }
}

/// How many tasks wanted a core in the last minute. Says whether the machine was busy with something else.
pub fn load_average() -> Result<String> {
    let text = read_to_string("/proc/loadavg")
        .context("the load is read from /proc, which only Linux has")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_shown_with_its_spread() {
        let spread = |values: &[f64]| spread(values.iter().copied(), thousands);
        assert_eq!(spread(&[3.0, 1000.0, 2.0]), "3 (2 to 1,000)");
        assert_eq!(spread(&[]), "not measured");
    }
}
