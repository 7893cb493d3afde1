//! Who is in a project: rules and rows.

use serde_json::json;
use sql::{Row, Tx, args};

use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::domain::page::{PageRequest, Slice};
use crate::domain::role::{BuiltIn, ProjectRole};
use crate::error::{Error, Result};
use crate::resources::level::Level;
use crate::resources::projects::store::{Project, find_active};
use crate::resources::role_assignments::ladder;
use crate::resources::role_assignments::store::forget_member;
use crate::resources::users::store::User;

/// A direct member of a project.
#[derive(Debug, Clone)]
pub struct Member {
    /// The id of the person; memberships have none of their own.
    pub user_id: String,
    /// What the person is called, where that is known.
    pub name: Option<String>,
    /// The person's address.
    pub email: String,
    /// The built-in role in this project.
    pub role: ProjectRole,
    /// When the person joined the project, in seconds.
    pub added_at: i64,
}

impl Member {
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let role = row.text(3)?.and_then(ProjectRole::from_name);
        Ok(Self {
            user_id: row.get(0)?,
            name: row.get(1)?,
            email: row.get(2)?,
            role: role.unwrap_or(ProjectRole::Member),
            added_at: row.get(4)?,
        })
    }
}

/// Somebody is not in the project. The words are what clients look for when they remove twice.
#[must_use]
pub fn not_a_member(project: &str, user: &str) -> Error {
    let mut error = Error::not_found("Project user", user);
    error.message = format!("User {user} is not a member of {project}: project user not found.");
    error
}

/// A page of an active project's direct members, by user id.
///
/// Whether the project is active is asked in the page's own statement, once for all of its rows. Only if there are none is
/// the project asked why.
///
/// The project is a range and not an equality, because then the order can only be the primary key's: with an equality
/// PostgreSQL may as well walk everybody of the organization along the index of people and drop who is elsewhere, and does
/// so near the end of a large project.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    page: &PageRequest,
) -> Result<Slice<Member>> {
    if !is_possible_id(project) {
        return Err(Error::project_not_found(project));
    }
    let rows = tx.all(
        "SELECT user_id, user_name, user_email, role, added_at FROM project_members
         WHERE organization_id = $1 AND (project_id, user_id) > ($2, $3) AND project_id <= $2
         AND EXISTS (SELECT 1 FROM projects WHERE organization_id = $1 AND id = $2 AND archived_at IS NULL)
         ORDER BY project_id, user_id LIMIT $4",
        args![organization, project, &page.above, page.fetch()],
        Member::from_row,
    )?;
    if rows.is_empty() {
        find_active(tx, organization, project)?;
    }
    Ok(page.cut(rows))
}

/// The member of this user id, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, project: &str, user: &str) -> Result<Member> {
    if !is_possible_id(user) {
        return Err(not_a_member(project, user));
    }
    let found = tx.one(
        "SELECT user_id, user_name, user_email, role, added_at FROM project_members
         WHERE organization_id = $1 AND project_id = $2 AND user_id = $3",
        args![organization, project, user],
        Member::from_row,
    )?;
    found.ok_or_else(|| not_a_member(project, user))
}

/// Adds a person of the organization to a project.
pub fn add(
    tx: &mut Tx<'_>,
    by: &Author,
    project: &Project,
    user: &User,
    role: ProjectRole,
) -> Result<Member> {
    add_if_new(tx, by, project, user, role)?.ok_or_else(|| {
        let message = format!(
            "User {} already exists in project {}. Change the role by updating the project user.",
            user.id, project.id
        );
        Error::invalid("already_exists", message)
    })
}

/// Adds a person to a project unless they are in it.
pub fn add_if_new(
    tx: &mut Tx<'_>,
    by: &Author,
    project: &Project,
    user: &User,
    role: ProjectRole,
) -> Result<Option<Member>> {
    // The insert itself finds out whether the person is there already: reading first would make concurrent
    // additions conflict under SERIALIZABLE.
    let inserted = tx.execute(
        "INSERT INTO project_members (organization_id, project_id, user_id, user_email, user_name, role, added_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        args![
            by.organization_id(),
            &project.id,
            &user.id,
            &user.email,
            user.name.as_deref(),
            role.name(),
            by.now
        ],
    )?;
    if inserted == 0 {
        return Ok(None);
    }
    let payload = json!({ "id": user.id, "data": { "role": role.name() } });
    audit::append(tx, by, &Event::new("user.added", &user.id, payload).in_project(&project.id))?;
    Ok(Some(Member {
        user_id: user.id.clone(),
        name: user.name.clone(),
        email: user.email.clone(),
        role,
        added_at: by.now,
    }))
}

/// Gives a member one role in place of every built-in one.
pub fn modify(
    tx: &mut Tx<'_>,
    by: &Author,
    project: &Project,
    member: Member,
    role: ProjectRole,
) -> Result<Member> {
    let (organization, user) = (by.organization_id(), &member.user_id);
    let level = Level { organization: organization.to_owned(), project: Some(project.clone()) };
    let seated = built_in(tx, organization, &project.id, user)?;
    let swap = ladder::swap(tx, &level, user, seated, role.into())?;
    if !swap.is_change {
        return Ok(member);
    }
    set_built_in(tx, organization, &project.id, user, Some(role))?;
    let payload = json!({ "id": user, "changes_requested": { "role": role.name() } });
    audit::append(tx, by, &level.place(Event::new("user.updated", user, payload)))?;
    swap.record(tx, by, &level, user)?;
    Ok(Member { role, ..member })
}

/// The mightiest built-in role of a member. It may be none, where a member is shown as one all the same.
pub fn built_in(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    user: &str,
) -> Result<Option<BuiltIn>> {
    let role: Option<Option<String>> = tx.one(
        "SELECT role FROM project_members WHERE organization_id = $1 AND project_id = $2 AND user_id = $3",
        args![organization, project, user],
        |row| row.get(0),
    )?;
    Ok(role.flatten().as_deref().and_then(ProjectRole::from_name).map(BuiltIn::from))
}

/// Writes it, when a role was given or taken (`role_assignments::ladder`).
pub fn set_built_in(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    user: &str,
    role: Option<ProjectRole>,
) -> Result<()> {
    tx.execute(
        "UPDATE project_members SET role = $4 WHERE organization_id = $1 AND project_id = $2 AND user_id = $3",
        args![organization, project, user, role.map(ProjectRole::name)],
    )?;
    Ok(())
}

/// Takes a member out of a project, with all roles there. Nobody leaves the default project except by leaving the organization.
pub fn remove(tx: &mut Tx<'_>, by: &Author, project: &Project, user: &str) -> Result<()> {
    let removed = if is_possible_id(user) {
        tx.execute(
            "DELETE FROM project_members WHERE organization_id = $1 AND project_id = $2 AND user_id = $3",
            args![by.organization_id(), &project.id, user],
        )?
    } else {
        0
    };
    if removed == 0 {
        return Err(not_a_member(&project.id, user));
    }
    // Checked after the removal, which an error undoes: somebody who is not there is told so first.
    if project.id == by.organization.default_project_id {
        let message = "Members of the default project cannot be removed from it. Delete the user from the organization instead.";
        return Err(Error::default_project(message));
    }
    forget_member(tx, by.organization_id(), &project.id, user)?;
    audit::append(
        tx,
        by,
        &Event::new("user.deleted", user, json!({ "id": user })).in_project(&project.id),
    )
}
