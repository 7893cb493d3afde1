//! The emulator's own operations. They need no key and no fault befalls them: they are the test's, not the tested program's.

use std::fmt::Write;
use std::sync::Arc;

use admin::error::{Error, Kind, Result, enumerate};
use admin::http::reply::json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json as object};
use sha2::{Digest, Sha256};

use super::faults::{self, Faults};
use super::stage::Stage;

/// Where they are.
pub const PREFIX: &str = "/rollbook/v1/emulator";

/// The operations.
pub fn router(stage: Arc<Stage>) -> Router {
    let operations = Router::new()
        .route("/reset", post(reset))
        .route("/state", get(state))
        .route("/clock", get(clock).post(move_clock))
        .route("/faults", get(list_faults).post(order_fault).delete(clear_faults))
        .method_not_allowed_fallback(wrong_method)
        .with_state(stage);
    Router::new().nest(PREFIX, operations)
}

async fn wrong_method(request: Request) -> Response {
    let path = request
        .extensions()
        .get::<OriginalUri>()
        .map_or_else(|| request.uri().path(), |sent| sent.0.path());
    Error::wrong_method(request.method().as_str(), path).response("")
}

/// Whatever body there is has to be read, or the connection would end behind the answer.
async fn reset(State(stage): State<Arc<Stage>>, RawQuery(query): RawQuery, _: Bytes) -> Response {
    let query = query.unwrap_or_default();
    let mut named = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "seed");
    answer(reset_to(&stage, named.next().map(|(_, seed)| seed).as_deref()))
}

fn reset_to(stage: &Stage, name: Option<&str>) -> Result<Value> {
    let seed = stage.reset(name)?.ok_or_else(|| {
        let names: Vec<_> = stage.seeds().collect();
        let message = format!(
            "Seed '{}' not found. There are: {}.",
            name.unwrap_or_default(),
            enumerate(&names)
        );
        Error::new(Kind::NotFound, message).code("not_found").param("seed")
    })?;
    Ok(object!({ "object": "emulator.reset", "seed": seed }))
}

/// Two equal states have equal digests, so a test can tell whether anything changed.
async fn state(State(stage): State<Arc<Stage>>) -> Response {
    let (seed, store) = stage.now();
    let digest = store.image().await.map(|image| hex(&Sha256::digest(image.bytes())));
    answer(
        digest
            .map_err(Error::from)
            .map(|sha256| object!({ "object": "emulator.state", "seed": seed, "sha256": sha256 })),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn clock(State(stage): State<Arc<Stage>>) -> Response {
    json(&shown(&stage))
}

fn shown(stage: &Stage) -> Value {
    let now = stage.clock.moment().to_string();
    object!({ "object": "emulator.clock", "now": now, "is_stopped": stage.clock.is_stopped() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    now: Option<Timestamp>,
    advance_seconds: Option<u64>,
}

async fn move_clock(State(stage): State<Arc<Stage>>, body: Bytes) -> Response {
    answer(parsed(&body).and_then(|wanted| moved(&stage, &wanted)))
}

fn moved(stage: &Stage, wanted: &Move) -> Result<Value> {
    match (wanted.now, wanted.advance_seconds) {
        (Some(now), None) if now >= Timestamp::UNIX_EPOCH => stage.clock.stop_at(now),
        (Some(_), None) => {
            return Err(Error::invalid("invalid_value", "'now' lies before 1970.").param("now"));
        }
        (None, Some(seconds)) if stage.clock.advance(seconds) => {}
        (None, Some(_)) => {
            let message = "'advance_seconds' leads beyond the year 9999.";
            return Err(Error::invalid("invalid_value", message).param("advance_seconds"));
        }
        _ => {
            let message = "Write either 'now', for example {\"now\": \"2026-01-01T00:00:00Z\"}, or 'advance_seconds'.";
            return Err(Error::invalid("invalid_value", message));
        }
    }
    Ok(shown(stage))
}

async fn list_faults(State(stage): State<Arc<Stage>>) -> Response {
    json(&object!({ "object": "list", "data": stage.faults.list() }))
}

async fn order_fault(State(stage): State<Arc<Stage>>, body: Bytes) -> Response {
    answer(parsed(&body).and_then(|order| ordered(&stage.faults, order)))
}

fn ordered(faults: &Faults, order: faults::Order) -> Result<faults::Ordered> {
    let refused = |(param, message)| Error::invalid("invalid_value", message).param(param);
    faults.order(order).map_err(refused)
}

async fn clear_faults(State(stage): State<Arc<Stage>>, _: Bytes) -> Response {
    stage.faults.clear();
    json(&object!({ "object": "emulator.faults.deleted", "deleted": true }))
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        Error::invalid(
            "invalid_value",
            format!("The body is not what this operation takes: {error}."),
        )
    })
}

fn answer<T: serde::Serialize>(outcome: Result<T>) -> Response {
    outcome.map_or_else(|error| error.response("").into_response(), |body| json(&body))
}
