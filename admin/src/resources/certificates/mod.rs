//! Certificates of the organization and where they are active: the organization has them, and it and each project decide which count.

mod activation;
#[cfg(test)]
mod der;
pub mod pem;
#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
mod wire;

use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::activation::Turn;
use self::wire::{
    Certificate, CertificateDeleted, CertificateParams, ModifyCertificateRequest,
    OrganizationActivationObject, OrganizationCertificateObject, OrganizationDeactivationObject,
    PlacedCertificate, ProjectActivationObject, ProjectCertificateObject,
    ProjectDeactivationObject, ToggleCertificatesRequest, TurnedCertificates,
    UploadCertificateRequest, wants_content,
};
use crate::app::App;
use crate::domain::page::Order;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{self, DescendingOrderParams, List, PageParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Json, Shown};
use crate::resources::level::At;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, upload))
        .routes(routes!(activate))
        .routes(routes!(deactivate))
        .routes(routes!(get, modify, delete))
        .routes(routes!(list_of_project))
        .routes(routes!(activate_in_project))
        .routes(routes!(deactivate_in_project))
}

/// Lists the certificates of the organization by id, the newest first, with whether each is active in the organization.
#[utoipa::path(
    get,
    path = "/v1/organization/certificates",
    operation_id = "listOrganizationCertificates",
    tag = "Certificates",
    params(PageParams, DescendingOrderParams),
    responses((status = 200, body = List<PlacedCertificate<OrganizationCertificateObject>>, description = "A page of certificates."), Refusals)
)]
async fn list(
    call: Call,
    query: Query,
) -> Result<Shown<List<PlacedCertificate<OrganizationCertificateObject>>>> {
    list_at(call, At::Organization, query).await
}

/// Uploads a certificate, which is active nowhere until it is activated. An organization can have 50 of them.
#[utoipa::path(
    post,
    path = "/v1/organization/certificates",
    operation_id = "uploadCertificate",
    tag = "Certificates",
    request_body = UploadCertificateRequest,
    responses((status = 200, body = Certificate, description = "The new certificate."), Refusals)
)]
async fn upload(call: Call, body: Incoming) -> Result<Json<Certificate>> {
    let id = call.new_id("cert_");
    let certificate =
        call.write_with::<UploadCertificateRequest, _, _>(body, move |tx, caller, body| {
            let body = body.get()?;
            let new = store::NewCertificate {
                id: id.clone(),
                name: body.name.clone(),
                content: body.certificate.text.clone(),
                read: body.certificate.read.clone(),
            };
            store::create(tx, &caller.author, &new)
        });
    Ok(Json(certificate.await?.into()))
}

/// Activates up to ten certificates in the organization, all of them or none. Those that are active already stay so.
#[utoipa::path(
    post,
    path = "/v1/organization/certificates/activate",
    operation_id = "activateOrganizationCertificates",
    tag = "Certificates",
    request_body = ToggleCertificatesRequest,
    responses((status = 200, body = TurnedCertificates<OrganizationActivationObject, OrganizationCertificateObject>, description = "The certificates are active."), Refusals)
)]
async fn activate(
    call: Call,
    body: Incoming,
) -> Result<Json<TurnedCertificates<OrganizationActivationObject, OrganizationCertificateObject>>> {
    turn_at(call, At::Organization, body, Turn::On).await
}

/// Deactivates up to ten certificates in the organization, all of them or none. Those that are not active stay so.
#[utoipa::path(
    post,
    path = "/v1/organization/certificates/deactivate",
    operation_id = "deactivateOrganizationCertificates",
    tag = "Certificates",
    request_body = ToggleCertificatesRequest,
    responses((status = 200, body = TurnedCertificates<OrganizationDeactivationObject, OrganizationCertificateObject>, description = "The certificates are not active."), Refusals)
)]
async fn deactivate(
    call: Call,
    body: Incoming,
) -> Result<Json<TurnedCertificates<OrganizationDeactivationObject, OrganizationCertificateObject>>>
{
    turn_at(call, At::Organization, body, Turn::Off).await
}

/// Retrieves a certificate, and its text for those who ask for it.
#[utoipa::path(
    get,
    path = "/v1/organization/certificates/{certificate_id}",
    operation_id = "getCertificate",
    tag = "Certificates",
    params(
        ("certificate_id" = String, Path, description = "The certificate's id."),
        CertificateParams,
    ),
    responses((status = 200, body = Certificate, description = "The certificate."), Refusals)
)]
async fn get(call: Call, Path(id): Path<String>, query: Query) -> Result<Shown<Certificate>> {
    call.show(move |tx, organization| {
        let certificate = store::find(tx, organization, &id)?;
        let is_wanted = wants_content(&query)?;
        let content = is_wanted.then(|| store::content(tx, organization, &id)).transpose()?;
        Ok(Certificate::with(certificate, content))
    })
    .await
}

