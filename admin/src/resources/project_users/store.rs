//! Who is in a project: rules and rows.

use serde_json::json;
use sql::{Tx, args};

use super::shown;
use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::domain::page::PageRequest;
use crate::domain::role::{BuiltIn, ProjectRole};
use crate::error::{Error, Result};
use crate::resources::level::Level;
use crate::resources::projects::store::{Project, find_active};
use crate::resources::role_assignments::ladder;
use crate::resources::role_assignments::store::forget_member;
use crate::resources::users::event;
use crate::resources::users::store::{self as users, User};

/// A direct member of a project.
#[derive(Debug, Clone)]
pub struct Member {
    /// The id of the person; memberships have none of their own.
    pub user_id: String,
    /// The built-in role in this project.
    pub role: ProjectRole,
    /// The member as it is sent, from the name on ([`shown::rest`]).
    pub shown: String,
}

/// A membership about to be.
#[derive(Debug, Clone, Copy)]
pub struct NewMember<'a> {
    /// Where.
    pub project: &'a Project,
    /// Who.
    pub user: &'a User,
    /// The first role.
    pub role: ProjectRole,
}

/// Somebody is not in the project. The words are what clients look for when they remove twice.
#[must_use]
pub fn not_a_member(project: &str, user: &str) -> Error {
    let mut error = Error::not_found("Project user", user);
    error.message = format!("User {user} is not a member of {project}: project user not found.");
    error
}

/// Hands over the rows of a page of an active project's direct members, by user id: the bytes of the id, and of the member as it is
/// sent from the name on.
///
/// Whether the project is active is asked in the page's own statement, once for all of its rows. Only if there are none is
/// the project asked why.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    page: &PageRequest,
    mut each: impl FnMut(&[u8], &[u8]),
) -> Result<()> {
    if !is_possible_id(project) {
        return Err(Error::project_not_found(project));
    }
    let behind = sql::behind(tx.engine(), ("project_id", "$2"), ("user_id", "$3"));
    let sql = format!(
        "SELECT user_id, shown FROM project_members WHERE organization_id = $1 AND {behind}
         AND EXISTS (SELECT 1 FROM projects WHERE organization_id = $1 AND id = $2 AND archived_at IS NULL)
         ORDER BY project_id, user_id LIMIT $4"
    );
    let rows = tx.all(&sql, args![organization, project, &page.above, page.fetch()], |row| {
        each(row.bytes_of_text(0)?.unwrap_or_default(), row.bytes_of_text(1)?.unwrap_or_default());
        Ok(())
    })?;
    if rows.is_empty() {
        find_active(tx, organization, project)?;
    }
    Ok(())
}

/// The member of this user id, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, project: &str, user: &str) -> Result<Member> {
    if !is_possible_id(user) {
        return Err(not_a_member(project, user));
    }
    let found = tx.one(
        "SELECT role, shown FROM project_members
         WHERE organization_id = $1 AND project_id = $2 AND user_id = $3",
        args![organization, project, user],
        |row| {
            let role = row.text(0)?.and_then(ProjectRole::from_name);
            let role = role.unwrap_or(ProjectRole::Member);
            Ok(Member { user_id: user.to_owned(), role, shown: row.get(1)? })
        },
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
    let added = add_new(tx, by, &[NewMember { project, user, role }])?.pop().flatten();
    added.ok_or_else(|| {
        let message = format!(
            "User {} already exists in project {}. Change the role by updating the project user.",
            user.id, project.id
        );
        Error::invalid("already_exists", message)
    })
}

/// Adds those who are not in their project yet, and answers for each the member who was added.
pub fn add_new(tx: &mut Tx<'_>, by: &Author, new: &[NewMember<'_>]) -> Result<Vec<Option<Member>>> {
    // The insert itself finds out whether somebody is there already: reading first would make concurrent
    // additions conflict under SERIALIZABLE.
    let shown = |NewMember { user, role, .. }: &NewMember<'_>| {
        shown::rest(user.name.as_deref(), &user.email, Some(*role), by.now)
    };
    let shown = new.iter().map(shown).collect::<Result<Vec<_>>>()?;
    let mut cells = Vec::new();
    for (NewMember { project, user, role }, shown) in new.iter().zip(&shown) {
        let member = args![by.organization_id(), &project.id, &user.id, shown, role.name(), by.now];
        cells.extend_from_slice(member);
    }
    let columns = "project_members (organization_id, project_id, user_id, shown, role, added_at)";
    let added = tx.insert_new(columns, &cells, &[1, 2])?;
    let (mut events, mut members) = (vec![], vec![]);
    for ((NewMember { project, user, role }, shown), is_added) in new.iter().zip(shown).zip(added) {
        members.push(is_added.then(|| Member { user_id: user.id.clone(), role: *role, shown }));
        if is_added {
            events.push(event::added(&user.id, role.name())?.in_project(&project.id));
        }
    }
    audit::append_all(tx, by, events)?;
    Ok(members)
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
    find(tx, organization, &project.id, user)
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
    let found = tx.one(
        "SELECT u.name, u.email, m.added_at FROM project_members m
         JOIN users u ON u.organization_id = m.organization_id AND u.id = m.user_id
         WHERE m.organization_id = $1 AND m.project_id = $2 AND m.user_id = $3",
        args![organization, project, user],
        |row| Ok((row.get::<Option<String>>(0)?, row.get::<String>(1)?, row.get(2)?)),
    )?;
    let Some((name, email, added_at)) = found else { return Ok(()) };
    tx.execute(
        "UPDATE project_members SET shown = $4, role = $5 WHERE organization_id = $1 AND project_id = $2 AND user_id = $3",
        args![
            organization,
            project,
            user,
            &shown::rest(name.as_deref(), &email, role, added_at)?,
            role.map(ProjectRole::name)
        ],
    )?;
    Ok(())
}

/// Writes a membership as of a time, whether or not it is there, and tells nobody.
pub fn put(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    user: &str,
    role: Option<ProjectRole>,
    added_at: i64,
) -> Result<()> {
    let person = users::find(tx, organization, user)?;
    let shown = shown::rest(person.name.as_deref(), &person.email, role, added_at)?;
    tx.execute(
        "INSERT INTO project_members (organization_id, project_id, user_id, shown, role, added_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (organization_id, project_id, user_id)
         DO UPDATE SET shown = excluded.shown, role = excluded.role, added_at = excluded.added_at",
        args![organization, project, user, &shown, role.map(ProjectRole::name), added_at],
    )?;
    Ok(())
}

/// Takes a member out of a project, with all roles there. Nobody leaves the default project except by leaving the organization.
pub fn remove(tx: &mut Tx<'_>, by: &Author, project: &Project, user: &str) -> Result<()> {
    // Somebody who is not there is told so first, and whoever is refused has changed nothing yet: others share the commit.
    if project.id == by.organization.default_project_id {
        find(tx, by.organization_id(), &project.id, user)?;
        let message = "Members of the default project cannot be removed from it. Delete the user from the organization instead.";
        return Err(Error::default_project(message));
    }
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
    forget_member(tx, by.organization_id(), &project.id, user)?;
    audit::append(
        tx,
        by,
        &Event::new("user.deleted", user, json!({ "id": user })).in_project(&project.id),
    )
}
