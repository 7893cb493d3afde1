//! The roles of groups.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::wire::{
    AssignedRoleDetails, GroupRoleAssignment, GroupRoleDeletedObject, RoleAssignRequest,
    RoleUnassigned,
};
use crate::app::App;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{AssignmentPage, NextList, UnstatedOrderParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Json, Shown};
use crate::resources::level::At;
use crate::resources::principals::Wanted;

/// The routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, assign))
        .routes(routes!(get, unassign))
        .routes(routes!(list_in_project, assign_in_project))
        .routes(routes!(get_in_project, unassign_in_project))
}

/// Lists the roles that a group has in the organization, by id.
#[utoipa::path(
    get,
    path = "/v1/organization/groups/{group_id}/roles",
    operation_id = "list-group-role-assignments",
    tag = "Group organization role assignments",
    params(
        ("group_id" = String, Path, description = "The group's id."),
        AssignmentPage,
        UnstatedOrderParams,
    ),
    responses((status = 200, body = NextList<AssignedRoleDetails>, description = "A page of roles."), Refusals)
)]
async fn list(
    call: Call,
    Path(id): Path<String>,
    query: Query,
) -> Result<Shown<NextList<AssignedRoleDetails>>> {
    super::list(call, At::Organization, Wanted::Group(id), query).await
}

/// Gives a group a role in the organization, beside those that are there.
#[utoipa::path(
    post,
    path = "/v1/organization/groups/{group_id}/roles",
    operation_id = "assign-group-role",
    tag = "Group organization role assignments",
    params(
        ("group_id" = String, Path, description = "The group's id."),
    ),
    request_body = RoleAssignRequest,
    responses((status = 200, body = GroupRoleAssignment, description = "The group and the role."), Refusals)
)]
async fn assign(
    call: Call,
    Path(id): Path<String>,
    body: Incoming,
) -> Result<Json<GroupRoleAssignment>> {
    super::assign(call, At::Organization, Wanted::Group(id), body).await
}

/// Retrieves a role that a group has in the organization itself.
#[utoipa::path(
    get,
    path = "/v1/organization/groups/{group_id}/roles/{role_id}",
    operation_id = "retrieve-group-role",
    tag = "Group organization role assignments",
    params(
        ("group_id" = String, Path, description = "The group's id."),
        ("role_id" = String, Path, description = "The role's id; of a built-in role also its alias."),
    ),
    responses((status = 200, body = AssignedRoleDetails, description = "The role."), Refusals)
)]
async fn get(
    call: Call,
    Path((id, role)): Path<(String, String)>,
) -> Result<Shown<AssignedRoleDetails>> {
    super::get(call, At::Organization, Wanted::Group(id), role).await
}

/// Takes a role in the organization from a group.
#[utoipa::path(
    delete,
    path = "/v1/organization/groups/{group_id}/roles/{role_id}",
    operation_id = "unassign-group-role",
    tag = "Group organization role assignments",
    params(
        ("group_id" = String, Path, description = "The group's id."),
        ("role_id" = String, Path, description = "The role's id; of a built-in role also its alias."),
    ),
    responses((status = 200, body = RoleUnassigned<GroupRoleDeletedObject>, description = "The role is taken."), Refusals)
)]
async fn unassign(
    call: Call,
    Path((id, role)): Path<(String, String)>,
) -> Result<Json<RoleUnassigned<GroupRoleDeletedObject>>> {
    super::unassign(call, At::Organization, Wanted::Group(id), role).await
}

/// Lists the roles that a group has in a project, by id.
#[utoipa::path(
    get,
    path = "/v1/projects/{project_id}/groups/{group_id}/roles",
    operation_id = "list-project-group-role-assignments",
    tag = "Project group role assignments",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("group_id" = String, Path, description = "The group's id."),
        AssignmentPage,
        UnstatedOrderParams,
    ),
    responses((status = 200, body = NextList<AssignedRoleDetails>, description = "A page of roles."), Refusals)
)]
async fn list_in_project(
    call: Call,
    Path((project, id)): Path<(String, String)>,
    query: Query,
) -> Result<Shown<NextList<AssignedRoleDetails>>> {
    super::list(call, At::Project(project), Wanted::Group(id), query).await
}

/// Gives a group a role in a project, beside those that are there.
#[utoipa::path(
    post,
    path = "/v1/projects/{project_id}/groups/{group_id}/roles",
    operation_id = "assign-project-group-role",
    tag = "Project group role assignments",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("group_id" = String, Path, description = "The group's id."),
    ),
    request_body = RoleAssignRequest,
    responses((status = 200, body = GroupRoleAssignment, description = "The group and the role."), Refusals)
)]
async fn assign_in_project(
    call: Call,
    Path((project, id)): Path<(String, String)>,
    body: Incoming,
) -> Result<Json<GroupRoleAssignment>> {
    super::assign(call, At::Project(project), Wanted::Group(id), body).await
}

/// Retrieves a role that a group has in a project itself.
#[utoipa::path(
    get,
    path = "/v1/projects/{project_id}/groups/{group_id}/roles/{role_id}",
    operation_id = "retrieve-project-group-role",
    tag = "Project group role assignments",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("group_id" = String, Path, description = "The group's id."),
        ("role_id" = String, Path, description = "The role's id; of a built-in role also its alias."),
    ),
    responses((status = 200, body = AssignedRoleDetails, description = "The role."), Refusals)
)]
async fn get_in_project(
    call: Call,
    Path((project, id, role)): Path<(String, String, String)>,
) -> Result<Shown<AssignedRoleDetails>> {
    super::get(call, At::Project(project), Wanted::Group(id), role).await
}

/// Takes a role in a project from a group.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project_id}/groups/{group_id}/roles/{role_id}",
    operation_id = "unassign-project-group-role",
    tag = "Project group role assignments",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("group_id" = String, Path, description = "The group's id."),
        ("role_id" = String, Path, description = "The role's id; of a built-in role also its alias."),
    ),
    responses((status = 200, body = RoleUnassigned<GroupRoleDeletedObject>, description = "The role is taken."), Refusals)
)]
async fn unassign_in_project(
    call: Call,
    Path((project, id, role)): Path<(String, String, String)>,
) -> Result<Json<RoleUnassigned<GroupRoleDeletedObject>>> {
    super::unassign(call, At::Project(project), Wanted::Group(id), role).await
}
