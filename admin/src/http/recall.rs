//! Answers that need no handler: what is kept is sent again, and what is known of a key is decided upon again, if the store
//! still is as it was when it was read.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse, Response};
use http::{Method, Request};

use super::body::Received;
use super::credential;
use super::edge::Exchange;
use super::meter::Meter;
use super::query::Query;
use super::reply;
use crate::access::Identity;
use crate::app::App;
use crate::domain::scope::Scope;
use crate::domain::secret::KeyHash;
use crate::error::Error;
use crate::resources::check::asked::{Asked, Found, refusal};
use crate::resources::check::wire::CheckRequest;
use crate::resources::check::{BODY_CAP, CHECK, FORWARD, FORWARD_ANY, FORWARD_ROOT};

/// A body of which more is announced is left to the router.
const SMALL: u64 = BODY_CAP as u64;

/// Stands before the router. It refuses nobody whom the router would not refuse with the same words: whatever is not plainly a
/// repetition goes on to the router, which also does the keeping.
#[derive(Clone)]
pub struct Recall {
    app: App,
    /// Counts checks. Looked up at the first one, when the metrics are there.
    checks: Arc<OnceLock<Arc<Meter>>>,
}

impl Recall {
    /// For the answers of this application.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app, checks: Arc::default() }
    }

    /// The answer, if it is known for the state of the store at this moment.
    pub fn answer<B: HttpBody>(&self, request: &Request<B>) -> Option<Response> {
        if let Some(rest) = request.uri().path().strip_prefix(FORWARD) {
            return self.forward(request, rest);
        }
        if request.method() == Method::GET { self.page(request) } else { None }
    }

    fn page<B>(&self, request: &Request<B>) -> Option<Response> {
        let (app, started) = (&self.app, Instant::now());
        let (key, organization) = credential::shown(request.headers())?;
        let (hash, now) = (KeyHash::of(&key), app.clock.now());
        // Whether this answer is kept at all is asked before the state of the store is, which takes longer.
        let (read_key, key) = app.kept.last_key(&hash)?;
        let target = request.uri().path_and_query()?.as_str();
        let answer = app.kept.last_answer(&key.organization.id, target)?;
        let stamp = app.store.stamp();
        if stamp != Some(read_key) || stamp != Some(answer.stamp) || !key.is_valid(now) {
            return None;
        }
        let identity = Identity::Key(Arc::clone(&key));
        if !key.organization.is_named(organization.as_deref())
            || identity.require(Scope::ManagementRead).is_err()
        {
            return None;
        }
        app.record_use(&key, now);
        let exchange = Exchange::new(app, started, answer.meter);
        exchange.trace.identify(&identity);
        Some(exchange.finish(reply::of_bytes(answer.body)))
    }

    /// A proxy's question about a key that is known. Its body, if it has one, is the router's to deal with.
    fn forward<B: HttpBody>(&self, request: &Request<B>, rest: &str) -> Option<Response> {
        let (started, method) = (Instant::now(), request.method());
        if !request.body().is_end_stream() {
            return None;
        }
        let route = match rest {
            "" => FORWARD,
            "/" => FORWARD_ROOT,
            _ if rest.starts_with('/') => FORWARD_ANY,
            _ => return None,
        };
        let query = Query::parse(request.uri().query().unwrap_or_default());
        let asked = Asked::of_proxy(method, request.uri(), request.headers(), &query).ok()?;
        self.decide(&asked, || (started, self.app.meters.of(method, route)))
    }

    /// Whether this is a program's question, which [`check`](Self::check) may be able to answer.
    pub fn is_check<B: HttpBody>(&self, request: &Request<B>) -> bool {
        request.method() == Method::POST
            && request.uri().path() == CHECK
            && request.body().size_hint().exact().is_some_and(|size| size <= SMALL)
            && self.app.store.stamp().is_some()
    }

    /// The answer to a program's question about a key that is known. Any other is given back with its body, for the router.
    pub async fn check<B>(&self, request: Request<B>) -> Result<Response, Request<Body>>
    where
        B: HttpBody<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (started, settings) = (Instant::now(), &self.app.settings);
        let (parts, body) = request.into_parts();
        let cap = settings.body_cap.min(BODY_CAP);
        let body = Received::of(&parts.headers, body, cap, settings.body_deadline).await;
        let body = match body {
            Ok(body) => body,
            Err(error) => return Ok(self.refuse(started, error)),
        };
        let answer = body.read::<CheckRequest>().ok().and_then(|wanted| {
            let asked = Asked::of_body(&parts.headers, &wanted).ok()?;
            self.decide(&asked, || (started, self.checks()))
        });
        answer.ok_or_else(|| Request::from_parts(parts, Body::from(body.bytes)))
    }

    /// Decides about a key that is known in the state of the store at this moment.
    fn decide(
        &self,
        asked: &Asked<'_>,
        measured: impl FnOnce() -> (Instant, Arc<Meter>),
    ) -> Option<Response> {
        let app = &self.app;
        let (hash, now) = (asked.hash(), app.clock.now());
        let known = app.kept.holder(app.store.stamp()?, &hash, now)?;
        let model = known.policy.of(asked.model())?;
        app.record_project_use(&known.holder, now);
        let (response, identity) = asked.answer(&Found::Known(known, model), now);
        let (started, meter) = measured();
        let exchange = Exchange::new(app, started, meter);
        if let Some(identity) = &identity {
            exchange.trace.identify(identity);
        }
        Some(exchange.finish(response))
    }

    fn refuse(&self, started: Instant, error: Error) -> Response {
        let exchange = Exchange::new(&self.app, started, self.checks());
        exchange.finish(refusal(error).into_response())
    }

    fn checks(&self) -> Arc<Meter> {
        Arc::clone(self.checks.get_or_init(|| self.app.meters.of(&Method::POST, CHECK)))
    }
}
