//! The operator's models, of which every project may use some part. The API has no operation for them: they come from the settings
//! of the server and from the command line.

use std::collections::BTreeSet;

use serde_json::json;
use sql::{Arg, Row, Tx, args};

use super::limits::Limits;
use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::error::{Error, Result};

/// So many models are looked up by one statement.
const AT_ONCE: usize = 256;

/// A model that is to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewModel {
    /// What requests call it.
    pub id: String,
    /// What it has.
    pub limits: Limits,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// What requests call it.
    pub id: String,
    /// What it has, which is the most that a project can have of it.
    pub limits: Limits,
    /// Whether it is there because the settings of the server name it.
    pub is_configured: bool,
    /// Since when, in seconds.
    pub created_at: i64,
}

impl Model {
    /// Reads `id, origin, created_at` and the six limits.
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let origin: String = row.get(1)?;
        Ok(Self {
            id: row.get(0)?,
            limits: Limits::from_row(row, 3)?,
            is_configured: origin == CONFIGURATION,
            created_at: row.get(2)?,
        })
    }
}

const CONFIGURATION: &str = "configuration";
const COMMAND: &str = "command";

/// What keeps a text from being the name of a model. Names stand in lists of settings, and behind `rl-` in ids.
#[must_use]
pub fn fault_of_name(name: &str) -> Option<&'static str> {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && c != ',';
    if name.is_empty() || name.len() > 200 {
        Some("must have 1 to 200 bytes")
    } else if !name.chars().all(is_plain) {
        Some("must have no spaces, commas and control characters")
    } else {
        None
    }
}

/// Every model of the organization, by name.
pub fn list(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<Model>> {
    let sql = "SELECT id, origin, created_at, max_requests_per_minute, max_tokens_per_minute, max_images_per_minute,
                   max_audio_megabytes_per_minute, max_requests_per_day, max_batch_tokens_per_day
               FROM models WHERE organization_id = $1 ORDER BY id";
    Ok(tx.all(sql, args![organization], Model::from_row)?)
}

/// The model of this name, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Model> {
    find_if_any(tx, organization, id)?.ok_or_else(|| Error::not_found("Model", id))
}

fn find_if_any(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Option<Model>> {
    if !is_possible_id(id) {
        return Ok(None);
    }
    let sql = "SELECT id, origin, created_at, max_requests_per_minute, max_tokens_per_minute, max_images_per_minute,
                   max_audio_megabytes_per_minute, max_requests_per_day, max_batch_tokens_per_day
               FROM models WHERE organization_id = $1 AND id = $2";
    Ok(tx.one(sql, args![organization, id], Model::from_row)?)
}

/// Which of these names are names of models.
pub fn known(tx: &mut Tx<'_>, organization: &str, ids: &[String]) -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for ids in ids.chunks(AT_ONCE) {
        let mut arguments = args![organization].to_vec();
        let places = sql::list(&mut arguments, ids);
        let sql = format!("SELECT id FROM models WHERE organization_id = $1 AND id IN ({places})");
        known.extend(tx.all(&sql, &arguments, |row| row.get::<String>(0))?);
    }
    Ok(known)
}

/// Adds a model by hand.
pub fn add(tx: &mut Tx<'_>, by: &Author, new: &NewModel) -> Result<Model> {
    if let Some(fault) = fault_of_name(&new.id) {
        let message = format!("Invalid value for 'id': the name of a model {fault}.");
        return Err(Error::invalid("invalid_value", message).param("id"));
    }
    if find_if_any(tx, by.organization_id(), &new.id)?.is_some() {
        let message = format!("The model '{}' already exists. Update it instead.", new.id);
        return Err(Error::invalid("already_exists", message));
    }
    put(tx, by, new, COMMAND)?;
    changed(tx, by)?;
    find(tx, by.organization_id(), &new.id)
}

