//! Service accounts as they are sent and received.

use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use crate::domain::role::ProjectRole;
use crate::domain::secret::PlainKey;
use crate::error::{Error, Result};
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;
use crate::resources::project_api_keys::store::NewKey;
use crate::resources::project_api_keys::terms::{self, Terms};

/// What a key is called if nobody names it.
pub const USUAL_NAME: &str = "Secret Key";

literal!(
    /// Names a service account.
    ServiceAccountObject = "organization.project.service_account"
);
literal!(
    /// Names the removal of a service account.
    ServiceAccountDeletedObject = "organization.project.service_account.deleted"
);
literal!(
    /// Names a service account's key.
    ServiceAccountApiKeyObject = "organization.project.service_account.api_key"
);

/// Somebody in a project who is no person.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceAccount {
    object: ServiceAccountObject,
    /// The account's id.
    id: String,
    /// The account's name.
    name: String,
    /// The built-in role in the project.
    #[schema(value_type = ServiceAccountRole)]
    role: &'static str,
    /// When the account was made, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
}

/// The built-in role of a service account.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its description is used")]
pub enum ServiceAccountRole {
    Owner,
    Member,
    None,
}

/// The built-in role of a new service account.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its description is used")]
pub enum FirstServiceAccountRole {
    Member,
    None,
}

/// The built-in role that a service account can be given.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its description is used")]
pub enum NextServiceAccountRole {
    Member,
    Owner,
}

impl From<store::ServiceAccount> for ServiceAccount {
    fn from(account: store::ServiceAccount) -> Self {
        Self {
            object: ServiceAccountObject,
            role: account.role_name(),
            id: account.id,
            name: account.name,
            created_at: account.created_at,
        }
    }
}

impl Identified for ServiceAccount {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A new service account, with its key if it was made with one.
#[derive(Serialize, ToSchema)]
pub struct ServiceAccountCreateResponse {
    object: ServiceAccountObject,
    /// The account's id.
    id: String,
    /// The account's name.
    name: String,
    /// `member`; `none` for an account that was made without a key.
    #[schema(value_type = FirstServiceAccountRole)]
    role: &'static str,
    /// When the account was made, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    /// The account's first key; null if it was made without one.
    #[schema(required)]
    api_key: Option<ServiceAccountApiKey>,
}

impl ServiceAccountCreateResponse {
    /// Shows an account and its key, if it has one, this once.
    #[must_use]
    pub fn new(account: store::ServiceAccount, api_key: Option<ServiceAccountApiKey>) -> Self {
        Self {
            object: ServiceAccountObject,
            role: account.role_name(),
            id: account.id,
            name: account.name,
            created_at: account.created_at,
            api_key,
        }
    }
}

/// A new key of a service account with its secret, which is not shown again.
#[derive(Serialize, ToSchema)]
pub struct ServiceAccountApiKey {
    object: ServiceAccountApiKeyObject,
    /// The key's id.
    id: String,
    /// What it is for.
    name: String,
    /// When it was made, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    /// The secret.
    value: String,
}

impl ServiceAccountApiKey {
    /// Shows a key with its secret, this once.
    #[must_use]
    pub fn new(key: NewKey, created_at: i64, secret: &PlainKey) -> Self {
        Self {
            object: ServiceAccountApiKeyObject,
            id: key.id,
            name: key.name,
            created_at,
            value: secret.expose().to_owned(),
        }
    }
}

/// A new service account.
#[derive(Debug, ToSchema)]
pub struct ServiceAccountCreateRequest {
    /// What it is called, 1 to 255 characters.
    pub name: String,
    /// Whether to make the account alone: without a key, and without a role.
    pub create_service_account_only: Option<bool>,
    /// After how many seconds its key stops; without this it does not.
    #[schema(minimum = 1, maximum = 31_536_000, nullable = false)]
    pub expires_in_seconds: Option<i64>,
}

impl ServiceAccountCreateRequest {
    /// The role that the account starts with.
    #[must_use]
    pub fn role(&self) -> Option<ProjectRole> {
        let is_alone = self.create_service_account_only.unwrap_or(false);
        (!is_alone).then_some(ProjectRole::Member)
    }

    /// What its key is limited to.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms { expires_in_seconds: self.expires_in_seconds, ..Terms::default() }
    }
}

impl FromFields for ServiceAccountCreateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let body = Self {
            name: fields.required_text("name", 1..=255)?,
            create_service_account_only: fields.optional_boolean("create_service_account_only")?,
            expires_in_seconds: terms::life(fields)?,
        };
        if body.role().is_none() && body.expires_in_seconds.is_some() {
            let message = "Invalid value for 'expires_in_seconds': with 'create_service_account_only' no key is made. Leave one of the two out.";
            return Err(Error::invalid("invalid_value", message).param("expires_in_seconds"));
        }
        Ok(body)
    }
}

/// A change of a service account.
#[derive(Debug, ToSchema)]
pub struct ServiceAccountUpdateRequest {
    /// What it is called from now on, 1 to 255 characters.
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// The built-in role from now on, instead of the one it has.
    #[schema(value_type = Option<NextServiceAccountRole>, nullable = false)]
    pub role: Option<ProjectRole>,
}

impl FromFields for ServiceAccountUpdateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let name = fields.present_text("name", 1..=255)?;
        let role = fields.present_text("role", 0..=255)?;
        Ok(Self { name, role: role.as_deref().map(role_of).transpose()? })
    }
}

fn role_of(name: &str) -> Result<ProjectRole> {
    let names = ProjectRole::ALL.map(ProjectRole::name);
    ProjectRole::from_name(name).ok_or_else(|| Error::unsupported_value("role", name, &names))
}

/// A new key of a service account.
#[derive(Debug, ToSchema)]
pub struct ServiceAccountApiKeyCreateRequest {
    /// What it is for, up to 255 characters; `Secret Key` unless it is said.
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// What it may do: permissions such as `api.model.request`. Without this, whatever the account may.
    #[schema(nullable = false)]
    pub scopes: Option<Vec<String>>,
    /// After how many seconds it stops; without this it does not.
    #[schema(minimum = 1, maximum = 31_536_000, nullable = false)]
    pub expires_in_seconds: Option<i64>,
}

impl ServiceAccountApiKeyCreateRequest {
    /// What the key is limited to.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            scopes: self.scopes.clone(),
            expires_in_seconds: self.expires_in_seconds,
            expires_at: None,
        }
    }
}

impl FromFields for ServiceAccountApiKeyCreateRequest {
    const OPTIONAL: bool = true;

    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            name: fields.present_text("name", 0..=255)?,
            scopes: terms::scopes(fields)?,
            expires_in_seconds: terms::life(fields)?,
        })
    }
}
