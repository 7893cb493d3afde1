//! The acceptance of an invitation: rules and rows.

use serde_json::json;
use sql::{Row, Tx, args};

use crate::access::Circumstances;
use crate::audit::{self, Actor, Author, Event};
use crate::domain::role::{OrganizationRole, ProjectRole};
use crate::domain::secret::KeyHash;
use crate::error::Result;
use crate::organization::Organization;
use crate::resources::invites::store::{Invite, Status};
use crate::resources::project_users::store::{self as members, NewMember};
use crate::resources::projects::store::{self as projects, Project};
use crate::resources::users::store::{self as users, Changes, NewUser, User};

/// What a link leads to.
#[derive(Debug)]
pub struct Invitation {
    /// The organization.
    pub organization: Organization,
    /// What the organization is called.
    pub organization_name: String,
    /// The invitation, which can be accepted.
    pub invite: Invite,
}

/// The invitation of a link, if it can be accepted at this time. Who asks has nothing but the link, so this is one of the two
/// look-ups that find the organization.
pub fn find(tx: &mut Tx<'_>, link: &KeyHash, now: i64) -> Result<Option<Invitation>> {
    let sql = "SELECT o.id, o.slug, o.default_project_id, o.name, i.id, i.email, i.role, i.projects, i.created_at, i.expires_at,
            i.accepted_at
        FROM invites i JOIN organizations o ON o.id = i.organization_id
        WHERE i.token_hash = $1";
    let read = |row: &Row<'_>| {
        Ok(Invitation {
            organization: Organization::from_row(row, 0)?,
            organization_name: row.get(3)?,
            invite: Invite::from_row(row, 4)?,
        })
    };
    let found = tx.one(sql, args![link.bytes()], read)?;
    Ok(found.filter(|found| found.invite.status(now) == Status::Pending))
}

/// The projects of an invitation that can still be joined, in its order.
pub fn open_projects(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<Vec<Project>> {
    let wanted = &invitation.invite.projects;
    let ids: Vec<_> = wanted.iter().map(|project| project.id.as_str()).collect();
    let found = projects::find_several(tx, &invitation.organization.id, &ids)?;
    let open =
        |id: &&str| found.iter().find(|project| project.id == *id && project.archived_at.is_none());
    Ok(ids.iter().filter_map(open).cloned().collect())
}

/// Somebody who accepts and may be new.
#[derive(Debug)]
pub struct Newcomer {
    /// The id to be.
    pub id: String,
    /// What they say they are called.
    pub name: Option<String>,
}

/// Accepts an invitation: makes the person, or finds who has the address by now, and lets them into the projects that are still
/// open. Nothing if the link leads nowhere.
pub fn accept(
    tx: &mut Tx<'_>,
    link: &KeyHash,
    newcomer: &Newcomer,
    at: &Circumstances,
) -> Result<Option<Invitation>> {
    let Some(invitation) = find(tx, link, at.now)? else { return Ok(None) };
    let (organization, invite) = (&invitation.organization, &invitation.invite);
    let changed = tx.execute(
        "UPDATE invites SET accepted_at = $3, token_hash = NULL
         WHERE organization_id = $1 AND id = $2 AND accepted_at IS NULL",
        args![&organization.id, &invite.id, at.now],
    )?;
    if changed == 0 {
        return Ok(None);
    }
    let there = users::find_by_email(tx, &organization.id, &invite.email)?;
    let id = there.as_ref().map_or(&newcomer.id, |user| &user.id);
    let by = author(organization, id, &invite.email, at);
    let user = if let Some(user) = there {
        promoted(tx, &by, user, invite.role)?
    } else {
        let (id, name) = (newcomer.id.clone(), newcomer.name.clone());
        users::add(tx, &by, &NewUser { id, email: invite.email.clone(), name, role: invite.role })?
    };
    let projects = open_projects(tx, &invitation)?;
    let memberships = projects.iter().map(|project| {
        let invited = invite.projects.iter().find(|invited| invited.id == project.id);
        let role = invited.map_or(ProjectRole::Member, |invited| invited.role);
        NewMember { project, user: &user, role }
    });
    let memberships: Vec<_> = memberships.collect();
    members::add_new(tx, &by, &memberships)?;
    let payload = json!({ "id": invite.id });
    audit::append(tx, &by, &Event::new("invite.accepted", &invite.id, payload))?;
    Ok(Some(invitation))
}

/// Whoever accepts acts for themselves, in their browser.
fn author(organization: &Organization, user: &str, email: &str, at: &Circumstances) -> Author {
    let actor = Actor::Session { user_id: user.to_owned(), email: email.to_owned() };
    Author::new(organization.clone(), actor, at.origin.clone(), at.now, at.event_ids.clone())
}

/// Somebody who came in by another way than the invitation keeps what they have, and becomes an owner if it says so.
fn promoted(tx: &mut Tx<'_>, by: &Author, user: User, role: OrganizationRole) -> Result<User> {
    if role == OrganizationRole::Reader && user.has_role {
        return Ok(user);
    }
    let changes = Changes { role: Some(role), ..Changes::default() };
    users::modify(tx, by, &user, &changes)
}