/// Gives a model that was added by hand other limits.
pub fn update(tx: &mut Tx<'_>, by: &Author, id: &str, limits: Limits) -> Result<Model> {
    let model = find_own(tx, by, id)?;
    let limits = limits.of_model();
    if model.limits == limits {
        return Ok(model);
    }
    put(tx, by, &NewModel { id: id.to_owned(), limits }, COMMAND)?;
    changed(tx, by)?;
    Ok(Model { limits, ..model })
}

/// Removes a model that was added by hand, and what projects may use of it. What permits or forbids it by name stays, and means
/// nothing.
pub fn remove(tx: &mut Tx<'_>, by: &Author, id: &str) -> Result<()> {
    find_own(tx, by, id)?;
    forget(tx, by.organization_id(), id)?;
    changed(tx, by)
}

/// Makes the configured models those of the settings, and answers whether anything had to be changed. A model that was added by
/// hand is taken over if the settings name it, and left alone otherwise.
pub fn synchronize(tx: &mut Tx<'_>, by: &Author, wanted: &[NewModel]) -> Result<bool> {
    let there = list(tx, by.organization_id())?;
    let is_as_wanted = |new: &NewModel| {
        let is_same = |model: &&Model| model.id == new.id && model.limits == new.limits.of_model();
        there.iter().find(is_same).is_some_and(|model| model.is_configured)
    };
    let is_wanted = |model: &Model| wanted.iter().any(|new| new.id == model.id);
    let news: Vec<_> = wanted.iter().filter(|new| !is_as_wanted(new)).collect();
    let olds: Vec<_> =
        there.iter().filter(|model| model.is_configured && !is_wanted(model)).collect();
    if news.is_empty() && olds.is_empty() {
        return Ok(false);
    }
    for new in news {
        put(tx, by, new, CONFIGURATION)?;
    }
    for old in olds {
        forget(tx, by.organization_id(), &old.id)?;
    }
    changed(tx, by)?;
    Ok(true)
}

/// The model of this name, if it is not the settings' to say what it has.
fn find_own(tx: &mut Tx<'_>, by: &Author, id: &str) -> Result<Model> {
    let model = find(tx, by.organization_id(), id)?;
    if model.is_configured {
        let message = format!(
            "The model '{id}' is in the settings of the server, which the next start would restore. Change it there."
        );
        return Err(Error::invalid("configured_model", message));
    }
    Ok(model)
}

fn put(tx: &mut Tx<'_>, by: &Author, new: &NewModel, origin: &str) -> Result<()> {
    let mut arguments = vec![
        Arg::from(by.organization_id()),
        Arg::from(&new.id),
        Arg::from(origin),
        Arg::from(by.now),
    ];
    arguments.extend(new.limits.of_model().arguments());
    tx.execute(
        "INSERT INTO models (organization_id, id, origin, created_at, max_requests_per_minute, max_tokens_per_minute,
             max_images_per_minute, max_audio_megabytes_per_minute, max_requests_per_day, max_batch_tokens_per_day)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (organization_id, id) DO UPDATE SET
             origin = excluded.origin,
             max_requests_per_minute = excluded.max_requests_per_minute,
             max_tokens_per_minute = excluded.max_tokens_per_minute,
             max_images_per_minute = excluded.max_images_per_minute,
             max_audio_megabytes_per_minute = excluded.max_audio_megabytes_per_minute,
             max_requests_per_day = excluded.max_requests_per_day,
             max_batch_tokens_per_day = excluded.max_batch_tokens_per_day",
        &arguments,
    )?;
    Ok(())
}

fn forget(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<()> {
    let this = args![organization, id];
    // The model is a range, because then only the index by model fits.
    tx.execute(
        "DELETE FROM rate_limits
         WHERE organization_id = $1 AND (model_id, project_id) > ($2, '') AND model_id <= $2",
        this,
    )?;
    tx.execute("DELETE FROM models WHERE organization_id = $1 AND id = $2", this)?;
    Ok(())
}

/// No published type of event speaks of models.
fn changed(tx: &mut Tx<'_>, by: &Author) -> Result<()> {
    let id = by.organization_id();
    audit::append(tx, by, &Event::new("organization.updated", id, json!({ "id": id })))
}
