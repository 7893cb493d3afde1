//! How data is kept: rules and rows.

use sql::{Tx, args};

use crate::audit::{self, Author};
use crate::domain::level::LevelKind;
use crate::error::{Error, Result};
use crate::resources::level::Level;

/// A way to keep data, by its name.
pub type Retention = &'static str;

/// What an organization can choose. The second is how it begins.
pub const OF_ORGANIZATION: [Retention; 4] = [
    "zero_data_retention",
    "modified_abuse_monitoring",
    "enhanced_zero_data_retention",
    "enhanced_modified_abuse_monitoring",
];

/// What a project can choose. The first is how it begins.
pub const OF_PROJECT: [Retention; 6] = [
    "organization_default",
    "none",
    "zero_data_retention",
    "modified_abuse_monitoring",
    "enhanced_zero_data_retention",
    "enhanced_modified_abuse_monitoring",
];

/// How a level's data is kept. There always is an answer.
pub fn find(tx: &mut Tx<'_>, level: &Level) -> Result<Retention> {
    let sql = "SELECT data_retention FROM policies WHERE organization_id = $1 AND project_id = $2";
    let this = args![&level.organization, level.project_key()];
    let kept: Option<Option<String>> = tx.one(sql, this, |row| row.get(0))?;
    let (words, default) = match level.kind() {
        LevelKind::Organization => (&OF_ORGANIZATION[..], OF_ORGANIZATION[1]),
        LevelKind::Project => (&OF_PROJECT[..], OF_PROJECT[0]),
    };
    let Some(kept) = kept.flatten() else { return Ok(default) };
    let known = words.iter().find(|word| **word == kept).copied();
    known.ok_or_else(|| Error::internal(format!("the store holds the data retention '{kept}'")))
}

/// Keeps a level's data in another way.
pub fn set(tx: &mut Tx<'_>, by: &Author, level: &Level, wanted: Retention) -> Result<()> {
    if find(tx, level)? == wanted {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO policies (organization_id, project_id, data_retention) VALUES ($1, $2, $3)
         ON CONFLICT (organization_id, project_id) DO UPDATE SET data_retention = excluded.data_retention",
        args![by.organization_id(), level.project_key(), wanted],
    )?;
    audit::append(tx, by, &level.changed())
}
