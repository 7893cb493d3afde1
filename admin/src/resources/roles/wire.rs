//! Roles as they are sent and received.

use serde::Serialize;
use utoipa::ToSchema;

use super::changes::Changes;
use super::store;
use crate::domain::patch::Patch;
use crate::error::Result;
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;
use crate::resources::level::Level;
use crate::resources::permissions;

literal!(
    /// Names a role.
    RoleObject = "role"
);
literal!(
    /// Names the removal of a role.
    RoleDeletedObject = "role.deleted"
);

/// A role that can be assigned to people, service accounts and groups.
#[derive(Debug, Serialize, ToSchema)]
pub struct Role {
    object: RoleObject,
    /// The role's id; of a built-in role, the one that holds in this organization or project only.
    id: String,
    /// The name, unique where the role holds.
    name: String,
    /// What it is for.
    #[schema(required)]
    description: Option<String>,
    /// What it permits.
    permissions: Vec<String>,
    /// `api.organization` or `api.project`.
    resource_type: String,
    /// Whether it is built in and cannot be changed.
    predefined_role: bool,
}

impl Role {
    /// A role as it is shown at a level.
    #[must_use]
    pub fn of(role: store::Role, level: &Level) -> Self {
        Self {
            object: RoleObject,
            id: role.shown_id(level),
            name: role.name,
            description: role.description,
            permissions: role.tokens,
            resource_type: level.kind().resource_type().to_owned(),
            predefined_role: role.built_in.is_some(),
        }
    }
}

impl Identified for Role {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A role to be made.
#[derive(Debug, ToSchema)]
pub struct RoleCreateRequest {
    /// The name, which no other role here has.
    pub role_name: String,
    /// What it permits, like `api.model.request`. An empty list is a role that permits nothing.
    pub permissions: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
}

impl FromFields for RoleCreateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            role_name: fields.required_text("role_name", 1..=255)?,
            permissions: permissions::told("permissions", fields.required_texts("permissions")?)?,
            description: fields.optional_text("description", 0..=512)?,
        })
    }
}

/// A change of a role. Null leaves a member, but clears the description.
#[derive(Debug, ToSchema)]
pub struct RoleUpdateRequest {
    /// Another name.
    pub role_name: Option<String>,
    /// Other permissions in place of those that are there.
    pub permissions: Option<Vec<String>>,
    /// What it is for; null for nothing.
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
}

impl RoleUpdateRequest {
    /// What it asks for.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes {
            name: self.role_name.clone(),
            description: self.description.clone(),
            tokens: self.permissions.clone(),
        }
    }
}

impl FromFields for RoleUpdateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            role_name: fields.optional_text("role_name", 1..=255)?,
            permissions: fields
                .optional_texts("permissions")?
                .map(|tokens| permissions::told("permissions", tokens))
                .transpose()?,
            description: fields.patch_text("description", 0..=512)?,
        })
    }
}
