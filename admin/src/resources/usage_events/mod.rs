//! Reports of what was used.

#[cfg(test)]
pub mod seed;
#[cfg(test)]
mod tests;
pub mod wire;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{MOST_EVENTS, Sent, UsageEvent, UsageReport};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::reply::Json;
use crate::usage::intake::{Found, Prepared};

/// The operation that only this server has.
#[must_use]
pub fn own_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(report))
}

/// Reports what was used: up to 1,000 events, each with an id of the caller's.
///
/// An event of an id counts once, however often it is sent, so a report whose answer got lost is sent again. Every event has a result of its
/// own: `accepted`, `duplicate`, or `refused` with a code. As an array of JSON, or a line for each event with
/// `Content-Type: application/x-ndjson`. A key of a project reports for its project; an admin key that may write, for every project.
#[utoipa::path(
    post,
    path = "/rollbook/v1/usage_events",
    operation_id = "reportUsage",
    tag = "Usage events",
    request_body(content = Vec<UsageEvent>, description = "The events."),
    responses((status = 200, body = UsageReport, description = "What became of each event."), Refusals)
)]
async fn report(call: Call, body: Incoming) -> Result<Json<UsageReport>> {
    let (id, now, keep) = (call.new_id("usage_"), call.now(), call.settings().usage_keep);
    let (reporting, body) = call.reporting(body).await?;
    let read = blocking(move || body.read::<Sent>(MOST_EVENTS)).await??;
    let (ids, reported): (Vec<_>, Vec<_>) =
        read.into_iter().map(|(id, event)| (id, event.map(|Sent(event)| event))).unzip();
    let reported = Arc::new(reported);
    let (facts, known) = (reporting.facts(), reporting.usage_ids());
    let looked = {
        let (reported, facts, known) =
            (Arc::clone(&reported), Arc::clone(&facts), Arc::clone(&known));
        reporting.look(move |tx, reporter| {
            let events: Vec<_> = reported.iter().flatten().collect();
            let found = Found::read(tx, reporter, (&facts, &known), &events)?;
            Ok((reporter.clone(), found))
        })
    };
    let (reporter, found) = looked.await?;
    let prepared = blocking(move || {
        let reported = Arc::unwrap_or_clone(reported);
        Prepared::of(id, &reporter, reported, found, (now, keep))
    });
    let prepared = Arc::new(prepared.await??);
    let late = if prepared.is_empty() {
        Vec::new()
    } else {
        let _turn = facts.enter().await?;
        let prepared = Arc::clone(&prepared);
        let write = reporting.write(move |tx, reporter| {
            prepared.announce(&reporter.organization, &known);
            prepared.write(tx, &reporter.organization, &known, now)
        });
        write.await?
    };
    Ok(Json(UsageReport::of(ids, prepared.outcomes(&late))))
}

/// Computes where nobody waits for a thread that serves others.
async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(f).await;
    done.map_err(|error| Error::internal(format!("a report could not be read: {error}")))
}
