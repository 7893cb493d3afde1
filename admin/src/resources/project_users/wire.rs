//! Members as they are sent and received.

use utoipa::ToSchema;

use super::store;
use crate::domain::role::ProjectRole;
use crate::error::{Error, Result};
use crate::http::copied::{self, Copied};
use crate::http::fields::{Fields, FromFields, missing};
use crate::http::reply::literal;

literal!(
    /// Names a member of a project.
    ProjectUserObject = "organization.project.user"
);
literal!(
    /// Names the removal of a member.
    ProjectUserDeletedObject = "organization.project.user.deleted"
);

/// A direct member of a project.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub struct ProjectUser {
    object: ProjectUserObject,
    /// The id of the person.
    id: String,
    /// What the person is called; the e-mail address where no name is known.
    name: Option<String>,
    /// The person's e-mail address.
    email: Option<String>,
    /// `owner` or `member`.
    #[schema(value_type = String)]
    role: &'static str,
    /// When the person joined the project, in Unix seconds.
    #[schema(format = "unixtime")]
    added_at: i64,
}

impl ProjectUser {
    /// Appends a member, of whom the store keeps what is sent behind the id.
    pub fn copy(out: &mut Vec<u8>, id: &[u8], rest: &[u8]) {
        out.extend_from_slice(br#"{"object":"organization.project.user","id":"#);
        copied::string(out, id);
        out.push(b',');
        out.extend_from_slice(rest);
    }

    /// One member.
    pub fn of(member: &store::Member) -> Copied<Self> {
        let mut out = Vec::new();
        Self::copy(&mut out, member.user_id.as_bytes(), member.shown.as_bytes());
        Copied::new(out)
    }
}

/// Somebody to add to a project, named by id or by e-mail address.
#[derive(Debug, ToSchema)]
pub struct ProjectUserCreateRequest {
    /// The id of a user of the organization.
    pub user_id: Option<String>,
    /// The e-mail address of a user of the organization, instead of the id.
    pub email: Option<String>,
    /// `owner` or `member`.
    #[schema(value_type = String)]
    pub role: ProjectRole,
}

/// How a request names a person.
#[derive(Debug, Clone)]
pub enum Who {
    /// By id.
    Id(String),
    /// By address.
    Email(String),
}

impl ProjectUserCreateRequest {
    /// Whom the request names: exactly one of the two ways must be used.
    pub fn who(&self) -> Result<Who> {
        match (self.user_id.clone(), self.email.clone()) {
            (Some(id), None) => Ok(Who::Id(id)),
            (None, Some(email)) => Ok(Who::Email(email)),
            (None, None) => Err(missing("user_id")),
            (Some(_), Some(_)) => {
                let message = "Send either 'user_id' or 'email', not both.";
                Err(Error::invalid("invalid_value", message).param("email"))
            }
        }
    }
}

impl FromFields for ProjectUserCreateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            user_id: fields.optional_text("user_id", 1..=255)?,
            email: fields.optional_text("email", 1..=320)?,
            role: role(&fields.required_text("role", 0..=255)?)?,
        })
    }
}

fn role(name: &str) -> Result<ProjectRole> {
    let names = ProjectRole::ALL.map(ProjectRole::name);
    ProjectRole::from_name(name).ok_or_else(|| Error::unsupported_value("role", name, &names))
}

/// A change of a member.
#[derive(Debug, ToSchema)]
pub struct ProjectUserUpdateRequest {
    /// `owner` or `member`; null leaves it.
    #[schema(value_type = Option<String>)]
    pub role: Option<ProjectRole>,
}

impl FromFields for ProjectUserUpdateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let name = fields.optional_text("role", 0..=255)?;
        Ok(Self { role: name.as_deref().map(role).transpose()? })
    }
}
