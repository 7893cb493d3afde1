//! Groups of people and service accounts.

#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
pub mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{CreateGroupBody, GroupDeletedObject, GroupResponse, UpdateGroupBody};
use crate::app::App;
use crate::domain::page::Order;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{GroupPage, NextList, OrderParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Deleted, Json, Shown};

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update, delete))
}

/// Lists the groups of the organization, by id.
#[utoipa::path(
    get,
    path = "/v1/organization/groups",
    operation_id = "list-groups",
    tag = "Groups",
    params(GroupPage, OrderParams),
    responses((status = 200, body = NextList<GroupResponse>, description = "A page of groups."), Refusals)
)]
async fn list(call: Call, query: Query) -> Result<Shown<NextList<GroupResponse>>> {
    call.show(move |tx, organization| {
        let page = GroupPage::read(&query, Order::Ascending)?;
        Ok(NextList::of(store::list(tx, organization, &page)?, GroupResponse::from))
    })
    .await
}

/// Creates a group. Several may have one name.
#[utoipa::path(
    post,
    path = "/v1/organization/groups",
    operation_id = "create-group",
    tag = "Groups",
    request_body = CreateGroupBody,
    responses((status = 200, body = GroupResponse, description = "The new group."), Refusals)
)]
async fn create(call: Call, body: Incoming) -> Result<Json<GroupResponse>> {
    let id = call.new_hex_id("");
    let group = call.write_with::<CreateGroupBody, _, _>(body, move |tx, caller, body| {
        store::create(tx, &caller.author, &id, &body.get()?.name)
    });
    Ok(Json(group.await?.into()))
}

/// Retrieves one group.
#[utoipa::path(
    get,
    path = "/v1/organization/groups/{group_id}",
    operation_id = "retrieve-group",
    tag = "Groups",
    params(("group_id" = String, Path, description = "The group's id.")),
    responses((status = 200, body = GroupResponse, description = "The group."), Refusals)
)]
async fn get(call: Call, Path(id): Path<String>) -> Result<Shown<GroupResponse>> {
    call.show(move |tx, organization| Ok(store::find(tx, organization, &id)?.into())).await
}

/// Gives a group another name.
#[utoipa::path(
    post,
    path = "/v1/organization/groups/{group_id}",
    operation_id = "update-group",
    tag = "Groups",
    params(("group_id" = String, Path, description = "The group's id.")),
    request_body = UpdateGroupBody,
    responses((status = 200, body = GroupResponse, description = "The group after the change."), Refusals)
)]
async fn update(call: Call, Path(id): Path<String>, body: Incoming) -> Result<Json<GroupResponse>> {
    let group = call.write_with::<UpdateGroupBody, _, _>(body, move |tx, caller, body| {
        let group = store::find(tx, caller.organization_id(), &id)?;
        store::rename(tx, &caller.author, group, &body.get()?.name)
    });
    Ok(Json(group.await?.into()))
}

/// Deletes a group. Whoever was in it loses what they had through it.
#[utoipa::path(
    delete,
    path = "/v1/organization/groups/{group_id}",
    operation_id = "delete-group",
    tag = "Groups",
    params(("group_id" = String, Path, description = "The group's id.")),
    responses((status = 200, body = Deleted<GroupDeletedObject>, description = "The group is gone."), Refusals)
)]
async fn delete(call: Call, Path(id): Path<String>) -> Result<Json<Deleted<GroupDeletedObject>>> {
    let id = call.write(move |tx, caller| {
        let group = store::find(tx, caller.organization_id(), &id)?;
        store::delete(tx, &caller.author, &group)?;
        Ok(group.id)
    });
    Ok(Json(Deleted::new(id.await?)))
}
