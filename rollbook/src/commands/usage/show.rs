//! `rollbook usage show`: what was used or spent, with a bar for each row.

use std::str::FromStr;

use admin::domain::clock::{Clock, SystemClock};
use admin::usage::kind::{Dimension, Kind};
use admin::usage::money;
use anyhow::Result;
use clap::Args;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::bars::bar;
use super::names::Names;
use super::query::{By, Query, Sums};
use crate::commands::amount;
use crate::commands::output::Output;
use crate::commands::place::Place;
use crate::commands::table::{Column, Shape};
use crate::config::Usage;

/// How many days are shown if nobody says from when on.
const DAYS: i64 = 30;
const DAY: i64 = 24 * 60 * 60;

/// The flags of `usage show`.
#[derive(Debug, Args)]
pub struct Show {
    /// What there is a row for
    #[arg(long, value_enum, default_value = "day")]
    by: By,
    /// What is counted: costs, or one of the ten kinds of usage
    ///
    /// The kinds are audio_speeches, audio_transcriptions, code_interpreter_sessions, completions, embeddings, file_search_calls,
    /// images, moderations, vector_stores and web_search_calls.
    #[expect(clippy::doc_markdown, reason = "a help text, which is for terminals")]
    #[arg(long, value_name = "KIND", default_value = "completions", value_parser = kind)]
    kind: Kind,
    /// The first day, in UTC; by default there are 30 days
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Option<Date>,
    /// The last day, in UTC; by default today
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<Date>,
    /// How many rows a table has, the largest first; the others are one more row
    #[arg(long, value_name = "ROWS", default_value = "20", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

/// A row on its way to the table.
struct Row<'a> {
    key: Option<&'a str>,
    sums: &'a Sums,
}

impl Show {
    /// Asks, adds up and shows.
    pub fn run(&self) -> Result<()> {
        let query = self.query()?;
        let client = self.place.client()?;
        let answer = query.run(&client)?;
        let mut rows: Vec<_> =
            answer.rows.iter().map(|(key, sums)| Row { key: key.as_deref(), sums }).collect();
        if self.by != By::Day {
            rows.sort_by(|one, other| {
                other.sums[0].cmp(&one.sums[0]).then(one.key.cmp(&other.key))
            });
        }
        let is_cut = !self.output.json && self.by != By::Day;
        let shown = if is_cut { rows.len().min(self.limit as usize) } else { rows.len() };
        let keys: Vec<_> = rows[..shown].iter().filter_map(|row| row.key).collect();
        let names = Names::of(&client, self.by, &keys, &answer)?;
        if self.output.json {
            let rows = rows.iter().map(|row| Ok(self.json(row, &names)));
            return self.output.list(rows, &Shape { nothing: "", columns: &[] });
        }
        self.table(&rows, shown, &names)
    }

    fn query(&self) -> Result<Query, Usage> {
        let today = Timestamp::from_second(SystemClock.now()).unwrap_or_default();
        let to = self.to.unwrap_or_else(|| date_of(today));
        let from = match self.from {
            Some(from) => from,
            None => to.saturating_sub((DAYS - 1).days()),
        };
        if from > to {
            return Err(Usage(format!("--from {from} is later than --to {to}")));
        }
        if self.by == By::Model
            && self.kind != Kind::Costs
            && self.kind.place(Dimension::Model).is_none()
        {
            return Err(Usage(format!("{} are not counted by model", self.kind.name())));
        }
        if self.by == By::User && self.kind.place(Dimension::UserId).is_none() {
            return Err(Usage(format!("{} are not counted by user", self.kind.name())));
        }
        let end = start(to) + DAY;
        Ok(Query { kind: self.kind, by: self.by, start: start(from), end })
    }

    /// The row for a program: every measure by its name on the wire, amounts with all their digits.
    fn json(&self, row: &Row<'_>, names: &Names) -> Value {
        let mut shown = json!({});
        let member = match self.by {
            By::Day => "date",
            By::Project => "project_id",
            By::Model => "model",
            By::User => "user_id",
        };
        shown[member] = match (self.by, row.key) {
            (By::Day, Some(key)) => day(key).into(),
            (_, key) => key.into(),
        };
        if let (By::Project | By::User, Some(key)) = (self.by, row.key) {
            shown["name"] = names.get(key).into();
        }
        if self.kind == Kind::Costs {
            shown["amount"] = money::text(row.sums[0]).into();
            shown["currency"] = "usd".into();
            return shown;
        }
        for (measure, sum) in self.kind.measures().iter().zip(row.sums) {
            shown[*measure] = u64::try_from(*sum).unwrap_or(u64::MAX).into();
        }
        shown
    }

