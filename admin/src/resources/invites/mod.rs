//! Invitations to the organization, and the pages on which they are accepted.

mod acceptance;
#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
mod wire;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{Invite, InviteDeletedObject, InviteLink, InviteRequest};
use crate::app::App;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::fields::NoBody;
use crate::http::page::{self, List, PageParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Deleted, Json, SecretJson, Shown};
use crate::resources::projects;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, delete))
}

/// The operations of this resource that the published API does not have.
pub fn own_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_link))
}

/// The pages for those who are invited. Whoever has the link needs no key.
pub fn pages() -> Router<App> {
    acceptance::routes()
}

/// Lists every invitation, accepted and expired ones too, by id.
#[utoipa::path(
    get,
    path = "/v1/organization/invites",
    operation_id = "list-invites",
    tag = "Invites",
    params(PageParams),
    responses((status = 200, body = List<Invite>, description = "A page of invitations."), Refusals)
)]
async fn list(call: Call, query: Query) -> Result<Shown<List<Invite>>> {
    let now = call.now();
    call.show_now(move |tx, organization| {
        let page = page::read(&query)?;
        Ok(List::of(store::list(tx, organization, &page)?, |invite| Invite::at(invite, now)))
    })
    .await
}

/// Invites somebody. Nothing is sent: a link for them is made by another operation.
#[utoipa::path(
    post,
    path = "/v1/organization/invites",
    operation_id = "inviteUser",
    tag = "Invites",
    request_body = InviteRequest,
    responses((status = 200, body = Invite, description = "The invitation."), Refusals)
)]
async fn create(call: Call, body: Incoming) -> Result<Json<Invite>> {
    let (id, now) = (call.new_id("invite-"), call.now());
    let expires_at = now + call.settings().invite_lifetime;
    let invite = call.write_with::<InviteRequest, _, _>(body, move |tx, caller, body| {
        let invite = body.get()?.invite(&id, caller.organization(), now, expires_at);
        let named: Vec<_> = invite.projects.iter().map(|project| project.id.as_str()).collect();
        let projects = projects::store::find_several(tx, caller.organization_id(), &named)?;
        store::ensure_active(&invite, &projects)?;
        caller.may_grant_with(|| Ok(invite.permissions()))?;
        store::create(tx, &caller.author, invite)
    });
    Ok(Json(Invite::at(invite.await?, now)))
}

/// Retrieves one invitation.
#[utoipa::path(
    get,
    path = "/v1/organization/invites/{invite_id}",
    operation_id = "retrieve-invite",
    tag = "Invites",
    params(("invite_id" = String, Path, description = "The invitation's id.")),
    responses((status = 200, body = Invite, description = "The invitation."), Refusals)
)]
async fn get(call: Call, Path(id): Path<String>) -> Result<Shown<Invite>> {
    let now = call.now();
    call.show_now(move |tx, organization| Ok(Invite::at(store::find(tx, organization, &id)?, now)))
        .await
}

/// Takes an invitation back. Its link is dead at the next request.
#[utoipa::path(
    delete,
    path = "/v1/organization/invites/{invite_id}",
    operation_id = "delete-invite",
    tag = "Invites",
    params(("invite_id" = String, Path, description = "The invitation's id.")),
    responses((status = 200, body = Deleted<InviteDeletedObject>, description = "The invitation is gone."), Refusals)
)]
async fn delete(call: Call, Path(id): Path<String>) -> Result<Json<Deleted<InviteDeletedObject>>> {
    let id = call.write(move |tx, caller| {
        let invite = store::find(tx, caller.organization_id(), &id)?;
        store::delete(tx, &caller.author, &invite)?;
        Ok(invite.id)
    });
    Ok(Json(Deleted::new(id.await?)))
}

/// Makes the link with which an invitation is accepted. It is in this answer and nowhere else, and the one before it is dead.
#[utoipa::path(
    post,
    path = "/rollbook/v1/invites/{invite_id}/link",
    operation_id = "createInviteLink",
    tag = "Invites",
    params(("invite_id" = String, Path, description = "The invitation's id.")),
    responses((status = 200, body = InviteLink, description = "The link."), Refusals)
)]
async fn create_link(
    call: Call,
    Path(id): Path<String>,
    body: Incoming,
) -> Result<SecretJson<InviteLink>> {
    let (token, now) = (call.new_key(""), call.now());
    let (hash, public_url) = (token.hash(), call.settings().public_url.clone());
    let invite = call.write_with::<NoBody, _, _>(body, move |tx, caller, body| {
        let invite = store::find(tx, caller.organization_id(), &id)?;
        store::ensure_open(&invite, now)?;
        body.get()?;
        // Who has the link can become what the invitation says, whoever made that.
        caller.may_grant_with(|| Ok(invite.permissions()))?;
        store::renew_link(tx, &caller.author, &invite, hash)?;
        Ok(invite)
    });
    Ok(SecretJson(InviteLink::new(&invite.await?, &public_url, &token)))
}
