//! Invitations as they are sent and received.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use super::store::{self, Status};
use crate::domain::email;
use crate::domain::role::{OrganizationRole, ProjectRole};
use crate::domain::secret::PlainKey;
use crate::error::{Error, Result};
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;
use crate::organization::Organization;

/// How many projects one invitation can be for.
const MOST_PROJECTS: usize = 100;

literal!(
    /// Names an invitation.
    InviteObject = "organization.invite"
);
literal!(
    /// Names the end of an invitation.
    InviteDeletedObject = "organization.invite.deleted"
);
literal!(
    /// Names the link of an invitation.
    InviteLinkObject = "rollbook.invite.link"
);

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invite {
    object: InviteObject,
    /// The invitation's id.
    id: String,
    /// The address of whoever is invited.
    email: String,
    /// What they will be in the organization.
    #[schema(value_type = InviteRole)]
    role: &'static str,
    /// Whether it can still be accepted.
    #[schema(value_type = InviteStatus)]
    status: &'static str,
    /// When it was made, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    /// Until when it can be accepted, in Unix seconds.
    #[schema(format = "unixtime")]
    expires_at: Option<i64>,
    /// When it was accepted, in Unix seconds.
    #[schema(format = "unixtime")]
    accepted_at: Option<i64>,
    /// The projects that they will be in, in the order in which they were named.
    projects: Vec<InviteProject>,
}

/// A project of an invitation.
#[derive(Debug, Serialize, ToSchema)]
pub struct InviteProject {
    /// The project's id.
    id: String,
    /// What they will be in it.
    #[schema(value_type = InviteProjectRole)]
    role: &'static str,
}

/// What an invitation can make of somebody in the organization.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its description is used")]
pub enum InviteRole {
    Owner,
    Reader,
}

/// What an invitation can make of somebody in a project.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its description is used")]
pub enum InviteProjectRole {
    Member,
    Owner,
}

/// Whether an invitation can still be accepted.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its description is used")]
pub enum InviteStatus {
    Accepted,
    Expired,
    Pending,
}

impl Invite {
    /// An invitation as it is at this time.
    pub fn at(invite: store::Invite, now: i64) -> Self {
        let status = match invite.status(now) {
            Status::Pending => "pending",
            Status::Accepted => "accepted",
            Status::Expired => "expired",
        };
        let projects = invite.projects.into_iter();
        Self {
            object: InviteObject,
            id: invite.id,
            email: invite.email,
            role: invite.role.name(),
            status,
            created_at: invite.created_at,
            expires_at: Some(invite.expires_at),
            accepted_at: invite.accepted_at,
            projects: projects
                .map(|project| InviteProject { id: project.id, role: project.role.name() })
                .collect(),
        }
    }
}

impl Identified for Invite {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Somebody to invite.
#[derive(Debug, ToSchema)]
pub struct InviteRequest {
    /// The address of whoever is invited.
    pub email: String,
    /// What they will be in the organization.
    #[schema(value_type = InviteRole)]
    pub role: OrganizationRole,
    /// The projects that they will be in; left out, the default project as a member.
    #[schema(nullable = false)]
    pub projects: Option<Vec<InviteProjectRequest>>,
}

/// A project to invite somebody to.
#[derive(Debug, ToSchema)]
pub struct InviteProjectRequest {
    /// The project's id.
    pub id: String,
    /// What they will be in it.
    #[schema(value_type = InviteProjectRole)]
    pub role: ProjectRole,
}

impl InviteRequest {
    /// The invitation that is asked for.
    pub fn invite(
        &self,
        id: &str,
        organization: &Organization,
        now: i64,
        expires_at: i64,
    ) -> store::Invite {
        let project = |id: &str, role| store::InvitedTo { id: id.to_owned(), role };
        let projects = match &self.projects {
            None => vec![project(&organization.default_project_id, ProjectRole::Member)],
            Some(named) => named.iter().map(|named| project(&named.id, named.role)).collect(),
        };
        store::Invite {
            id: id.to_owned(),
            email: self.email.clone(),
            role: self.role,
            projects,
            created_at: now,
            expires_at,
            accepted_at: None,
        }
    }
}

impl FromFields for InviteRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let email = fields.required_text("email", 1..=320)?;
        if let Some(fault) = email::fault(&email) {
            let message = format!("Invalid value for 'email': it {fault}.");
            return Err(Error::invalid("invalid_value", message).param("email"));
        }
        let role = fields.required_text("role", 0..=255)?;
        let names = OrganizationRole::ALL.map(OrganizationRole::name);
        let role = OrganizationRole::from_name(&role)
            .ok_or_else(|| Error::unsupported_value("role", &role, &names))?;
        let projects = fields.objects::<InviteProjectRequest>("projects", MOST_PROJECTS)?;
        ensure_distinct(projects.as_deref().unwrap_or_default())?;
        Ok(Self { email, role, projects })
    }
}

fn ensure_distinct(projects: &[InviteProjectRequest]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let Some(place) = projects.iter().position(|project| !seen.insert(&project.id)) else {
        return Ok(());
    };
    let param = format!("projects[{place}].id");
    let message = format!(
        "Invalid value for '{param}': '{}' stands in the list already. Name each project once.",
        projects[place].id
    );
    Err(Error::invalid("invalid_value", message).param(param))
}

impl FromFields for InviteProjectRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let id = fields.required_text("id", 1..=255)?;
        let role = fields.required_text("role", 0..=255)?;
        let names = ProjectRole::ALL.map(ProjectRole::name);
        let role = ProjectRole::from_name(&role)
            .ok_or_else(|| Error::unsupported_value("role", &role, &names))?;
        Ok(Self { id, role })
    }
}

/// The link of an invitation. Whoever has it can accept.
#[derive(Serialize, ToSchema)]
pub struct InviteLink {
    object: InviteLinkObject,
    /// The invitation's id.
    invite_id: String,
    /// The link, which is shown here once.
    url: String,
    /// Until when it leads anywhere, in Unix seconds.
    #[schema(format = "unixtime")]
    expires_at: i64,
}

impl InviteLink {
    /// The link of this token, at the address where people reach this server.
    pub fn new(invite: &store::Invite, public_url: &str, token: &PlainKey) -> Self {
        Self {
            object: InviteLinkObject,
            invite_id: invite.id.clone(),
            url: format!("{public_url}/invite/{}", token.expose()),
            expires_at: invite.expires_at,
        }
    }
}

impl fmt::Debug for InviteLink {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("InviteLink")
            .field("invite_id", &self.invite_id)
            .field("url", &format_args!("…"))
            .finish_non_exhaustive()
    }
}
