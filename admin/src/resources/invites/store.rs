//! Invitations: rules and rows.

use serde_json::{Value, json};
use sql::{Row, Tx, args};

use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::domain::page::{PageRequest, Slice};
use crate::domain::permission::Permissions;
use crate::domain::role::{BuiltIn, OrganizationRole, ProjectRole};
use crate::domain::secret::KeyHash;
use crate::error::{Error, Kind, Result};
use crate::holdings;
use crate::resources::projects::store::Project;
use crate::resources::users::store as users;

/// An invitation. It does not know its link: only a hash of that is kept.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The id.
    pub id: String,
    /// The address of whoever is invited, as it was given.
    pub email: String,
    /// What they will be in the organization.
    pub role: OrganizationRole,
    /// The projects that they will be in, in the order in which they were named.
    pub projects: Vec<InvitedTo>,
    /// When it was made, in seconds.
    pub created_at: i64,
    /// From when on it cannot be accepted any more, in seconds.
    pub expires_at: i64,
    /// When it was accepted, in seconds.
    pub accepted_at: Option<i64>,
}

/// A project of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitedTo {
    /// The project's id.
    pub id: String,
    /// What they will be in it.
    pub role: ProjectRole,
}

/// Whether an invitation can be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can.
    Pending,
    /// It was.
    Accepted,
    /// Its time is over. Nobody writes that down; it follows from the clock.
    Expired,
}

impl Invite {
    /// What has become of it by this time.
    #[must_use]
    pub fn status(&self, now: i64) -> Status {
        if self.accepted_at.is_some() {
            Status::Accepted
        } else if self.expires_at <= now {
            Status::Expired
        } else {
            Status::Pending
        }
    }

    /// What whoever accepts it will hold, wherever that is.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        let projects = self.projects.iter().map(|project| BuiltIn::from(project.role));
        let roles: Vec<_> = projects.chain([BuiltIn::from(self.role)]).collect();
        holdings::effective(&roles, &[])
    }

    /// Reads `id, email, role, projects, created_at, expires_at, accepted_at`, starting at this column.
    pub fn from_row(row: &Row<'_>, first: usize) -> sql::Result<Self> {
        let (role, projects): (String, String) = (row.get(first + 2)?, row.get(first + 3)?);
        Ok(Self {
            id: row.get(first)?,
            email: row.get(first + 1)?,
            role: OrganizationRole::from_name(&role).unwrap_or(OrganizationRole::Reader),
            projects: read_projects(&projects),
            created_at: row.get(first + 4)?,
            expires_at: row.get(first + 5)?,
            accepted_at: row.get(first + 6)?,
        })
    }
}

fn write_projects(projects: &[InvitedTo]) -> String {
    let pair = |project: &InvitedTo| json!([project.id, project.role.name()]);
    Value::from_iter(projects.iter().map(pair)).to_string()
}

fn read_projects(text: &str) -> Vec<InvitedTo> {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).unwrap_or_default();
    let read = |(id, role): (String, String)| InvitedTo {
        id,
        role: ProjectRole::from_name(&role).unwrap_or(ProjectRole::Member),
    };
    pairs.into_iter().map(read).collect()
}

/// A page of invitations, by id.
pub fn list(tx: &mut Tx<'_>, organization: &str, page: &PageRequest) -> Result<Slice<Invite>> {
    let sql = "SELECT id, email, role, projects, created_at, expires_at, accepted_at FROM invites
        WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    let read = |row: &Row<'_>| Invite::from_row(row, 0);
    Ok(page.cut(tx.all(sql, args![organization, &page.above, page.fetch()], read)?))
}

/// The invitation of this id, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Invite> {
    if !is_possible_id(id) {
        return Err(Error::not_found("Invite", id));
    }
    let sql = "SELECT id, email, role, projects, created_at, expires_at, accepted_at FROM invites
        WHERE organization_id = $1 AND id = $2";
    let found = tx.one(sql, args![organization, id], |row| Invite::from_row(row, 0))?;
    found.ok_or_else(|| Error::not_found("Invite", id))
}

