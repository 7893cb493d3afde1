//! Who has which role: rules and rows.

use std::collections::BTreeMap;

use sql::{Tx, args};

use super::ladder::Seat;
use crate::audit::{self, Author};
use crate::domain::role::BuiltIn;
use crate::error::{Error, Result};
use crate::holdings::{self, Grant, Kind};
use crate::resources::level::Level;
use crate::resources::principals::Principal;
use crate::resources::roles::store::Role;

/// A role that a principal has.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// The role.
    pub role: Role,
    /// Its id as it is shown at this level, by which lists run.
    pub id: String,
    /// Through whom the principal has it: empty if only by itself, else the groups, behind the principal if it has the role itself too.
    pub sources: Vec<(String, Kind)>,
}

/// Gives a role; false if the principal has it itself already. A group that gets its first role in a project joins it.
pub fn grant(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    to: &Principal,
    role: &Role,
) -> Result<bool> {
    let (organization, project, kind) = (by.organization_id(), level.project_key(), to.kind());
    if let (Principal::Account { .. }, Some(BuiltIn::OrganizationOwner)) = (to, role.built_in) {
        let message = "A service account cannot own the organization. Give the role to a person, or the account another role.";
        return Err(Error::invalid("invalid_value", message).param("role_id"));
    }
    let is_new = match (role.built_in, Seat::find(tx, level, to)?) {
        (Some(built_in), Some(seat)) => seat.climb(tx, by, level, built_in)?,
        _ => holdings::insert(tx, organization, project, kind, to.id(), &role.id, by.now)?,
    };
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
    let was_there = match (role.built_in, Seat::find(tx, level, from)?) {
        (Some(built_in), Some(seat)) => seat.descend(tx, by, level, built_in)?,
        _ => holdings::remove(tx, organization, project, kind, from.id(), &role.id)?,
    };
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

/// Takes every built-in role that somebody has at a level by an assignment, and names them. What stands in their seat is none.
pub fn take_built_in(tx: &mut Tx<'_>, level: &Level, id: &str) -> Result<Vec<BuiltIn>> {
    // Custom roles have ids outside of this range.
    let sql = "DELETE FROM role_assignments
        WHERE organization_id = $1 AND project_id = $2 AND principal_type = 'user' AND principal_id = $3
            AND role_id >= 'role-api-' AND role_id < 'role-api.'
        RETURNING role_id";
    let this = args![&level.organization, level.project_key(), id];
    let aliases: Vec<String> = tx.all(sql, this, |row| row.get(0))?;
    let of_level = BuiltIn::of(level.kind()).iter().copied();
    Ok(of_level.filter(|role| aliases.iter().any(|alias| alias == role.alias())).collect())
}

/// Takes all roles of a member who leaves a project, without an event of their own.
pub fn forget_member(tx: &mut Tx<'_>, organization: &str, project: &str, user: &str) -> Result<()> {
    let sql = "DELETE FROM role_assignments
        WHERE organization_id = $1 AND project_id = $2 AND principal_type = 'user' AND principal_id = $3";
    tx.execute(sql, args![organization, project, user])?;
    Ok(())
}

/// Everything that a principal has at a level, each role once: by itself and, unless it is a group, through groups.
pub fn all(tx: &mut Tx<'_>, level: &Level, of: &Principal) -> Result<Vec<Assigned>> {
    let project = level.project.as_ref().map(|project| project.id.as_str());
    let grants = match of.kind() {
        Kind::User => holdings::grants_of_user(tx, &level.organization, project, of.id())?,
        Kind::Group => holdings::grants_of_group(tx, &level.organization, project, of.id())?,
    };
    let seated = Seat::find(tx, level, of)?.and_then(|seat| seat.role());
    let here = grants.iter().filter(|grant| grant.project_id == level.project_key());
    Ok(gather(level, of, seated, here))
}

/// One entry for each role, with everybody through whom it comes.
fn gather<'a>(
    level: &Level,
    of: &Principal,
    seated: Option<BuiltIn>,
    grants: impl Iterator<Item = &'a Grant>,
) -> Vec<Assigned> {
    let seated = seated.map(|role| (Role::of(role), None));
    let granted = grants.filter_map(|grant| Some((Role::granted(grant)?, grant.via.clone())));
    // `None` is the principal itself, and stands in front of its groups.
    let mut found: BTreeMap<String, (Role, Vec<Option<String>>)> = BTreeMap::new();
    for (role, via) in seated.into_iter().chain(granted) {
        found.entry(role.shown_id(level)).or_insert_with(|| (role, Vec::new())).1.push(via);
    }
    let assigned = |(id, (role, mut via)): (String, (Role, Vec<Option<String>>))| {
        via.sort_unstable();
        via.dedup();
        let source = |via: Option<String>| match via {
            Some(group) => (group, Kind::Group),
            None => (of.id().to_owned(), of.kind()),
        };
        let is_own_only = via == [None];
        let sources = if is_own_only { Vec::new() } else { via.into_iter().map(source).collect() };
        Assigned { role, id, sources }
    };
    found.into_iter().map(assigned).collect()
}

/// A role that a principal has itself, or 404. `named` is how the request names the role.
pub fn find(
    tx: &mut Tx<'_>,
    level: &Level,
    of: &Principal,
    role: Role,
    named: &str,
) -> Result<Assigned> {
    let (organization, project) = (&level.organization, level.project_key());
    let seated = Seat::find(tx, level, of)?.and_then(|seat| seat.role());
    let is_held = role.built_in.is_some() && role.built_in == seated
        || holdings::has(tx, organization, project, of.kind(), of.id(), &role.id)?;
    if !is_held {
        return Err(not_assigned(of, named));
    }
    Ok(Assigned { id: role.shown_id(level), role, sources: Vec::new() })
}

/// The principal does not have the role itself.
#[must_use]
pub fn not_assigned(of: &Principal, role: &str) -> Error {
    let mut error = Error::not_found("Role assignment", role);
    error.message = format!(
        "Role '{role}' is not assigned to {} '{}': role assignment not found.",
        of.kind().name(),
        of.id()
    );
    error
}
