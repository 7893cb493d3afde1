//! Groups as they are sent and received.

use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use crate::error::Result;
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;

literal!(
    /// Names a group.
    GroupObject = "group"
);
literal!(
    /// Names the end of a group.
    GroupDeletedObject = "group.deleted"
);

/// A group.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupResponse {
    object: GroupObject,
    /// The group's id.
    id: String,
    /// What people call it; several may have one name.
    name: String,
    /// When it was made, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    /// Whether a directory manages it; none does here.
    is_scim_managed: bool,
    group_type: GroupType,
}

/// Where a group comes from. All of them are made in the organization.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupType {
    /// Made in the organization.
    Group,
    /// Made outside of it, which happens nowhere here.
    TenantGroup,
}

impl From<store::Group> for GroupResponse {
    fn from(group: store::Group) -> Self {
        Self {
            object: GroupObject,
            id: group.id,
            name: group.name,
            created_at: group.created_at,
            is_scim_managed: false,
            group_type: GroupType::Group,
        }
    }
}

impl Identified for GroupResponse {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A group to be made.
#[derive(Debug, ToSchema)]
pub struct CreateGroupBody {
    /// What people will call it.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
}

impl FromFields for CreateGroupBody {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self { name: fields.required_text("name", 1..=255)? })
    }
}

/// A group's new name.
#[derive(Debug, ToSchema)]
pub struct UpdateGroupBody {
    /// What people will call it from now on.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
}

impl FromFields for UpdateGroupBody {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self { name: fields.required_text("name", 1..=255)? })
    }
}
