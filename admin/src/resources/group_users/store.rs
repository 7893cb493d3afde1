//! Who is in a group: rules and rows.

use sql::{Row, Tx, args};

use crate::audit::Author;
use crate::domain::id::is_possible_id;
use crate::domain::page::{Order, PageRequest, Slice};
use crate::error::{Error, Result};
use crate::resources::groups::store::{self as groups, Group};
use crate::resources::principals::Principal;

/// Somebody in a group.
#[derive(Debug)]
pub struct InGroup {
    /// The id of the person or service account.
    pub id: String,
    /// The name to show, never empty.
    pub name: String,
    /// The address of a person.
    pub email: Option<String>,
    /// Whether it is a service account.
    pub is_account: bool,
}

impl InGroup {
    /// Reads the id, the name and address of the person, and the name of the service account: one of the two is there.
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let (id, email): (String, Option<String>) = (row.get(0)?, row.get(2)?);
        let (person, account): (Option<String>, Option<String>) = (row.get(1)?, row.get(3)?);
        let name = person.or_else(|| email.clone()).or_else(|| account.clone());
        let name = name.unwrap_or_else(|| id.clone());
        Ok(Self { id, name, is_account: email.is_none() && account.is_some(), email })
    }
}

fn not_in_group(group: &str, user: &str) -> Error {
    let mut error = Error::not_found("Group user", user);
    error.message =
        format!("User with id '{user}' is not a member of group '{group}': group user not found.");
    error
}

/// A page of who is in a group, by id.
///
/// The group is a range and not an equality, because then the order can only be the primary key's: with an equality PostgreSQL
/// may as well walk everybody of the organization along the index of people.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    group: &str,
    page: &PageRequest,
) -> Result<Slice<InGroup>> {
    if !is_possible_id(group) {
        return Err(Error::not_found("Group", group));
    }
    let (sql, cursor) = match page.order {
        Order::Ascending => (
            "SELECT m.user_id, u.name, u.email, s.name
             FROM (SELECT organization_id, group_id, user_id FROM group_members
                   WHERE organization_id = $1 AND (group_id, user_id) > ($2, $3) AND group_id <= $2
                   ORDER BY group_id, user_id LIMIT $4) m
             LEFT JOIN users u ON u.organization_id = m.organization_id AND u.id = m.user_id
             LEFT JOIN service_accounts s ON s.organization_id = m.organization_id AND s.id = m.user_id
             ORDER BY m.group_id, m.user_id",
            &page.above,
        ),
        Order::Descending => (
            "SELECT m.user_id, u.name, u.email, s.name
             FROM (SELECT organization_id, group_id, user_id FROM group_members
                   WHERE organization_id = $1 AND (group_id, user_id) < ($2, $3) AND group_id >= $2
                   ORDER BY group_id DESC, user_id DESC LIMIT $4) m
             LEFT JOIN users u ON u.organization_id = m.organization_id AND u.id = m.user_id
             LEFT JOIN service_accounts s ON s.organization_id = m.organization_id AND s.id = m.user_id
             ORDER BY m.group_id DESC, m.user_id DESC",
            &page.below,
        ),
    };
    let rows = tx.all(sql, args![organization, group, cursor, page.fetch()], InGroup::from_row)?;
    if rows.is_empty() {
        // Only who finds nobody asks whether there is such a group.
        groups::find(tx, organization, group)?;
    }
    Ok(page.cut(rows))
}

/// The one of this id in a group, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, group: &str, user: &str) -> Result<InGroup> {
    if !is_possible_id(user) {
        return Err(not_in_group(group, user));
    }
    let sql = "SELECT m.user_id, u.name, u.email, s.name
        FROM group_members m
        LEFT JOIN users u ON u.organization_id = m.organization_id AND u.id = m.user_id
        LEFT JOIN service_accounts s ON s.organization_id = m.organization_id AND s.id = m.user_id
        WHERE m.organization_id = $1 AND m.group_id = $2 AND m.user_id = $3";
    let found = tx.one(sql, args![organization, group, user], InGroup::from_row)?;
    found.ok_or_else(|| not_in_group(group, user))
}

/// Adds somebody to a group unless they are in it. The record has no type of event for that.
pub fn add(tx: &mut Tx<'_>, by: &Author, group: &Group, user: &Principal) -> Result<()> {
    tx.execute(
        "INSERT INTO group_members (organization_id, group_id, user_id, added_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        args![by.organization_id(), &group.id, user.id(), by.now],
    )?;
    Ok(())
}

/// Takes somebody out of a group, also without an event.
pub fn remove(tx: &mut Tx<'_>, by: &Author, group: &Group, user: &str) -> Result<()> {
    let removed = if is_possible_id(user) {
        tx.execute(
            "DELETE FROM group_members WHERE organization_id = $1 AND group_id = $2 AND user_id = $3",
            args![by.organization_id(), &group.id, user],
        )?
    } else {
        0
    };
    if removed == 0 { Err(not_in_group(&group.id, user)) } else { Ok(()) }
}
