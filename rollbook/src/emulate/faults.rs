//! Faults on order: which requests fail, how, and how often. How a fault is played is `stage.rs`'s business.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// How many orders are kept at once.
const MOST: usize = 1000;
/// The longest delay, in milliseconds.
const LONGEST: u64 = 60_000;

/// An order of faults, as it is sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The method of requests that fail; without it, any.
    method: Option<String>,
    /// Their path: whole, with `{…}` for any one segment, and `*` at its end for anything. Without it, any.
    path: Option<String>,
    /// How many of them fail.
    #[serde(default = "once")]
    times: u32,
    /// How.
    fault: Kind,
    /// When a client may come back after a refusal, in seconds.
    retry_after: Option<u64>,
    /// The same in milliseconds, for tests that have no time.
    retry_after_ms: Option<u64>,
    /// How long to wait, for a delay.
    delay_ms: Option<u64>,
    /// Whether a connection is cut when the request was served already.
    #[serde(default)]
    after: bool,
}

fn once() -> u32 {
    1
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 429, with `Retry-After`.
    RateLimit,
    /// 500.
    ServerError,
    /// 503, with `Retry-After`.
    Unavailable,
    /// It is served, but late.
    Delay,
    /// The connection ends instead of an answer.
    Cut,
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429, and when to come back.
    RateLimit(Duration),
    /// 500.
    ServerError,
    /// 503, and when to come back.
    Unavailable(Duration),
    /// Served after this time.
    Delay(Duration),
    /// The connection ends; before the request is served, or after.
    Cut {
        /// Whether it was served.
        after: bool,
    },
}

/// An order as it is told.
#[derive(Debug, Clone, Serialize)]
pub struct Ordered {
    object: &'static str,
    id: String,
    method: Option<String>,
    path: Option<String>,
    times: u32,
    /// How many requests have yet to fail.
    remaining: u32,
    fault: Kind,
    #[serde(skip)]
    plays: Fault,
}

/// Every order that was given since the last reset.
#[derive(Default)]
pub struct Faults(Mutex<Vec<Ordered>>);

impl Faults {
    /// Takes an order, or says what is wrong with it and with which member.
    pub fn order(&self, order: Order) -> Result<Ordered, (&'static str, String)> {
        let plays = order.plays()?;
        let mut all = self.all();
        if all.len() >= MOST {
            let remedy = format!("There are {MOST} orders already. DELETE clears them.");
            return Err(("fault", remedy));
        }
        let Order { method, path, times, fault, .. } = order;
        let method = method.map(|method| method.to_ascii_uppercase());
        let id = format!("fault_{}", all.len() + 1);
        let remaining = times;
        let object = "emulator.fault";
        let ordered = Ordered { object, id, method, path, times, remaining, fault, plays };
        all.push(ordered.clone());
        Ok(ordered)
    }

    /// What becomes of this request: the first order that it fits and that is not used up.
    pub fn take(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut all = self.all();
        let found = all.iter_mut().find(|one| one.remaining > 0 && one.fits(method, path))?;
        found.remaining -= 1;
        Some(found.plays)
    }

    /// All orders, those that are used up too.
    pub fn list(&self) -> Vec<Ordered> {
        self.all().clone()
    }

    /// Forgets all orders.
    pub fn clear(&self) {
        self.all().clear();
    }

    fn all(&self) -> MutexGuard<'_, Vec<Ordered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Order {
    fn plays(&self) -> Result<Fault, (&'static str, String)> {
        let wrong = |param, text: &str| Err((param, text.to_owned()));
        if self
            .method
            .as_deref()
            .is_some_and(|m| !["GET", "POST", "DELETE"].contains(&&*m.to_ascii_uppercase()))
        {
            return wrong("method", "'method' is GET, POST or DELETE; leave it out for any.");
        }
        if self.path.as_deref().is_some_and(|path| !path.starts_with('/')) {
            return wrong(
                "path",
                "'path' is whole, for example /v1/organization/projects/{id}/users; leave it out for any.",
            );
        }
        if self.times == 0 {
            return wrong("times", "'times' is at least 1.");
        }
        let refuses = matches!(self.fault, Kind::RateLimit | Kind::Unavailable);
        if !refuses && self.retry_after.or(self.retry_after_ms).is_some() {
            return wrong("retry_after", "Only rate_limit and unavailable say when to come back.");
        }
        if self.after && self.fault != Kind::Cut {
            return wrong("after", "Only cut can come after the request was served.");
        }
        if self.delay_ms.is_some() != (self.fault == Kind::Delay) {
            return wrong(
                "delay_ms",
                "'delay_ms' says how long a delay is, and belongs to no other fault.",
            );
        }
        if self.delay_ms.is_some_and(|ms| ms > LONGEST) {
            return wrong("delay_ms", "'delay_ms' is at most 60000.");
        }
        let back = match (self.retry_after, self.retry_after_ms) {
            (Some(_), Some(_)) => {
                return wrong("retry_after_ms", "Write either retry_after or retry_after_ms.");
            }
            (None, None) => Duration::from_secs(1),
            (Some(seconds), None) => Duration::from_secs(seconds),
            (None, Some(ms)) => Duration::from_millis(ms),
        };
        Ok(match self.fault {
            Kind::RateLimit => Fault::RateLimit(back),
            Kind::ServerError => Fault::ServerError,
            Kind::Unavailable => Fault::Unavailable(back),
            Kind::Delay => Fault::Delay(Duration::from_millis(self.delay_ms.unwrap_or_default())),
            Kind::Cut => Fault::Cut { after: self.after },
        })
    }
}

