//! Which models a project may use: rules and rows.

use std::collections::BTreeSet;

use sql::{Tx, args};

use crate::audit::{self, Author};
use crate::domain::decision::ModelMode;
use crate::error::{Error, Kind, Result};
use crate::resources::level::Level;
use crate::resources::rate_limits::models;

/// A list of models, and what it is a list of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPolicy {
    /// Whether these are the only ones, or all others are.
    pub mode: ModelMode,
    /// The models, in the order in which they were sent.
    pub model_ids: Vec<String>,
}

impl ModelPolicy {
    /// Reads what is stored.
    pub fn of_stored(mode: Option<&str>, model_ids: Option<&str>) -> Result<Option<Self>> {
        let Some(mode) = mode else { return Ok(None) };
        // What cannot be understood must not pass for a permission.
        let mode = ModelMode::from_name(mode)
            .ok_or_else(|| Error::internal(format!("a stored list of models is a '{mode}'")))?;
        let model_ids = serde_json::from_str(model_ids.unwrap_or("[]"))
            .map_err(|error| Error::internal(format!("a stored list of models: {error}")))?;
        Ok(Some(Self { mode, model_ids }))
    }
}

fn find_if_any(tx: &mut Tx<'_>, organization: &str, project: &str) -> Result<Option<ModelPolicy>> {
    let sql =
        "SELECT model_mode, model_ids FROM policies WHERE organization_id = $1 AND project_id = $2";
    let stored = tx.one(sql, args![organization, project], |row| {
        Ok((row.get::<Option<String>>(0)?, row.get::<Option<String>>(1)?))
    })?;
    let Some((mode, model_ids)) = stored else { return Ok(None) };
    ModelPolicy::of_stored(mode.as_deref(), model_ids.as_deref())
}

fn not_set(project: &str) -> Error {
    let message = format!("Model permissions not found: project '{project}' has no model policy.");
    Error::new(Kind::NotFound, message).code("not_found")
}

/// What is said of a project's models, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, project: &str) -> Result<ModelPolicy> {
    find_if_any(tx, organization, project)?.ok_or_else(|| not_set(project))
}

/// Says which models a project may use. Names that are in the list already may stay when their models are gone: whoever sends the
/// whole list again must not be refused for what is there.
pub fn set(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    mode: ModelMode,
    sent: &[String],
) -> Result<ModelPolicy> {
    let (organization, project) = (by.organization_id(), level.project_key());
    let before = find_if_any(tx, organization, project)?;
    let mut known = models::known(tx, organization, sent)?;
    known.extend(before.iter().flat_map(|policy| policy.model_ids.iter().cloned()));
    ensure_known(&known, sent)?;
    let mut seen = BTreeSet::new();
    let model_ids = sent.iter().filter(|id| seen.insert(id.as_str())).cloned().collect();
    let after = ModelPolicy { mode, model_ids };
    if before.as_ref() == Some(&after) {
        return Ok(after);
    }
    let stored = serde_json::json!(after.model_ids).to_string();
    tx.execute(
        "INSERT INTO policies (organization_id, project_id, model_mode, model_ids) VALUES ($1, $2, $3, $4)
         ON CONFLICT (organization_id, project_id) DO UPDATE SET
             model_mode = excluded.model_mode, model_ids = excluded.model_ids",
        args![organization, project, mode.name(), &stored],
    )?;
    audit::append(tx, by, &level.changed())?;
    Ok(after)
}

fn ensure_known(known: &BTreeSet<String>, sent: &[String]) -> Result<()> {
    match sent.iter().enumerate().find(|(_, id)| !known.contains(*id)) {
        None => Ok(()),
        Some((place, id)) => {
            let message = format!("The model '{id}' does not exist in this organization.");
            Err(Error::invalid("model_not_found", message).param(format!("model_ids[{place}]")))
        }
    }
}

/// Forgets what was said of a project's models.
pub fn remove(tx: &mut Tx<'_>, by: &Author, level: &Level) -> Result<()> {
    let (organization, project) = (by.organization_id(), level.project_key());
    find(tx, organization, project)?;
    tx.execute(
        "UPDATE policies SET model_mode = NULL, model_ids = NULL WHERE organization_id = $1 AND project_id = $2",
        args![organization, project],
    )?;
    audit::append(tx, by, &level.changed())
}