    fn table(&self, rows: &[Row<'_>], shown: usize, names: &Names) -> Result<()> {
        let measures = measures(self.kind);
        let mut columns = vec![Column::text(self.title(), "/key", 0)];
        let spares = 2..;
        let numbers = measures.iter().zip(MEMBERS).zip(spares);
        columns.extend(numbers.map(|(((_, title), member), spare)| {
            Column::number(title, member, if member == MEMBERS[0] { 0 } else { spare })
        }));
        columns.push(Column::text("", "/bar", 1));
        let largest = rows.iter().map(|row| row.sums[0]).max().unwrap_or_default();
        let mut lines: Vec<_> = rows[..shown]
            .iter()
            .map(|row| self.line(&self.name(row.key, names), row.sums, Some(largest)))
            .collect();
        let others = rows.len() - shown;
        if others > 0 {
            lines.push(self.line(&format!("({others} more)"), &total(&rows[shown..]), None));
        }
        if rows.len() > 1 {
            lines.push(self.line("total", &total(rows), None));
        }
        let shape = Shape { nothing: "Nothing was used in these days.", columns: &columns };
        self.output.list(lines.into_iter().map(Ok), &shape)
    }

    fn title(&self) -> &'static str {
        match self.by {
            By::Day => "DAY",
            By::Project => "PROJECT",
            By::Model => "MODEL",
            By::User => "USER",
        }
    }

    fn name(&self, key: Option<&str>, names: &Names) -> String {
        match (self.by, key) {
            (By::Day, Some(key)) => day(key),
            (_, Some(key)) => names.get(key).unwrap_or(key).to_owned(),
            (_, None) => "(none)".to_owned(),
        }
    }

    fn line(&self, name: &str, sums: &Sums, largest: Option<i128>) -> Value {
        let mut line = json!({ "key": name });
        for ((place, _), member) in measures(self.kind).iter().zip(MEMBERS) {
            line[&member[1..]] = if self.kind == Kind::Costs {
                amount::shown(sums[*place]).into()
            } else {
                u64::try_from(sums[*place]).unwrap_or(u64::MAX).into()
            };
        }
        line["bar"] = largest.map_or_else(String::new, |largest| bar(sums[0], largest)).into();
        line
    }
}

/// Where the numbers of a line stand.
const MEMBERS: [&str; 3] = ["/first", "/second", "/third"];

/// The measures that a table shows, by their places among those of the kind, and what they are called there. The bar is of the first.
fn measures(kind: Kind) -> &'static [(usize, &'static str)] {
    match kind {
        Kind::Completions => &[(0, "INPUT TOKENS"), (4, "OUTPUT TOKENS"), (14, "REQUESTS")],
        Kind::Embeddings | Kind::Moderations => &[(0, "INPUT TOKENS"), (1, "REQUESTS")],
        Kind::Images => &[(0, "IMAGES"), (1, "REQUESTS")],
        Kind::AudioSpeeches => &[(0, "CHARACTERS"), (1, "REQUESTS")],
        Kind::AudioTranscriptions => &[(0, "SECONDS"), (1, "REQUESTS")],
        Kind::VectorStores => &[(0, "BYTES")],
        Kind::CodeInterpreterSessions => &[(0, "SESSIONS")],
        Kind::FileSearchCalls => &[(0, "CALLS")],
        Kind::WebSearchCalls => &[(0, "MODEL REQUESTS"), (1, "CALLS")],
        Kind::Costs => &[(0, "USD")],
    }
}

fn total(rows: &[Row<'_>]) -> Sums {
    let width = rows.first().map_or(0, |row| row.sums.len());
    (0..width).map(|place| rows.iter().map(|row| row.sums[place]).sum()).collect()
}

fn kind(text: &str) -> Result<Kind, String> {
    let kind = if text == Kind::Costs.name() { Some(Kind::Costs) } else { Kind::of_events(text) };
    kind.ok_or_else(|| {
        let kinds: Vec<_> = Kind::OF_EVENTS.iter().map(|kind| kind.name()).collect();
        format!("there are costs, {}", kinds.join(", "))
    })
}

fn date(text: &str) -> Result<Date, String> {
    Date::from_str(text).map_err(|_| "write a date as in 2026-11-29".to_owned())
}

fn date_of(time: Timestamp) -> Date {
    Offset::UTC.to_datetime(time).date()
}

/// The beginning of a day in UTC.
fn start(date: Date) -> i64 {
    Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_or(0, Timestamp::as_second)
}

/// The date of a bucket that begins at this time.
fn day(start: &str) -> String {
    let time = start.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| start.to_owned(), |time| date_of(time).to_string())
}

pub const EXAMPLES: &str = "\
Examples:
  rollbook usage show
  rollbook usage show --by model --from 2026-11-01 --to 2026-11-30
  rollbook usage show --by project --kind costs --server https://rollbook.example.com";
