//! Questions about keys and their answers as they are sent.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::spending::CheckSpendLimit;
use crate::domain::permission;
use crate::error::{Error, Result};
use crate::http::fields::{Fields, FromFields};
use crate::http::reply::literal;
use crate::resources::model_permissions::wire::ProjectModelPermissions;
use crate::resources::project_api_keys::store::{Holder, HolderOwner};
use crate::resources::rate_limits::wire::ProjectRateLimit;

literal!(
    /// Names the answer to a check.
    CheckObject = "rollbook.check"
);

/// What somebody wants to know of a key.
#[derive(Debug, Default, ToSchema)]
pub struct CheckRequest {
    /// The key; without it, the one in the Authorization header.
    #[schema(min_length = 1, max_length = 512)]
    pub key: Option<String>,
    /// A model that is to be used, which needs `api.model.request`.
    #[schema(min_length = 1, max_length = 255)]
    pub model: Option<String>,
    /// What is to be done, for example `api.responses.write`.
    #[schema(min_length = 1, max_length = 128)]
    pub permission: Option<String>,
}

impl FromFields for CheckRequest {
    const OPTIONAL: bool = true;

    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let (key, model) =
            (fields.present_text("key", 1..=512)?, fields.optional_text("model", 1..=255)?);
        let permission = fields.optional_text("permission", 1..=128)?;
        well_formed(permission.as_deref())?;
        Ok(Self { key, model, permission })
    }
}

/// Refuses what cannot be a permission: a typing error must not look like a refusal.
pub fn well_formed(token: Option<&str>) -> Result<()> {
    let Some(token) = token else { return Ok(()) };
    let Some(fault) = permission::fault(token) else { return Ok(()) };
    let message = format!("Invalid value for 'permission': '{token}' {fault}.");
    Err(Error::invalid("invalid_value", message).param("permission"))
}

/// What a proxy may say of the request that it asks about. Only the exact path takes these; below it, path and query are those of
/// the request that is asked about.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what is read by name")]
pub struct ForwardParams {
    /// What the request does, or `none` to ask only whose key it is. Without this and a model it is told from the request's path.
    permission: Option<String>,
    /// The model that the request uses.
    model: Option<String>,
}

/// The answer to a check.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is put together from parts")]
pub struct Check {
    object: CheckObject,
    /// Whether the key may do it.
    allowed: bool,
    /// Why: `allowed`, or the first of `unknown_key`, `expired_key`, `project_archived`, `owner_left`,
    /// `owner_without_access`, `missing_permission`, `key_scope`, `unknown_model` and `model_not_permitted` that is against it.
    reason: CheckReason,
    /// The reason as a sentence.
    message: String,
    /// The permission that was asked for.
    #[schema(required)]
    permission: Option<String>,
    /// The model that was asked for.
    #[schema(required)]
    model: Option<String>,
    /// Which models the project may use; null if that is not limited, and for a key that opens nothing.
    #[schema(required)]
    model_permissions: Option<ProjectModelPermissions>,
    /// How much of the model that was asked for the project may use; null without a model, if the server has no such model, and for a
    /// key that opens nothing.
    #[schema(required)]
    rate_limit: Option<ProjectRateLimit>,
    /// Whether the project or its organization has spent what it may in the calendar month, in UTC; null where neither has a limit, and
    /// for a key that opens nothing. It is told and decides nothing: `allowed` is about permissions.
    #[schema(required)]
    spend_limit: Option<CheckSpendLimit>,
    /// The organization.
    #[schema(required)]
    organization: Option<CheckOrganization<'static>>,
    /// The project that the key opens.
    #[schema(required)]
    project: Option<CheckProject<'static>>,
    /// The key.
    #[schema(required)]
    api_key: Option<CheckApiKey<'static>>,
    /// Whose key it is.
    #[schema(required)]
    owner: Option<CheckOwner<'static>>,
    /// The service account, if it is one's.
    #[schema(required)]
    service_account: Option<CheckServiceAccount<'static>>,
}

/// Why a key may do something, or not.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum CheckReason {
    /// Yes.
    Allowed,
    /// No project has such a key.
    UnknownKey,
    /// The key's time is over.
    ExpiredKey,
    /// The key's project is archived.
    ProjectArchived,
    /// The key's owner left the organization.
    OwnerLeft,
    /// The key's owner may not use the project.
    OwnerWithoutAccess,
    /// The key's owner may not do this.
    MissingPermission,
    /// The key's owner may, but the key is limited to less.
    KeyScope,
    /// The server has models, and this is none of them.
    UnknownModel,
    /// The key's project may not use this model.
    ModelNotPermitted,
}

/// Whose key it is: all that an answer says beside the decision.
#[derive(Debug, Serialize)]
pub struct Whose<'a> {
    organization: CheckOrganization<'a>,
    project: CheckProject<'a>,
    api_key: CheckApiKey<'a>,
    owner: CheckOwner<'a>,
    service_account: Option<CheckServiceAccount<'a>>,
}

/// An organization, by id and slug.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckOrganization<'a> {
    id: &'a str,
    slug: &'a str,
}

/// A project, by id and name.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckProject<'a> {
    id: &'a str,
    name: &'a str,
}

/// A key, without the secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckApiKey<'a> {
    id: &'a str,
    name: &'a str,
    /// When it stops, in Unix seconds.
    #[schema(required, format = "unixtime")]
    expires_at: Option<i64>,
}

/// The person or service account whose key it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckOwner<'a> {
    /// `user` or `service_account`.
    r#type: &'static str,
    id: &'a str,
    /// The address of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    name: &'a str,
}

/// A service account.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckServiceAccount<'a> {
    id: &'a str,
    name: &'a str,
    /// `owner`, `member` or `none`.
    role: &'static str,
}

impl<'a> Whose<'a> {
    /// All that is said of the holder.
    #[must_use]
    pub fn of(holder: &'a Holder) -> Self {
        let (owner, service_account) = match &holder.owner {
            HolderOwner::User { id, email, name } | HolderOwner::Left { id, email, name } => {
                (CheckOwner { r#type: "user", id, email: Some(email), name }, None)
            }
            HolderOwner::Account { id, name, role } => {
                let role = role.map_or("none", |role| role.name());
                let owner = CheckOwner { r#type: "service_account", id, email: None, name };
                (owner, Some(CheckServiceAccount { id, name, role }))
            }
        };
        let organization =
            CheckOrganization { id: &holder.organization.id, slug: &holder.organization.slug };
        let project = CheckProject { id: &holder.project_id, name: &holder.project_name };
        let api_key = CheckApiKey {
            id: &holder.key_id,
            name: &holder.key_name,
            expires_at: holder.expires_at,
        };
        Self { organization, project, api_key, owner, service_account }
    }
}
