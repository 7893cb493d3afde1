//! `rollbook alerts`: which alerts fired, and whether anybody knows. The API has no operation for it, so this works on a store alone.

use std::collections::BTreeMap;

use admin::error;
use admin::resources::projects::store as projects;
use admin::usage::alerts::{self, Fired};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use sql::Tx;

use super::amount;
use super::output::Output;
use super::place::OrganizationPlace;
use super::table::{Column, Shape};

const ALERTS: Shape = Shape {
    nothing: "No alert has fired. 'POST /v1/organization/spend_alerts' makes one.",
    columns: &[
        Column::time("FIRED", "/fired_at", "-", 0),
        Column::text("WHERE", "/where", 0),
        Column::text("MONTH", "/month", 2),
        Column::number("ALERT AT", "/threshold", 0),
        Column::number("SPENT", "/shown", 0),
        Column::time("DELIVERED", "/delivered_at", "not yet", 1),
        Column::text("RECIPIENTS", "/to", 3),
        Column::text("ID", "/alert_id", 4),
    ],
};

/// What can be done with alerts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the alerts that fired, the latest first
    #[command(after_help = "Example:\n  rollbook alerts list")]
    List(List),
}

/// The flags of `alerts list`.
#[derive(Debug, Args)]
pub struct List {
    /// How many to list at most
    #[arg(long, value_name = "ROWS", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    place: OrganizationPlace,
    #[command(flatten)]
    output: Output,
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::List(list) => list.run(),
        }
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let most = self.limit;
        let (fired, names) =
            self.place.read(move |tx, organization| read(tx, organization, most))?;
        let rows = fired
            .iter()
            .map(|fired| if self.output.json { json(fired) } else { line(fired, &names) });
        self.output.list(rows.map(Ok), &ALERTS)
    }
}

/// Names of projects by their ids.
type Names = BTreeMap<String, String>;

fn read(tx: &mut Tx<'_>, organization: &str, most: u32) -> error::Result<(Vec<Fired>, Names)> {
    let fired = alerts::list(tx, organization, most)?;
    let mut names = Names::new();
    for id in fired.iter().filter_map(|fired| fired.project_id.as_ref()) {
        if !names.contains_key(id) {
            names.insert(id.clone(), projects::find(tx, organization, id)?.name);
        }
    }
    Ok((fired, names))
}

fn json(fired: &Fired) -> Value {
    json!({
        "alert_id": fired.alert_id,
        "project_id": fired.project_id,
        "month": fired.month,
        "threshold_amount": fired.threshold_amount,
        "spent": fired.spent,
        "recipients": fired.recipients,
        "fired_at": fired.fired_at,
        "delivered_at": fired.delivered_at,
    })
}

fn line(fired: &Fired, names: &Names) -> Value {
    let spent = fired.spent.clone();
    let place = fired.project_id.as_ref().and_then(|id| names.get(id));
    let mut line = json(fired);
    line["where"] = place.map_or("(organization)", String::as_str).into();
    line["month"] = format!("{}-{:02}", fired.month / 100, fired.month % 100).into();
    line["threshold"] = amount::cents(fired.threshold_amount).into();
    line["shown"] = amount::parse(&spent).map_or(spent, amount::shown).into();
    line["to"] = fired.recipients.join(", ").into();
    line
}
