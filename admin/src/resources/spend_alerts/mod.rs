//! Who is told that an amount was spent in a month: by the organization, or by a project. Alerts hold nobody up.

#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
pub mod wire;

use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{
    OrganizationSpendAlert, OrganizationSpendAlertDeleted, ProjectSpendAlert,
    ProjectSpendAlertDeleted, SpendAlert, SpendAlertBody,
};
use crate::app::App;
use crate::domain::page::Order;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{AlertPage, BeforeParams, List, OrderParams};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Deleted, Json, Shown};
use crate::resources::level::At;

type OfOrganization = SpendAlert<OrganizationSpendAlert>;
type OfProject = SpendAlert<ProjectSpendAlert>;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(list_of_project, create_in_project))
        .routes(routes!(get_of_project, update_of_project, delete_of_project))
}

/// Lists the alerts of the organization, by id. Without a limit a page has 20 of them.
#[utoipa::path(
    get,
    path = "/v1/organization/spend_alerts",
    operation_id = "list-organization-spend-alerts",
    tag = "Spend alerts",
    params(AlertPage, BeforeParams, OrderParams),
    responses((status = 200, body = List<SpendAlert<OrganizationSpendAlert>>, description = "A page of alerts."), Refusals)
)]
async fn list(call: Call, query: Query) -> Result<Shown<List<OfOrganization>>> {
    list_at(call, At::Organization, query).await
}

/// Adds an alert to the organization. It may have several.
#[utoipa::path(
    post,
    path = "/v1/organization/spend_alerts",
    operation_id = "create-organization-spend-alert",
    tag = "Spend alerts",
    request_body = SpendAlertBody,
    responses((status = 200, body = SpendAlert<OrganizationSpendAlert>, description = "The new alert."), Refusals)
)]
async fn create(call: Call, body: Incoming) -> Result<Json<OfOrganization>> {
    create_at(call, At::Organization, body).await
}

/// Retrieves an alert of the organization.
#[utoipa::path(
    get,
    path = "/v1/organization/spend_alerts/{alert_id}",
    operation_id = "retrieve-organization-spend-alert",
    tag = "Spend alerts",
    params(("alert_id" = String, Path, description = "The alert's id.")),
    responses((status = 200, body = SpendAlert<OrganizationSpendAlert>, description = "The alert."), Refusals)
)]
async fn get(call: Call, Path(id): Path<String>) -> Result<Shown<OfOrganization>> {
    get_at(call, At::Organization, id).await
}

/// Replaces everything that an alert of the organization says.
#[utoipa::path(
    post,
    path = "/v1/organization/spend_alerts/{alert_id}",
    operation_id = "update-organization-spend-alert",
    tag = "Spend alerts",
    params(("alert_id" = String, Path, description = "The alert's id.")),
    request_body = SpendAlertBody,
    responses((status = 200, body = SpendAlert<OrganizationSpendAlert>, description = "The alert after the change."), Refusals)
)]
async fn update(
    call: Call,
    Path(id): Path<String>,
    body: Incoming,
) -> Result<Json<OfOrganization>> {
    update_at(call, At::Organization, id, body).await
}

/// Deletes an alert of the organization.
#[utoipa::path(
    delete,
    path = "/v1/organization/spend_alerts/{alert_id}",
    operation_id = "delete-organization-spend-alert",
    tag = "Spend alerts",
    params(("alert_id" = String, Path, description = "The alert's id.")),
    responses((status = 200, body = Deleted<OrganizationSpendAlertDeleted>, description = "The alert is gone."), Refusals)
)]
async fn delete(
    call: Call,
    Path(id): Path<String>,
) -> Result<Json<Deleted<OrganizationSpendAlertDeleted>>> {
    delete_at(call, At::Organization, id).await
}

/// Lists the alerts of a project, by id. Without a limit a page has 20 of them.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/spend_alerts",
    operation_id = "list-project-spend-alerts",
    tag = "Spend alerts",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        AlertPage,
        BeforeParams,
        OrderParams,
    ),
    responses((status = 200, body = List<SpendAlert<ProjectSpendAlert>>, description = "A page of alerts."), Refusals)
)]
async fn list_of_project(
    call: Call,
    Path(project): Path<String>,
    query: Query,
) -> Result<Shown<List<OfProject>>> {
    list_at(call, At::Project(project), query).await
}

