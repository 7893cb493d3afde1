//! Groups of a project as they are sent and received.

use serde::Serialize;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use super::store;
use crate::error::Result;
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;
use crate::resources::groups::wire::GroupType;

literal!(
    /// Names a group of a project.
    ProjectGroupObject = "project.group"
);
literal!(
    /// Names the end of that.
    ProjectGroupDeletedObject = "project.group.deleted"
);

/// A group that has a role in a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectGroup {
    object: ProjectGroupObject,
    /// The project's id.
    project_id: String,
    /// The group's id.
    group_id: String,
    /// What people call the group.
    group_name: String,
    group_type: GroupType,
    /// When the group came into the project, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
}

impl From<store::InProject> for ProjectGroup {
    fn from(group: store::InProject) -> Self {
        Self {
            object: ProjectGroupObject,
            project_id: group.project_id,
            group_id: group.group_id,
            group_name: group.group_name,
            group_type: GroupType::Group,
            created_at: group.created_at,
        }
    }
}

impl Identified for ProjectGroup {
    fn id(&self) -> &str {
        &self.group_id
    }
}

/// A group to let into a project.
#[derive(Debug, ToSchema)]
pub struct InviteProjectGroupBody {
    /// The group's id.
    pub group_id: String,
    /// A role of the project, by name or by id.
    pub role: String,
}

impl FromFields for InviteProjectGroupBody {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            group_id: fields.required_text("group_id", 1..=255)?,
            role: fields.required_text("role", 1..=255)?,
        })
    }
}

/// What the document says of the query of one group.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct ProjectGroupParams {
    /// The kind of group that is meant.
    #[param(schema_with = group_type_schema)]
    group_type: Option<String>,
}

fn group_type_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["group", "tenant_group"]))
        .default(Some("group".into()))
        .build()
}

/// The answer to a removal, which names nothing.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectGroupDeleted {
    object: ProjectGroupDeletedObject,
    /// Always true: what could not be done is answered with an error.
    deleted: bool,
}

impl ProjectGroupDeleted {
    /// A group is out of a project.
    pub fn new() -> Self {
        Self { object: ProjectGroupDeletedObject, deleted: true }
    }
}
