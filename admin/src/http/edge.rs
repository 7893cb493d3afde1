//! The edge: what happens to every request before the router's handler and after it. Names the request, bounds its time,
//! turns errors into envelopes, sets the headers that every answer has, writes the log line and the metrics.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method};

use crate::access::{Caller, Holder};
use crate::app::App;
use crate::error::{Error, Kind};

/// What becomes known of a request while it is served, for its headers and its log line.
#[derive(Debug, Default)]
pub struct Trace {
    request_id: String,
    identity: OnceLock<Identity>,
}

/// Who asked.
#[derive(Debug)]
pub struct Identity {
    /// The organization's id.
    pub organization_id: String,
    /// The organization's slug, which is what the response header shows.
    pub organization_slug: String,
    /// The key, if one was used.
    pub key: Option<UsedKey>,
}

/// The key of a request.
#[derive(Debug)]
pub struct UsedKey {
    /// Its id.
    pub id: String,
    /// Its recorded last use before this request.
    pub last_used_at: Option<i64>,
}

impl Trace {
    /// Notes who is asking. The first time counts; a second run of a transaction finds the same.
    pub fn identify(&self, caller: &Caller) {
        self.identity.get_or_init(|| Identity {
            organization_id: caller.organization_id().to_owned(),
            organization_slug: caller.organization().slug.clone(),
            key: match &caller.holder {
                Holder::Key { key_id, last_used_at, .. } => {
                    Some(UsedKey { id: key_id.clone(), last_used_at: *last_used_at })
                }
                Holder::Operator { .. } => None,
            },
        });
    }

    /// Who is asking, once that is known.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.get()
    }
}

/// The middleware around every operation.
pub async fn edge(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let mut bits = [0; 16];
    app.random.fill(&mut bits);
    let request_id = format!("req_{:032x}", u128::from_be_bytes(bits));
    let trace = Arc::new(Trace { request_id, ..Trace::default() });
    request.extensions_mut().insert(Arc::clone(&trace));
    let exchange = Exchange {
        started: Instant::now(),
        method: request.method().clone(),
        route: request.extensions().get::<MatchedPath>().cloned(),
        trace,
        outcome: None,
    };
    let served = tokio::time::timeout(app.settings.request_deadline, next.run(request)).await;
    let response = served.unwrap_or_else(|_| Error::overdue(exchange.is_change()).into_response());
    exchange.finish(response)
}

/// A request from its arrival to its log line, which is written when this is dropped: also when the client went away first.
struct Exchange {
    started: Instant,
    method: Method,
    route: Option<MatchedPath>,
    trace: Arc<Trace>,
    outcome: Option<(u16, Option<Error>)>,
}

/// The status in the log of a request whose client did not wait for the answer.
const CLIENT_WENT_AWAY: u16 = 499;

impl Exchange {
    fn is_change(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD)
    }

    /// Turns an error into its envelope and sets the headers that every answer has.
    fn finish(mut self, mut response: Response) -> Response {
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
        let route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str);
        let elapsed = self.started.elapsed().as_secs_f64();
        log(&self.trace, &self.method, route, status, elapsed * 1e3, error.as_ref());
        let labels = [
            ("method", label(&self.method).to_owned()),
            ("route", route.to_owned()),
            ("status", status.to_string()),
        ];
        metrics::counter!("rollbook_http_requests_total", &labels).increment(1);
        metrics::histogram!("rollbook_http_request_seconds", &labels[..2]).record(elapsed);
    }
}

/// A method as a label. Anybody can invent methods, and every label value is kept for ever.
fn label(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::DELETE
        | Method::PUT
        | Method::PATCH
        | Method::OPTIONS => method.as_str(),
        _ => "other",
    }
}

fn set_headers(response: &mut Response, trace: &Trace, milliseconds: u128) {
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("x-request-id", &trace.request_id);
    set("openai-processing-ms", &milliseconds.to_string());
    set("openai-version", "2020-10-01");
    if let Some(identity) = trace.identity() {
        set("openai-organization", &identity.organization_slug);
    }
}

/// One line a request: never a key, a query value or a body.
fn log(
    trace: &Trace,
    method: &Method,
    route: &str,
    status: u16,
    milliseconds: f64,
    error: Option<&Error>,
) {
    let identity = trace.identity();
    let organization = identity.map_or("", |identity| &identity.organization_id);
    let key = identity.and_then(|identity| identity.key.as_ref()).map_or("", |key| &key.id);
    let id = trace.request_id.as_str();
    // The context of an error is for the operator, and only trouble of ours has one.
    match error.filter(|error| {
        matches!(error.kind, Kind::Internal | Kind::Unavailable | Kind::OutcomeUnknown)
    }) {
        Some(error) => {
            let context = error.context.as_deref().unwrap_or("");
            tracing::error!(%method, route, status, milliseconds, id, organization, key, context, "request");
        }
        None => {
            tracing::info!(%method, route, status, milliseconds, id, organization, key, "request")
        }
    }
}
