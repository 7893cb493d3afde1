//! The load of a closed loop: connections that ask again as soon as they are answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use crate::answer::Answer;
use crate::processes::Server;
use crate::tally::{Meter, Tally, Usage, histogram};
use crate::traffic::Traffic;

/// Until everything is warm nothing is counted.
const LEAD_IN: Duration = Duration::from_millis(400);
/// No answer takes so long unless something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// When what happens counts.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub begin: Instant,
    pub end: Instant,
}

impl Window {
    /// From after the lead-in on.
    pub fn of(length: Duration) -> Self {
        let begin = Instant::now() + LEAD_IN;
        Self { begin, end: begin + length }
    }

    pub fn holds(self, time: Instant) -> bool {
        (self.begin..self.end).contains(&time)
    }

    /// Waits until it is over and tells what the server used within it.
    pub async fn usage(self, server: &Server) -> Result<Usage> {
        sleep_until(self.begin.into()).await;
        let meter = Meter::start(server)?;
        sleep_until(self.end.into()).await;
        meter.stop()
    }
}

/// One connection to a server.
pub struct Client(SendRequest<Full<Bytes>>);

impl Client {
    pub async fn connect(traffic: &Traffic) -> Result<Self> {
        let stream = TcpStream::connect(traffic.address).await?;
        stream.set_nodelay(true)?;
        let (client, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(client))
    }

    /// Sends a request and reads its answer, which must be one of success and of this size.
    pub async fn exchange(&mut self, request: Request<Full<Bytes>>, bytes: usize) -> Result<()> {
        let response = self.send(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(
            status == StatusCode::OK && body.len() == bytes,
            "{status} with {} bytes instead of {bytes}",
            body.len()
        );
        Ok(())
    }

    /// The end of an answer may be here a moment before its connection takes the next request, which it would refuse meanwhile.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
        self.0.ready().await?;
        Ok(self.0.send_request(request).await?)
    }

    /// Sends a request, and reads its answer without keeping it. Answers how many bytes it had.
    pub async fn drain(&mut self, request: Request<Full<Bytes>>) -> Result<usize> {
        let response = self.send(request).await?;
        ensure!(response.status() == StatusCode::OK, "{}", response.status());
        let (mut body, mut bytes) = (response.into_body(), 0);
        while let Some(frame) = body.frame().await {
            bytes += frame?.data_ref().map_or(0, Bytes::len);
        }
        Ok(bytes)
    }

    /// Sends a request and keeps its answer.
    pub async fn capture(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        let (parts, body) = self.send(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        ensure!(parts.status == StatusCode::OK, "{}: {body:?}", parts.status);
        Answer::of(&parts.headers, body)
    }
}

/// One answer. If it is a page, it must be full.
pub async fn capture(traffic: &Traffic) -> Result<Answer> {
    let request = traffic.request(&mut Rng::with_seed(0))?;
    let answer = Client::connect(traffic).await?.capture(request).await?;
    if let Some(rows) = traffic.rows() {
        let page: serde_json::Value = serde_json::from_slice(&answer.body())?;
        ensure!(page["data"].as_array().map(Vec::len) == Some(rows), "it is no full page: {page}");
    }
    Ok(answer)
}

/// Asks on so many connections for so long, every answer having to be of the size `bytes`.
pub async fn round(
    server: &Server,
    traffic: &Arc<Traffic>,
    connections: u64,
    length: Duration,
    bytes: usize,
) -> Result<Tally> {
    let clients = connect(traffic, connections).await?;
    let window = Window::of(length);
    let mut asking = JoinSet::new();
    for (seed, client) in clients {
        asking.spawn(ask(client, Arc::clone(traffic), Rng::with_seed(seed), window, bytes));
    }
    let usage = window.usage(server).await?;
    let times = together(asking).await?;
    Ok(Tally::timed(times, length.as_secs_f64(), Some(usage)))
}

/// So many connections, numbered.
pub async fn connect(traffic: &Traffic, connections: u64) -> Result<Vec<(u64, Client)>> {
    let mut clients = Vec::new();
    for number in 0..connections {
        clients.push((number, Client::connect(traffic).await?));
    }
    Ok(clients)
}

/// What all connections found.
pub async fn together(mut asking: JoinSet<Result<Histogram<u64>>>) -> Result<Histogram<u64>> {
    let mut times = histogram()?;
    while let Some(one) = timeout(PATIENCE, asking.join_next()).await.context("no answer")? {
        times.add(one??)?;
    }
    ensure!(!times.is_empty(), "nothing was answered");
    Ok(times)
}

/// One connection: the times of the answers that came within the window.
async fn ask(
    mut client: Client,
    traffic: Arc<Traffic>,
    mut random: Rng,
    window: Window,
    bytes: usize,
) -> Result<Histogram<u64>> {
    let mut times = histogram()?;
    loop {
        let request = traffic.request(&mut random)?;
        let asked = Instant::now();
        if asked >= window.end {
            return Ok(times);
        }
        client.exchange(request, bytes).await?;
        let answered = Instant::now();
        if window.holds(answered) {
            times.saturating_record(u64::try_from((answered - asked).as_nanos())?);
        }
    }
}
