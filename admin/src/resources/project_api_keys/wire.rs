//! Project keys as they are sent and received.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::store::{self, Access, OwnerKind};
use super::terms::{self, Terms};
use crate::domain::secret::PlainKey;
use crate::error::{Error, Result};
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::query::Query;
use crate::http::reply::literal;

literal!(
    /// Names a project key.
    ProjectApiKeyObject = "organization.project.api_key"
);
literal!(
    /// Names the end of a project key.
    ProjectApiKeyDeletedObject = "organization.project.api_key.deleted"
);

/// A key for the use of a project. The secret is shown once, at its making.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectApiKey {
    object: ProjectApiKeyObject,
    /// The key's id.
    id: String,
    /// What it is for.
    name: String,
    /// Enough of the secret to recognise it.
    redacted_value: String,
    /// When it was made, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    /// When it was seen in use, in Unix seconds, within minutes; null if it was not.
    #[schema(required, format = "unixtime")]
    last_used_at: Option<i64>,
    /// Whether its owner may use the project now.
    #[schema(value_type = OwnerProjectAccess)]
    owner_project_access: &'static str,
    owner: ProjectApiKeyOwner,
}

/// Whether somebody may use a project: as a member, through a group, by a role, or as an owner of the organization.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its description is used")]
pub enum OwnerProjectAccess {
    Active,
    Inactive,
}

/// Whose key it is. Only the member that `type` names is there.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectApiKeyOwner {
    /// Which of the two it is.
    #[schema(value_type = ProjectApiKeyOwnerType)]
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<ProjectApiKeyUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    service_account: Option<ProjectApiKeyAccount>,
}

/// Who owns keys.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its description is used")]
pub enum ProjectApiKeyOwnerType {
    User,
    ServiceAccount,
}

/// The person behind a key, also after they left.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectApiKeyUser {
    /// The person's id.
    id: String,
    /// The person's e-mail address.
    email: String,
    /// What the person is called; the e-mail address where no name is known.
    name: String,
    /// When the person joined the organization, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    /// `owner` or `member`.
    role: &'static str,
}

/// The service account behind a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectApiKeyAccount {
    /// The account's id.
    id: String,
    /// The account's name.
    name: String,
    /// When the account was made, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    /// `owner`, `member` or `none`.
    role: &'static str,
}

impl From<store::Owner> for ProjectApiKeyOwner {
    fn from(owner: store::Owner) -> Self {
        let r#type = owner.kind.name();
        let store::Owner { kind, id, email, name, created_at, role } = owner;
        match kind {
            OwnerKind::User => {
                let email = email.unwrap_or_default();
                let user = Some(ProjectApiKeyUser { id, email, name, created_at, role });
                Self { r#type, user, service_account: None }
            }
            OwnerKind::ServiceAccount => {
                let account = Some(ProjectApiKeyAccount { id, name, created_at, role });
                Self { r#type, user: None, service_account: account }
            }
        }
    }
}

impl From<store::ProjectKey> for ProjectApiKey {
    fn from(key: store::ProjectKey) -> Self {
        Self {
            object: ProjectApiKeyObject,
            id: key.id,
            name: key.name,
            redacted_value: key.redacted_value,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            owner_project_access: if key.is_active { "active" } else { "inactive" },
            owner: key.owner.into(),
        }
    }
}

impl Identified for ProjectApiKey {
    fn id(&self) -> &str {
        &self.id
    }
}

/// What the document says of `owner_project_access`; [`access`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct AccessParams {
    /// Which keys to show by whether their owners may use the project now. Without this, those of direct members and of service
    /// accounts.
    #[param(inline, nullable = false)]
    owner_project_access: Option<WantedAccess>,
}

/// Which keys to show.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its description is used")]
pub enum WantedAccess {
    Active,
    Inactive,
    Any,
}

/// Reads which keys a list is to show.
pub fn access(query: &Query) -> Result<Access> {
    let word = query.one_of("owner_project_access", &["active", "any", "inactive"])?;
    Ok(match word {
        None => Access::Direct,
        Some("active") => Access::Active,
        Some("inactive") => Access::Inactive,
        Some(_) => Access::Any,
    })
}

/// A new project key with its secret, which is not shown again.
#[derive(Serialize, ToSchema)]
pub struct ProjectApiKeyCreateResponse {
    #[serde(flatten)]
    key: ProjectApiKey,
    /// When it stops, in Unix seconds; null if it does not.
    #[schema(required, format = "unixtime")]
    expires_at: Option<i64>,
    /// The secret.
    value: String,
}

impl ProjectApiKeyCreateResponse {
    /// Shows a key with its secret, this once.
    #[must_use]
    pub fn new(key: store::ProjectKey, secret: &PlainKey) -> Self {
        Self { expires_at: key.expires_at, key: key.into(), value: secret.expose().to_owned() }
    }
}

/// A new key of a person for a project.
#[derive(Debug, ToSchema)]
pub struct ProjectApiKeyCreateRequest {
    /// What it is for, 1 to 255 characters.
    pub name: String,
    /// The id of the person whose key it is; without this and `email`, the person behind the calling key.
    pub user_id: Option<String>,
    /// That person's e-mail address, instead of the id.
    pub email: Option<String>,
    /// After how many seconds it stops; without this it does not.
    #[schema(minimum = 1, maximum = 31_536_000, nullable = false)]
    pub expires_in_seconds: Option<i64>,
    /// When it stops, in Unix seconds, instead of `expires_in_seconds`.
    #[schema(format = "unixtime")]
    pub expires_at: Option<i64>,
    /// What it may do: permissions such as `api.model.request`. Without this, whatever the person may.
    #[schema(nullable = false)]
    pub scopes: Option<Vec<String>>,
}

/// Whose key it is to be.
#[derive(Debug, Clone)]
pub enum Whose {
    /// The person's behind the calling key.
    Mine,
    /// That of the person of this id.
    Id(String),
    /// That of the person of this address.
    Email(String),
}

impl ProjectApiKeyCreateRequest {
    /// Whose key the request wants.
    pub fn whose(&self) -> Result<Whose> {
        match (self.user_id.clone(), self.email.clone()) {
            (Some(id), None) => Ok(Whose::Id(id)),
            (None, Some(email)) => Ok(Whose::Email(email)),
            (None, None) => Ok(Whose::Mine),
            (Some(_), Some(_)) => {
                let message = "Send either 'user_id' or 'email', not both.";
                Err(Error::invalid("invalid_value", message).param("email"))
            }
        }
    }

    /// What the key is limited to.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            scopes: self.scopes.clone(),
            expires_in_seconds: self.expires_in_seconds,
            expires_at: self.expires_at,
        }
    }
}

impl FromFields for ProjectApiKeyCreateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            name: fields.required_text("name", 1..=255)?,
            user_id: fields.optional_text("user_id", 1..=255)?,
            email: fields.optional_text("email", 1..=320)?,
            expires_in_seconds: terms::life(fields)?,
            expires_at: fields.optional_integer("expires_at", 0..=i64::MAX)?,
            scopes: terms::scopes(fields)?,
        })
    }
}
