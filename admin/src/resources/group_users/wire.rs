//! Who is in a group, as it is sent and received.

use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use crate::error::Result;
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;

literal!(
    /// Names somebody's place in a group.
    GroupUserObject = "group.user"
);
literal!(
    /// Names the end of that.
    GroupUserDeletedObject = "group.user.deleted"
);

/// Somebody in a group, as a list shows them.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupUser {
    /// The id of the person or service account.
    id: String,
    /// What they are called; the e-mail address where no name is known.
    name: String,
    /// The e-mail address; a service account has none.
    #[schema(required)]
    email: Option<String>,
}

impl From<store::InGroup> for GroupUser {
    fn from(user: store::InGroup) -> Self {
        Self { id: user.id, name: user.name, email: user.email }
    }
}

impl Identified for GroupUser {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Somebody in a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupMemberUser {
    /// The id of the person or service account.
    id: String,
    /// What they are called; the e-mail address where no name is known.
    name: String,
    /// The e-mail address; a service account has none.
    #[schema(required)]
    email: Option<String>,
    /// No pictures are kept.
    #[schema(required)]
    picture: Option<String>,
    /// Whether it is a service account.
    #[schema(required)]
    is_service_account: Option<bool>,
    user_type: UserType,
}

/// Where somebody comes from. All are of the organization.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserType {
    /// Of the organization.
    User,
    /// From outside of it, which nobody is here.
    #[expect(dead_code, reason = "the word is part of the document and never sent")]
    TenantUser,
}

impl From<store::InGroup> for GroupMemberUser {
    fn from(user: store::InGroup) -> Self {
        Self {
            id: user.id,
            name: user.name,
            email: user.email,
            picture: None,
            is_service_account: Some(user.is_account),
            user_type: UserType::User,
        }
    }
}

/// Somebody to add to a group.
#[derive(Debug, ToSchema)]
pub struct CreateGroupUserBody {
    /// The id of a person of the organization, or of a service account.
    pub user_id: String,
}

impl FromFields for CreateGroupUserBody {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self { user_id: fields.required_text("user_id", 1..=255)? })
    }
}

/// Somebody's place in a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupUserAssignment {
    object: GroupUserObject,
    /// The id of the person or service account.
    user_id: String,
    /// The group's id.
    group_id: String,
}

impl GroupUserAssignment {
    /// This user is in this group.
    pub fn new(user: &str, group: &str) -> Self {
        Self { object: GroupUserObject, user_id: user.to_owned(), group_id: group.to_owned() }
    }
}

/// The answer to a removal, which names nobody.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupUserDeleted {
    object: GroupUserDeletedObject,
    /// Always true: what could not be done is answered with an error.
    deleted: bool,
}

impl GroupUserDeleted {
    /// Somebody is out of a group.
    pub fn new() -> Self {
        Self { object: GroupUserDeletedObject, deleted: true }
    }
}
