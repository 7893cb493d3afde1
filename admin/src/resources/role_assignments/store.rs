//! Who has which role: rules and rows.

use sql::{Tx, args};

use crate::audit::{self, Author};
use crate::error::Result;
use crate::holdings;
use crate::resources::level::Level;
use crate::resources::principals::Principal;
use crate::resources::roles::store::Role;

/// Gives a role; false if the principal has it itself already. A group that gets its first role in a project joins it.
pub fn grant(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    to: &Principal,
    role: &Role,
) -> Result<bool> {
    let (organization, project, kind) = (by.organization_id(), level.project_key(), to.kind());
    let is_new = holdings::insert(tx, organization, project, kind, to.id(), &role.id, by.now)?;
    if is_new {
        if let (Some(project), Principal::Group(group)) = (&level.project, to) {
            join(tx, by, &project.id, &group.id)?;
        }
        audit::append(
            tx,
            by,
            &level.assignment("role.assignment.created", &role.id, to.id(), kind),
        )?;
    }
    Ok(is_new)
}

/// Takes a role away; false if the principal did not have it itself. A group that loses its last role in a project leaves it.
pub fn take(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    from: &Principal,
    role: &Role,
) -> Result<bool> {
    let (organization, project, kind) = (by.organization_id(), level.project_key(), from.kind());
    let was_there = holdings::remove(tx, organization, project, kind, from.id(), &role.id)?;
    if was_there {
        if let (Some(project), Principal::Group(group)) = (&level.project, from) {
            leave_if_idle(tx, organization, &project.id, &group.id)?;
        }
        audit::append(
            tx,
            by,
            &level.assignment("role.assignment.deleted", &role.id, from.id(), kind),
        )?;
    }
    Ok(was_there)
}

fn join(tx: &mut Tx<'_>, by: &Author, project: &str, group: &str) -> Result<()> {
    let sql = "INSERT INTO project_groups (organization_id, project_id, group_id, created_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    tx.execute(sql, args![by.organization_id(), project, group, by.now])?;
    Ok(())
}

/// Takes a group out of a project in which it has no role.
pub fn leave_if_idle(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    group: &str,
) -> Result<()> {
    let sql = "DELETE FROM project_groups
        WHERE organization_id = $1 AND project_id = $2 AND group_id = $3 AND NOT EXISTS (
            SELECT 1 FROM role_assignments a
            WHERE a.organization_id = $1 AND a.project_id = $2 AND a.principal_type = 'group' AND a.principal_id = $3)";
    tx.execute(sql, args![organization, project, group])?;
    Ok(())
}
