//! The keys with which this API is called.

#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
mod wire;

use sql::Tx;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{
    AdminApiKey, AdminApiKeyCreateRequest, AdminApiKeyCreateResponse, AdminApiKeyDeletedObject,
};
use crate::access::{Caller, Identity};
use crate::app::App;
use crate::domain::page::Order;
use crate::domain::scope::Scopes;
use crate::domain::secret::ADMIN_PREFIX;
use crate::error::{Error, Result};
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{self, List, OrderParams, PageParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Deleted, Json, SecretJson, Shown};
use crate::resources::users;
use crate::resources::users::store::User;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, delete))
}

/// Lists the admin keys of the organization, by id.
#[utoipa::path(
    get,
    path = "/v1/organization/admin_api_keys",
    operation_id = "admin-api-keys-list",
    tag = "Admin API keys",
    params(PageParams, OrderParams),
    responses((status = 200, body = List<AdminApiKey>, description = "A page of keys."), Refusals)
)]
async fn list(call: Call, query: Query) -> Result<Shown<List<AdminApiKey>>> {
    call.show(move |tx, organization| {
        let page = page::read_ordered(&query, Order::Ascending)?;
        Ok(List::of(store::list(tx, organization, &page)?, AdminApiKey::from))
    })
    .await
}

/// Makes an admin key for the person behind the calling key. The secret is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/v1/organization/admin_api_keys",
    operation_id = "admin-api-keys-create",
    tag = "Admin API keys",
    request_body = AdminApiKeyCreateRequest,
    responses((status = 200, body = AdminApiKeyCreateResponse, description = "The new key with its secret."), Refusals)
)]
async fn create(call: Call, body: Incoming) -> Result<SecretJson<AdminApiKeyCreateResponse>> {
    let (id, secret) = (call.new_id("key_"), call.new_key(ADMIN_PREFIX));
    let (hash, redacted_value) = (secret.hash(), secret.redacted());
    let key = call.write_with::<AdminApiKeyCreateRequest, _, _>(body, move |tx, caller, body| {
        let body = body.get()?;
        let scopes = body.scopes.unwrap_or(caller.scopes());
        // Nobody grants scopes that they do not hold.
        let excess = scopes.beyond(caller.scopes());
        if !excess.is_empty() {
            return Err(Error::missing_scopes(excess));
        }
        let owner = owner(tx, caller)?;
        let new = store::NewKey {
            id: id.clone(),
            name: Some(body.name.clone()),
            hash,
            redacted_value: redacted_value.clone(),
            scopes,
            expires_at: body.end(caller.author.now)?,
        };
        store::create(tx, &caller.author, &owner, &new)
    });
    Ok(SecretJson(AdminApiKeyCreateResponse::new(key.await?, &secret)))
}

/// The person for whom a key is made: the one behind the calling key, or whom the operator names.
fn owner(tx: &mut Tx<'_>, caller: &Caller) -> Result<User> {
    match &caller.identity {
        Identity::Key(key) => users::store::find(tx, caller.organization_id(), &key.owner_id),
        Identity::Operator(organization, operator) => {
            users::store::find_owner(tx, &organization.id, operator.on_behalf_of.as_deref())
        }
        // Such a key may not write, so nobody comes here with one.
        Identity::Project(_) => Err(Error::missing_scopes(Scopes::all())),
    }
}

/// Retrieves one admin key, without its secret.
#[utoipa::path(
    get,
    path = "/v1/organization/admin_api_keys/{key_id}",
    operation_id = "admin-api-keys-get",
    tag = "Admin API keys",
    params(("key_id" = String, Path, description = "The key's id.")),
    responses((status = 200, body = AdminApiKey, description = "The key."), Refusals)
)]
async fn get(call: Call, Path(id): Path<String>) -> Result<Shown<AdminApiKey>> {
    call.show(move |tx, organization| Ok(store::find(tx, organization, &id)?.into())).await
}

/// Deletes an admin key, also the calling one. It is dead at the next request.
#[utoipa::path(
    delete,
    path = "/v1/organization/admin_api_keys/{key_id}",
    operation_id = "admin-api-keys-delete",
    tag = "Admin API keys",
    params(("key_id" = String, Path, description = "The key's id.")),
    responses((status = 200, body = Deleted<AdminApiKeyDeletedObject>, description = "The key is dead."), Refusals)
)]
async fn delete(
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Deleted<AdminApiKeyDeletedObject>>> {
    let id = call.write(move |tx, caller| {
        store::delete(tx, &caller.author, &id)?;
        Ok(id.clone())
    });
    Ok(Json(Deleted::new(id.await?)))
}
