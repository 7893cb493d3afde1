//! What the demo's projects used and what that cost, the same each time but for its dates.

use admin::domain::clock::{Clock, SystemClock};
use anyhow::{Result, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::KEY;

/// What a million tokens cost.
pub const PRICES: [&str; 2] = [
    "gpt-4o input_tokens=2.50/1000000 output_tokens=10/1000000",
    "gpt-4o-mini input_tokens=0.15/1000000 output_tokens=0.60/1000000",
];
const MODELS: [&str; 2] = ["gpt-4o", "gpt-4o-mini"];
const DAYS: i64 = 30;
const DAY: i64 = 24 * 60 * 60;

/// Reports what these projects used, as a gateway would: the first used most of it. Each comes with somebody who used it.
pub async fn report(router: Router, projects: &[(String, String)]) -> Result<()> {
    let now = SystemClock.now();
    let today = now - now % DAY;
    for (place, (project, user)) in (1..).zip(projects) {
        let days = (0..DAYS).flat_map(|ago| MODELS.iter().map(move |model| (ago, *model)));
        let events = days.map(|(ago, model)| event(place, project, user, (today, ago), model));
        send(&router, events.filter(|event| event["time"].as_i64() <= Some(now)).collect()).await?;
    }
    Ok(())
}

/// What a project used of a model on one day: less at weekends, and more as time goes on.
fn event(place: i64, project: &str, user: &str, (today, ago): (i64, i64), model: &str) -> Value {
    let time = today - ago * DAY + place * 7;
    // The first of January 1970 was a Thursday.
    let is_weekend = matches!((time / DAY + 4) % 7, 0 | 6);
    let growth = (2 * DAYS - ago) * if is_weekend { 1 } else { 3 };
    let waves = 80 + (place * 31 + ago * 17) % 41;
    let tokens = 12_000 * growth * waves / (place * place);
    let tokens = if model == MODELS[0] { tokens / 4 } else { tokens };
    json!({
        "id": format!("demo-{project}-{ago}-{model}"), "time": time, "kind": "completions", "model": model,
        "project_id": project, "user_id": user, "input_tokens": tokens, "output_tokens": tokens / 5,
        "num_model_requests": 1 + tokens / 900,
    })
}

async fn send(router: &Router, events: Value) -> Result<()> {
    let request = Request::post("/rollbook/v1/usage_events")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
        .body(Body::from(events.to_string()))?;
    let Ok(response) = router.clone().oneshot(request).await;
    let answer: Value = serde_json::from_slice(&to_bytes(response.into_body(), usize::MAX).await?)?;
    ensure!(answer["refused"] == 0, "the demo's usage was refused: {answer}");
    Ok(())
}
