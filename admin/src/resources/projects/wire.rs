//! Projects as they are sent and received.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::store;
use crate::domain::patch::Patch;
use crate::error::{Error, Result};
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;

literal!(
    /// Names a project.
    ProjectObject = "organization.project"
);

/// A project.
#[derive(Debug, Serialize, ToSchema)]
pub struct Project {
    object: ProjectObject,
    /// The project's id.
    id: String,
    /// What people call it.
    name: Option<String>,
    /// When it was created, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    /// When it was archived, in Unix seconds; null while it is active.
    #[schema(format = "unixtime")]
    archived_at: Option<i64>,
    /// `active` or `archived`.
    status: Option<&'static str>,
    /// A key of a key management service elsewhere, as it was sent.
    external_key_id: Option<String>,
    /// Where its data is to live; left out when nobody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Residency>)]
    residency: Option<String>,
    /// The older spelling of residency; left out unless it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    geography: Option<String>,
}

impl From<store::Project> for Project {
    fn from(project: store::Project) -> Self {
        Self {
            object: ProjectObject,
            id: project.id,
            name: Some(project.name),
            created_at: project.created_at,
            status: Some(if project.archived_at.is_some() { "archived" } else { "active" }),
            archived_at: project.archived_at,
            external_key_id: project.external_key_id,
            residency: project.residency,
            geography: project.geography,
        }
    }
}

impl Identified for Project {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Where a project's data is to live.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "only its description is used")]
pub enum Residency {
    Global,
    UsStorageProcessing,
    EuStorageProcessing,
    JpStorage,
    KrStorage,
    CaStorage,
    SgStorage,
    InStorage,
    AuStorage,
    GbStorage,
    AeStorage,
    AeStorageProcessing,
}

/// The names of [`Residency`], for reading and for refusals.
pub const RESIDENCIES: [&str; 12] = [
    "GLOBAL",
    "US_STORAGE_PROCESSING",
    "EU_STORAGE_PROCESSING",
    "JP_STORAGE",
    "KR_STORAGE",
    "CA_STORAGE",
    "SG_STORAGE",
    "IN_STORAGE",
    "AU_STORAGE",
    "GB_STORAGE",
    "AE_STORAGE",
    "AE_STORAGE_PROCESSING",
];

/// A new project.
#[derive(Debug, ToSchema)]
pub struct ProjectCreateRequest {
    /// What people will call it, 1 to 255 characters; it need not be unique.
    pub name: String,
    /// A key of a key management service elsewhere, to be kept and sent back.
    pub external_key_id: Option<String>,
    /// Where its data is to live.
    #[schema(value_type = Option<Residency>)]
    pub residency: Option<String>,
    /// The older spelling of residency.
    pub geography: Option<String>,
}

impl FromFields for ProjectCreateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            name: fields.required_text("name", 1..=255)?,
            external_key_id: fields.optional_text("external_key_id", 0..=255)?,
            residency: residency(fields)?,
            geography: fields.optional_text("geography", 0..=255)?,
        })
    }
}

fn residency(fields: &mut Fields) -> Result<Option<String>> {
    let residency = fields.optional_text("residency", 0..=255)?;
    match residency.as_deref() {
        Some(name) if !RESIDENCIES.contains(&name) => {
            Err(Error::unsupported_value("residency", name, &RESIDENCIES))
        }
        _ => Ok(residency),
    }
}

/// A change of a project.
#[derive(Debug, ToSchema)]
pub struct ProjectUpdateRequest {
    /// A new name, 1 to 255 characters; null leaves it.
    pub name: Option<String>,
    /// A new external key; null clears it.
    #[schema(value_type = Option<String>)]
    pub external_key_id: Patch<String>,
    /// A new place in the older spelling; null clears it.
    #[schema(value_type = Option<String>)]
    pub geography: Patch<String>,
    /// Accepted when it is what the project has; it cannot change.
    #[schema(value_type = Option<Residency>)]
    pub residency: Option<String>,
}

impl FromFields for ProjectUpdateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self {
            name: fields.optional_text("name", 1..=255)?,
            external_key_id: fields.patch_text("external_key_id", 0..=255)?,
            geography: fields.patch_text("geography", 0..=255)?,
            residency: residency(fields)?,
        })
    }
}

/// What the document says of the list's filter.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct ProjectsParams {
    /// Return archived projects too.
    #[param(default = false, nullable = false)]
    include_archived: Option<bool>,
}
