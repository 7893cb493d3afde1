//! How people leave: the organization, or only the owners' role. The last owner does neither.

use serde_json::json;
use sql::{Tx, args};

use super::store::User;
use crate::audit::{self, Author, Event};
use crate::domain::role::OrganizationRole;
use crate::error::{Error, Result};
use crate::holdings::{self, Kind};
use crate::usage::names::{self, Of};

/// Takes a person out of the organization: their memberships, groups, roles and admin keys go with them. Their project keys stay as
/// keys of somebody who left, service accounts stay as they are, and what they did stays on record.
pub fn delete(tx: &mut Tx<'_>, by: &Author, user: &User) -> Result<()> {
    if user.role == OrganizationRole::Owner {
        ensure_another_owner(tx, by, user)?;
    }
    end_admin_keys(tx, by, user)?;
    leave_project_keys(tx, by, user)?;
    holdings::forget(tx, by.organization_id(), Kind::User, &user.id)?;
    let name = user.name.as_deref();
    names::remember(tx, by.organization_id(), Of::User, &user.id, name, Some(&user.email))?;
    let this = args![by.organization_id(), &user.id];
    // The person is a range, because then only the index by person fits: with an equality SQLite takes the primary key to be
    // as good, and reads every membership of the organization.
    tx.execute(
        "DELETE FROM project_members
         WHERE organization_id = $1 AND (user_id, project_id) > ($2, '') AND user_id <= $2",
        this,
    )?;
    tx.execute("DELETE FROM users WHERE organization_id = $1 AND id = $2", this)?;
    audit::append(tx, by, &Event::new("user.deleted", &user.id, json!({ "id": user.id })))
}

/// Keys in projects open nothing any more, but whoever looks for them finds whose they were.
fn leave_project_keys(tx: &mut Tx<'_>, by: &Author, user: &User) -> Result<()> {
    tx.execute(
        "UPDATE project_api_keys SET owner_left_at = $3, owner_email = $4, owner_name = $5, owner_added_at = $6
         WHERE organization_id = $1 AND (owner_id, project_id, id) > ($2, '', '') AND owner_id <= $2
             AND owner_kind = 'user' AND owner_left_at IS NULL",
        args![
            by.organization_id(),
            &user.id,
            by.now,
            &user.email,
            user.name.as_deref(),
            user.added_at
        ],
    )?;
    Ok(())
}

/// An owner ceases to be one.
pub(super) fn end_ownership(tx: &mut Tx<'_>, by: &Author, user: &User) -> Result<()> {
    ensure_another_owner(tx, by, user)?;
    end_admin_keys(tx, by, user)
}

fn end_admin_keys(tx: &mut Tx<'_>, by: &Author, user: &User) -> Result<()> {
    let sql = "DELETE FROM admin_api_keys
               WHERE organization_id = $1 AND (owner_id, id) > ($2, '') AND owner_id <= $2";
    tx.execute(sql, args![by.organization_id(), &user.id])?;
    Ok(())
}

fn ensure_another_owner(tx: &mut Tx<'_>, by: &Author, user: &User) -> Result<()> {
    // The organization is a range, because with an equality SQLite takes the primary key to be as good as the index of
    // owners, and reads everybody up to the second owner.
    let owners: Vec<String> = tx.all(
        "SELECT id FROM users WHERE organization_id >= $1 AND organization_id <= $1 AND role = 'owner' LIMIT 2",
        args![by.organization_id()],
        |row| row.get(0),
    )?;
    if owners.iter().any(|owner| *owner != user.id) { Ok(()) } else { Err(Error::last_owner()) }
}
