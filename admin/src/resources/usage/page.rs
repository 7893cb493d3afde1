//! A page of buckets, and the way to it that usage and costs share.

use std::sync::Arc;

use axum::body::Bytes;
use axum::response::Response;
use http::HeaderName;
use sql::Tx;

use super::asked::Asked;
use crate::aside::Aside;
use crate::error::Result;
use crate::http::call::Call;
use crate::http::chunks::{Chunks, TakesGzip};
use crate::http::query::Query;
use crate::piece::Piece;
use crate::usage::kind::Kind;
use crate::usage::query::{self, Bucket, Question};

/// Every event that was acknowledged before this second is in the answer.
const FINAL_THROUGH: HeaderName = HeaderName::from_static("rollbook-final-through");

/// A page.
#[derive(Debug)]
struct Page {
    buckets: Vec<Piece>,
    next: Option<String>,
    through: i64,
}

/// Draws buckets of a question for an organization.
pub type Drawing = Box<dyn FnMut(&mut Tx<'_>, &Bucket<'_>) -> Result<Bytes>>;

/// Answers a question about a kind. `drawing` may say of the question that its buckets depend on more than their rows.
pub async fn answer<D>(
    kind: Kind,
    call: Call,
    query: Query,
    takes_gzip: TakesGzip,
    drawing: D,
) -> Result<Response>
where
    D: Fn(&mut Question, &str) -> Drawing + Send + 'static,
{
    let (memory, now, keep) = (call.usage(), call.now(), call.settings().usage_keep);
    let (aside, kept) = (call.aside(), Arc::clone(&memory));
    let TakesGzip(packs) = takes_gzip;
    let drawn = call.show_usage(move |tx, organization| {
        let mut asked = Asked::read(&query, kind, organization, now, keep)?;
        let mut drawing = drawing(&mut asked.question, organization);
        let memory = Arc::clone(&memory);
        let drawn = query::ask(
            tx,
            &memory,
            organization,
            &asked.question,
            asked.period,
            packs,
            &mut drawing,
        )?;
        Ok((asked.next(drawn.len()), drawn))
    });
    let (next, drawn) = drawn.await?;
    // Neither the snapshot nor a thread that serves requests waits until it is compressed.
    let buckets = if query::is_long_to_finish(&drawn, packs) {
        aside.run(move || query::finish(&kept, drawn, packs)).await??
    } else {
        query::finish(&kept, drawn, packs)?
    };
    Page { next, buckets, through: now }.response(takes_gzip, &aside).await
}

impl Page {
    async fn response(self, takes_gzip: TakesGzip, aside: &Aside) -> Result<Response> {
        let mut chunks = Chunks::new(takes_gzip);
        let mut before = "{\"object\":\"page\",\"data\":[";
        for bucket in self.buckets {
            chunks.text(before);
            chunks.piece(bucket);
            before = ",";
        }
        if before != "," {
            chunks.text(before);
        }
        let next = self.next.map_or("null".to_owned(), |next| format!("\"{next}\""));
        chunks.text(&format!("],\"has_more\":{},\"next_page\":{next}}}", next != "null"));
        let mut response = chunks.json(aside).await?;
        response.headers_mut().insert(FINAL_THROUGH, self.through.into());
        Ok(response)
    }
}