impl Ordered {
    fn fits(&self, method: &Method, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method.as_str())
            && self.path.as_deref().is_none_or(|pattern| fits(pattern, path))
    }
}

/// Whether a path is one of a pattern's.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut sent) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), sent.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) if wanted.clone().next().is_none() => return true,
            (Some(part), Some(segment)) if part == segment => {}
            (Some(part), Some(_)) if part.starts_with('{') && part.ends_with('}') => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn order(body: Value) -> Order {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_pattern_fits_paths_segment_by_segment() {
        let one = "/v1/organization/projects/{project_id}/users";
        assert!(fits(one, "/v1/organization/projects/proj_1/users"));
        assert!(!fits(one, "/v1/organization/projects/proj_1/users/user-1"));
        assert!(!fits(one, "/v1/organization/projects/proj_1/groups"));
        assert!(!fits(one, "/v1/organization/projects/users"));
        assert!(fits("/v1/*", "/v1/organization/users") && fits("/*", "/healthz"));
        assert!(!fits("/v1/*/users", "/v1/organization/users"), "only the end stands for anything");
        assert!(!fits("/v1/*", "/v1"));
    }

    #[test]
    fn orders_are_used_up_in_turn() {
        let faults = Faults::default();
        faults
            .order(order(
                json!({ "fault": "rate_limit", "times": 2, "method": "get", "path": "/v1/x" }),
            ))
            .unwrap();
        faults.order(order(json!({ "fault": "cut" }))).unwrap();
        let take = |method: Method| faults.take(&method, "/v1/x");
        assert_eq!(take(Method::POST), Some(Fault::Cut { after: false }));
        let limited = Some(Fault::RateLimit(Duration::from_secs(1)));
        assert_eq!(
            [take(Method::GET), take(Method::GET), take(Method::GET)],
            [limited, limited, None]
        );
        let left: Vec<_> = faults.list().into_iter().map(|one| (one.id, one.remaining)).collect();
        assert_eq!(left, [("fault_1".to_owned(), 0), ("fault_2".to_owned(), 0)]);
        faults.clear();
        assert!(faults.list().is_empty());
    }

    #[test]
    fn an_order_that_makes_no_sense_is_refused_by_the_member_at_fault() {
        let param = |body| Faults::default().order(order(body)).unwrap_err().0;
        assert_eq!(param(json!({ "fault": "cut", "method": "BREW" })), "method");
        assert_eq!(param(json!({ "fault": "cut", "path": "v1/x" })), "path");
        assert_eq!(param(json!({ "fault": "cut", "times": 0 })), "times");
        assert_eq!(param(json!({ "fault": "cut", "retry_after": 1 })), "retry_after");
        assert_eq!(param(json!({ "fault": "server_error", "after": true })), "after");
        assert_eq!(param(json!({ "fault": "delay" })), "delay_ms");
        assert_eq!(param(json!({ "fault": "delay", "delay_ms": 60_001 })), "delay_ms");
        assert_eq!(
            param(json!({ "fault": "unavailable", "retry_after": 1, "retry_after_ms": 1 })),
            "retry_after_ms"
        );
        let faults = Faults::default();
        for _ in 0..MOST {
            faults.order(order(json!({ "fault": "cut" }))).unwrap();
        }
        assert_eq!(faults.order(order(json!({ "fault": "cut" }))).unwrap_err().0, "fault");
    }
}
