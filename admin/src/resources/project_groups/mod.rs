//! Which groups are in a project.

#[cfg(test)]
pub mod seed;
mod store;
#[cfg(test)]
mod tests;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{InviteProjectGroupBody, ProjectGroup, ProjectGroupDeleted, ProjectGroupParams};
use crate::app::App;
use crate::domain::page::Order;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{NextList, OrderParams, ProjectGroupPage};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Json, Shown};
use crate::resources::level::At;
use crate::resources::{groups, projects, roles};

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get, remove))
}

/// Lists the groups that have a role in the project, by group id.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/groups",
    operation_id = "list-project-groups",
    tag = "Project groups",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ProjectGroupPage,
        OrderParams,
    ),
    responses((status = 200, body = NextList<ProjectGroup>, description = "A page of groups."), Refusals)
)]
async fn list(
    call: Call,
    Path(project): Path<String>,
    query: Query,
) -> Result<Shown<NextList<ProjectGroup>>> {
    call.show(move |tx, organization| {
        let project = projects::store::find(tx, organization, &project)?;
        let page = ProjectGroupPage::read(&query, Order::Ascending)?;
        Ok(NextList::of(store::list(tx, organization, &project.id, &page)?, ProjectGroup::from))
    })
    .await
}

/// Lets a group into the project with a role. Sending the same again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/groups",
    operation_id = "add-project-group",
    tag = "Project groups",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = InviteProjectGroupBody,
    responses((status = 200, body = ProjectGroup, description = "The group is in the project."), Refusals)
)]
async fn add(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<Json<ProjectGroup>> {
    let at = At::Project(project);
    let added = call.write_with::<InviteProjectGroupBody, _, _>(body, move |tx, caller, body| {
        let level = at.find_active(tx, caller.organization_id())?;
        let body = body.get()?;
        let group = groups::store::find(tx, caller.organization_id(), &body.group_id)
            .map_err(|error| error.param("group_id"))?;
        let role = roles::store::find_spelled(tx, &level, &body.role)
            .map_err(|error| error.param("role"))?;
        caller.may_grant(&role.permissions())?;
        store::add(tx, &caller.author, &level, group, &role)
    });
    Ok(Json(added.await?.into()))
}

/// Retrieves one group of the project.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/groups/{group_id}",
    operation_id = "retrieve-project-group",
    tag = "Project groups",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("group_id" = String, Path, description = "The group's id."),
        ProjectGroupParams,
    ),
    responses((status = 200, body = ProjectGroup, description = "The group."), Refusals)
)]
async fn get(
    call: Call,
    Path((project, group)): Path<(String, String)>,
    query: Query,
) -> Result<Shown<ProjectGroup>> {
    call.show(move |tx, organization| {
        let project = projects::store::find(tx, organization, &project)?;
        match query.one_of("group_type", &["group", "tenant_group"])? {
            // There are no groups of tenants here, so none has this id.
            Some("tenant_group") => Err(store::not_in_project(&group)),
            _ => Ok(store::find(tx, organization, &project.id, &group)?.into()),
        }
    })
    .await
}

/// Takes a group out of the project, with every role that it has there.
#[utoipa::path(
    delete,
    path = "/v1/organization/projects/{project_id}/groups/{group_id}",
    operation_id = "remove-project-group",
    tag = "Project groups",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("group_id" = String, Path, description = "The group's id."),
    ),
    responses((status = 200, body = ProjectGroupDeleted, description = "The group is out of the project."), Refusals)
)]
async fn remove(
    call: Call,
    Path((project, group)): Path<(String, String)>,
) -> Result<Json<ProjectGroupDeleted>> {
    let at = At::Project(project);
    let removed = call.write(move |tx, caller| {
        let level = at.find(tx, caller.organization_id())?;
        store::remove(tx, &caller.author, &level, &group)
    });
    removed.await?;
    Ok(Json(ProjectGroupDeleted::new()))
}
