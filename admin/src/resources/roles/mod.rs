//! Roles of the organization and of projects: the same five operations at two levels.

pub mod changes;
#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
pub mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{Role, RoleCreateRequest, RoleDeletedObject, RoleUpdateRequest};
use crate::app::App;
use crate::domain::page::Order;
use crate::error::{Error, Result};
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{NextList, OrderParams, RolePage};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Deleted, Json, Shown};
use crate::resources::level::At;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(list_of_project, create_in_project))
        .routes(routes!(get_of_project, update_of_project, delete_of_project))
}

/// Lists the roles of the organization, built-in and custom, by id.
#[utoipa::path(
    get,
    path = "/v1/organization/roles",
    operation_id = "list-roles",
    tag = "Roles",
    params(RolePage, OrderParams),
    responses((status = 200, body = NextList<Role>, description = "A page of roles."), Refusals)
)]
async fn list(call: Call, query: Query) -> Result<Shown<NextList<Role>>> {
    list_at(call, At::Organization, query).await
}

/// Makes a role of the organization. What it permits holds in each of its projects.
#[utoipa::path(
    post,
    path = "/v1/organization/roles",
    operation_id = "create-role",
    tag = "Roles",
    request_body = RoleCreateRequest,
    responses((status = 200, body = Role, description = "The new role."), Refusals)
)]
async fn create(call: Call, body: Incoming) -> Result<Json<Role>> {
    create_at(call, At::Organization, body).await
}

/// Retrieves a role of the organization.
#[utoipa::path(
    get,
    path = "/v1/organization/roles/{role_id}",
    operation_id = "retrieve-role",
    tag = "Roles",
    params(("role_id" = String, Path, description = "The role's id; of a built-in role also its alias.")),
    responses((status = 200, body = Role, description = "The role."), Refusals)
)]
async fn get(call: Call, Path(id): Path<String>) -> Result<Shown<Role>> {
    get_at(call, At::Organization, id).await
}

/// Changes a custom role of the organization, for everybody who has it.
#[utoipa::path(
    post,
    path = "/v1/organization/roles/{role_id}",
    operation_id = "update-role",
    tag = "Roles",
    params(("role_id" = String, Path, description = "The role's id.")),
    request_body = RoleUpdateRequest,
    responses((status = 200, body = Role, description = "The role after the change."), Refusals)
)]
async fn update(call: Call, Path(id): Path<String>, body: Incoming) -> Result<Json<Role>> {
    update_at(call, At::Organization, id, body).await
}

/// Deletes a custom role of the organization, and takes it from everybody who has it.
#[utoipa::path(
    delete,
    path = "/v1/organization/roles/{role_id}",
    operation_id = "delete-role",
    tag = "Roles",
    params(("role_id" = String, Path, description = "The role's id.")),
    responses((status = 200, body = Deleted<RoleDeletedObject>, description = "The role is gone."), Refusals)
)]
async fn delete(call: Call, Path(id): Path<String>) -> Result<Json<Deleted<RoleDeletedObject>>> {
    delete_at(call, At::Organization, id).await
}

/// Lists the roles of a project, built-in and custom, by id.
#[utoipa::path(
    get,
    path = "/v1/projects/{project_id}/roles",
    operation_id = "list-project-roles",
    tag = "Roles",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        RolePage,
        OrderParams,
    ),
    responses((status = 200, body = NextList<Role>, description = "A page of roles."), Refusals)
)]
async fn list_of_project(
    call: Call,
    Path(project): Path<String>,
    query: Query,
) -> Result<Shown<NextList<Role>>> {
    list_at(call, At::Project(project), query).await
}

/// Makes a role of a project.
#[utoipa::path(
    post,
    path = "/v1/projects/{project_id}/roles",
    operation_id = "create-project-role",
    tag = "Roles",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = RoleCreateRequest,
    responses((status = 200, body = Role, description = "The new role."), Refusals)
)]
async fn create_in_project(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<Json<Role>> {
    create_at(call, At::Project(project), body).await
}

/// Retrieves a role of a project.
#[utoipa::path(
    get,
    path = "/v1/projects/{project_id}/roles/{role_id}",
    operation_id = "retrieve-project-role",
    tag = "Roles",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("role_id" = String, Path, description = "The role's id; of a built-in role also its alias."),
    ),
    responses((status = 200, body = Role, description = "The role."), Refusals)
)]
async fn get_of_project(
    call: Call,
    Path((project, id)): Path<(String, String)>,
) -> Result<Shown<Role>> {
    get_at(call, At::Project(project), id).await
}

