//! Which of the provider's own tools a project may use.

#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{ProjectHostedToolPermissions, ProjectHostedToolPermissionsUpdateRequest};
use crate::app::App;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::path::Path;
use crate::http::reply::{Json, Shown};
use crate::resources::level::At;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get, update))
}

/// Retrieves which hosted tools the project may use: all that it was not told to do without.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/hosted_tool_permissions",
    operation_id = "retrieve-project-hosted-tool-permissions",
    tag = "Hosted tools",
    params(("project_id" = String, Path, description = "The project's id.")),
    responses((status = 200, body = ProjectHostedToolPermissions, description = "The hosted tools of the project."), Refusals)
)]
async fn get(
    call: Call,
    Path(project): Path<String>,
) -> Result<Shown<ProjectHostedToolPermissions>> {
    let at = At::Project(project);
    call.show(move |tx, organization| {
        let level = at.find(tx, organization)?;
        Ok((&store::find(tx, &level)?).into())
    })
    .await
}

/// Changes which hosted tools the project may use. Those that are not named stay as they are.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/hosted_tool_permissions",
    operation_id = "update-project-hosted-tool-permissions",
    tag = "Hosted tools",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = ProjectHostedToolPermissionsUpdateRequest,
    responses((status = 200, body = ProjectHostedToolPermissions, description = "The hosted tools of the project after the change."), Refusals)
)]
async fn update(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<Json<ProjectHostedToolPermissions>> {
    let at = At::Project(project);
    let tools = call.write_with::<ProjectHostedToolPermissionsUpdateRequest, _, _>(
        body,
        move |tx, caller, body| {
            let level = at.find_active(tx, caller.organization_id())?;
            let body = body.get()?;
            store::update(tx, &caller.author, &level, &body.wanted())
        },
    );
    Ok(Json((&tools.await?).into()))
}
