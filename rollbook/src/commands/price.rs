//! `rollbook price`: what usage costs. The API has no operation for it, so this works on a store alone.

use admin::audit::Author;
use admin::domain::clock::{Clock, SystemClock};
use admin::usage::prices::{self, NewPrice};
use anyhow::Result;
use clap::{Args, Subcommand};
use indicatif::HumanCount;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde_json::{Value, json};
use sql::Tx;

use super::output::Output;
use super::place::OrganizationPlace;
use super::table::{Column, Shape, time};

const PRICES: Shape = Shape {
    nothing: "Nothing has a price. 'rollbook price set' sets one, and the settings of the server can name some.",
    columns: &[
        Column::text("MODEL", "/model", 0),
        Column::text("MEASURE", "/measure", 0),
        Column::number("USD", "/price", 0),
        Column::number("PER", "/per", 0),
        Column::time("FROM", "/effective_from", "-", 1),
    ],
};

/// What stands for no model.
pub const NO_MODEL: &str = "-";

/// What can be done with prices.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what a measure of a model costs from a time on
    #[command(after_help = EXAMPLES)]
    Set(Set),
    /// List the prices, those of the past too
    #[command(after_help = "Example:\n  rollbook price list")]
    List(List),
}

/// The flags of `price set`.
#[derive(Debug, Args)]
pub struct Set {
    /// The model, as events name it; - for the use of a tool, which costs the same with each model
    #[arg(allow_hyphen_values = true)]
    model: String,
    /// What is counted, such as input_tokens or images; of tools the kind, such as web_search_calls
    #[expect(clippy::doc_markdown, reason = "a help text, which is for terminals")]
    measure: String,
    /// What it costs, in dollars
    price: String,
    /// For how many units
    #[arg(long, value_name = "UNITS", default_value = "1", value_parser = clap::value_parser!(i64).range(1..))]
    per: i64,
    /// From when on, as a date or a time in UTC; by default from now on
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<i64>,
    #[command(flatten)]
    place: OrganizationPlace,
    #[command(flatten)]
    output: Output,
}

/// The flags of `price list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    place: OrganizationPlace,
    #[command(flatten)]
    output: Output,
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Set(set) => set.run(),
            Self::List(list) => list.run(),
        }
    }
}

impl Set {
    fn run(&self) -> Result<()> {
        let new = NewPrice {
            model: if self.model == NO_MODEL { String::new() } else { self.model.clone() },
            measure: self.measure.clone(),
            price: self.price.clone(),
            units: self.per,
            effective_from: self.from.unwrap_or_else(|| SystemClock.now()),
        };
        let (terms, now) = (new.clone(), SystemClock.now());
        let set =
            move |tx: &mut Tx<'_>, by: &Author| prices::set(tx, by.organization_id(), &terms, now);
        let is_new = self.place.open()?.change(set)?;
        self.output.done(&row(&new), &sentence(&new, is_new))
    }
}

fn sentence(new: &NewPrice, is_new: bool) -> String {
    let of = if new.model.is_empty() { String::new() } else { format!(" of {}", new.model) };
    let from = time(new.effective_from).unwrap_or_default();
    let per = if new.units == 1 {
        String::new()
    } else {
        format!(" per {}", HumanCount(new.units.unsigned_abs()))
    };
    let already = if is_new { "" } else { ", as it was" };
    format!("{}{of} costs ${}{per} from {from} on{already}.", new.measure, new.price)
}

impl List {
    fn run(&self) -> Result<()> {
        let all = self.place.read(prices::list)?;
        self.output.list(all.iter().map(|price| Ok(row(&price.terms))), &PRICES)
    }
}

fn row(price: &NewPrice) -> Value {
    json!({
        "model": (!price.model.is_empty()).then_some(&price.model),
        "measure": price.measure,
        "price": price.price,
        "per": price.units,
        "effective_from": price.effective_from,
    })
}

/// A date, which is its beginning in UTC, or a time.
pub fn moment(text: &str) -> Result<i64, String> {
    let date = text.parse::<Date>().ok().filter(|_| !text.contains('T'));
    let day = date.and_then(|date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok());
    let time = day.or_else(|| text.parse::<Timestamp>().ok()).map(Timestamp::as_second);
    time.ok_or_else(|| "write a date or a time as in 2026-12-01 or 2026-12-01T12:00:00Z".to_owned())
}

const EXAMPLES: &str = "\
Examples:
  rollbook price set gpt-4o input_tokens 2.50 --per 1000000
  rollbook price set gpt-4o output_tokens 10 --per 1000000 --from 2026-12-01
  rollbook price set - code_interpreter_sessions 0.03

A price never changes: a new one begins after the last one of the same measure, and what was counted before keeps its cost.";

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_date_is_its_beginning() {
        assert_eq!(moment("2026-12-01"), Ok(1_796_083_200));
        assert_eq!(moment("2026-12-01T00:00:01Z"), Ok(1_796_083_201));
        assert!(moment("2026-12-01T00:00:01").is_err(), "where?");
        assert!(moment("tomorrow").is_err());
    }
}
