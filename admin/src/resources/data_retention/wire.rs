//! How data is kept, as it is sent and received.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::store::{OF_ORGANIZATION, OF_PROJECT, Retention};
use crate::error::Result;
use crate::http::fields::{Fields, FromFields};
use crate::http::reply::literal;

literal!(
    /// Names how an organization's data is kept.
    OrganizationDataRetentionObject = "organization.data_retention"
);
literal!(
    /// Names how a project's data is kept.
    ProjectDataRetentionObject = "project.data_retention"
);

/// How an organization's data is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationDataRetention {
    object: OrganizationDataRetentionObject,
    /// What was chosen.
    #[serde(rename = "type")]
    #[schema(schema_with = of_organization)]
    retention: Retention,
}

impl From<Retention> for OrganizationDataRetention {
    fn from(retention: Retention) -> Self {
        Self { object: OrganizationDataRetentionObject, retention }
    }
}

/// How a project's data is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectDataRetention {
    object: ProjectDataRetentionObject,
    /// What was chosen.
    #[serde(rename = "type")]
    #[schema(schema_with = of_project)]
    retention: Retention,
}

impl From<Retention> for ProjectDataRetention {
    fn from(retention: Retention) -> Self {
        Self { object: ProjectDataRetentionObject, retention }
    }
}

/// How an organization's data shall be kept.
#[derive(Debug, ToSchema)]
pub struct UpdateOrganizationDataRetentionBody {
    #[schema(schema_with = of_organization)]
    retention_type: Retention,
}

impl FromFields for UpdateOrganizationDataRetentionBody {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self { retention_type: fields.required_one_of("retention_type", &OF_ORGANIZATION)? })
    }
}

impl AsRef<Retention> for UpdateOrganizationDataRetentionBody {
    fn as_ref(&self) -> &Retention {
        &self.retention_type
    }
}

/// How a project's data shall be kept.
#[derive(Debug, ToSchema)]
pub struct UpdateProjectDataRetentionBody {
    #[schema(schema_with = of_project)]
    retention_type: Retention,
}

impl FromFields for UpdateProjectDataRetentionBody {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self { retention_type: fields.required_one_of("retention_type", &OF_PROJECT)? })
    }
}

impl AsRef<Retention> for UpdateProjectDataRetentionBody {
    fn as_ref(&self) -> &Retention {
        &self.retention_type
    }
}

fn of_organization() -> Object {
    one_of(OF_ORGANIZATION)
}

fn of_project() -> Object {
    one_of(OF_PROJECT)
}

fn one_of<const N: usize>(words: [Retention; N]) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}
