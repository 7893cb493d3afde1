//! How much of each model a project may use: rules and rows. A row of its own has only what a project may use less of; everything
//! else is as the model has it, so a new project and a new model need no rows at all.

use serde_json::{Map, Value, json};
use sql::{Row, Tx, args};

use super::limits::{Limits, MEMBERS};
use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::domain::page::{Order, PageRequest, Slice};
use crate::error::{Error, Result};

/// What the id of a limit begins with; the name of the model follows.
pub const PREFIX: &str = "rl-";
/// Above every name of a model.
const BEYOND: &str = "\u{10FFFF}";

/// How much of a model a project may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// The name of the model.
    pub model: String,
    /// What holds for the project.
    pub limits: Limits,
}

/// The same as it is stored.
#[derive(Debug)]
pub struct Stored {
    model: String,
    ceilings: Limits,
    own: Limits,
}

impl Stored {
    /// Reads the model, its six limits, and the project's own.
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        Self::at(row, 0)
    }

    /// The same from this column on.
    pub fn at(row: &Row<'_>, first: usize) -> sql::Result<Self> {
        Ok(Self {
            model: row.get(first)?,
            ceilings: Limits::from_row(row, first + 1)?,
            own: Limits::from_row(row, first + 7)?,
        })
    }

    /// What holds.
    #[must_use]
    pub fn effective(self) -> RateLimit {
        RateLimit { limits: self.own.within(&self.ceilings), model: self.model }
    }
}

/// The name of the model at which a position in the list of limits stands.
#[must_use]
pub fn position(cursor: &str) -> &str {
    let elsewhere = if cursor < PREFIX { "" } else { BEYOND };
    cursor.strip_prefix(PREFIX).unwrap_or(elsewhere)
}

/// A page of what a project may use, by model.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    page: &PageRequest,
) -> Result<Slice<RateLimit>> {
    // Both bounds, because then either engine knows that few rows lie between.
    let sql = match page.order {
        Order::Ascending => {
            "SELECT m.id, m.max_requests_per_minute, m.max_tokens_per_minute, m.max_images_per_minute,
                 m.max_audio_megabytes_per_minute, m.max_requests_per_day, m.max_batch_tokens_per_day,
                 r.max_requests_per_minute, r.max_tokens_per_minute, r.max_images_per_minute,
                 r.max_audio_megabytes_per_minute, r.max_requests_per_day, r.max_batch_tokens_per_day
             FROM (SELECT id, max_requests_per_minute, max_tokens_per_minute, max_images_per_minute,
                       max_audio_megabytes_per_minute, max_requests_per_day, max_batch_tokens_per_day
                   FROM models WHERE organization_id = $1 AND id > $3 AND id < $4 ORDER BY id LIMIT $5) m
             LEFT JOIN rate_limits r ON r.organization_id = $1 AND r.project_id = $2 AND r.model_id = m.id
             ORDER BY m.id"
        }
        Order::Descending => {
            "SELECT m.id, m.max_requests_per_minute, m.max_tokens_per_minute, m.max_images_per_minute,
                 m.max_audio_megabytes_per_minute, m.max_requests_per_day, m.max_batch_tokens_per_day,
                 r.max_requests_per_minute, r.max_tokens_per_minute, r.max_images_per_minute,
                 r.max_audio_megabytes_per_minute, r.max_requests_per_day, r.max_batch_tokens_per_day
             FROM (SELECT id, max_requests_per_minute, max_tokens_per_minute, max_images_per_minute,
                       max_audio_megabytes_per_minute, max_requests_per_day, max_batch_tokens_per_day
                   FROM models WHERE organization_id = $1 AND id > $3 AND id < $4 ORDER BY id DESC LIMIT $5) m
             LEFT JOIN rate_limits r ON r.organization_id = $1 AND r.project_id = $2 AND r.model_id = m.id
             ORDER BY m.id DESC"
        }
    };
    let (above, below) = (position(&page.above), position(&page.below));
    let arguments = args![organization, project, above, below, page.fetch()];
    let rows = tx.all(sql, arguments, |row| Stored::from_row(row).map(Stored::effective))?;
    Ok(page.cut(rows))
}

