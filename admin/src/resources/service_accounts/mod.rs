//! Service accounts of projects.

#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{
    ServiceAccount, ServiceAccountApiKey, ServiceAccountApiKeyCreateRequest,
    ServiceAccountCreateRequest, ServiceAccountCreateResponse, ServiceAccountDeletedObject,
    ServiceAccountUpdateRequest, USUAL_NAME,
};
use crate::app::App;
use crate::domain::role::BuiltIn;
use crate::domain::secret::ACCOUNT_PREFIX;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{self, List, PageParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Deleted, Json, SecretJson, Shown};
use crate::resources::level::At;
use crate::resources::project_api_keys::store::{self as keys, NewKey, OwnerKind};
use crate::resources::projects;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, modify, delete))
        .routes(routes!(create_key))
}

/// Lists the service accounts of the project, by id.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/service_accounts",
    operation_id = "list-project-service-accounts",
    tag = "Service accounts",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        PageParams,
    ),
    responses((status = 200, body = List<ServiceAccount>, description = "A page of service accounts."), Refusals)
)]
async fn list(
    call: Call,
    Path(project): Path<String>,
    query: Query,
) -> Result<Shown<List<ServiceAccount>>> {
    call.show(move |tx, organization| {
        let project = projects::store::find_active(tx, organization, &project)?;
        let page = page::read(&query)?;
        Ok(List::of(store::list(tx, organization, &project.id, &page)?, ServiceAccount::from))
    })
    .await
}

/// Creates a service account with a key, whose secret is in this answer and nowhere else; or, on request, the account alone.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/service_accounts",
    operation_id = "create-project-service-account",
    tag = "Service accounts",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = ServiceAccountCreateRequest,
    responses((status = 200, body = ServiceAccountCreateResponse, description = "The new account, and its key with the secret."), Refusals)
)]
async fn create(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<SecretJson<ServiceAccountCreateResponse>> {
    let (id, key_id) = (call.new_id("svc_acct_"), call.new_id("key_"));
    let (secret, now) = (call.new_key(ACCOUNT_PREFIX), call.now());
    let (hash, redacted_value) = (secret.hash(), secret.redacted());
    let made =
        call.write_with::<ServiceAccountCreateRequest, _, _>(body, move |tx, caller, body| {
            let project = projects::store::find_active(tx, caller.organization_id(), &project)?;
            let body = body.get()?;
            let Some(role) = body.role() else {
                let alone = store::create(tx, &caller.author, &project, &id, &body.name, None)?;
                return Ok((alone, None));
            };
            caller.may_grant(BuiltIn::from(role).permissions())?;
            let account = store::create(tx, &caller.author, &project, &id, &body.name, Some(role))?;
            let key = NewKey {
                id: key_id.clone(),
                name: USUAL_NAME.to_owned(),
                hash,
                redacted_value: redacted_value.clone(),
                scopes: None,
                expires_at: body.terms().end(caller.author.now)?,
            };
            let owner = (OwnerKind::ServiceAccount, account.id.as_str());
            keys::insert(tx, &caller.author, &project.id, owner, &key)?;
            Ok((account, Some(key)))
        });
    let (account, key) = made.await?;
    let api_key = key.map(|key| ServiceAccountApiKey::new(key, now, &secret));
    Ok(SecretJson(ServiceAccountCreateResponse::new(account, api_key)))
}

/// Retrieves one service account.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/service_accounts/{service_account_id}",
    operation_id = "retrieve-project-service-account",
    tag = "Service accounts",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("service_account_id" = String, Path, description = "The service account's id."),
    ),
    responses((status = 200, body = ServiceAccount, description = "The service account."), Refusals)
)]
async fn get(
    call: Call,
    Path((project, id)): Path<(String, String)>,
) -> Result<Shown<ServiceAccount>> {
    call.show(move |tx, organization| {
        let gone = || store::not_found(&id);
        let project = projects::store::find_inhabited(tx, organization, &project, gone)?;
        Ok(store::find(tx, organization, &project.id, &id)?.into())
    })
    .await
}

