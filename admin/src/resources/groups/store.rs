//! Groups of people and service accounts: rules and rows.

use sql::{Row, Tx, args};

use crate::domain::id::is_possible_id;
use crate::error::{Error, Result};

/// A group.
#[derive(Debug, Clone)]
pub struct Group {
    /// The id.
    pub id: String,
    /// The name, which need not be unique.
    pub name: String,
    /// When it was made, in seconds.
    pub created_at: i64,
}

impl Group {
    /// Reads `id, name, created_at`.
    pub fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, created_at: row.get(2)? })
    }
}

/// The group of this id, if there is one.
pub fn find_if_any(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Option<Group>> {
    if !is_possible_id(id) {
        return Ok(None);
    }
    let sql = "SELECT id, name, created_at FROM groups WHERE organization_id = $1 AND id = $2";
    Ok(tx.one(sql, args![organization, id], Group::from_row)?)
}

/// The group of this id, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Group> {
    find_if_any(tx, organization, id)?.ok_or_else(|| Error::not_found("Group", id))
}