/// Adds an alert to a project. It may have several.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/spend_alerts",
    operation_id = "create-project-spend-alert",
    tag = "Spend alerts",
    params(("project_id" = String, Path, description = "The project's id.")),
    request_body = SpendAlertBody,
    responses((status = 200, body = SpendAlert<ProjectSpendAlert>, description = "The new alert."), Refusals)
)]
async fn create_in_project(
    call: Call,
    Path(project): Path<String>,
    body: Incoming,
) -> Result<Json<OfProject>> {
    create_at(call, At::Project(project), body).await
}

/// Retrieves an alert of a project.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/spend_alerts/{alert_id}",
    operation_id = "retrieve-project-spend-alert",
    tag = "Spend alerts",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("alert_id" = String, Path, description = "The alert's id."),
    ),
    responses((status = 200, body = SpendAlert<ProjectSpendAlert>, description = "The alert."), Refusals)
)]
async fn get_of_project(
    call: Call,
    Path((project, id)): Path<(String, String)>,
) -> Result<Shown<OfProject>> {
    get_at(call, At::Project(project), id).await
}

/// Replaces everything that an alert of a project says.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/spend_alerts/{alert_id}",
    operation_id = "update-project-spend-alert",
    tag = "Spend alerts",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("alert_id" = String, Path, description = "The alert's id."),
    ),
    request_body = SpendAlertBody,
    responses((status = 200, body = SpendAlert<ProjectSpendAlert>, description = "The alert after the change."), Refusals)
)]
async fn update_of_project(
    call: Call,
    Path((project, id)): Path<(String, String)>,
    body: Incoming,
) -> Result<Json<OfProject>> {
    update_at(call, At::Project(project), id, body).await
}

/// Deletes an alert of a project.
#[utoipa::path(
    delete,
    path = "/v1/organization/projects/{project_id}/spend_alerts/{alert_id}",
    operation_id = "delete-project-spend-alert",
    tag = "Spend alerts",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("alert_id" = String, Path, description = "The alert's id."),
    ),
    responses((status = 200, body = Deleted<ProjectSpendAlertDeleted>, description = "The alert is gone."), Refusals)
)]
async fn delete_of_project(
    call: Call,
    Path((project, id)): Path<(String, String)>,
) -> Result<Json<Deleted<ProjectSpendAlertDeleted>>> {
    delete_at(call, At::Project(project), id).await
}

async fn list_at<O>(call: Call, at: At, query: Query) -> Result<Shown<List<SpendAlert<O>>>>
where
    O: Default + Serialize,
{
    call.show(move |tx, organization| {
        let level = at.find(tx, organization)?;
        let page = AlertPage::read_either_way(&query, Order::Ascending)?;
        Ok(List::of(store::list(tx, &level, &page)?, SpendAlert::from))
    })
    .await
}

async fn create_at<O: Default>(call: Call, at: At, body: Incoming) -> Result<Json<SpendAlert<O>>> {
    let id = call.new_id("alert_");
    let alert = call.write_with::<SpendAlertBody, _, _>(body, move |tx, caller, body| {
        let level = at.find_active(tx, caller.organization_id())?;
        store::create(tx, &caller.author, &level, &id, &body.get()?.terms())
    });
    Ok(Json(alert.await?.into()))
}

async fn get_at<O>(call: Call, at: At, id: String) -> Result<Shown<SpendAlert<O>>>
where
    O: Default + Serialize,
{
    call.show(move |tx, organization| {
        let level = at.find(tx, organization)?;
        Ok(store::find(tx, &level, &id)?.into())
    })
    .await
}

async fn update_at<O: Default>(
    call: Call,
    at: At,
    id: String,
    body: Incoming,
) -> Result<Json<SpendAlert<O>>> {
    let alert = call.write_with::<SpendAlertBody, _, _>(body, move |tx, caller, body| {
        let level = at.find_active(tx, caller.organization_id())?;
        let alert = store::find(tx, &level, &id)?;
        store::replace(tx, &caller.author, &level, alert, &body.get()?.terms())
    });
    Ok(Json(alert.await?.into()))
}

async fn delete_at<O: Default>(call: Call, at: At, id: String) -> Result<Json<Deleted<O>>> {
    let id = call.write(move |tx, caller| {
        // What was frozen with its project may go all the same.
        let level = at.find(tx, caller.organization_id())?;
        let alert = store::find(tx, &level, &id)?;
        store::delete(tx, &caller.author, &level, &alert.id)?;
        Ok(alert.id)
    });
    Ok(Json(Deleted::new(id.await?)))
}
