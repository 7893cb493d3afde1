//! What usage cost: asked like usage itself, by the day.

mod store;
#[cfg(test)]
mod tests;
mod wire;

use axum::response::Response;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use self::store::Addresses;
use self::wire::Drawer;
use super::usage::page::answer;
use super::usage::schema;
use crate::app::App;
use crate::error::Result;
use crate::http::call::Call;
use crate::http::chunks::TakesGzip;
use crate::http::query::Query;
use crate::usage::kind::{Dimension, Kind};

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    let (schemas, paths) = schema::operation(Kind::Costs);
    OpenApiRouter::new().routes((schemas, paths, get(costs)))
}

/// Shows what usage cost. Units are told where line items are, so a line item that has several is grouped by them and told as one.
async fn costs(call: Call, query: Query, takes_gzip: TakesGzip) -> Result<Response> {
    answer(Kind::Costs, call, query, takes_gzip, |question, organization| {
        let drawer = Drawer::new(&question.groups, organization);
        if question.groups.contains(&Dimension::LineItem) {
            question.groups.push(Dimension::QuantityUnit);
        }
        // Somebody's address may change.
        question.is_kept = !question.groups.contains(&Dimension::UserId);
        let (mut addresses, organization) = (Addresses::default(), organization.to_owned());
        Box::new(move |tx, bucket| {
            let users = drawer.users(bucket);
            addresses.look_up(tx, &organization, users)?;
            Ok(drawer.bucket(bucket, |user| addresses.of(user))?.into())
        })
    })
    .await
}
