//! How much of each of the operator's models a project may use.

pub mod limits;
pub mod models;
#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
mod tests;
pub mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{ProjectRateLimit, ProjectRateLimitUpdateRequest};
use crate::app::App;
use crate::domain::page::Order;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{BeforeParams, List, RateLimitPage};
use crate::http::path::Path;
use crate::http::query::Query;
use crate::http::reply::{Json, Shown};
use crate::resources::projects;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(update))
}

/// Lists how much of each model the project may use, by model.
#[utoipa::path(
    get,
    path = "/v1/organization/projects/{project_id}/rate_limits",
    operation_id = "list-project-rate-limits",
    tag = "Projects",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        RateLimitPage,
        BeforeParams,
    ),
    responses((status = 200, body = List<ProjectRateLimit>, description = "A page of limits."), Refusals)
)]
async fn list(
    call: Call,
    Path(project): Path<String>,
    query: Query,
) -> Result<Shown<List<ProjectRateLimit>>> {
    call.show(move |tx, organization| {
        let project = projects::store::find(tx, organization, &project)?;
        let page = RateLimitPage::read_either_way(&query, Order::Ascending)?;
        Ok(List::of(store::list(tx, organization, &project.id, &page)?, ProjectRateLimit::from))
    })
    .await
}

/// Limits how much of a model the project may use. What is not sent stays, and nothing can be more than the model has.
#[utoipa::path(
    post,
    path = "/v1/organization/projects/{project_id}/rate_limits/{rate_limit_id}",
    operation_id = "update-project-rate-limits",
    tag = "Projects",
    params(
        ("project_id" = String, Path, description = "The project's id."),
        ("rate_limit_id" = String, Path, description = "The id: `rl-` and the model."),
    ),
    request_body = ProjectRateLimitUpdateRequest,
    responses((status = 200, body = ProjectRateLimit, description = "The limits, as they are now."), Refusals)
)]
async fn update(
    call: Call,
    Path((project, id)): Path<(String, String)>,
    body: Incoming,
) -> Result<Json<ProjectRateLimit>> {
    let updated =
        call.write_with::<ProjectRateLimitUpdateRequest, _, _>(body, move |tx, caller, body| {
            let project = projects::store::find_active(tx, caller.organization_id(), &project)?;
            let stored = store::find(tx, caller.organization_id(), &project.id, &id)?;
            store::update(tx, &caller.author, &project.id, stored, body.get()?.limits)
        });
    Ok(Json(updated.await?.into()))
}
