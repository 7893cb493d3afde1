//! What others ask about the process itself: is it alive, is it ready, what does it speak. No key is needed.

use std::sync::Arc;

use admin::http::reply::json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json as object;
use sql::Store;

/// The routes beside the API.
pub fn router(store: Store) -> anyhow::Result<Router> {
    let document: Arc<str> = serde_json::to_string_pretty(&admin::openapi())?.into();
    let openapi =
        move || async move { ([(header::CONTENT_TYPE, "application/json")], document.to_string()) };
    Ok(Router::new()
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready).with_state(store))
        .route("/openapi.json", get(openapi)))
}

/// The process runs. Says nothing of the store: restarting this process would not bring that back.
async fn healthy() -> Response {
    json(&object!({ "status": "ok" }))
}

/// The store answers and its schema is this program's. What exactly is wrong goes into the log, because anybody may ask here.
async fn ready(State(store): State<Store>) -> Response {
    let reason = match store.pending(&admin::migrations()).await {
        Ok(pending) if pending.is_empty() => {
            return json(&object!({ "status": "ready" }));
        }
        Ok(pending) => format!("migrations are pending: {pending:?}"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            match error {
                sql::Error::Migration(_) => "the store's schema is not this program's".to_owned(),
                _ => "the store does not answer".to_owned(),
            }
        }
    };
    (StatusCode::SERVICE_UNAVAILABLE, json(&object!({ "status": "unavailable", "reason": reason })))
        .into_response()
}
