//! Whether a key may do what somebody wants to do with it: asked by programs, and by proxies for each request that they pass on.

pub mod asked;
mod inference;
mod inquiry;
pub mod known;
pub mod policy;
mod spending;
mod store;
#[cfg(test)]
mod tests;
mod verdict;
pub mod wire;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::asked::{Asked, refusal};
use self::inquiry::Inquiry;
use self::wire::{Check, CheckRequest, ForwardParams};
use crate::app::App;
use crate::error::Result;
use crate::http::body::Incoming;
use crate::http::envelope::Refusals;
use crate::http::query::Query;

/// Where programs ask.
pub const CHECK: &str = "/rollbook/v1/check";
/// Where proxies ask.
pub const FORWARD: &str = "/rollbook/v1/check/forward";
/// The same for proxies that append the path of the request.
pub const FORWARD_ANY: &str = "/rollbook/v1/check/forward/{*rest}";
/// The same where that path is empty.
pub const FORWARD_ROOT: &str = "/rollbook/v1/check/forward/";
/// A question is small, and it is read before anybody is known.
pub const BODY_CAP: usize = 8 * 1024;

/// The routes of this resource, whole.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(check))
        .routes(routes!(forward))
        .route(FORWARD, any(forward))
        .route(FORWARD_ROOT, any(forward))
        .route(FORWARD_ANY, any(forward))
}

/// Tells whether a project key may do something, and whose key it is.
///
/// The key stands in the body, or else in the Authorization header. A question that is well formed is always answered with 200,
/// also about a key that nobody has: `allowed` is the answer and `reason` says why.
#[utoipa::path(
    post,
    path = "/rollbook/v1/check",
    operation_id = "check",
    tag = "Check",
    request_body(content = Option<CheckRequest>),
    responses((status = 200, body = Check, description = "The answer."), Refusals)
)]
async fn check(inquiry: Inquiry, headers: HeaderMap, body: Incoming) -> Response {
    let answer = async {
        let settings = &inquiry.app.settings;
        let cap = settings.body_cap.min(BODY_CAP);
        let body = body.receive::<CheckRequest>(cap, settings.body_deadline).await?;
        inquiry.answer(&Asked::of_body(&headers, body.get()?)?).await
    };
    answered(answer.await)
}

/// Answers a proxy that asks whether to pass a request on: 200 with headers that say whose key it is, 401 or 403.
///
/// Works with any method and ignores the body. Below this path, the rest of the path and the method are those of the request in
/// question; on this path itself, the query or the headers `X-Forwarded-Uri` and `X-Forwarded-Method` or `X-Original-URI` and
/// `X-Original-Method` tell what it does.
#[utoipa::path(
    get,
    path = "/rollbook/v1/check/forward",
    operation_id = "checkForward",
    tag = "Check",
    params(ForwardParams),
    responses((status = 200, body = Check, description = "The request may be passed on."), Refusals)
)]
async fn forward(inquiry: Inquiry, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let answer = async {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        inquiry.answer(&Asked::of_proxy(&parts.method, &parts.uri, &parts.headers, &query)?).await
    };
    answered(answer.await)
}

fn answered(answer: Result<Response>) -> Response {
    answer.unwrap_or_else(|error| refusal(error).into_response())
}