/// The limits of this id, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, project: &str, id: &str) -> Result<Stored> {
    let not_found = || Error::not_found("Rate limit", id);
    let model = id.strip_prefix(PREFIX).filter(|model| is_possible_id(model));
    let model = model.ok_or_else(not_found)?;
    let sql = "SELECT m.id, m.max_requests_per_minute, m.max_tokens_per_minute, m.max_images_per_minute,
                   m.max_audio_megabytes_per_minute, m.max_requests_per_day, m.max_batch_tokens_per_day,
                   r.max_requests_per_minute, r.max_tokens_per_minute, r.max_images_per_minute,
                   r.max_audio_megabytes_per_minute, r.max_requests_per_day, r.max_batch_tokens_per_day
               FROM models m
               LEFT JOIN rate_limits r ON r.organization_id = $1 AND r.project_id = $2 AND r.model_id = m.id
               WHERE m.organization_id = $1 AND m.id = $3";
    tx.one(sql, args![organization, project, model], Stored::from_row)?.ok_or_else(not_found)
}

/// Limits a model for a project. A number that is sent is kept, also if it is what the model has: it holds when the model gets more.
pub fn update(
    tx: &mut Tx<'_>,
    by: &Author,
    project: &str,
    stored: Stored,
    sent: Limits,
) -> Result<RateLimit> {
    ensure_possible(&stored, &sent)?;
    let changes = sent.that_differ_from(&stored.own);
    if changes.is_empty() {
        return Ok(stored.effective());
    }
    let after = Stored { own: sent.or(&stored.own), ..stored };
    write(tx, by.organization_id(), project, &after.model, &after.own)?;
    let id = format!("{PREFIX}{}", after.model);
    let payload = json!({ "id": id, "changes_requested": requested(&changes) });
    audit::append(tx, by, &Event::new("rate_limit.updated", &id, payload).in_project(project))?;
    Ok(after.effective())
}

/// Writes the limits that a project has of its own for a model, in place of those that it had.
pub fn write(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    model: &str,
    own: &Limits,
) -> sql::Result<()> {
    let mut arguments = args![organization, project, model].to_vec();
    arguments.extend(own.arguments());
    tx.execute(
        "INSERT INTO rate_limits (organization_id, project_id, model_id, max_requests_per_minute, max_tokens_per_minute,
             max_images_per_minute, max_audio_megabytes_per_minute, max_requests_per_day, max_batch_tokens_per_day)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (organization_id, project_id, model_id) DO UPDATE SET
             max_requests_per_minute = excluded.max_requests_per_minute,
             max_tokens_per_minute = excluded.max_tokens_per_minute,
             max_images_per_minute = excluded.max_images_per_minute,
             max_audio_megabytes_per_minute = excluded.max_audio_megabytes_per_minute,
             max_requests_per_day = excluded.max_requests_per_day,
             max_batch_tokens_per_day = excluded.max_batch_tokens_per_day",
        &arguments,
    )
    .map(drop)
}

/// Refuses what the model does not have, or not so much of.
fn ensure_possible(stored: &Stored, sent: &Limits) -> Result<()> {
    for (name, (sent, ceiling)) in MEMBERS.iter().zip(sent.0.iter().zip(stored.ceilings.0)) {
        match (*sent, ceiling) {
            (Some(_), None) => {
                let message = format!(
                    "Invalid value for '{name}': the model '{}' has no such limit.",
                    stored.model
                );
                return Err(Error::invalid("invalid_value", message).param(*name));
            }
            (Some(sent), Some(ceiling)) if sent > ceiling => {
                let message = format!(
                    "Invalid '{name}': integer above maximum value. Expected a value <= {ceiling}, but got {sent} instead."
                );
                return Err(Error::invalid("integer_above_max_value", message).param(*name));
            }
            _ => {}
        }
    }
    Ok(())
}

fn requested(changes: &Limits) -> Value {
    let named = MEMBERS.iter().zip(changes.0);
    let named = named.filter_map(|(name, limit)| Some(((*name).to_owned(), json!(limit?))));
    Value::Object(named.collect::<Map<_, _>>())
}