/// Changes a custom role of a project, for everybody who has it.
#[utoipa::path(
    post,
    path = "/v1/projects/{project_id}/roles/{role_id}",
    operation_id = "update-project-role",
    tag = "Roles",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("role_id" = String, Path, description = "The role's id."),
    ),
    request_body = RoleUpdateRequest,
    responses((status = 200, body = Role, description = "The role after the change."), Refusals)
)]
async fn update_of_project(
    call: Call,
    Path((project, id)): Path<(String, String)>,
    body: Incoming,
) -> Result<Json<Role>> {
    update_at(call, At::Project(project), id, body).await
}

/// Deletes a custom role of a project, and takes it from everybody who has it.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project_id}/roles/{role_id}",
    operation_id = "delete-project-role",
    tag = "Roles",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("role_id" = String, Path, description = "The role's id."),
    ),
    responses((status = 200, body = Deleted<RoleDeletedObject>, description = "The role is gone."), Refusals)
)]
async fn delete_of_project(
    call: Call,
    Path((project, id)): Path<(String, String)>,
) -> Result<Json<Deleted<RoleDeletedObject>>> {
    delete_at(call, At::Project(project), id).await
}

async fn list_at(call: Call, at: At, query: Query) -> Result<Shown<NextList<Role>>> {
    call.show(move |tx, organization| {
        let level = at.find(tx, organization)?;
        let page = RolePage::read(&query, Order::Ascending)?;
        Ok(NextList::of(store::list(tx, &level, &page)?, |role| Role::of(role, &level)))
    })
    .await
}

async fn create_at(call: Call, at: At, body: Incoming) -> Result<Json<Role>> {
    let id = match &at {
        At::Organization => call.new_hex_id("role_"),
        At::Project(project) => call.new_hex_id(&format!("role_{project}~")),
    };
    let role = call.write_with::<RoleCreateRequest, _, _>(body, move |tx, caller, body| {
        let level = at.find_active(tx, caller.organization_id())?;
        let body = body.get()?;
        let new = changes::NewRole {
            id: id.clone(),
            name: body.role_name.clone(),
            description: body.description.clone(),
            tokens: body.permissions.clone(),
        };
        caller.may_grant(&new.tokens.iter().map(String::as_str).collect())?;
        Ok(Role::of(changes::create(tx, &caller.author, &level, &new)?, &level))
    });
    Ok(Json(role.await?))
}

async fn get_at(call: Call, at: At, id: String) -> Result<Shown<Role>> {
    call.show(move |tx, organization| {
        let level = at.find(tx, organization)?;
        Ok(Role::of(store::find(tx, &level, &id)?, &level))
    })
    .await
}

async fn update_at(call: Call, at: At, id: String, body: Incoming) -> Result<Json<Role>> {
    let role = call.write_with::<RoleUpdateRequest, _, _>(body, move |tx, caller, body| {
        let level = at.find_active(tx, caller.organization_id())?;
        let role = store::find(tx, &level, &id)?;
        refuse_built_in(&role, "changed")?;
        let wanted = body.get()?.changes();
        caller.may_grant(&changes::added(&role, &wanted))?;
        Ok(Role::of(changes::update(tx, &caller.author, &level, role, &wanted)?, &level))
    });
    Ok(Json(role.await?))
}

async fn delete_at(call: Call, at: At, id: String) -> Result<Json<Deleted<RoleDeletedObject>>> {
    let id = call.write(move |tx, caller| {
        // What was frozen with its project may go all the same.
        let level = at.find(tx, caller.organization_id())?;
        let role = store::find(tx, &level, &id)?;
        refuse_built_in(&role, "deleted")?;
        changes::delete(tx, &caller.author, &level, &role)?;
        Ok(role.id)
    });
    Ok(Json(Deleted::new(id.await?)))
}

fn refuse_built_in(role: &store::Role, what: &str) -> Result<()> {
    match role.built_in {
        Some(role) => Err(Error::built_in_role(role.name(), what)),
        None => Ok(()),
    }
}
