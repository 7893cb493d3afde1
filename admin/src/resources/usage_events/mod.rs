//! Reports of what was used.

#[cfg(test)]
pub mod seed;
#[cfg(test)]
mod tests;
pub mod wire;

use std::sync::Arc;

use sql::Tx;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{MOST_EVENTS, Sent, UsageEvent, UsageReport};
use crate::app::App;
use crate::error::Result;
use crate::http::body::{Incoming, Many};
use crate::http::call::Call;
use crate::http::envelope::Refusals;
use crate::http::reply::Json;
use crate::usage::intake::{Found, Prepared, Reported, Reporter, Wanted};

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
    let aside = call.aside();
    let (reporting, body) = call.reporting(body).await?;
    let Report { ids, events, wanted } = aside.run(move || Report::read(&body)).await??;
    let (facts, known, wanted) = (reporting.facts(), reporting.usage_ids(), Arc::new(wanted));
    let looked = {
        let (facts, known, wanted) = (Arc::clone(&facts), Arc::clone(&known), Arc::clone(&wanted));
        let look = move |tx: &mut Tx<'_>, reporter: &Reporter| {
            Ok((reporter.clone(), Found::read(tx, reporter, (&facts, &known), &wanted)?))
        };
        reporting.look(look).await?
    };
    let (reporter, (found, sieve)) = looked;
    reporting.usage_pace().keep(sieve.tail()).await;
    let sifting = Arc::clone(&wanted);
    let mut sifted = aside.run(move || sieve.sift(&sifting.hashes)).await?;
    if sifted.has_doubts() {
        let wanted = Arc::clone(&wanted);
        let look = move |tx: &mut Tx<'_>, reporter: &Reporter| {
            let mut sifted = sifted.clone();
            sifted.settle(tx, &reporter.organization, &wanted.hashes)?;
            Ok(sifted)
        };
        sifted = reporting.look(look).await?;
    }
    let prepared = aside.run(move || {
        let looked_up = (wanted.hashes.clone(), sifted);
        Prepared::of(id, &reporter, events, &found, looked_up, (now, keep))
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

/// What a report says.
struct Report {
    /// The ids that were sent, of events that are at fault too.
    ids: Vec<Option<String>>,
    events: Vec<Result<Reported>>,
    /// What has to be looked up of them.
    wanted: Wanted,
}

impl Report {
    fn read(body: &Many) -> Result<Self> {
        let sent = body.read::<Sent>(MOST_EVENTS)?;
        let (ids, events): (Vec<_>, Vec<_>) =
            sent.into_iter().map(|(id, event)| (id, event.map(|Sent(event)| event))).unzip();
        let wanted = Wanted::of(events.iter().flatten());
        Ok(Self { ids, events, wanted })
    }
}
