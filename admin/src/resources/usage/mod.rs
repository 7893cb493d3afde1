//! What was used: ten operations that differ in what the table of kinds says of them.

pub mod asked;
pub mod kinds;
pub mod page;
pub mod schema;
#[cfg(test)]
mod tests;
mod token;
pub mod wire;

use axum::response::Response;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use self::page::answer;
use self::wire::{Drawer, bucket};
use crate::app::App;
use crate::error::Result;
use crate::http::call::Call;
use crate::http::chunks::TakesGzip;
use crate::http::query::Query;
use crate::usage::kind::Kind;

/// The routes of this resource.
#[must_use]
pub fn routes() -> OpenApiRouter<App> {
    Kind::OF_EVENTS.into_iter().fold(OpenApiRouter::new(), |routes, kind| {
        let (schemas, paths) = schema::operation(kind);
        routes.routes((
            schemas,
            paths,
            get(move |call: Call, query: Query, takes_gzip: TakesGzip| {
                usage(kind, call, query, takes_gzip)
            }),
        ))
    })
}

/// Shows what was used of a kind.
async fn usage(kind: Kind, call: Call, query: Query, takes_gzip: TakesGzip) -> Result<Response> {
    answer(kind, call, query, takes_gzip, move |question, _| {
        let drawer = Drawer::new(kind, &question.groups);
        Box::new(move |_, found| Ok(bucket(found, |out, row| drawer.row(out, row))?.into()))
    })
    .await
}
