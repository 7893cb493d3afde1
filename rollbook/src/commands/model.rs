//! `rollbook model`: the models of an organization. The API has no operation for them, so this works on a store alone.

use std::str::FromStr;

use admin::resources::rate_limits::limits::Limits;
use admin::resources::rate_limits::models::{self, Model, NewModel};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::confirm::Confirmation;
use super::output::Output;
use super::place::OrganizationPlace;
use super::table::{Column, Shape};
use crate::model_spec::{NAMES, limit, name};

const MODELS: Shape = Shape {
    nothing: "The organization has no models. 'rollbook model add' adds one, and the settings of the server can name some.",
    columns: &[
        Column::text("MODEL", "/id", 0),
        Column::text("REQUESTS/MIN", "/requests_per_minute", 0),
        Column::text("TOKENS/MIN", "/tokens_per_minute", 0),
        Column::text("IMAGES/MIN", "/images_per_minute", 3),
        Column::text("AUDIO MB/MIN", "/audio_megabytes_per_minute", 4),
        Column::text("REQUESTS/DAY", "/requests_per_day", 2),
        Column::text("BATCH TOKENS/DAY", "/batch_tokens_per_day", 2),
        Column::text("FROM", "/origin", 1),
    ],
};

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a model, of which every project may use some
    #[command(after_help = "Example:\n  rollbook model add gpt-4o --requests-per-minute 500")]
    Add(Add),
    /// List the models
    #[command(after_help = "Example:\n  rollbook model list")]
    List(List),
    /// Change what a model has; what is not named stays
    #[command(after_help = "Example:\n  rollbook model update gpt-4o --tokens-per-minute 30000")]
    Update(Update),
    /// Remove a model, and what projects may use of it
    #[command(after_help = "Example:\n  rollbook model remove gpt-4o")]
    Remove(Remove),
}

/// The flags of `model add`.
#[derive(Debug, Args)]
pub struct Add {
    /// What requests call the model
    #[arg(value_parser = name)]
    model: String,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    place: OrganizationPlace,
    #[command(flatten)]
    output: Output,
}

/// The flags of `model list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    place: OrganizationPlace,
    #[command(flatten)]
    output: Output,
}

/// The flags of `model update`.
#[derive(Debug, Args)]
pub struct Update {
    /// The model
    model: String,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    place: OrganizationPlace,
    #[command(flatten)]
    output: Output,
}

/// The flags of `model remove`.
#[derive(Debug, Args)]
pub struct Remove {
    /// The model
    model: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    place: OrganizationPlace,
    #[command(flatten)]
    output: Output,
}

/// A number, or `none`.
#[derive(Debug, Clone, Copy)]
struct Bound(Option<i64>);

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" { Ok(Self(None)) } else { limit(text).map(Some).map(Self) }
    }
}

/// What a model has, each a number or `none`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
struct LimitFlags {
    /// Requests in a minute, or none
    #[arg(long, value_name = "NUMBER")]
    requests_per_minute: Option<Bound>,
    /// Tokens in a minute, or none
    #[arg(long, value_name = "NUMBER")]
    tokens_per_minute: Option<Bound>,
    /// Images in a minute, or none
    #[arg(long, value_name = "NUMBER")]
    images_per_minute: Option<Bound>,
    /// Megabytes of audio in a minute, or none
    #[arg(long, value_name = "NUMBER")]
    audio_megabytes_per_minute: Option<Bound>,
    /// Requests in a day, or none
    #[arg(long, value_name = "NUMBER")]
    requests_per_day: Option<Bound>,
    /// Tokens of batches in a day, or none
    #[arg(long, value_name = "NUMBER")]
    batch_tokens_per_day: Option<Bound>,
}

impl LimitFlags {
    /// These limits with what was given in their place.
    fn over(&self, limits: Limits) -> Limits {
        let given = [
            self.requests_per_minute,
            self.tokens_per_minute,
            self.images_per_minute,
            self.audio_megabytes_per_minute,
            self.requests_per_day,
            self.batch_tokens_per_day,
        ];
        let mut after = limits;
        for (limit, given) in after.0.iter_mut().zip(given) {
            *limit = given.map_or(*limit, |Bound(number)| number);
        }
        after
    }
}

impl Command {
    /// Does it.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Add(add) => add.run(),
            Self::List(list) => list.run(),
            Self::Update(update) => update.run(),
            Self::Remove(remove) => remove.run(),
        }
    }
}

impl Add {
    fn run(&self) -> Result<()> {
        let new = NewModel { id: self.model.clone(), limits: self.limits.over(Limits::default()) };
        let model = self.place.open()?.change(move |tx, by| models::add(tx, by, &new))?;
        self.output.done(&row(&model), &format!("Added the model {}.", model.id))
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let all = self.place.read(models::list)?;
        self.output.list(all.iter().map(|model| Ok(row(model))), &MODELS)
    }
}

impl Update {
    fn run(&self) -> Result<()> {
        let (id, flags) = (self.model.clone(), self.limits.clone());
        let model = self.place.open()?.change(move |tx, by| {
            let before = models::find(tx, by.organization_id(), &id)?;
            models::update(tx, by, &id, flags.over(before.limits))
        })?;
        self.output.done(&row(&model), &format!("The model {} is as you said.", model.id))
    }
}

impl Remove {
    fn run(&self) -> Result<()> {
        self.confirmation.ensure_possible()?;
        let what = format!("the model {} with the limits of projects for it", self.model);
        self.confirmation.ask(&format!("Remove {what}?"))?;
        let id = self.model.clone();
        self.place.open()?.change(move |tx, by| models::remove(tx, by, &id))?;
        let answer = json!({ "object": "model.deleted", "id": self.model, "deleted": true });
        self.output.done(&answer, &format!("Removed {what}."))
    }
}

fn row(model: &Model) -> Value {
    let origin = if model.is_configured { "configuration" } else { "command" };
    let mut row = json!({ "object": "model", "id": model.id, "origin": origin, "created_at": model.created_at });
    for (name, limit) in NAMES.iter().zip(model.limits.0) {
        row[name.replace('-', "_")] = json!(limit);
    }
    row
}
