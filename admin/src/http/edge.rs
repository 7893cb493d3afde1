//! The edge: what happens to every request before the router's handler and after it. Names the request, bounds its time,
//! turns errors into envelopes, sets the headers that every answer has, writes the log line and the metrics.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method};

use super::meter::Meter;
use crate::access::Identity;
use crate::app::App;
use crate::error::{Error, Kind};
use crate::resources::check::CHECK;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROCESSING_MS: HeaderName = HeaderName::from_static("openai-processing-ms");
const VERSION: HeaderName = HeaderName::from_static("openai-version");
const ORGANIZATION: HeaderName = HeaderName::from_static("openai-organization");

/// What becomes known of a request while it is served, for its headers and its log line.
#[derive(Debug, Default)]
pub struct Trace {
    request_id: String,
    identity: OnceLock<Identity>,
}

impl Trace {
    fn new(app: &App) -> Self {
        let mut bits = [0; 16];
        app.random.fill(&mut bits);
        let request_id = format!("req_{:032x}", u128::from_be_bytes(bits));
        Self { request_id, ..Self::default() }
    }

    /// Notes who is asking. The first time counts; a second run of a transaction finds the same.
    pub fn identify(&self, identity: &Identity) {
        self.identity.get_or_init(|| identity.clone());
    }

    /// Who is asking, once that is known.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.get()
    }
}

/// The middleware around every operation.
pub async fn edge(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let meter = app.meters.of(request.method(), route.map_or("unmatched", MatchedPath::as_str));
    let exchange = Exchange::new(&app, Instant::now(), meter);
    let is_check = exchange.meter.route.starts_with(CHECK);
    let is_change = !is_check && !matches!(*request.method(), Method::GET | Method::HEAD);
    request.extensions_mut().insert(Arc::clone(&exchange.trace));
    request.extensions_mut().insert(Arc::clone(&exchange.meter));
    exchange.serve(app.settings.request_deadline, is_change, next.run(request)).await
}

/// A request from its arrival to its log line, which is written when this is dropped: also when the client went away first.
pub struct Exchange {
    started: Instant,
    meter: Arc<Meter>,
    /// What is known of the request so far.
    pub trace: Arc<Trace>,
    outcome: Option<(u16, Option<Error>)>,
}

/// The status in the log of a request whose client did not wait for the answer.
const CLIENT_WENT_AWAY: u16 = 499;

impl Exchange {
    /// A request that arrived at this time and is counted here.
    pub fn new(app: &App, started: Instant, meter: Arc<Meter>) -> Self {
        Self { started, meter, trace: Arc::new(Trace::new(app)), outcome: None }
    }

    /// Has it served within a deadline, and finishes it whatever becomes of that.
    async fn serve(
        self,
        deadline: Duration,
        is_change: bool,
        served: impl Future<Output = Response>,
    ) -> Response {
        // What was half done when it panicked is not looked at again.
        let served = AssertUnwindSafe(served).catch_unwind();
        let response = match tokio::time::timeout(deadline, served).await {
            Ok(Ok(response)) => response,
            Ok(Err(cause)) => panicked(&*cause).into_response(),
            Err(_) => Error::overdue(is_change).into_response(),
        };
        self.finish(response)
    }

    /// Turns an error into its envelope and sets the headers that every answer has.
    #[must_use]
    pub fn finish(mut self, mut response: Response) -> Response {
        let error = response.extensions_mut().remove::<Error>();
        if let Some(error) = error.clone() {
            let (parts, _) = response.into_parts();
            response = error.response(&self.trace.request_id);
            // What the router said beside the status, such as Allow, stays true.
            for (name, value) in &parts.headers {
                response.headers_mut().entry(name).or_insert_with(|| value.clone());
            }
        }
        set_headers(&mut response, &self.trace, self.started.elapsed().as_millis());
        self.outcome = Some((response.status().as_u16(), error));
        response
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let (status, error) = self.outcome.take().unwrap_or((CLIENT_WENT_AWAY, None));
        let elapsed = self.started.elapsed();
        log(&self.trace, &self.meter, status, elapsed.as_secs_f64() * 1e3, error.as_ref());
        self.meter.count(status, elapsed);
    }
}

/// What a panic becomes: a 500 for the caller, its message for the log.
fn panicked(cause: &(dyn Any + Send)) -> Error {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
    Error::internal(format!("panic: {}", text.unwrap_or("without a message")))
}

fn set_headers(response: &mut Response, trace: &Trace, milliseconds: u128) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&trace.request_id) {
        headers.insert(REQUEST_ID, id);
    }
    let milliseconds = u64::try_from(milliseconds).unwrap_or(u64::MAX);
    headers.insert(PROCESSING_MS, milliseconds.into());
    headers.insert(VERSION, HeaderValue::from_static("2020-10-01"));
    if let Some(identity) = trace.identity()
        && let Ok(slug) = HeaderValue::from_str(&identity.organization().slug)
    {
        headers.insert(ORGANIZATION, slug);
    }
}

/// One line a request: never a key, a query value or a body.
fn log(trace: &Trace, meter: &Meter, status: u16, milliseconds: f64, error: Option<&Error>) {
    let identity = trace.identity();
    let organization = identity.map_or("", |identity| &identity.organization().id);
    let key = identity.and_then(Identity::key_id).unwrap_or_default();
    let (method, route, id) = (meter.method, &*meter.route, trace.request_id.as_str());
    // The context of an error is for the operator, and only trouble of ours has one.
    match error.filter(|error| {
        matches!(error.kind, Kind::Internal | Kind::Unavailable | Kind::OutcomeUnknown)
    }) {
        Some(error) => {
            let context = error.context.as_deref().unwrap_or("");
            tracing::error!(
                method,
                route,
                status,
                milliseconds,
                id,
                organization,
                key,
                context,
                "request"
            );
        }
        None => {
            tracing::info!(method, route, status, milliseconds, id, organization, key, "request");
        }
    }
}
