//! How much may be spent in a month: by the organization, and by each project.

#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
pub mod wire;

use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{
    OrganizationSpendLimit, OrganizationSpendLimitDeleted, ProjectSpendLimit,
    ProjectSpendLimitDeleted, SpendLimit, SpendLimitBody, SpendLimitDeleted,
};
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
    OpenApiRouter::new().routes(routes!(get, update, delete)).routes(routes!(
        get_of_project,
        update_of_project,
        delete_of_project
    ))
}

/// Retrieves the organization's limit, if it has one.
#[utoipa::path(
    get,
    path = "/v1/organization/spend_limit",
    operation_id = "Getorganizationspendlimit",
    tag = "Spend limits",
    responses((status = 200, body = SpendLimit<OrganizationSpendLimit>, description = "The limit."), Refusals)
)]
async fn get(call: Call) -> Result<Shown<SpendLimit<OrganizationSpendLimit>>> {
    get_at(call, At::Organization).await
}

/// Sets the organization's limit, in place of the one that it has.
#[utoipa::path(
    post,
    path = "/v1/organization/spend_limit",
    operation_id = "Updateorganizationspendlimit",
    tag = "Spend limits",
    request_body = SpendLimitBody,
    responses((status = 200, body = SpendLimit<OrganizationSpendLimit>, description = "The limit."), Refusals)
)]
async fn update(call: Call, body: Incoming) -> Result<Json<SpendLimit<OrganizationSpendLimit>>> {
    update_at(call, At::Organization, body).await
}

/// Takes the organization's limit away.
#[utoipa::path(
    delete,
    path = "/v1/organization/spend_limit",
    operation_id = "Deleteorganizationspendlimit",
    tag = "Spend limits",
    responses((status = 200, body = SpendLimitDeleted<OrganizationSpendLimitDeleted>, description = "There is no limit any more."), Refusals)
)]
async fn delete(call: Call) -> Result<Json<SpendLimitDeleted<OrganizationSpendLimitDeleted>>> {
    delete_at(call, At::Organization).await
}

/// Retrieves a project's limit, if it has one.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/spend_limit",
    operation_id = "Getprojectspendlimit",
    tag = "Spend limits",
    params(("project_id" = String, Path, description = "The project's id.")),
    responses((status = 200, body = SpendLimit<ProjectSpendLimit>, description = "The limit."), Refusals)
)]
async fn get_of_project(
    call: Call,
    Path(project): Path<String>,
) -> Result<Shown<SpendLimit<ProjectSpendLimit>>> {
    get_at(call, At::Project(project)).await
}

/// Sets a project's limit, in place of the one that it has.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/spend_limit",
    operation_id = "Updateprojectspendlimit",
    tag = "Spend limits",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = SpendLimitBody,
    responses((status = 200, body = SpendLimit<ProjectSpendLimit>, description = "The limit."), Refusals)
)]
async fn update_of_project(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<Json<SpendLimit<ProjectSpendLimit>>> {
    update_at(call, At::Project(project), body).await
}

/// Takes a project's limit away.
#[utoipa::path(
    delete,
    path = "/v1/organization/projects/{project_id}/spend_limit",
    operation_id = "Deleteprojectspendlimit",
    tag = "Spend limits",
    params(("project_id" = String, Path, description = "The project's id.")),
    responses((status = 200, body = SpendLimitDeleted<ProjectSpendLimitDeleted>, description = "There is no limit any more."), Refusals)
)]
async fn delete_of_project(
    call: Call,
    Path(project): Path<String>,
) -> Result<Json<SpendLimitDeleted<ProjectSpendLimitDeleted>>> {
    delete_at(call, At::Project(project)).await
}

async fn get_at<O: Default + Serialize>(call: Call, at: At) -> Result<Shown<SpendLimit<O>>> {
    let now = call.now();
    // Whether a limit is reached depends on the month.
    call.show_now(move |tx, organization| {
        let level = at.find(tx, organization)?;
        let limit = store::find(tx, &level)?;
        Ok(SpendLimit::of(limit, store::spent(tx, &level, now)?))
    })
    .await
}

async fn update_at<O: Default>(call: Call, at: At, body: Incoming) -> Result<Json<SpendLimit<O>>> {
    let state = call.write_with::<SpendLimitBody, _, _>(body, move |tx, caller, body| {
        let level = at.find_active(tx, caller.organization_id())?;
        let limit = body.get()?.threshold_amount;
        store::set(tx, &caller.author, &level, limit)?;
        Ok((limit, store::spent(tx, &level, caller.author.now)?))
    });
    let (limit, spent) = state.await?;
    Ok(Json(SpendLimit::of(limit, spent)))
}

async fn delete_at<O: Default>(call: Call, at: At) -> Result<Json<SpendLimitDeleted<O>>> {
    call.write(move |tx, caller| {
        // What was frozen with its project may go all the same.
        let level = at.find(tx, caller.organization_id())?;
        store::delete(tx, &caller.author, &level)
    })
    .await?;
    Ok(Json(SpendLimitDeleted::default()))
}
