//! The record of changes, newest first.

mod arms;
pub mod filters;
#[cfg(test)]
mod plans;
mod schema;
#[cfg(test)]
pub mod seed;
mod store;
#[cfg(test)]
mod tests;
mod things;
pub mod types;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::filters::Filters;
use self::schema::FilterParams;
use self::wire::AuditLog;
use crate::app::App;
use crate::error::Result;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::page::{self, BeforeParams, List, PageParams};
use crate::http::query::Query;
use crate::http::reply::Shown;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Lists what was changed in the organization and by whom, newest first.
#[utoipa::path(
    get,
    path = "/v1/organization/audit_logs",
    operation_id = "list-audit-logs",
    tag = "Audit Logs",
    params(FilterParams, PageParams, BeforeParams),
    responses((status = 200, body = List<AuditLog>, description = "A page of events."), Refusals)
)]
async fn list(call: Call, query: Query) -> Result<Shown<List<AuditLog>>> {
    call.show(move |tx, organization| {
        let page = page::read_newest_first(&query)?;
        let filters = Filters::read(&query)?;
        Ok(List::of(store::list(tx, organization, &filters, &page)?, AuditLog::from))
    })
    .await
}
