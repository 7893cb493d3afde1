//! Metrics in Prometheus' text format, on a listener of their own because they need no key.

use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::interval;

/// From a point read in memory to the longest deadline, in seconds.
const SECONDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// How many jobs shared one commit: powers of two up to the store's bound.
const JOBS: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
/// How often samples are moved into their buckets, so that they do not pile up while nobody asks for them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts recording. Must come before the store is opened: what is looked up earlier counts into nothing.
pub fn install() -> Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_commit_jobs".to_owned()), &JOBS)
        })
        .and_then(PrometheusBuilder::install_recorder)
        .context("metrics cannot be recorded")
}

/// Answers `GET /metrics`.
pub fn router(metrics: PrometheusHandle) -> Router {
    let render =
        move || async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render()) };
    Router::new().route("/metrics", get(render))
}

/// Keeps the recorder tidy, for ever.
pub async fn upkeep(metrics: PrometheusHandle) {
    let mut ticks = interval(UPKEEP);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}
