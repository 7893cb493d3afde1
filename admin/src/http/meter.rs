//! The metrics of each operation, looked up once: a look-up for every request would cost more than counting does.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::Method;
use metrics::{Counter, Histogram};

/// The meters of all operations that were asked for.
#[derive(Default)]
pub struct Meters(RwLock<HashMap<&'static str, Routes>>);

/// The meters of one method, by route.
type Routes = HashMap<Box<str>, Arc<Meter>>;

/// What is counted of one method on one route.
pub struct Meter {
    /// The method as a label.
    pub method: &'static str,
    /// The route with its parameters' names.
    pub route: Box<str>,
    seconds: Histogram,
    statuses: RwLock<Vec<(u16, Counter)>>,
}

impl Meters {
    /// The meter of a method on a route of ours.
    pub fn of(&self, method: &Method, route: &str) -> Arc<Meter> {
        let method = label(method);
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = known.get(method).and_then(|routes| routes.get(route)) {
            return Arc::clone(meter);
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Meter::new(method, route));
        Arc::clone(known.entry(method).or_default().entry(route.into()).or_insert_with(new))
    }
}

impl Meter {
    fn new(method: &'static str, route: &str) -> Self {
        let labels = [("method", method.to_owned()), ("route", route.to_owned())];
        let seconds = metrics::histogram!("rollbook_http_request_seconds", &labels);
        Self { method, route: route.into(), seconds, statuses: RwLock::default() }
    }

    /// Counts a request.
    pub fn count(&self, status: u16, elapsed: Duration) {
        self.seconds.record(elapsed);
        let known = self.statuses.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, counter)) = known.iter().find(|(known, _)| *known == status) {
            return counter.increment(1);
        }
        drop(known);
        let counter = self.counter(status);
        counter.increment(1);
        self.statuses.write().unwrap_or_else(PoisonError::into_inner).push((status, counter));
    }

    fn counter(&self, status: u16) -> Counter {
        let labels = [
            ("method", self.method.to_owned()),
            ("route", self.route.to_string()),
            ("status", status.to_string()),
        ];
        metrics::counter!("rollbook_http_requests_total", &labels)
    }
}

/// A method as a label. Anybody can invent methods, and every label value is kept for ever.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
