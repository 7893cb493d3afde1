//! Limits of what may be spent: rules and rows.

use sql::{Tx, args};

use crate::audit::{self, Author};
use crate::error::{Error, Kind, Result};
use crate::resources::level::Level;
use crate::usage::spend;

/// A level has no limit, which is said like that something does not exist.
#[must_use]
pub fn not_set(level: &Level) -> Error {
    let place = match &level.project {
        Some(project) => format!("project '{}'", project.id),
        None => "the organization".to_owned(),
    };
    let message = format!("Spend limit not found: {place} has none.");
    Error::new(Kind::NotFound, message).code("not_found")
}

fn find_if_any(tx: &mut Tx<'_>, level: &Level) -> Result<Option<i64>> {
    let sql = "SELECT spend_limit FROM policies WHERE organization_id = $1 AND project_id = $2";
    let this = args![&level.organization, level.project_key()];
    let kept: Option<Option<i64>> = tx.one(sql, this, |row| row.get(0))?;
    Ok(kept.flatten())
}

/// The limit of a level in cents, or 404.
pub fn find(tx: &mut Tx<'_>, level: &Level) -> Result<i64> {
    find_if_any(tx, level)?.ok_or_else(|| not_set(level))
}

/// Sets the limit of a level, in place of the one that it has.
pub fn set(tx: &mut Tx<'_>, by: &Author, level: &Level, cents: i64) -> Result<()> {
    if find_if_any(tx, level)? == Some(cents) {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO policies (organization_id, project_id, spend_limit) VALUES ($1, $2, $3)
         ON CONFLICT (organization_id, project_id) DO UPDATE SET spend_limit = excluded.spend_limit",
        args![by.organization_id(), level.project_key(), cents],
    )?;
    audit::append(tx, by, &level.changed())
}

/// Takes the limit of a level away, or 404.
pub fn delete(tx: &mut Tx<'_>, by: &Author, level: &Level) -> Result<()> {
    let gone = tx.execute(
        "UPDATE policies SET spend_limit = NULL
         WHERE organization_id = $1 AND project_id = $2 AND spend_limit IS NOT NULL",
        args![by.organization_id(), level.project_key()],
    )?;
    if gone == 0 {
        return Err(not_set(level));
    }
    audit::append(tx, by, &level.changed())
}

/// What a level has spent in the calendar month, in UTC, of this time, in cents.
pub fn spent(tx: &mut Tx<'_>, level: &Level, now: i64) -> Result<i64> {
    let project = level.project.as_ref().map(|project| project.id.as_str());
    Ok(spend::cents(spend::find(tx, &level.organization, project, spend::month_of(now))?))
}
