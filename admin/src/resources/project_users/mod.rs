//! Who is in a project.

#[cfg(test)]
pub mod seed;
pub mod shown;
pub mod store;
#[cfg(test)]
mod tests;
mod wire;

use sql::Tx;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{
    ProjectUser, ProjectUserCreateRequest, ProjectUserDeletedObject, ProjectUserUpdateRequest, Who,
};
use crate::app::App;
use crate::domain::role::BuiltIn;
use crate::error::{Error, Result};
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::copied::CopiedList;
use crate::http::envelope::Refusals;
use crate::http::page::{self, List, PageParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Deleted, Json, Shown};
use crate::resources::{projects, users};

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, modify, delete))
}

/// Lists who is in the project, by user id. Only direct members are listed.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/users",
    operation_id = "list-project-users",
    tag = "Project users",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        PageParams,
    ),
    responses((status = 200, body = List<ProjectUser>, description = "A page of members."), Refusals)
)]
async fn list(
    call: Call,
    Path(project): Path<String>,
    query: Query,
) -> Result<Shown<List<ProjectUser>>> {
    call.show_copied(move |tx, organization| match page::read(&query) {
        Ok(page) => {
            let mut list = CopiedList::of(&page);
            store::list(tx, organization, &project, &page, |id, rest| {
                list.row(id, |out| ProjectUser::copy(out, id, rest));
            })?;
            list.end()
        }
        Err(error) => {
            // What is wrong with the project is told before what is wrong with the query.
            projects::store::find_active(tx, organization, &project).and(Err(error))
        }
    })
    .await
}

/// Adds a user of the organization to the project.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/users",
    operation_id = "create-project-user",
    tag = "Project users",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = ProjectUserCreateRequest,
    responses((status = 200, body = ProjectUser, description = "The new member."), Refusals)
)]
async fn create(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<Shown<ProjectUser>> {
    let member =
        call.write_with::<ProjectUserCreateRequest, _, _>(body, move |tx, caller, body| {
            let project = projects::store::find_active(tx, caller.organization_id(), &project)?;
            let body = body.get()?;
            let user = named_user(tx, caller.organization_id(), &body.who()?)?;
            caller.may_grant(BuiltIn::from(body.role).permissions())?;
            store::add(tx, &caller.author, &project, &user, body.role)
        });
    Ok(ProjectUser::of(&member.await?).into())
}

fn named_user(tx: &mut Tx<'_>, organization: &str, who: &Who) -> Result<users::store::User> {
    match who {
        Who::Id(id) => {
            let error = || Error::not_found("User", id).code("user_not_found").param("user_id");
            users::store::find_if_any(tx, organization, id)?.ok_or_else(error)
        }
        Who::Email(email) => {
            let message = format!(
                "User with e-mail address {email} not found in the organization. Invite them first."
            );
            let error = || Error::invalid("user_not_found", message).param("email");
            users::store::find_by_email(tx, organization, email)?.ok_or_else(error)
        }
    }
}

/// Retrieves one member.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/users/{user_id}",
    operation_id = "retrieve-project-user",
    tag = "Project users",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("user_id" = String, Path, description = "The person's id."),
    ),
    responses((status = 200, body = ProjectUser, description = "The member."), Refusals)
)]
async fn get(
    call: Call,
    Path((project, user)): Path<(String, String)>,
) -> Result<Shown<ProjectUser>> {
    call.show_copied(move |tx, organization| {
        let gone = || store::not_a_member(&project, &user);
        let project = projects::store::find_inhabited(tx, organization, &project, gone)?;
        Ok(ProjectUser::of(&store::find(tx, organization, &project.id, &user)?))
    })
    .await
}

/// Changes a member's role in the project.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/users/{user_id}",
    operation_id = "modify-project-user",
    tag = "Project users",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("user_id" = String, Path, description = "The person's id."),
    ),
    request_body = ProjectUserUpdateRequest,
    responses((status = 200, body = ProjectUser, description = "The member after the change."), Refusals)
)]
async fn modify(
    call: Call,
    Path((project, user)): Path<(String, String)>,
    body: Incoming,
) -> Result<Shown<ProjectUser>> {
    let member =
        call.write_with::<ProjectUserUpdateRequest, _, _>(body, move |tx, caller, body| {
            let project = projects::store::find_active(tx, caller.organization_id(), &project)?;
            let member = store::find(tx, caller.organization_id(), &project.id, &user)?;
            let Some(role) = body.get()?.role else { return Ok(member) };
            caller.may_grant(BuiltIn::from(role).permissions())?;
            store::modify(tx, &caller.author, &project, member, role)
        });
    Ok(ProjectUser::of(&member.await?).into())
}

/// Takes a member out of the project.
#[utoipa::path(
    delete,
    path = "/v1/organization/projects/{project_id}/users/{user_id}",
    operation_id = "delete-project-user",
    tag = "Project users",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("user_id" = String, Path, description = "The person's id."),
    ),
    responses((status = 200, body = Deleted<ProjectUserDeletedObject>, description = "The member is gone."), Refusals)
)]
async fn delete(
    call: Call,
    Path((project, user)): Path<(String, String)>,
) -> Result<Json<Deleted<ProjectUserDeletedObject>>> {
    let id = call.write(move |tx, caller| {
        let gone = || store::not_a_member(&project, &user);
        let project =
            projects::store::find_inhabited(tx, caller.organization_id(), &project, gone)?;
        store::remove(tx, &caller.author, &project, &user)?;
        Ok(user.clone())
    });
    Ok(Json(Deleted::new(id.await?)))
}
