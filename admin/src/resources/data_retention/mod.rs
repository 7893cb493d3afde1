//! How long what is sent to the models is kept: one setting for the organization, and one for each project.

#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
pub mod wire;

use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::store::Retention;
use self::wire::{
    OrganizationDataRetention, ProjectDataRetention, UpdateOrganizationDataRetentionBody,
    UpdateProjectDataRetentionBody,
};
use crate::app::App;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::fields::FromFields;
use crate::http::path::Path;
use crate::http::reply::{Json, Shown};
use crate::resources::level::At;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get, update))
        .routes(routes!(get_of_project, update_of_project))
}

/// Retrieves how the organization's data is kept.
#[utoipa::path(
    get,
    path = "/v1/organization/data_retention",
    operation_id = "retrieve-organization-data-retention",
    tag = "Data retention",
    responses((status = 200, body = OrganizationDataRetention, description = "The setting."), Refusals)
)]
async fn get(call: Call) -> Result<Shown<OrganizationDataRetention>> {
    get_at(call, At::Organization).await
}

/// Changes how the organization's data is kept, wherever a project says nothing else.
#[utoipa::path(
    post,
    path = "/v1/organization/data_retention",
    operation_id = "update-organization-data-retention",
    tag = "Data retention",
    request_body = UpdateOrganizationDataRetentionBody,
    responses((status = 200, body = OrganizationDataRetention, description = "The setting after the change."), Refusals)
)]
async fn update(call: Call, body: Incoming) -> Result<Json<OrganizationDataRetention>> {
    update_at::<UpdateOrganizationDataRetentionBody, _>(call, At::Organization, body).await
}

/// Retrieves how a project's data is kept.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/data_retention",
    operation_id = "retrieve-project-data-retention",
    tag = "Data retention",
    params(("project_id" = String, Path, description = "The project's id.")),
    responses((status = 200, body = ProjectDataRetention, description = "The setting."), Refusals)
)]
async fn get_of_project(
    call: Call,
    Path(project): Path<String>,
) -> Result<Shown<ProjectDataRetention>> {
    get_at(call, At::Project(project)).await
}

/// Changes how a project's data is kept.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/data_retention",
    operation_id = "update-project-data-retention",
    tag = "Data retention",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = UpdateProjectDataRetentionBody,
    responses((status = 200, body = ProjectDataRetention, description = "The setting after the change."), Refusals)
)]
async fn update_of_project(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<Json<ProjectDataRetention>> {
    update_at::<UpdateProjectDataRetentionBody, _>(call, At::Project(project), body).await
}

async fn get_at<T>(call: Call, at: At) -> Result<Shown<T>>
where
    T: From<Retention> + Serialize,
{
    call.show(move |tx, organization| {
        let level = at.find(tx, organization)?;
        Ok(store::find(tx, &level)?.into())
    })
    .await
}

async fn update_at<B, T>(call: Call, at: At, body: Incoming) -> Result<Json<T>>
where
    B: FromFields + AsRef<Retention> + Send + Sync + 'static,
    T: From<Retention>,
{
    let retention = call.write_with::<B, _, _>(body, move |tx, caller, body| {
        let level = at.find_active(tx, caller.organization_id())?;
        let wanted = *body.get()?.as_ref();
        store::set(tx, &caller.author, &level, wanted)?;
        Ok(wanted)
    });
    Ok(Json(retention.await?.into()))
}
