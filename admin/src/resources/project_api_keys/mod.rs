//! Keys for the use of projects.

mod holder;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub mod seed;
pub mod store;
pub mod terms;
#[cfg(test)]
mod tests;
mod wire;

use sql::Tx;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::store::{NewKey, OwnerKind};
use self::wire::{
    AccessParams, ProjectApiKey, ProjectApiKeyCreateRequest, ProjectApiKeyCreateResponse,
    ProjectApiKeyDeletedObject, Whose,
};
use crate::access::{Caller, Identity};
use crate::app::App;
use crate::domain::page::Slice;
use crate::domain::secret::PROJECT_PREFIX;
use crate::error::{Error, Result};
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::fields::missing;
use crate::http::page::{self, List, PageParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Deleted, Json, SecretJson, Shown};
use crate::resources::users::store::User;
use crate::resources::{project_users, projects, users};

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, delete))
}

/// The routes that the published API does not have.
pub fn own_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create))
}

/// Lists the keys of the project, by id. An archived project has none that could be used, and shows none.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/api_keys",
    operation_id = "list-project-api-keys",
    tag = "Project API keys",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        PageParams,
        AccessParams,
    ),
    responses((status = 200, body = List<ProjectApiKey>, description = "A page of keys."), Refusals)
)]
async fn list(
    call: Call,
    Path(project): Path<String>,
    query: Query,
) -> Result<Shown<List<ProjectApiKey>>> {
    call.show(move |tx, organization| {
        let project = projects::store::find(tx, organization, &project)?;
        let (page, access) = (page::read(&query)?, wire::access(&query)?);
        let keys = if project.archived_at.is_some() {
            Slice { rows: Vec::new(), has_more: false }
        } else {
            store::list(tx, organization, &project.id, access, &page)?
        };
        Ok(List::of(keys, ProjectApiKey::from))
    })
    .await
}

/// Retrieves one key, without its secret.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/api_keys/{api_key_id}",
    operation_id = "retrieve-project-api-key",
    tag = "Project API keys",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("api_key_id" = String, Path, description = "The key's id."),
    ),
    responses((status = 200, body = ProjectApiKey, description = "The key."), Refusals)
)]
async fn get(
    call: Call,
    Path((project, id)): Path<(String, String)>,
) -> Result<Shown<ProjectApiKey>> {
    call.show(move |tx, organization| {
        let gone = || store::not_found(&id);
        let project = projects::store::find_inhabited(tx, organization, &project, gone)?;
        Ok(store::find(tx, organization, &project.id, &id)?.into())
    })
    .await
}

/// Deletes a person's key. It is dead at the next request. Keys of service accounts go with their account only.
#[utoipa::path(
    delete,
    path = "/v1/organization/projects/{project_id}/api_keys/{api_key_id}",
    operation_id = "delete-project-api-key",
    tag = "Project API keys",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("api_key_id" = String, Path, description = "The key's id."),
    ),
    responses((status = 200, body = Deleted<ProjectApiKeyDeletedObject>, description = "The key is dead."), Refusals)
)]
async fn delete(
    call: Call,
    Path((project, id)): Path<(String, String)>,
) -> Result<Json<Deleted<ProjectApiKeyDeletedObject>>> {
    let id = call.write(move |tx, caller| {
        let gone = || store::not_found(&id);
        let project =
            projects::store::find_inhabited(tx, caller.organization_id(), &project, gone)?;
        let key = store::find(tx, caller.organization_id(), &project.id, &id)?;
        store::delete(tx, &caller.author, &project, &key)?;
        Ok(id.clone())
    });
    Ok(Json(Deleted::new(id.await?)))
}

/// Makes a person's key for a project. The secret is in this answer and nowhere else. The published API leaves this to a page for
/// people.
#[utoipa::path(
    post,
    path = "/rollbook/v1/projects/{project_id}/api_keys",
    operation_id = "createProjectApiKey",
    tag = "Project API keys",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = ProjectApiKeyCreateRequest,
    responses((status = 200, body = ProjectApiKeyCreateResponse, description = "The new key with its secret."), Refusals)
)]
async fn create(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<SecretJson<ProjectApiKeyCreateResponse>> {
    let (id, secret) = (call.new_id("key_"), call.new_key(PROJECT_PREFIX));
    let (hash, redacted_value) = (secret.hash(), secret.redacted());
    let key = call.write_with::<ProjectApiKeyCreateRequest, _, _>(body, move |tx, caller, body| {
        let organization = caller.organization_id();
        let project = projects::store::find_active(tx, organization, &project)?;
        let body = body.get()?;
        let (whose, terms) = (body.whose()?, body.terms());
        let expires_at = terms.end(caller.author.now)?;
        let person = person(tx, caller, &whose)?;
        let held = store::access_of_person(tx, organization, &project.id, &person.id)?;
        let held = held.ok_or_else(|| {
            project_users::store::not_a_member(&project.id, &person.id).param("user_id")
        })?;
        caller.may_grant_with(|| Ok(terms.limit(held)))?;
        let new = NewKey {
            id: id.clone(),
            name: body.name.clone(),
            hash,
            redacted_value: redacted_value.clone(),
            scopes: terms.scopes.clone(),
            expires_at,
        };
        store::insert(tx, &caller.author, &project.id, (OwnerKind::User, &person.id), &new)?;
        store::find(tx, organization, &project.id, &id)
    });
    Ok(SecretJson(ProjectApiKeyCreateResponse::new(key.await?, &secret)))
}

/// The person whose key it is to be: without a name the one behind the calling key, or for the operator the owner on whose
/// behalf they act, as with admin keys.
fn person(tx: &mut Tx<'_>, caller: &Caller, whose: &Whose) -> Result<User> {
    let organization = caller.organization_id();
    let by_id = |tx: &mut Tx<'_>, id: &str| {
        let error = || Error::not_found("User", id).code("user_not_found").param("user_id");
        users::store::find_if_any(tx, organization, id)?.ok_or_else(error)
    };
    match whose {
        Whose::Id(id) => by_id(tx, id),
        Whose::Email(email) => {
            let message = format!(
                "User with e-mail address {email} not found in the organization. Invite them first."
            );
            let error = || Error::invalid("user_not_found", message).param("email");
            users::store::find_by_email(tx, organization, email)?.ok_or_else(error)
        }
        Whose::Mine => {
            if let Identity::Operator(_, operator) = &caller.identity {
                return users::store::find_owner(
                    tx,
                    organization,
                    operator.on_behalf_of.as_deref(),
                );
            }
            let key = caller.identity.key().ok_or_else(|| missing("user_id"))?;
            by_id(tx, &key.owner_id)
        }
    }
}
