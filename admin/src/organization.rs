//! The tenant, as every request knows it.

use sql::{Row, Tx, args};

use crate::error::Result;

/// What every request knows of its organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// The id that leads every key in the store.
    pub id: String,
    /// The short name, shown in a response header.
    pub slug: String,
    /// The project that every organization has and cannot archive.
    pub default_project_id: String,
}

impl Organization {
    /// Reads `id, slug, default_project_id`, starting at this column.
    pub fn from_row(row: &Row<'_>, first: usize) -> sql::Result<Self> {
        Ok(Self {
            id: row.get(first)?,
            slug: row.get(first + 1)?,
            default_project_id: row.get(first + 2)?,
        })
    }
}

/// The organization of this slug, if there is one.
pub fn find(tx: &mut Tx<'_>, slug: &str) -> Result<Option<Organization>> {
    let sql = "SELECT id, slug, default_project_id FROM organizations WHERE slug = $1";
    Ok(tx.one(sql, args![slug], |row| Organization::from_row(row, 0))?)
}

/// Whether the store has no organization yet.
pub fn is_empty(tx: &mut Tx<'_>) -> Result<bool> {
    let first: Option<String> =
        tx.one("SELECT id FROM organizations LIMIT 1", args![], |row| row.get(0))?;
    Ok(first.is_none())
}
