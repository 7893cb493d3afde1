//! The load: connections that ask again as soon as they are answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Empty};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use crate::answer::Answer;
use crate::traffic::{ROWS, Traffic};

/// Until everything is warm nothing is counted.
const LEAD_IN: Duration = Duration::from_millis(400);
/// No answer takes so long unless something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// When what happens counts.
#[derive(Clone, Copy)]
struct Window {
    begin: Instant,
    end: Instant,
}

/// What a round found: times of answers, in nanoseconds.
pub struct Tally {
    pub times: Histogram<u64>,
    pub seconds: f64,
    pub cpu_micros: f64,
}

type Client = SendRequest<Empty<Bytes>>;

async fn connect(traffic: &Traffic) -> Result<Client> {
    let stream = TcpStream::connect(traffic.address).await?;
    stream.set_nodelay(true)?;
    let (client, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// One answer, which must be a page of [`ROWS`].
pub async fn capture(traffic: &Traffic) -> Result<Answer> {
    let mut client = connect(traffic).await?;
    let request = traffic.request(&mut Rng::with_seed(0))?;
    let (parts, body) = client.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    ensure!(parts.status == StatusCode::OK, "{}: {body:?}", parts.status);
    let page: serde_json::Value = serde_json::from_slice(&body)?;
    ensure!(page["data"].as_array().map(Vec::len) == Some(ROWS), "it is no full page: {page}");
    Answer::of(&parts.headers, &body)
}

/// Asks on so many connections for so long, every answer having to be of the size `bytes`. `cpu` tells the processor time that the
/// server has used, in microseconds.
pub async fn round(
    traffic: &Arc<Traffic>,
    connections: u64,
    length: Duration,
    bytes: usize,
    cpu: impl Fn() -> Result<f64>,
) -> Result<Tally> {
    let begin = Instant::now() + LEAD_IN;
    let window = Window { begin, end: begin + length };
    let mut asking = JoinSet::new();
    for seed in 0..connections {
        asking.spawn(ask(Arc::clone(traffic), Rng::with_seed(seed), window, bytes));
    }
    sleep_until(window.begin.into()).await;
    let used = cpu()?;
    sleep_until(window.end.into()).await;
    let cpu_micros = cpu()? - used;
    let mut times = histogram()?;
    while let Some(one) = timeout(PATIENCE, asking.join_next()).await.context("no answer")? {
        times.add(one??)?;
    }
    ensure!(!times.is_empty(), "nothing was answered");
    Ok(Tally { times, seconds: length.as_secs_f64(), cpu_micros })
}

fn histogram() -> Result<Histogram<u64>> {
    let longest = u64::try_from(PATIENCE.as_nanos())?;
    Ok(Histogram::new_with_bounds(1, longest, 3)?)
}

/// One connection: the times of the answers that came within the window.
async fn ask(
    traffic: Arc<Traffic>,
    mut random: Rng,
    window: Window,
    bytes: usize,
) -> Result<Histogram<u64>> {
    let mut times = histogram()?;
    let mut client = connect(&traffic).await?;
    loop {
        let request = traffic.request(&mut random)?;
        let asked = Instant::now();
        if asked >= window.end {
            return Ok(times);
        }
        let response = client.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let answered = Instant::now();
        ensure!(
            status == StatusCode::OK && body.len() == bytes,
            "{status} with {} bytes instead of {bytes}",
            body.len()
        );
        if (window.begin..window.end).contains(&answered) {
            times.saturating_record(u64::try_from((answered - asked).as_nanos())?);
        }
    }
}
