//! Assigned roles as they are sent and received.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::store;
use crate::error::Result;
use crate::holdings::Kind;
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;
use crate::resources::groups::store as groups;
use crate::resources::level::Level;
use crate::resources::principals::Principal;
use crate::resources::roles::store as roles;
use crate::resources::roles::wire::Role;
use crate::resources::users::wire::User;

literal!(
    /// Names a role of a person or service account.
    UserRoleObject = "user.role"
);
literal!(
    /// Names a role of a group.
    GroupRoleObject = "group.role"
);
literal!(
    /// Names a group.
    AssignedGroupObject = "group"
);
literal!(
    /// Names a role that a person or service account lost.
    UserRoleDeletedObject = "user.role.deleted"
);
literal!(
    /// Names a role that a group lost.
    GroupRoleDeletedObject = "group.role.deleted"
);

/// A role to give.
#[derive(Debug, ToSchema)]
pub struct RoleAssignRequest {
    /// The role's id; of a built-in role also its alias.
    pub role_id: String,
}

impl FromFields for RoleAssignRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self { role_id: fields.required_text("role_id", 1..=255)? })
    }
}

/// A role that somebody has.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignedRoleDetails {
    /// The role's id; of a built-in role, the one that holds in this organization or project only.
    id: String,
    /// The role's name.
    name: String,
    /// What the role permits.
    permissions: Vec<String>,
    /// `api.organization` or `api.project`.
    resource_type: String,
    /// Whether the role is built in.
    predefined_role: bool,
    /// What the role is for.
    #[schema(required)]
    description: Option<String>,
    /// When the role was made, in Unix seconds; null for a built-in one.
    #[schema(required, format = "unixtime")]
    created_at: Option<i64>,
    /// When the role was changed last, in Unix seconds; null for a built-in one.
    #[schema(required, format = "unixtime")]
    updated_at: Option<i64>,
    /// The id of the person who made the role, where it is known.
    #[schema(required)]
    created_by: Option<String>,
    /// Not included: ask for the person of that id.
    #[schema(required, value_type = Option<Object>, additional_properties)]
    created_by_user_obj: Option<Map<String, Value>>,
    /// None is kept.
    #[schema(required, value_type = Option<Object>, additional_properties)]
    metadata: Option<Map<String, Value>>,
    /// Through whom the role comes, if not only by an assignment of its own: then that principal first, and groups.
    #[schema(required)]
    assignment_sources: Option<Vec<AssignmentSource>>,
}

/// Somebody through whom a role comes.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignmentSource {
    /// The id of the person, service account or group.
    principal_id: String,
    /// `user` or `group`.
    principal_type: String,
}

impl AssignedRoleDetails {
    /// A role that somebody has at a level.
    #[must_use]
    pub fn of(assigned: store::Assigned, level: &Level) -> Self {
        let source = |(id, kind): (String, Kind)| AssignmentSource {
            principal_id: id,
            principal_type: kind.name().to_owned(),
        };
        let store::Assigned { role, id, sources } = assigned;
        Self {
            id,
            name: role.name,
            permissions: role.tokens,
            resource_type: level.kind().resource_type().to_owned(),
            predefined_role: role.built_in.is_some(),
            // What else is known of a built-in role is the same everywhere, and nobody made it.
            description: role.description,
            created_at: role.created_at,
            updated_at: role.updated_at,
            created_by: role.created_by,
            created_by_user_obj: None,
            metadata: None,
            assignment_sources: (!sources.is_empty())
                .then(|| sources.into_iter().map(source).collect()),
        }
    }
}

impl Identified for AssignedRoleDetails {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A role that a person or service account was given.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserRoleAssignment {
    object: UserRoleObject,
    user: User,
    role: Role,
}

/// A role that a group was given.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupRoleAssignment {
    object: GroupRoleObject,
    group: AssignedGroup,
    role: Role,
}

/// The group that was given a role.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignedGroup {
    object: AssignedGroupObject,
    /// The group's id.
    id: String,
    /// The group's name.
    name: String,
    /// When the group was made, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    /// Whether a directory manages the group; none does here.
    scim_managed: bool,
}

impl From<groups::Group> for AssignedGroup {
    fn from(group: groups::Group) -> Self {
        Self {
            object: AssignedGroupObject,
            id: group.id,
            name: group.name,
            created_at: group.created_at,
            scim_managed: false,
        }
    }
}

/// An answer that shows who was given a role.
pub trait Assignment: Sized {
    /// The answer, unless the principal is not of the kind that it shows.
    fn of(to: Principal, role: roles::Role, level: &Level) -> Option<Self>;
}

impl Assignment for UserRoleAssignment {
    fn of(to: Principal, role: roles::Role, level: &Level) -> Option<Self> {
        let user = match to {
            Principal::Person(user) => user.into(),
            Principal::Account(account) => account.into(),
            Principal::Group(_) => return None,
        };
        Some(Self { object: UserRoleObject, user, role: Role::of(role, level) })
    }
}

impl Assignment for GroupRoleAssignment {
    fn of(to: Principal, role: roles::Role, level: &Level) -> Option<Self> {
        let Principal::Group(group) = to else { return None };
        Some(Self { object: GroupRoleObject, group: group.into(), role: Role::of(role, level) })
    }
}

/// The answer when a role was taken. `T` is the unit type that spells whose it was.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct RoleUnassigned<T> {
    object: T,
    /// Always true: what could not be taken is answered with an error.
    deleted: bool,
}

impl<T: Default> RoleUnassigned<T> {
    /// Confirms it.
    #[must_use]
    pub fn done() -> Self {
        Self { object: T::default(), deleted: true }
    }
}
