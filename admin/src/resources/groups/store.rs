//! Groups of people and service accounts: rules and rows.

use serde_json::json;
use sql::{Row, Tx, args};

use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::domain::page::{Order, PageRequest, Slice};
use crate::error::{Error, Result};
use crate::holdings;

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

/// A page of groups, by id.
pub fn list(tx: &mut Tx<'_>, organization: &str, page: &PageRequest) -> Result<Slice<Group>> {
    let (sql, cursor) = match page.order {
        Order::Ascending => (
            "SELECT id, name, created_at FROM groups WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3",
            &page.above,
        ),
        Order::Descending => (
            "SELECT id, name, created_at FROM groups WHERE organization_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            &page.below,
        ),
    };
    let rows = tx.all(sql, args![organization, cursor, page.fetch()], Group::from_row)?;
    Ok(page.cut(rows))
}

const BY_ID: &str =
    "SELECT id, name, created_at FROM groups WHERE organization_id = $1 AND id = $2";

/// The group of this id, if there is one.
pub fn find_if_any(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Option<Group>> {
    if !is_possible_id(id) {
        return Ok(None);
    }
    Ok(tx.one(BY_ID, args![organization, id], Group::from_row)?)
}

/// The group of this id, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Group> {
    find_if_any(tx, organization, id)?.ok_or_else(|| Error::not_found("Group", id))
}

/// Creates a group.
pub fn create(tx: &mut Tx<'_>, by: &Author, id: &str, name: &str) -> Result<Group> {
    tx.execute(
        "INSERT INTO groups (organization_id, id, name, created_at) VALUES ($1, $2, $3, $4)",
        args![by.organization_id(), id, name, by.now],
    )?;
    let payload = json!({ "id": id, "data": { "group_name": name } });
    audit::append(tx, by, &Event::new("group.created", id, payload))?;
    Ok(Group { id: id.to_owned(), name: name.to_owned(), created_at: by.now })
}

/// Gives a group another name.
pub fn rename(tx: &mut Tx<'_>, by: &Author, group: Group, name: &str) -> Result<Group> {
    if group.name == name {
        return Ok(group);
    }
    tx.execute(
        "UPDATE groups SET name = $3 WHERE organization_id = $1 AND id = $2",
        args![by.organization_id(), &group.id, name],
    )?;
    let payload = json!({ "id": group.id, "changes_requested": { "group_name": name } });
    audit::append(tx, by, &Event::new("group.updated", &group.id, payload))?;
    Ok(Group { name: name.to_owned(), ..group })
}

/// Deletes a group, and with it who was in it, its roles, and its places in projects. None of them has an event of its own.
pub fn delete(tx: &mut Tx<'_>, by: &Author, group: &Group) -> Result<()> {
    holdings::forget(tx, by.organization_id(), holdings::Kind::Group, &group.id)?;
    let this = args![by.organization_id(), &group.id];
    // The group is a range, because then only the index by group fits.
    tx.execute(
        "DELETE FROM project_groups
         WHERE organization_id = $1 AND (group_id, project_id) > ($2, '') AND group_id <= $2",
        this,
    )?;
    tx.execute("DELETE FROM group_members WHERE organization_id = $1 AND group_id = $2", this)?;
    tx.execute("DELETE FROM groups WHERE organization_id = $1 AND id = $2", this)?;
    audit::append(tx, by, &Event::new("group.deleted", &group.id, json!({ "id": group.id })))
}