/// Gives a certificate another name. Nothing else of it can be changed.
#[utoipa::path(
    post,
    path = "/v1/organization/certificates/{certificate_id}",
    operation_id = "modifyCertificate",
    tag = "Certificates",
    params(("certificate_id" = String, Path, description = "The certificate's id.")),
    request_body = ModifyCertificateRequest,
    responses((status = 200, body = Certificate, description = "The certificate after the change."), Refusals)
)]
async fn modify(call: Call, Path(id): Path<String>, body: Incoming) -> Result<Json<Certificate>> {
    let certificate =
        call.write_with::<ModifyCertificateRequest, _, _>(body, move |tx, caller, body| {
            let certificate = store::find(tx, caller.organization_id(), &id)?;
            let body = body.get()?;
            store::rename(tx, &caller.author, certificate, body.name.as_deref())
        });
    Ok(Json(certificate.await?.into()))
}

/// Deletes a certificate, which must be active neither in the organization nor in a project.
#[utoipa::path(
    delete,
    path = "/v1/organization/certificates/{certificate_id}",
    operation_id = "deleteCertificate",
    tag = "Certificates",
    params(("certificate_id" = String, Path, description = "The certificate's id.")),
    responses((status = 200, body = CertificateDeleted, description = "The certificate is gone."), Refusals)
)]
async fn delete(call: Call, Path(id): Path<String>) -> Result<Json<CertificateDeleted>> {
    let id = call.write(move |tx, caller| {
        let certificate = store::find(tx, caller.organization_id(), &id)?;
        store::delete(tx, &caller.author, &certificate)?;
        Ok(certificate.id)
    });
    Ok(Json(CertificateDeleted::new(id.await?)))
}

/// Lists the certificates of the organization by id, the newest first, with whether each is active in this project.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/certificates",
    operation_id = "listProjectCertificates",
    tag = "Certificates",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        PageParams,
        DescendingOrderParams,
    ),
    responses((status = 200, body = List<PlacedCertificate<ProjectCertificateObject>>, description = "A page of certificates."), Refusals)
)]
async fn list_of_project(
    call: Call,
    Path(project): Path<String>,
    query: Query,
) -> Result<Shown<List<PlacedCertificate<ProjectCertificateObject>>>> {
    list_at(call, At::Project(project), query).await
}

/// Activates up to ten certificates in a project, all of them or none. Those that are active already stay so.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/certificates/activate",
    operation_id = "activateProjectCertificates",
    tag = "Certificates",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = ToggleCertificatesRequest,
    responses((status = 200, body = TurnedCertificates<ProjectActivationObject, ProjectCertificateObject>, description = "The certificates are active."), Refusals)
)]
async fn activate_in_project(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<Json<TurnedCertificates<ProjectActivationObject, ProjectCertificateObject>>> {
    turn_at(call, At::Project(project), body, Turn::On).await
}

/// Deactivates up to ten certificates in a project, all of them or none. Those that are not active stay so.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/certificates/deactivate",
    operation_id = "deactivateProjectCertificates",
    tag = "Certificates",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = ToggleCertificatesRequest,
    responses((status = 200, body = TurnedCertificates<ProjectDeactivationObject, ProjectCertificateObject>, description = "The certificates are not active."), Refusals)
)]
async fn deactivate_in_project(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<Json<TurnedCertificates<ProjectDeactivationObject, ProjectCertificateObject>>> {
    turn_at(call, At::Project(project), body, Turn::Off).await
}

async fn list_at<O>(call: Call, at: At, query: Query) -> Result<Shown<List<PlacedCertificate<O>>>>
where
    O: Default + Serialize + 'static,
{
    call.show(move |tx, organization| {
        let level = at.find(tx, organization)?;
        let page = page::read_ordered(&query, Order::Descending)?;
        Ok(List::of(store::list(tx, &level, &page)?, PlacedCertificate::from))
    })
    .await
}

async fn turn_at<A, O>(
    call: Call,
    at: At,
    body: Incoming,
    turn: Turn,
) -> Result<Json<TurnedCertificates<A, O>>>
where
    A: Default,
    O: Default,
{
    let turned =
        call.write_with::<ToggleCertificatesRequest, _, _>(body, move |tx, caller, body| {
            let level = at.find_active(tx, caller.organization_id())?;
            let body = body.get()?;
            activation::turn(tx, &caller.author, &level, &body.certificate_ids, turn)
        });
    Ok(Json(turned.await?.into()))
}
