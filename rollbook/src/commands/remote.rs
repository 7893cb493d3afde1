//! The far road: a server that speaks this API, OpenAI's own included.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use admin::domain::secret::{ADMIN_PREFIX, KEY_LENGTH, PlainKey, has_valid_checksum};
use anyhow::{Context, Result, ensure};
use axum::http::{self, HeaderMap, HeaderValue, StatusCode, header};
use rustls::crypto::aws_lc_rs::default_provider;
use serde_json::Value;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::exchange::{Answer, Request, VERSION};
use super::failure::Failure;
use super::local::AGENT;
use super::server_url;
use crate::config::ADMIN_KEYS;

/// How much a command takes from a server before it gives up.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// How often one request is sent before a refusal counts.
    attempts: u32,
    /// The longest that one wait may be. Who is asked to wait longer is told so instead.
    longest: Duration,
    /// Whether a read is sent again when the server failed, or the connection broke.
    is_undeterred: bool,
}

impl Patience {
    /// For one request that somebody waits for.
    const SHORT: Self =
        Self { attempts: 4, longest: Duration::from_secs(30), is_undeterred: false };
    /// For thousands of reads, of which each may meet trouble that is over soon.
    const LONG: Self = Self { attempts: 8, longest: Duration::from_mins(10), is_undeterred: true };
}
/// How long one exchange may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// A server, and the key that opens it.
pub struct Remote {
    agent: Agent,
    base: String,
    key: PlainKey,
    organization: Option<String>,
    patience: Patience,
    flag: &'static str,
}

/// The flag that names a server, unless a command has another one.
const SERVER: &str = "--server";

impl Remote {
    /// A server at this base URL, with or without `/v1`. The key comes from the environment: an argument is for everybody to see.
    pub fn new(url: &str, organization: Option<String>) -> Result<Self> {
        let base = base_of(SERVER, url)?;
        let key = key_of_environment(&base)?;
        Ok(Self { organization, ..Self::at(base, key) })
    }

    /// The server of a command that reads all of it, and takes more from it. Without a key, that comes from the environment too.
    pub fn to_read(flag: &'static str, url: &str, key: Option<PlainKey>) -> Result<Self> {
        let base = base_of(flag, url)?;
        let key = key.map_or_else(|| key_of_environment(&base), Ok)?;
        Ok(Self { flag, patience: Patience::LONG, ..Self::at(base, key) })
    }

    /// A server, and another key than that of an administrator.
    pub fn with_key(url: &str, key: &str) -> Result<Self> {
        let base = base_of(SERVER, url)?;
        Ok(Self::at(base, PlainKey::given(key.to_owned())))
    }

    fn at(base: String, key: PlainKey) -> Self {
        let (organization, patience) = (None, Patience::SHORT);
        Self { agent: agent(), base, key, organization, patience, flag: SERVER }
    }

    /// The base URL, with `/v1` at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks, and asks again as often and as late as the server wants it.
    pub fn send(&self, request: Request<'_>) -> Result<Answer> {
        let Patience { attempts, longest, is_undeterred } = self.patience;
        let may_return = is_undeterred && request.method == "GET";
        let mut attempt = 1;
        loop {
            let may_return = may_return && attempt < attempts;
            let response = match self.exchange(request) {
                Err(error) if may_return && is_broken(&error) => {
                    pause(backoff(attempt));
                    attempt += 1;
                    continue;
                }
                response => response?,
            };
            let delay = delay(response.status(), response.headers(), request, attempt)
                .or_else(|| (may_return && has_failed(&response)).then(|| backoff(attempt)));
            match delay {
                Some(delay) if attempt < attempts && delay <= longest => pause(delay),
                Some(delay) => return Err(self.impatient(response, delay)),
                None => match self.read(response) {
                    Err(error) if may_return && is_broken(&error) => pause(backoff(attempt)),
                    answer => return answer,
                },
            }
            attempt += 1;
        }
    }

    /// The refusal of a server that wants more patience than a command has.
    fn impatient(&self, response: http::Response<Body>, delay: Duration) -> anyhow::Error {
        let hint = format!("the server wants to be asked again after {} s", delay.as_secs());
        match self.read(response) {
            Ok((status, body)) => Failure::of_answer(status, &body).note("hint", &hint).into(),
            Err(error) => error,
        }
    }

    fn exchange(&self, request: Request<'_>) -> Result<http::Response<Body>> {
        let mut key =
            HeaderValue::try_from(format!("Bearer {}", self.key.expose())).map_err(|_| {
                Failure::not_allowed(
                    "the admin key cannot be sent: it has characters that no key has",
                )
            })?;
        key.set_sensitive(true);
        let mut builder = http::Request::builder()
            .method(request.method)
            .uri(format!("{}{}", self.root(), request.target()))
            .header(header::AUTHORIZATION, key)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(organization) = &self.organization {
            builder = builder.header("openai-organization", organization);
        }
        let answered = match request.body {
            Some(body) => self.agent.run(builder.body(body.to_string())?),
            None => self.agent.run(builder.body(())?),
        };
        answered.with_context(|| {
            format!(
                "cannot reach {}; {} names the server, which must be running",
                self.base, self.flag
            )
        })
    }

    /// The base URL without the version at its end.
    fn root(&self) -> &str {
        self.base.strip_suffix(VERSION).unwrap_or(&self.base)
    }

