//! Answers that need no handler: what is kept is sent again if the store still is as it was when it was read.

use std::sync::Arc;
use std::time::Instant;

use axum::response::Response;
use http::{Method, Request};

use super::credential;
use super::edge::Exchange;
use super::reply;
use crate::access::Identity;
use crate::app::App;
use crate::domain::scope::Scope;
use crate::domain::secret::KeyHash;

/// Stands before the router. It refuses nobody and fails nobody: whatever is not plainly a repetition goes on to the router,
/// which also does the keeping.
#[derive(Clone)]
pub struct Recall(App);

impl Recall {
    /// For the answers of this application.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self(app)
    }

    /// The answer, if it is known for the state of the store at this moment.
    pub fn answer<B>(&self, request: &Request<B>) -> Option<Response> {
        if request.method() != Method::GET {
            return None;
        }
        let (app, started) = (&self.0, Instant::now());
        let (key, organization) = credential::shown(request.headers())?;
        let (hash, now) = (KeyHash::of(&key), app.clock.now());
        let stamp = app.store.stamp()?;
        let key = app.kept.key(stamp, &hash).filter(|key| key.is_valid(now))?;
        let identity = Identity::Key(Arc::clone(&key));
        if !key.is_of(organization.as_deref()) || identity.require(Scope::ManagementRead).is_err() {
            return None;
        }
        let target = request.uri().path_and_query()?.as_str();
        let answer = app.kept.answer(stamp, &key.organization.id, target)?;
        app.record_use(&key, now);
        let exchange = Exchange::new(app, started, answer.meter);
        exchange.trace.identify(&identity);
        Some(exchange.finish(reply::of_bytes(answer.body)))
    }
}
