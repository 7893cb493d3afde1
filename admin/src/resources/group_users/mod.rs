//! Who is in a group.

#[cfg(test)]
pub mod seed;
mod store;
#[cfg(test)]
mod tests;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{
    CreateGroupUserBody, GroupMemberUser, GroupUser, GroupUserAssignment, GroupUserDeleted,
};
use crate::app::App;
use crate::domain::page::Order;
use crate::error::{Error, Result};
use crate::holdings;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{DescendingOrderParams, GroupPage, NextList};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Json, Shown};
use crate::resources::{groups, principals};

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get, remove))
}

/// Lists the people and service accounts in a group, by id.
#[utoipa::path(
    get,
    path = "/v1/organization/groups/{group_id}/users",
    operation_id = "list-group-users",
    tag = "Group users",
    params(
        ("group_id" = String, Path, description = "The group's id."),
        GroupPage,
        DescendingOrderParams,
    ),
    responses((status = 200, body = NextList<GroupUser>, description = "A page of who is in the group."), Refusals)
)]
async fn list(
    call: Call,
    Path(group): Path<String>,
    query: Query,
) -> Result<Shown<NextList<GroupUser>>> {
    call.show(move |tx, organization| match GroupPage::read(&query, Order::Descending) {
        Ok(page) => {
            Ok(NextList::of(store::list(tx, organization, &group, &page)?, GroupUser::from))
        }
        // That there is no such group is told before what is wrong with the query.
        Err(error) => groups::store::find(tx, organization, &group).and(Err(error)),
    })
    .await
}

/// Adds a person of the organization to a group, or a service account of any of its projects. Adding again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/organization/groups/{group_id}/users",
    operation_id = "add-group-user",
    tag = "Group users",
    params(("group_id" = String, Path, description = "The group's id.")),
    request_body = CreateGroupUserBody,
    responses((status = 200, body = GroupUserAssignment, description = "They are in the group."), Refusals)
)]
async fn add(
    call: Call,
    Path(group): Path<String>,
    body: Incoming,
) -> Result<Json<GroupUserAssignment>> {
    let added = call.write_with::<CreateGroupUserBody, _, _>(body, move |tx, caller, body| {
        let organization = caller.organization_id();
        let group = groups::store::find(tx, organization, &group)?;
        let id = &body.get()?.user_id;
        let unknown = || Error::not_found("User", id).code("user_not_found").param("user_id");
        let user = principals::find_user(tx, organization, id)?.ok_or_else(unknown)?;
        // Whoever joins gets everything that the group has.
        caller.may_grant_with(|| {
            let grants = holdings::grants_of_group_anywhere(tx, organization, &group.id)?;
            Ok(holdings::effective(&[], &grants))
        })?;
        store::add(tx, &caller.author, &group, &user)?;
        Ok(GroupUserAssignment::new(user.id(), &group.id))
    });
    Ok(Json(added.await?))
}

/// Retrieves somebody who is in a group.
#[utoipa::path(
    get,
    path = "/v1/organization/groups/{group_id}/users/{user_id}",
    operation_id = "retrieve-group-user",
    tag = "Group users",
    params(
        ("group_id" = String, Path, description = "The group's id."),
        ("user_id" = String, Path, description = "The id of the person or service account."),
    ),
    responses((status = 200, body = GroupMemberUser, description = "Who it is."), Refusals)
)]
async fn get(
    call: Call,
    Path((group, user)): Path<(String, String)>,
) -> Result<Shown<GroupMemberUser>> {
    call.show(move |tx, organization| {
        let group = groups::store::find(tx, organization, &group)?;
        Ok(store::find(tx, organization, &group.id, &user)?.into())
    })
    .await
}

/// Takes somebody out of a group. They lose what they had through it.
#[utoipa::path(
    delete,
    path = "/v1/organization/groups/{group_id}/users/{user_id}",
    operation_id = "remove-group-user",
    tag = "Group users",
    params(
        ("group_id" = String, Path, description = "The group's id."),
        ("user_id" = String, Path, description = "The id of the person or service account."),
    ),
    responses((status = 200, body = GroupUserDeleted, description = "They are out of the group."), Refusals)
)]
async fn remove(
    call: Call,
    Path((group, user)): Path<(String, String)>,
) -> Result<Json<GroupUserDeleted>> {
    let removed = call.write(move |tx, caller| {
        let group = groups::store::find(tx, caller.organization_id(), &group)?;
        store::remove(tx, &caller.author, &group, &user)
    });
    removed.await?;
    Ok(Json(GroupUserDeleted::new()))
}
