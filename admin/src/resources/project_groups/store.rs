//! Which groups are in a project: rules and rows. A group is in a project as long as it has a role there.

use sql::{Row, Tx, args};

use crate::audit::{self, Author, EVENTS_PER_CHANGE};
use crate::domain::id::is_possible_id;
use crate::domain::page::{Order, PageRequest, Slice};
use crate::error::{Error, Result};
use crate::holdings::{self, Kind};
use crate::resources::groups::store::Group;
use crate::resources::level::Level;
use crate::resources::principals::Principal;
use crate::resources::role_assignments::store as assignments;
use crate::resources::roles::store::Role;

/// How many roles of a group that leaves are named in the record: as many as the ids of events that were drawn beforehand.
const MOST_EVENTS: usize = EVENTS_PER_CHANGE as usize;

/// A group in a project.
#[derive(Debug)]
pub struct InProject {
    /// The project's id.
    pub project_id: String,
    /// The group's id.
    pub group_id: String,
    /// What people call the group.
    pub group_name: String,
    /// When it got its first role there, in seconds.
    pub created_at: i64,
}

impl InProject {
    /// Reads `project_id, group_id, name, created_at`.
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        Ok(Self {
            project_id: row.get(0)?,
            group_id: row.get(1)?,
            group_name: row.get(2)?,
            created_at: row.get(3)?,
        })
    }
}

/// The group has no role in the project.
#[must_use]
pub fn not_in_project(group: &str) -> Error {
    let mut error = Error::not_found("Group", group);
    error.message = format!("Group with id '{group}' not found in project.");
    error
}

/// A page of a project's groups, by group id. The project is a range for the same reason as where members are listed.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    page: &PageRequest,
) -> Result<Slice<InProject>> {
    let (sql, cursor) = match page.order {
        Order::Ascending => (
            "SELECT p.project_id, p.group_id, g.name, p.created_at
             FROM (SELECT organization_id, project_id, group_id, created_at FROM project_groups
                   WHERE organization_id = $1 AND (project_id, group_id) > ($2, $3) AND project_id <= $2
                   ORDER BY project_id, group_id LIMIT $4) p
             JOIN groups g ON g.organization_id = p.organization_id AND g.id = p.group_id
             ORDER BY p.project_id, p.group_id",
            &page.above,
        ),
        Order::Descending => (
            "SELECT p.project_id, p.group_id, g.name, p.created_at
             FROM (SELECT organization_id, project_id, group_id, created_at FROM project_groups
                   WHERE organization_id = $1 AND (project_id, group_id) < ($2, $3) AND project_id >= $2
                   ORDER BY project_id DESC, group_id DESC LIMIT $4) p
             JOIN groups g ON g.organization_id = p.organization_id AND g.id = p.group_id
             ORDER BY p.project_id DESC, p.group_id DESC",
            &page.below,
        ),
    };
    let rows =
        tx.all(sql, args![organization, project, cursor, page.fetch()], InProject::from_row)?;
    Ok(page.cut(rows))
}

fn find_if_any(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    group: &str,
) -> Result<Option<InProject>> {
    if !is_possible_id(group) {
        return Ok(None);
    }
    let sql = "SELECT p.project_id, p.group_id, g.name, p.created_at
        FROM project_groups p
        JOIN groups g ON g.organization_id = p.organization_id AND g.id = p.group_id
        WHERE p.organization_id = $1 AND p.project_id = $2 AND p.group_id = $3";
    Ok(tx.one(sql, args![organization, project, group], InProject::from_row)?)
}

/// The group in a project, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, project: &str, group: &str) -> Result<InProject> {
    find_if_any(tx, organization, project, group)?.ok_or_else(|| not_in_project(group))
}

/// Lets a group into a project with a role. If it is there with this role already, that is what was asked for.
pub fn add(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    group: Group,
    role: &Role,
) -> Result<InProject> {
    let (organization, project) = (by.organization_id(), level.project_key());
    if let Some(there) = find_if_any(tx, organization, project, &group.id)? {
        if holdings::has(tx, organization, project, Kind::Group, &group.id, &role.id)? {
            return Ok(there);
        }
        let message = format!(
            "Group {} already exists in project {project}. Assign it further roles instead of adding it again.",
            group.id
        );
        return Err(Error::invalid("already_exists", message));
    }
    let group = Principal::Group(group);
    assignments::grant(tx, by, level, &group, role)?;
    find(tx, organization, project, group.id())
}

/// Takes a group out of a project with all its roles there.
pub fn remove(tx: &mut Tx<'_>, by: &Author, level: &Level, group: &str) -> Result<()> {
    let (organization, project) = (by.organization_id(), level.project_key());
    let there = find(tx, organization, project, group)?;
    let grants = holdings::grants_of_group(tx, organization, Some(project), &there.group_id)?;
    let this = args![organization, project, &there.group_id];
    tx.execute(
        "DELETE FROM role_assignments
         WHERE organization_id = $1 AND project_id = $2 AND principal_type = 'group' AND principal_id = $3",
        this,
    )?;
    tx.execute(
        "DELETE FROM project_groups WHERE organization_id = $1 AND project_id = $2 AND group_id = $3",
        this,
    )?;
    let kind = "role.assignment.deleted";
    for grant in grants.iter().take(MOST_EVENTS) {
        audit::append(tx, by, &level.assignment(kind, &grant.role_id, group, Kind::Group))?;
    }
    Ok(())
}
