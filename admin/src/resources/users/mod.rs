//! The people of the organization.

pub mod departure;
pub mod event;
#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
pub mod wire;

use sql::Tx;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{User, UserDeletedObject, UserRoleUpdateRequest, UsersParams};
use crate::app::App;
use crate::domain::role::OrganizationRole;
use crate::error::{Error, Result};
use crate::holdings::{self, Kind};
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{self, List, PageParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Deleted, Json, Shown};
use crate::resources::level::Level;
use crate::resources::principals::Principal;
use crate::resources::role_assignments::store as assignments;
use crate::resources::roles::store::{self as roles, Role};

/// How many addresses one request may ask for.
const MOST_EMAILS: usize = 1000;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, modify, delete))
}

/// Lists the people of the organization, by id.
#[utoipa::path(
    get,
    path = "/v1/organization/users",
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
    path = "/v1/organization/users/{user_id}",
    operation_id = "retrieve-user",
    tag = "Users",
    params(("user_id" = String, Path, description = "The person's id.")),
    responses((status = 200, body = User, description = "The person."), Refusals)
)]
async fn get(call: Call, Path(id): Path<String>) -> Result<Shown<User>> {
    call.show(move |tx, organization| Ok(store::find(tx, organization, &id)?.into())).await
}

/// Changes a person's role or what they said of themselves. A built-in role takes the place of another, a custom one is added.
#[utoipa::path(
    post,
    path = "/v1/organization/users/{user_id}",
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
        let level = Level { organization: caller.organization_id().to_owned(), project: None };
        let role = wanted_role(tx, &level, body)?;
        if let Some(role) = &role {
            caller.may_grant(&role.permissions())?;
        }
        let built_in = role.as_ref().and_then(|role| role.built_in);
        let beside = match role.filter(|role| role.built_in.is_none()) {
            Some(role) if !has(tx, caller.organization_id(), &user, &role)? => Some(role),
            _ => None,
        };
        let changes = store::Changes {
            name: None,
            role: built_in.and_then(OrganizationRole::from_built_in),
            beside: beside.as_ref().map(|role| role.name.clone()),
            technical_level: body.technical_level.clone(),
            developer_persona: body.developer_persona.clone(),
        };
        let after = store::modify(tx, &caller.author, &user, &changes)?;
        if let Some(role) = beside {
            assignments::grant(tx, &caller.author, &level, &Principal::Person(user), &role)?;
        }
        Ok(after)
    });
    Ok(Json(user.await?.into()))
}

/// Whether somebody has this custom role themselves.
fn has(tx: &mut Tx<'_>, organization: &str, user: &store::User, role: &Role) -> Result<bool> {
    holdings::has(tx, organization, "", Kind::User, &user.id, &role.id)
}

/// The role that a request names, by id before name. A custom role is given beside those that are there.
fn wanted_role(
    tx: &mut Tx<'_>,
    level: &Level,
    body: &UserRoleUpdateRequest,
) -> Result<Option<Role>> {
    if let Some(id) = &body.role_id {
        return roles::find_named(tx, level, id, "role_id").map(Some);
    }
    let Some(name) = &body.role else { return Ok(None) };
    let names = OrganizationRole::ALL.map(OrganizationRole::name);
    let role = OrganizationRole::from_name(name);
    let role = role.ok_or_else(|| Error::unsupported_value("role", name, &names))?;
    Ok(Some(Role::of(role.into())))
}

/// Removes a person from the organization, with their memberships, groups, roles and admin keys.
#[utoipa::path(
    delete,
    path = "/v1/organization/users/{user_id}",
    operation_id = "delete-user",
    tag = "Users",
    params(("user_id" = String, Path, description = "The person's id.")),
    responses((status = 200, body = Deleted<UserDeletedObject>, description = "The person is gone."), Refusals)
)]
async fn delete(call: Call, Path(id): Path<String>) -> Result<Json<Deleted<UserDeletedObject>>> {
    let id = call.write(move |tx, caller| {
        let user = store::find(tx, caller.organization_id(), &id)?;
        departure::delete(tx, &caller.author, &user)?;
        Ok(user.id)
    });
    Ok(Json(Deleted::new(id.await?)))
}