    fn read(&self, mut response: http::Response<Body>) -> Result<Answer> {
        let status = response.status();
        // The key is for this server, and not for whoever it points at.
        ensure!(!status.is_redirection(), self.moved(&response));
        let text = response.body_mut().read_to_string();
        let text = text.with_context(|| format!("the answer of {} broke off", self.base))?;
        let body = serde_json::from_str::<Value>(&text).map_err(|_| {
            let message = format!("{} answered with status {status} and no JSON", self.base);
            let hint = format!("{} wants the base URL of the API", self.flag);
            Failure::refused(&message).note("hint", &hint)
        })?;
        if status == StatusCode::UNAUTHORIZED && self.is_mistyped() {
            let hint =
                "the key does not end in the checksum of a key of this length; it may be mistyped";
            return Err(Failure::of_answer(status.as_u16(), &body).note("hint", hint).into());
        }
        Ok((status.as_u16(), body))
    }

    /// Whether the key is as long as those made here, and none of them. Only worth a hint: other servers make other keys, and
    /// operators choose some.
    fn is_mistyped(&self) -> bool {
        let key = self.key.expose();
        key.starts_with(ADMIN_PREFIX) && key.len() == KEY_LENGTH && !has_valid_checksum(key)
    }

    fn moved(&self, response: &http::Response<Body>) -> Failure {
        let place = response.headers().get(header::LOCATION).map(HeaderValue::as_bytes);
        let place = String::from_utf8_lossy(place.unwrap_or_default()).into_owned();
        let message = format!("{} redirects to {place}, and the key is not sent there", self.base);
        let hint = format!("if that is right, {} names it", self.flag);
        Failure::refused(&message).note("hint", &hint)
    }
}

fn base_of(flag: &str, url: &str) -> Result<String> {
    let base = server_url::with_version(flag, url)?;
    server_url::warn_if_overheard(&base);
    Ok(base)
}

fn key_of_environment(base: &str) -> Result<PlainKey> {
    let given = |name: &&str| std::env::var(name).ok().map(|key| key.trim().to_owned());
    let key = ADMIN_KEYS.iter().filter_map(given).find(|key| !key.is_empty());
    let message = format!("there is no admin key for {base}; put it into {}", ADMIN_KEYS[0]);
    let hint = "it is read from the environment only, because arguments can be seen by others";
    let missing = || Failure::not_allowed(&message).note("hint", hint);
    Ok(PlainKey::given(key.ok_or_else(missing)?))
}

/// How long to wait before asking again; none when the answer stands.
fn delay(
    status: StatusCode,
    headers: &HeaderMap,
    request: Request<'_>,
    attempt: u32,
) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    if headers.get("x-should-retry").is_some_and(|value| value == "false") {
        return None;
    }
    let wanted = number("retry-after-ms").map(Duration::from_millis);
    let wanted = wanted.or_else(|| number("retry-after").map(Duration::from_secs));
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(wanted.unwrap_or(Duration::from_secs(1 << attempt))),
        // Without a word of the server, a change may have taken effect.
        StatusCode::SERVICE_UNAVAILABLE if request.method == "GET" || wanted.is_some() => {
            Some(wanted.unwrap_or(Duration::from_secs(1)))
        }
        _ => None,
    }
}

/// How long to wait when nobody said how long.
fn backoff(attempt: u32) -> Duration {
    Duration::from_millis(125 << attempt.min(8))
}

/// Whether a server, or what stands before it, failed at something that it may manage at the next time.
fn has_failed(response: &http::Response<Body>) -> bool {
    let is_final = response.headers().get("x-should-retry").is_some_and(|value| value == "false");
    matches!(response.status().as_u16(), 500 | 502 | 504) && !is_final
}

/// Whether a connection that there was ended before its time.
fn is_broken(error: &anyhow::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof};
    match error.downcast_ref::<ureq::Error>() {
        Some(ureq::Error::Io(error)) => {
            let kinds = [BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof];
            kinds.contains(&error.kind())
        }
        Some(ureq::Error::Timeout(_) | ureq::Error::Protocol(_)) => true,
        _ => false,
    }
}

#[expect(clippy::disallowed_methods, reason = "the server said how long to stay away")]
fn pause(delay: Duration) {
    std::thread::sleep(delay);
}

/// Trusts whom the system trusts, so that a company's own authority works.
fn agent() -> Agent {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<_> =
        found.certs.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
        .root_certs(RootCerts::new_with_certs(&roots));
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(DEADLINE))
        .user_agent(AGENT)
        .tls_config(tls.build());
    config.build().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_that_changed_nothing_are_asked_again() {
        let get = Request { method: "GET", path: "/x", body: None };
        let post = Request { method: "POST", ..get };
        let headers = |text: &[(&'static str, &str)]| {
            text.iter()
                .map(|(name, value)| {
                    (header::HeaderName::from_static(name), value.parse().unwrap())
                })
                .collect::<HeaderMap>()
        };
        let seconds = |status, request, text: &[(&'static str, &str)]| {
            delay(status, &headers(text), request, 1).map(|delay| delay.as_secs_f64())
        };
        let (many, down) = (StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(seconds(many, post, &[("retry-after", "7")]), Some(7.0));
        assert_eq!(
            seconds(many, post, &[("retry-after", "7"), ("retry-after-ms", "250")]),
            Some(0.25)
        );
        assert_eq!(seconds(many, post, &[]), Some(2.0));
        assert_eq!(seconds(down, get, &[]), Some(1.0));
        assert_eq!(seconds(down, post, &[]), None);
        assert_eq!(seconds(down, post, &[("retry-after", "1")]), Some(1.0));
        assert_eq!(seconds(down, post, &[("retry-after", "1"), ("x-should-retry", "false")]), None);
        assert_eq!(seconds(StatusCode::CONFLICT, get, &[("retry-after", "1")]), None);
        assert_eq!(seconds(StatusCode::INTERNAL_SERVER_ERROR, get, &[]), None);
    }
}
