//! The people of the organization.

#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{User, UserDeletedObject, UserRoleUpdateRequest, UsersParams};
use crate::app::App;
use crate::domain::role::OrganizationRole;
use crate::error::{Error, Result};
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{self, List, PageParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Deleted, Json, Shown};

/// How many addresses one request may ask for.
const MOST_EMAILS: usize = 1000;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, modify, delete))
}

/// Lists the people of the organization, by id.
#[utoipa::path(
    get,
    path = "/organization/users",
    operation_id = "list-users",
    tag = "Users",
    params(PageParams, UsersParams),
    responses((status = 200, body = List<User>, description = "A page of people."), Refusals)
)]
async fn list(call: Call, query: Query) -> Result<Shown<List<User>>> {
    call.show(move |tx, organization| {
        let page = page::read(&query)?;
        let page = match query.bounded_list("emails", MOST_EMAILS)? {
            None => store::list(tx, organization, &page)?,
            Some(emails) => {
                // An address with a NUL cannot be kept, so nobody has it; PostgreSQL would not even look.
                let emails = emails.into_iter().filter(|email| !email.contains('\0'));
                let mut emails: Vec<_> = emails.map(store::fold).collect();
                emails.sort_unstable();
                emails.dedup();
                store::list_by_email(tx, organization, &emails, &page)?
            }
        };
        Ok(List::of(page, User::from))
    })
    .await
}

/// Retrieves one person.
#[utoipa::path(
    get,
    path = "/organization/users/{user_id}",
    operation_id = "retrieve-user",
    tag = "Users",
    params(("user_id" = String, Path, description = "The person's id.")),
    responses((status = 200, body = User, description = "The person."), Refusals)
)]
async fn get(call: Call, Path(id): Path<String>) -> Result<Shown<User>> {
    call.show(move |tx, organization| Ok(store::find(tx, organization, &id)?.into())).await
}

/// Changes a person's role or what they said of themselves.
#[utoipa::path(
    post,
    path = "/organization/users/{user_id}",
    operation_id = "modify-user",
    tag = "Users",
    params(("user_id" = String, Path, description = "The person's id.")),
    request_body = UserRoleUpdateRequest,
    responses((status = 200, body = User, description = "The person after the change."), Refusals)
)]
async fn modify(call: Call, Path(id): Path<String>, body: Incoming) -> Result<Json<User>> {
    let user = call.write_with::<UserRoleUpdateRequest, _, _>(body, move |tx, caller, body| {
        let user = store::find(tx, caller.organization_id(), &id)?;
        let body = body.get()?;
        let changes = store::Changes {
            name: None,
            role: wanted_role(body, caller.organization_id())?,
            technical_level: body.technical_level.clone(),
            developer_persona: body.developer_persona.clone(),
        };
        store::modify(tx, &caller.author, &user, &changes)
    });
    Ok(Json(user.await?.into()))
}

fn wanted_role(
    body: &UserRoleUpdateRequest,
    organization: &str,
) -> Result<Option<OrganizationRole>> {
    if let Some(id) = &body.role_id {
        let role = OrganizationRole::from_id(id, organization);
        return role.map(Some).ok_or_else(|| Error::not_found("Role", id).param("role_id"));
    }
    let Some(name) = &body.role else { return Ok(None) };
    let names = OrganizationRole::ALL.map(OrganizationRole::name);
    let role = OrganizationRole::from_name(name);
    role.map(Some).ok_or_else(|| Error::unsupported_value("role", name, &names))
}

/// Removes a person from the organization, with their memberships and admin keys.
#[utoipa::path(
    delete,
    path = "/organization/users/{user_id}",
    operation_id = "delete-user",
    tag = "Users",
    params(("user_id" = String, Path, description = "The person's id.")),
    responses((status = 200, body = Deleted<UserDeletedObject>, description = "The person is gone."), Refusals)
)]
async fn delete(call: Call, Path(id): Path<String>) -> Result<Json<Deleted<UserDeletedObject>>> {
    let id = call.write(move |tx, caller| {
        let user = store::find(tx, caller.organization_id(), &id)?;
        store::delete(tx, &caller.author, &user)?;
        Ok(user.id)
    });
    Ok(Json(Deleted::new(id.await?)))
}
