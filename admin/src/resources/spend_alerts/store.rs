//! Alerts of what was spent: rules and rows.

use serde_json::json;
use sql::{Row, Tx, args};

use crate::audit::{self, Author};
use crate::domain::id::is_possible_id;
use crate::domain::page::{Order, PageRequest, Slice};
use crate::error::{Error, Result};
use crate::resources::level::Level;

/// What an alert says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Of how many cents spent in a month it tells.
    pub threshold_amount: i64,
    /// Who is told, in the order in which they were named.
    pub recipients: Vec<String>,
    /// What the subject of the message begins with.
    pub subject_prefix: Option<String>,
}

/// An alert.
#[derive(Debug)]
pub struct Alert {
    /// The id.
    pub id: String,
    /// What it says.
    pub terms: Terms,
}

impl Alert {
    /// Reads `id, threshold_amount, recipients, subject_prefix`.
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let recipients: String = row.get(2)?;
        let unreadable = |error: serde_json::Error| sql::Error::Statement(error.to_string());
        let terms = Terms {
            threshold_amount: row.get(1)?,
            recipients: serde_json::from_str(&recipients).map_err(unreadable)?,
            subject_prefix: row.get(3)?,
        };
        Ok(Self { id: row.get(0)?, terms })
    }
}

/// A page of a level's alerts, by id.
pub fn list(tx: &mut Tx<'_>, level: &Level, page: &PageRequest) -> Result<Slice<Alert>> {
    let (sql, cursor) = match page.order {
        Order::Ascending => (
            "SELECT id, threshold_amount, recipients, subject_prefix FROM spend_alerts
             WHERE organization_id = $1 AND project_id = $2 AND id > $3 ORDER BY id LIMIT $4",
            &page.above,
        ),
        Order::Descending => (
            "SELECT id, threshold_amount, recipients, subject_prefix FROM spend_alerts
             WHERE organization_id = $1 AND project_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
            &page.below,
        ),
    };
    let this = args![&level.organization, level.project_key(), cursor, page.fetch()];
    Ok(page.cut(tx.all(sql, this, Alert::from_row)?))
}

/// The alert of this id at this level, or 404.
pub fn find(tx: &mut Tx<'_>, level: &Level, id: &str) -> Result<Alert> {
    let not_found = || Error::not_found("Spend alert", id);
    if !is_possible_id(id) {
        return Err(not_found());
    }
    let sql = "SELECT id, threshold_amount, recipients, subject_prefix FROM spend_alerts
               WHERE organization_id = $1 AND project_id = $2 AND id = $3";
    let this = args![&level.organization, level.project_key(), id];
    tx.one(sql, this, Alert::from_row)?.ok_or_else(not_found)
}

/// Adds an alert to a level.
pub fn create(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    id: &str,
    terms: &Terms,
) -> Result<Alert> {
    tx.execute(
        "INSERT INTO spend_alerts (organization_id, project_id, id, threshold_amount, recipients, subject_prefix, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![
            by.organization_id(),
            level.project_key(),
            id,
            terms.threshold_amount,
            &json!(terms.recipients).to_string(),
            terms.subject_prefix.as_deref(),
            by.now,
        ],
    )?;
    audit::append(tx, by, &level.changed())?;
    Ok(Alert { id: id.to_owned(), terms: terms.clone() })
}

/// Replaces what an alert says.
pub fn replace(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    alert: Alert,
    terms: &Terms,
) -> Result<Alert> {
    if alert.terms == *terms {
        return Ok(alert);
    }
    tx.execute(
        "UPDATE spend_alerts SET threshold_amount = $4, recipients = $5, subject_prefix = $6
         WHERE organization_id = $1 AND project_id = $2 AND id = $3",
        args![
            by.organization_id(),
            level.project_key(),
            &alert.id,
            terms.threshold_amount,
            &json!(terms.recipients).to_string(),
            terms.subject_prefix.as_deref(),
        ],
    )?;
    audit::append(tx, by, &level.changed())?;
    Ok(Alert { terms: terms.clone(), ..alert })
}

/// Deletes an alert.
pub fn delete(tx: &mut Tx<'_>, by: &Author, level: &Level, id: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM spend_alerts WHERE organization_id = $1 AND project_id = $2 AND id = $3",
        args![by.organization_id(), level.project_key(), id],
    )?;
    audit::append(tx, by, &level.changed())
}