/// Refuses the first project of an invitation that is not among these, or archived.
pub fn ensure_active(invite: &Invite, found: &[Project]) -> Result<()> {
    for (place, wanted) in invite.projects.iter().enumerate() {
        let error = match found.iter().find(|project| project.id == wanted.id) {
            None => Error::project_not_found(&wanted.id),
            Some(project) if project.archived_at.is_some() => Error::project_archived(&wanted.id),
            Some(_) => continue,
        };
        return Err(error.param(format!("projects[{place}].id")));
    }
    Ok(())
}

/// Invites somebody who is neither in the organization nor invited already.
pub fn create(tx: &mut Tx<'_>, by: &Author, invite: Invite) -> Result<Invite> {
    let (organization, email) = (by.organization_id(), &invite.email);
    if users::find_by_email(tx, organization, email)?.is_some() {
        let message =
            format!("A user with the e-mail address {email} already exists in the organization.");
        return Err(Error::invalid("already_exists", message).param("email"));
    }
    let folded = users::fold(email);
    if is_invited(tx, organization, &folded, by.now)? {
        let message = format!(
            "An invite for {email} is already pending. Delete it first, or print a fresh link for it."
        );
        return Err(Error::invalid("already_exists", message).param("email"));
    }
    tx.execute(
        "INSERT INTO invites (organization_id, id, email, email_folded, role, projects, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![
            organization,
            &invite.id,
            email,
            &folded,
            invite.role.name(),
            &write_projects(&invite.projects),
            invite.created_at,
            invite.expires_at
        ],
    )?;
    audit::append(tx, by, &sent(&invite))?;
    Ok(invite)
}

fn sent(invite: &Invite) -> Event {
    let data = json!({ "email": invite.email, "role": invite.role.name() });
    Event::new("invite.sent", &invite.id, json!({ "id": invite.id, "data": data }))
}

/// Whether an address has an invitation that can be accepted. The address is a range, because then only its index fits.
fn is_invited(tx: &mut Tx<'_>, organization: &str, folded: &str, now: i64) -> Result<bool> {
    let sql = "SELECT id FROM invites
        WHERE organization_id = $1 AND (email_folded, id) > ($2, '') AND email_folded <= $2
            AND accepted_at IS NULL AND expires_at > $3
        LIMIT 1";
    Ok(tx.one(sql, args![organization, folded, now], |row| row.get::<String>(0))?.is_some())
}

/// Takes an invitation back, unless it was accepted.
pub fn delete(tx: &mut Tx<'_>, by: &Author, invite: &Invite) -> Result<()> {
    if invite.accepted_at.is_some() {
        let message = format!(
            "Invite '{}' was already accepted and cannot be deleted. Remove the user instead.",
            invite.id
        );
        return Err(Error::new(Kind::Invalid, message));
    }
    tx.execute(
        "DELETE FROM invites WHERE organization_id = $1 AND id = $2",
        args![by.organization_id(), &invite.id],
    )?;
    audit::append(tx, by, &Event::new("invite.deleted", &invite.id, json!({ "id": invite.id })))
}

/// Refuses an invitation that nobody can accept any more.
pub fn ensure_open(invite: &Invite, now: i64) -> Result<()> {
    match invite.status(now) {
        Status::Pending => Ok(()),
        Status::Accepted => {
            let message = format!("Invite '{}' was already accepted.", invite.id);
            Err(Error::new(Kind::Invalid, message))
        }
        Status::Expired => {
            let message = format!("Invite '{}' has expired. Invite them again instead.", invite.id);
            Err(Error::invalid("invite_expired", message))
        }
    }
}

/// Gives an invitation another link, which ends the one before it. The record has no type of event that is closer than that
/// the invitation was sent.
pub fn renew_link(tx: &mut Tx<'_>, by: &Author, invite: &Invite, hash: KeyHash) -> Result<()> {
    tx.execute(
        "UPDATE invites SET token_hash = $3 WHERE organization_id = $1 AND id = $2",
        args![by.organization_id(), &invite.id, hash.bytes()],
    )?;
    audit::append(tx, by, &sent(invite))
}
