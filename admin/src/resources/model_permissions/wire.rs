//! Lists of models as they are sent and received.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::store::ModelPolicy;
use crate::domain::decision::ModelMode;
use crate::error::Result;
use crate::http::fields::{Fields, FromFields};
use crate::http::reply::literal;

literal!(
    /// Names a list of models.
    ProjectModelPermissionsObject = "project.model_permissions"
);
literal!(
    /// Names the end of one.
    ProjectModelPermissionsDeletedObject = "project.model_permissions.deleted"
);

/// How many models a list may name.
const MOST: usize = 1000;

/// What a list is a list of.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PermissionMode {
    /// Of the models that the project may use, and no other.
    AllowList,
    /// Of the models that the project may not use.
    DenyList,
}

/// Which models a project may use.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectModelPermissions {
    object: ProjectModelPermissionsObject,
    #[schema(inline)]
    mode: PermissionMode,
    /// The models, in the order in which they were sent. An empty list of what is allowed allows nothing, and one of what is denied
    /// denies nothing.
    model_ids: Vec<String>,
}

impl From<ModelPolicy> for ProjectModelPermissions {
    fn from(policy: ModelPolicy) -> Self {
        let mode = match policy.mode {
            ModelMode::AllowList => PermissionMode::AllowList,
            ModelMode::DenyList => PermissionMode::DenyList,
        };
        Self { object: ProjectModelPermissionsObject, mode, model_ids: policy.model_ids }
    }
}

fn modes() -> Object {
    let words = ModelMode::ALL.map(ModelMode::name);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// Which models a project may use from now on.
#[derive(Debug, ToSchema)]
pub struct ProjectModelPermissionsUpdateRequest {
    /// Whether the project may use these models only, or all others.
    #[schema(schema_with = modes)]
    pub mode: ModelMode,
    /// The models, at most 1000. Each must be there, or in the list already.
    pub model_ids: Vec<String>,
}

impl FromFields for ProjectModelPermissionsUpdateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let mode = fields.required_one_of("mode", &ModelMode::ALL.map(ModelMode::name))?;
        Ok(Self {
            mode: ModelMode::from_name(mode).unwrap_or(ModelMode::AllowList),
            model_ids: fields.required_texts_within("model_ids", 0..=MOST, 1..=255)?,
        })
    }
}

/// The answer when a list is forgotten, which names nothing.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectModelPermissionsDeleted {
    object: ProjectModelPermissionsDeletedObject,
    /// Always true: what could not be done is answered with an error.
    deleted: bool,
}

impl ProjectModelPermissionsDeleted {
    /// A list is forgotten.
    pub(super) fn new() -> Self {
        Self { object: ProjectModelPermissionsDeletedObject, deleted: true }
    }
}
