//! The stage: the same API as `serve`, on a store that can be put back, with faults on order in front of it.
//!
//! A reset puts a new application on a new store in the place of the old one. So nothing that the old one remembered, and nothing that
//! it was still about to write, can reach what comes after.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use admin::error::{Error, Kind};
use admin::{App, Operations};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use serde_json::json;
use sql::{Options, Store};
use tower::ServiceExt;

use super::clock::MovableClock;
use super::dice::Dice;
use super::faults::{Fault, Faults};
use super::seed::Seed;
use crate::key_file::MEMORY;

/// How much of the body of a request is read that is refused anyway.
const BODY_CAP: usize = 1 << 20;

/// Everything that an emulator has.
pub struct Stage {
    /// What time it is here.
    pub clock: Arc<MovableClock>,
    /// What is to go wrong.
    pub faults: Faults,
    seeds: Vec<Seed>,
    operations: Operations,
    settings: admin::Settings,
    playing: RwLock<Playing>,
}

/// What is on the stage now.
#[derive(Clone)]
struct Playing {
    seed: usize,
    app: App,
    router: Router,
}

impl Stage {
    /// A stage with the first of these seeds on it. There must be one.
    pub fn new(
        seeds: Vec<Seed>,
        clock: Arc<MovableClock>,
        settings: admin::Settings,
    ) -> sql::Result<Self> {
        let operations = Operations::new();
        let playing = Playing::begin(&seeds, 0, &clock, &operations, &settings)?;
        let playing = RwLock::new(playing);
        Ok(Self { clock, faults: Faults::default(), seeds, operations, settings, playing })
    }

    /// Puts everything back: the state of this seed (or of the first), the clock, the ids, and no faults. Answers the seed's name, or
    /// nothing if there is none of that name.
    pub fn reset(&self, name: Option<&str>) -> sql::Result<Option<&str>> {
        let place =
            name.map_or(Some(0), |name| self.seeds.iter().position(|seed| seed.name == name));
        let Some(place) = place else { return Ok(None) };
        let mut playing = self.playing.write().unwrap_or_else(PoisonError::into_inner);
        self.clock.restart();
        self.faults.clear();
        *playing =
            Playing::begin(&self.seeds, place, &self.clock, &self.operations, &self.settings)?;
        Ok(Some(&self.seeds[place].name))
    }

    /// The state of a seed, as a reset restores it.
    #[cfg(test)]
    pub fn image(&self, seed: usize) -> &sql::Image {
        &self.seeds[seed].image
    }

    /// The names of the seeds, the first one first.
    pub fn seeds(&self) -> impl Iterator<Item = &str> {
        self.seeds.iter().map(|seed| &*seed.name)
    }

    /// The name of the seed that was started from last, and the store as it is now.
    pub fn now(&self) -> (&str, Store) {
        let playing = self.playing();
        (&self.seeds[playing.seed].name, playing.app.store.clone())
    }

    fn playing(&self) -> Playing {
        self.playing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers a request to the API: as `serve` would, unless a fault was ordered for it.
    pub async fn answer(State(stage): State<Arc<Self>>, request: Request) -> Response {
        let fault = stage.faults.take(request.method(), request.uri().path());
        match fault {
            None => stage.serve(request).await,
            Some(Fault::Delay(time)) => {
                wait(time).await;
                stage.serve(request).await
            }
            Some(Fault::Cut { after }) => {
                if after {
                    stage.serve(request).await;
                }
                Response::new(Body::new(Broken))
            }
            Some(Fault::RateLimit(back)) => {
                receive(request).await;
                coming_back(too_many(), back)
            }
            Some(Fault::ServerError) => {
                receive(request).await;
                Error::new(Kind::Internal, "This failure was ordered of the emulator.").response("")
            }
            Some(Fault::Unavailable(back)) => {
                receive(request).await;
                let message = "This failure was ordered of the emulator. Nothing was changed; try again shortly.";
                coming_back(Error::new(Kind::Unavailable, message).response(""), back)
            }
        }
    }

    async fn serve(&self, request: Request) -> Response {
        let Playing { app, router, .. } = self.playing();
        let Ok(response) = router.oneshot(request).await;
        // What no request waits for is waited for here, so that the next one always finds the same.
        app.background.wait().await;
        response
    }
}

impl Playing {
    fn begin(
        seeds: &[Seed],
        seed: usize,
        clock: &Arc<MovableClock>,
        operations: &Operations,
        settings: &admin::Settings,
    ) -> sql::Result<Self> {
        let store = Store::from_image(&seeds[seed].image, Options::new(MEMORY))?;
        let (clock, dice) = (Arc::clone(clock), Arc::new(Dice::new("play")));
        let app = App::new(store, clock, dice, settings.clone());
        // It takes work all the same; only a closed one can be waited for.
        app.background.close();
        let router = operations.clone().of(app.clone());
        Ok(Self { seed, app, router })
    }
}

/// Reads the body of a request that is refused, so that the connection need not end with the refusal.
async fn receive(request: Request) {
    drop(to_bytes(request.into_body(), BODY_CAP).await);
}

#[expect(clippy::disallowed_methods, reason = "somebody ordered to wait")]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

/// 429, which Rollbook itself never answers, as the API has it.
fn too_many() -> Response {
    let error = json!({
        "code": "rate_limit_exceeded",
        "message": "This failure was ordered of the emulator: too many requests. Wait as long as Retry-After says.",
        "param": null,
        "type": "requests",
    });
    let body = json!({ "error": error }).to_string();
    (StatusCode::TOO_MANY_REQUESTS, [(header::CONTENT_TYPE, "application/json")], body)
        .into_response()
}

/// A refusal that says when to come back. Whole seconds are for everybody, and never none; milliseconds for clients that know them.
fn coming_back(mut response: Response, back: Duration) -> Response {
    let seconds = back.as_millis().div_ceil(1000).max(1);
    let headers = response.headers_mut();
    let number = |number: u128| HeaderValue::from(u64::try_from(number).unwrap_or(u64::MAX));
    headers.insert(header::RETRY_AFTER, number(seconds));
    if back.subsec_millis() > 0 || back.is_zero() {
        headers.insert("retry-after-ms", number(back.as_millis()));
    }
    response
}

/// A body that breaks before its first byte, which takes the connection with it.
struct Broken;

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let error = io::Error::new(io::ErrorKind::ConnectionReset, "ordered of the emulator");
        Poll::Ready(Some(Err(error)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(1)
    }
}
