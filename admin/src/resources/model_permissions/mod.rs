//! Which of the operator's models a project may use: a list of those that it may, or of those that it may not.

#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
pub mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{
    ProjectModelPermissions, ProjectModelPermissionsDeleted, ProjectModelPermissionsUpdateRequest,
};
use crate::app::App;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::path::Path;
use crate::http::reply::{Json, Shown};
use crate::resources::level::At;
use crate::resources::projects;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get, update, remove))
}

/// Retrieves what says which models the project may use. Where nothing does, it may use all of them, and this is a 404.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/model_permissions",
    operation_id = "retrieve-project-model-permissions",
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's id.")),
    responses((status = 200, body = ProjectModelPermissions, description = "The list."), Refusals)
)]
async fn get(call: Call, Path(project): Path<String>) -> Result<Shown<ProjectModelPermissions>> {
    call.show(move |tx, organization| {
        let project = projects::store::find(tx, organization, &project)?;
        Ok(store::find(tx, organization, &project.id)?.into())
    })
    .await
}

/// Says which models the project may use, in place of what was said before.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/model_permissions",
    operation_id = "update-project-model-permissions",
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = ProjectModelPermissionsUpdateRequest,
    responses((status = 200, body = ProjectModelPermissions, description = "The list, as it is now."), Refusals)
)]
async fn update(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<Json<ProjectModelPermissions>> {
    let at = At::Project(project);
    let updated = call.write_with::<ProjectModelPermissionsUpdateRequest, _, _>(
        body,
        move |tx, caller, body| {
            let level = at.find_active(tx, caller.organization_id())?;
            let body = body.get()?;
            store::set(tx, &caller.author, &level, body.mode, &body.model_ids)
        },
    );
    Ok(Json(updated.await?.into()))
}

/// Forgets it: the project may use every model again.
#[utoipa::path(
    delete,
    path = "/v1/organization/projects/{project_id}/model_permissions",
    operation_id = "delete-project-model-permissions",
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's id.")),
    responses((status = 200, body = ProjectModelPermissionsDeleted, description = "Nothing is said any more."), Refusals)
)]
async fn remove(
    call: Call,
    Path(project): Path<String>,
) -> Result<Json<ProjectModelPermissionsDeleted>> {
    let at = At::Project(project);
    let removed = call.write(move |tx, caller| {
        let level = at.find(tx, caller.organization_id())?;
        store::remove(tx, &caller.author, &level)
    });
    removed.await?;
    Ok(Json(ProjectModelPermissionsDeleted::new()))
}
