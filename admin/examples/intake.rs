//! How many events a process takes in: `cargo run --release -p rollbook-admin --example intake -- STORE_URL EVENTS REPORTERS`.
//!
//! The store must be empty. Reports of 1,000 events go through the router, without a network.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use rollbook_admin::domain::clock::{Clock, SystemClock, SystemRandom};
use rollbook_admin::domain::secret::{ADMIN_PREFIX, PlainKey};
use rollbook_admin::founding::Founding;
use rollbook_admin::usage::prices::{self, NewPrice};
use rollbook_admin::{App, Settings};
use serde_json::{Value, json};
use sql::{Options, Store};
use tower::ServiceExt;

const PROJECTS: usize = 100;
const MODELS: usize = 20;
const KEYS: usize = 1000;
const BATCH: usize = 1000;

type Failed = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "sqlite::memory:".to_owned());
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (events, reporters) = (number(100_000)?, number(4)?);
    let store = tokio::task::spawn_blocking(move || {
        let store = Store::open(Options::new(&url))?;
        store.migrate(&rollbook_admin::migrations()).map(|_| store)
    });
    let store = store.await??;
    let app =
        App::new(store.clone(), Arc::new(SystemClock), Arc::new(SystemRandom), Settings::default());
    let (now, key) = (SystemClock.now(), PlainKey::generate(ADMIN_PREFIX, &SystemRandom));
    let secret = key.expose().to_owned();
    let founding = Founding::draw(&app.ids, now, "first", "owner@example.com", None, key);
    let organization = founding.organization.id.clone();
    store.write(move |tx| founding.execute(tx)).await?;
    for model in 0..MODELS {
        let organization = organization.clone();
        let set = move |tx: &mut sql::Tx<'_>| {
            for measure in ["input_uncached_tokens", "input_cached_tokens", "output_tokens"] {
                let price = NewPrice {
                    model: format!("model-{model}"),
                    measure: measure.to_owned(),
                    effective_from: 0,
                    price: "2.50".to_owned(),
                    units: 1_000_000,
                };
                prices::set(tx, &organization, &price, now)?;
            }
            Ok::<_, rollbook_admin::error::Error>(())
        };
        store.write(set).await?;
    }
    let router = rollbook_admin::router(app);
    let mut projects = Vec::new();
    for number in 0..PROJECTS {
        let body = json!({ "name": format!("Project {number}") }).to_string();
        let made = send(&router, "/v1/organization/projects", &secret, body).await?;
        projects.push(made["id"].as_str().unwrap_or_default().to_owned());
    }
    let bodies: Vec<String> =
        (0..events / BATCH).map(|batch| body(batch, &projects, now)).collect();
    let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..reporters {
        let (router, secret) = (router.clone(), secret.clone());
        let (bodies, next) = (Arc::clone(&bodies), Arc::clone(&next));
        tasks.push(tokio::spawn(async move {
            let mut accepted = 0;
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                let told =
                    send(&router, "/rollbook/v1/usage_events", &secret, body.clone()).await?;
                accepted += told["accepted"].as_u64().unwrap_or_default();
            }
            Ok::<_, Failed>(accepted)
        }));
    }
    let mut accepted = 0;
    for task in tasks {
        accepted += task.await??;
    }
    let took = started.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "nobody needs the last digits")]
    let rate = accepted as f64 / took;
    println!("{accepted} events in {took:.2} s: {rate:.0} events/s");
    tokio::task::spawn_blocking(move || store.close()).await?;
    Ok(())
}

/// A report of events that differ in everything.
fn body(batch: usize, projects: &[String], now: i64) -> String {
    let event = |place: usize| {
        let number = batch * BATCH + place;
        let mixed = number.wrapping_mul(2_654_435_761);
        json!({
            "id": format!("event-{number}"), "time": now - i64::try_from(mixed % 86_400).unwrap_or_default(),
            "kind": "completions", "project_id": projects[mixed % PROJECTS], "api_key_id": format!("key_{}", mixed % KEYS),
            "model": format!("model-{}", mixed % MODELS), "input_tokens": mixed % 5000, "input_cached_tokens": mixed % 100,
            "output_tokens": mixed % 900,
        })
    };
    Value::from_iter((0..BATCH).map(event)).to_string()
}

async fn send(router: &Router, path: &str, key: &str, body: String) -> Result<Value, Failed> {
    let request = Request::post(path)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Body::from(body))?;
    let response = router.clone().oneshot(request).await?;
    Ok(serde_json::from_slice(&response.into_body().collect().await?.to_bytes())?)
}
