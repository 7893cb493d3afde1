//! The projects of the organization.

#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
mod wire;

pub use self::wire::RESIDENCIES;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{Project, ProjectCreateRequest, ProjectUpdateRequest, ProjectsParams};
use crate::app::App;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::fields::NoBody;
use crate::http::page::{self, List, PageParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Json, Shown};

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, modify))
        .routes(routes!(archive))
}

/// Lists the projects of the organization, by id.
#[utoipa::path(
    get,
    path = "/v1/organization/projects",
    operation_id = "list-projects",
    tag = "Projects",
    params(PageParams, ProjectsParams),
    responses((status = 200, body = List<Project>, description = "A page of projects."), Refusals)
)]
async fn list(call: Call, query: Query) -> Result<Shown<List<Project>>> {
    call.show(move |tx, organization| {
        let with_archived = query.boolean("include_archived")?.unwrap_or(false);
        let page = store::list(tx, organization, with_archived, &page::read(&query)?)?;
        Ok(List::of(page, Project::from))
    })
    .await
}

/// Creates a project.
#[utoipa::path(
    post,
    path = "/v1/organization/projects",
    operation_id = "create-project",
    tag = "Projects",
    request_body = ProjectCreateRequest,
    responses((status = 200, body = Project, description = "The new project."), Refusals)
)]
async fn create(call: Call, body: Incoming) -> Result<Json<Project>> {
    let id = call.new_id("proj_");
    let project = call.write_with::<ProjectCreateRequest, _, _>(body, move |tx, caller, body| {
        let body = body.get()?;
        let of_geography =
            body.geography.as_deref().and_then(store::residency_of).map(str::to_owned);
        let new = store::NewProject {
            id: id.clone(),
            name: body.name.clone(),
            external_key_id: body.external_key_id.clone(),
            residency: body.residency.clone().or(of_geography),
            geography: body.geography.clone(),
        };
        store::create(tx, &caller.author, &new)
    });
    Ok(Json(project.await?.into()))
}

/// Retrieves one project, archived or not.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}",
    operation_id = "retrieve-project",
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's id.")),
    responses((status = 200, body = Project, description = "The project."), Refusals)
)]
async fn get(call: Call, Path(id): Path<String>) -> Result<Shown<Project>> {
    call.show(move |tx, organization| Ok(store::find(tx, organization, &id)?.into())).await
}

/// Changes an active project other than the default one.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}",
    operation_id = "modify-project",
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = ProjectUpdateRequest,
    responses((status = 200, body = Project, description = "The project after the change."), Refusals)
)]
async fn modify(call: Call, Path(id): Path<String>, body: Incoming) -> Result<Json<Project>> {
    let project = call.write_with::<ProjectUpdateRequest, _, _>(body, move |tx, caller, body| {
        let project = store::find_active(tx, caller.organization_id(), &id)?;
        // The state of the project comes before the faults of the body.
        let body = body.get().map_err(|fault| {
            if store::is_default(&caller.author, &project) {
                store::default_is_fixed()
            } else {
                fault
            }
        })?;
        let changes = store::Changes {
            name: body.name.clone(),
            external_key_id: body.external_key_id.clone(),
            geography: body.geography.clone(),
            residency: body.residency.clone(),
        };
        store::modify(tx, &caller.author, &project, &changes)
    });
    Ok(Json(project.await?.into()))
}

/// Archives a project, for good. An archived project is still listed on request but cannot be used or changed.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/archive",
    operation_id = "archive-project",
    tag = "Projects",
    params(("project_id" = String, Path, description = "The project's id.")),
    responses((status = 200, body = Project, description = "The archived project."), Refusals)
)]
async fn archive(call: Call, Path(id): Path<String>, body: Incoming) -> Result<Json<Project>> {
    let project = call.write_with::<NoBody, _, _>(body, move |tx, caller, body| {
        let project = store::find(tx, caller.organization_id(), &id)?;
        store::ensure_archivable(&caller.author, &project)?;
        body.get()?;
        store::archive(tx, &caller.author, project)
    });
    Ok(Json(project.await?.into()))
}