/// Changes a service account's name or its built-in role.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/service_accounts/{service_account_id}",
    operation_id = "update-project-service-account",
    tag = "Service accounts",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("service_account_id" = String, Path, description = "The service account's id."),
    ),
    request_body = ServiceAccountUpdateRequest,
    responses((status = 200, body = ServiceAccount, description = "The service account after the change."), Refusals)
)]
async fn modify(
    call: Call,
    Path((project, id)): Path<(String, String)>,
    body: Incoming,
) -> Result<Json<ServiceAccount>> {
    let at = At::Project(project);
    let account =
        call.write_with::<ServiceAccountUpdateRequest, _, _>(body, move |tx, caller, body| {
            let level = at.find_active(tx, caller.organization_id())?;
            let account = store::find(tx, caller.organization_id(), level.project_key(), &id)?;
            let body = body.get()?;
            // A role that it has already is nothing that anybody grants.
            if let Some(role) = body.role.filter(|role| account.role != Some(*role)) {
                caller.may_grant(BuiltIn::from(role).permissions())?;
            }
            let changes = store::Changes { name: body.name.clone(), role: body.role };
            store::modify(tx, &caller.author, &level, &account, &changes)
        });
    Ok(Json(account.await?.into()))
}

/// Deletes a service account. Its keys are dead at the next request.
#[utoipa::path(
    delete,
    path = "/v1/organization/projects/{project_id}/service_accounts/{service_account_id}",
    operation_id = "delete-project-service-account",
    tag = "Service accounts",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("service_account_id" = String, Path, description = "The service account's id."),
    ),
    responses((status = 200, body = Deleted<ServiceAccountDeletedObject>, description = "The service account is gone."), Refusals)
)]
async fn delete(
    call: Call,
    Path((project, id)): Path<(String, String)>,
) -> Result<Json<Deleted<ServiceAccountDeletedObject>>> {
    let id = call.write(move |tx, caller| {
        let gone = || store::not_found(&id);
        let project =
            projects::store::find_inhabited(tx, caller.organization_id(), &project, gone)?;
        let account = store::find(tx, caller.organization_id(), &project.id, &id)?;
        store::delete(tx, &caller.author, &account)?;
        Ok(id.clone())
    });
    Ok(Json(Deleted::new(id.await?)))
}

/// Makes another key for a service account. The secret is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys",
    operation_id = "CreateanAPIkeyforaserviceaccount",
    tag = "Service accounts",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("service_account_id" = String, Path, description = "The service account's id."),
    ),
    request_body = Option<ServiceAccountApiKeyCreateRequest>,
    responses((status = 200, body = ServiceAccountApiKey, description = "The new key with its secret."), Refusals)
)]
async fn create_key(
    call: Call,
    Path((project, account)): Path<(String, String)>,
    body: Incoming,
) -> Result<SecretJson<ServiceAccountApiKey>> {
    let (id, secret, now) = (call.new_id("key_"), call.new_key(ACCOUNT_PREFIX), call.now());
    let (hash, redacted_value) = (secret.hash(), secret.redacted());
    let key = call.write_with::<ServiceAccountApiKeyCreateRequest, _, _>(
        body,
        move |tx, caller, body| {
            let organization = caller.organization_id();
            let project = projects::store::find_active(tx, organization, &project)?;
            let account = store::find(tx, organization, &project.id, &account)?;
            let body = body.get()?;
            let terms = body.terms();
            caller.may_grant_with(|| {
                Ok(terms.limit(store::effective(tx, organization, &account)?))
            })?;
            let key = NewKey {
                id: id.clone(),
                name: body.name.clone().unwrap_or_else(|| USUAL_NAME.to_owned()),
                hash,
                redacted_value: redacted_value.clone(),
                expires_at: terms.end(caller.author.now)?,
                scopes: terms.scopes,
            };
            let owner = (OwnerKind::ServiceAccount, account.id.as_str());
            keys::insert(tx, &caller.author, &project.id, owner, &key)?;
            Ok(key)
        },
    );
    Ok(SecretJson(ServiceAccountApiKey::new(key.await?, now, &secret)))
}
