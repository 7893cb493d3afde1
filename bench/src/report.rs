//! What was found, for people.

use std::fmt;
use std::path::Path;

use comfy_table::presets::{ASCII_MARKDOWN, UTF8_FULL_CONDENSED};
use comfy_table::{CellAlignment, Table, TableStyle};
use indicatif::HumanCount;

use crate::groups::{Figure, Group, Subject};
use crate::tally::{Measure, Tally, ratios, spread};

const HEADER: [&str; 7] = [
    "median (least to most)",
    "requests/s",
    "of the limit",
    "p50, µs",
    "p99, µs",
    "server CPU, µs a request",
    "resident, MiB",
];
/// What was not measured.
const NOTHING: &str = "–";

/// The tables of a group and the line below them.
pub struct Section {
    pub key: &'static str,
    tables: Vec<Rows>,
    conditions: String,
    /// The name of a file beside the document.
    picture: Option<String>,
}

/// A header and the rows under it.
pub struct Rows {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Section {
    pub fn new(key: &'static str, tables: Vec<Rows>, conditions: String) -> Self {
        Self { key, tables, conditions, picture: None }
    }

    /// Of subjects with a tally for each round.
    pub fn of(group: &Group, found: &[Vec<Tally>], conditions: &str) -> Self {
        let header = HEADER.map(str::to_owned).to_vec();
        let rows = group.subjects.iter().zip(found);
        let rows = rows.map(|(subject, tallies)| row(subject, tallies, found)).collect();
        let mut tables = vec![Rows { header, rows }];
        if !group.figures.is_empty() {
            let figures = group.figures.iter();
            tables.push(Rows::pairs(
                figures.map(|(name, figure)| (name.clone(), shown(figure, found))).collect(),
            ));
        }
        Self::new(group.key, tables, format!("{conditions}."))
    }

    /// Shows this file in the document, which must be in the same folder.
    pub fn show(&mut self, picture: &Path) {
        self.picture = picture.file_name().map(|name| name.display().to_string());
    }

    /// For the document.
    pub fn markdown(&self) -> String {
        let picture = self.picture.as_ref();
        let picture = picture.map(|file| format!("![Latency against size]({file})\n\n"));
        picture.unwrap_or_default() + &self.text(ASCII_MARKDOWN)
    }

    fn text(&self, style: TableStyle) -> String {
        let tables = self.tables.iter().map(|table| format!("{}\n\n", table.table(style)));
        tables.collect::<String>() + &self.conditions
    }
}

impl fmt::Display for Section {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n{}", self.key, self.text(UTF8_FULL_CONDENSED))
    }
}

impl Rows {
    /// Names and what was found of them.
    pub fn pairs(pairs: Vec<(String, String)>) -> Self {
        let rows = pairs.into_iter().map(|(name, value)| vec![name, value]).collect();
        Self { header: vec![String::new(), HEADER[0].to_owned()], rows }
    }

    /// Anything under these headings.
    pub fn under<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> Self {
        let rows = rows.into_iter().map(Vec::from).collect();
        Self { header: header.map(str::to_owned).into(), rows }
    }

    fn table(&self, style: TableStyle) -> Table {
        let mut table = Table::new();
        table.load_style(style).set_header(&self.header).add_rows(&self.rows);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

fn row(subject: &Subject, tallies: &[Tally], found: &[Vec<Tally>]) -> Vec<String> {
    let measured = |measure| tallies.iter().filter_map(move |tally| tally.get(measure));
    let limit = subject.beside.map(|limit| ratios(tallies, &found[limit], Measure::Rate));
    let resident = tallies.iter().filter_map(|tally| Some(tally.usage?.resident_mib));
    vec![
        subject.name.clone(),
        cell(measured(Measure::Rate), thousands),
        cell(limit.unwrap_or_default(), hundredths),
        cell(measured(Measure::P50), thousands),
        cell(measured(Measure::P99), thousands),
        cell(measured(Measure::Cpu), tenths),
        // It only ever grows, so its median says nothing.
        resident.reduce(f64::max).map_or(NOTHING.to_owned(), thousands),
    ]
}

fn shown(figure: &Figure, found: &[Vec<Tally>]) -> String {
    match figure {
        Figure::Ratio { top, bottom, measure } => {
            cell(ratios(&found[*top], &found[*bottom], *measure), hundredths)
        }
        Figure::Seconds(subject) => {
            cell(found[*subject].iter().map(|tally| tally.seconds), hundredths)
        }
    }
}

/// The median with the smallest and the largest value.
pub fn cell(values: impl IntoIterator<Item = f64>, show: fn(f64) -> String) -> String {
    match spread(values).map(|spread| spread.map(show)) {
        Some([median, least, most]) => format!("{median} ({least} to {most})"),
        None => NOTHING.to_owned(),
    }
}

/// A number for people.
pub fn thousands(number: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "neither negative nor large"
    )]
    let whole = number.round() as u64;
    HumanCount(whole).to_string()
}

pub fn hundredths(number: f64) -> String {
    format!("{number:.2}")
}

pub fn tenths(number: f64) -> String {
    format!("{number:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::{Pace, What};
    use crate::tally::tests::tally;

    #[test]
    fn a_cell_shows_the_spread() {
        assert_eq!(cell([3.0, 1000.0, 2.0], thousands), "3 (2 to 1,000)");
        assert_eq!(cell([], thousands), "–");
    }

    #[test]
    fn a_section_compares_with_the_limit() {
        let subject = |name: &str, beside| Subject {
            name: name.to_owned(),
            what: What::Limit,
            connections: 1,
            pace: Pace::Closed,
            beside,
            point: None,
        };
        let subjects = vec![subject("limit", None), subject("server", Some(0))];
        let ratio = Figure::Ratio { top: 1, bottom: 0, measure: Measure::Rate };
        let group = Group { key: "some", subjects, figures: vec![("it : it".to_owned(), ratio)] };
        let found = [vec![tally(2000, 10)], vec![tally(500, 30)]];
        let mut section = Section::of(&group, &found, "1 round");
        section.show(Path::new("docs/some.svg"));
        let text = section.markdown();
        assert!(text.starts_with("![Latency against size](some.svg)\n\n| median"));
        let line = text.lines().find(|line| line.starts_with("| server ")).unwrap();
        let server: Vec<_> = line.split('|').map(str::trim).collect();
        assert_eq!(
            server[2..7],
            [
                "500 (500 to 500)",
                "0.25 (0.25 to 0.25)",
                "30 (30 to 30)",
                "30 (30 to 30)",
                "10.0 (10.0 to 10.0)"
            ]
        );
        let figure = text.lines().find(|line| line.starts_with("| it : it |")).unwrap();
        assert!(figure.contains(" 0.25 (0.25 to 0.25) "), "{figure}");
        assert!(text.ends_with("\n\n1 round."));
    }
}
