//! The roles of people and service accounts.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::wire::{
    AssignedRoleDetails, RoleAssignRequest, RoleUnassigned, UserRoleAssignment,
    UserRoleDeletedObject,
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

/// Lists the roles that a person or service account has in the organization, its own and those of its groups, by id.
#[utoipa::path(
    get,
    path = "/v1/organization/users/{user_id}/roles",
    operation_id = "list-user-role-assignments",
    tag = "User organization role assignments",
    params(
        ("user_id" = String, Path, description = "The id of the person or service account."),
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
    super::list(call, At::Organization, Wanted::User(id), query).await
}

/// Gives a person or service account a role in the organization, beside those that are there.
#[utoipa::path(
    post,
    path = "/v1/organization/users/{user_id}/roles",
    operation_id = "assign-user-role",
    tag = "User organization role assignments",
    params(
        ("user_id" = String, Path, description = "The id of the person or service account."),
    ),
    request_body = RoleAssignRequest,
    responses((status = 200, body = UserRoleAssignment, description = "The user and the role."), Refusals)
)]
async fn assign(
    call: Call,
    Path(id): Path<String>,
    body: Incoming,
) -> Result<Json<UserRoleAssignment>> {
    super::assign(call, At::Organization, Wanted::User(id), body).await
}

/// Retrieves a role that a person or service account has in the organization itself.
#[utoipa::path(
    get,
    path = "/v1/organization/users/{user_id}/roles/{role_id}",
    operation_id = "retrieve-user-role",
    tag = "User organization role assignments",
    params(
        ("user_id" = String, Path, description = "The id of the person or service account."),
        ("role_id" = String, Path, description = "The role's id; of a built-in role also its alias."),
    ),
    responses((status = 200, body = AssignedRoleDetails, description = "The role."), Refusals)
)]
async fn get(
    call: Call,
    Path((id, role)): Path<(String, String)>,
) -> Result<Shown<AssignedRoleDetails>> {
    super::get(call, At::Organization, Wanted::User(id), role).await
}

/// Takes a role in the organization from a person or service account.
#[utoipa::path(
    delete,
    path = "/v1/organization/users/{user_id}/roles/{role_id}",
    operation_id = "unassign-user-role",
    tag = "User organization role assignments",
    params(
        ("user_id" = String, Path, description = "The id of the person or service account."),
        ("role_id" = String, Path, description = "The role's id; of a built-in role also its alias."),
    ),
    responses((status = 200, body = RoleUnassigned<UserRoleDeletedObject>, description = "The role is taken."), Refusals)
)]
async fn unassign(
    call: Call,
    Path((id, role)): Path<(String, String)>,
) -> Result<Json<RoleUnassigned<UserRoleDeletedObject>>> {
    super::unassign(call, At::Organization, Wanted::User(id), role).await
}

/// Lists the roles that a person or service account has in a project, its own and those of its groups, by id.
#[utoipa::path(
    get,
    path = "/v1/projects/{project_id}/users/{user_id}/roles",
    operation_id = "list-project-user-role-assignments",
    tag = "Project user role assignments",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("user_id" = String, Path, description = "The id of the person or service account."),
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
    super::list(call, At::Project(project), Wanted::User(id), query).await
}

/// Gives a person or service account a role in a project, beside those that are there.
#[utoipa::path(
    post,
    path = "/v1/projects/{project_id}/users/{user_id}/roles",
    operation_id = "assign-project-user-role",
    tag = "Project user role assignments",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("user_id" = String, Path, description = "The id of the person or service account."),
    ),
    request_body = RoleAssignRequest,
    responses((status = 200, body = UserRoleAssignment, description = "The user and the role."), Refusals)
)]
async fn assign_in_project(
    call: Call,
    Path((project, id)): Path<(String, String)>,
    body: Incoming,
) -> Result<Json<UserRoleAssignment>> {
    super::assign(call, At::Project(project), Wanted::User(id), body).await
}

/// Retrieves a role that a person or service account has in a project itself.
#[utoipa::path(
    get,
    path = "/v1/projects/{project_id}/users/{user_id}/roles/{role_id}",
    operation_id = "retrieve-project-user-role",
    tag = "Project user role assignments",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("user_id" = String, Path, description = "The id of the person or service account."),
        ("role_id" = String, Path, description = "The role's id; of a built-in role also its alias."),
    ),
    responses((status = 200, body = AssignedRoleDetails, description = "The role."), Refusals)
)]
async fn get_in_project(
    call: Call,
    Path((project, id, role)): Path<(String, String, String)>,
) -> Result<Shown<AssignedRoleDetails>> {
    super::get(call, At::Project(project), Wanted::User(id), role).await
}

/// Takes a role in a project from a person or service account.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project_id}/users/{user_id}/roles/{role_id}",
    operation_id = "unassign-project-user-role",
    tag = "Project user role assignments",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("user_id" = String, Path, description = "The id of the person or service account."),
        ("role_id" = String, Path, description = "The role's id; of a built-in role also its alias."),
    ),
    responses((status = 200, body = RoleUnassigned<UserRoleDeletedObject>, description = "The role is taken."), Refusals)
)]
async fn unassign_in_project(
    call: Call,
    Path((project, id, role)): Path<(String, String, String)>,
) -> Result<Json<RoleUnassigned<UserRoleDeletedObject>>> {
    super::unassign(call, At::Project(project), Wanted::User(id), role).await
}
