//! The record's list on a large store: every filter alone and in pairs, each first page within ten milliseconds.

mod events;
mod fill;
mod questions;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use hdrhistogram::Histogram;
use indicatif::HumanCount;

use self::questions::{Question, ROWS, Shows, questions};
use crate::fill::{Filled, Shape};
use crate::load::Client;
use crate::processes::{Log, Server};
use crate::report::{Rows, Section};
use crate::run::{Bench, machine};
use crate::tally::histogram;
use crate::traffic::{Asks, From, Traffic};

/// Its name for `--only`.
pub const AUDIT: &str = "audit";
/// How often each page is asked for.
const ASKED: u64 = 200;
/// No first page may take longer, in microseconds, with one in a hundred left out.
const MOST: u64 = 10_000;
/// What an event takes in the store with its indexes, in bytes, and in time to fill in, in events a second. As found before.
const BYTES: u64 = 900;
const A_SECOND: u64 = 20_000;

/// A page and how long it took, in microseconds.
struct Found {
    name: String,
    filters: String,
    p50: u64,
    p99: u64,
}

/// Fills a store, unless there is one, and asks. What was found is told before it is held against the limit.
pub fn measure(bench: &Bench) -> Result<()> {
    let count = bench.plan.events;
    let file = bench.plan.record.clone().unwrap_or_else(|| bench.file("record.db"));
    let url = format!("sqlite:{}", file.display());
    if file.exists() {
        bench.progress.say(&format!("{} is there and taken as it is", file.display()))?;
    } else {
        fill(bench, &url, &file, count)?;
    }
    let server = Server::rollbook(&url, Log::Requests, &bench.file("audit.log"))?;
    let traffic = traffic(&server)?;
    let mut found = Vec::new();
    for question in questions() {
        bench.progress.go_on()?;
        let times = bench.runtime.block_on(ask(&traffic, &question, found.len()))?;
        let micros = |quantile| times.value_at_quantile(quantile) / 1000;
        let Question { name, filters, .. } = question;
        found.push(Found { name, filters, p50: micros(0.5), p99: micros(0.99) });
    }
    tell(bench, count, &found)?;
    let slow: Vec<_> = found.iter().filter(|one| one.p99 > MOST).map(|one| &one.name).collect();
    ensure!(slow.is_empty(), "these pages took more than {MOST} µs: {slow:#?}");
    Ok(())
}

fn fill(bench: &Bench, url: &str, file: &Path, count: u64) -> Result<()> {
    let (minutes, size) = (count / A_SECOND / 60 + 1, count * BYTES / 1_000_000);
    let events = HumanCount(count);
    bench
        .progress
        .say(&format!("filling a record of {events} events: about {minutes} min, {size} MB"))?;
    let begun = Instant::now();
    let report = |number: usize| match number % 500_000 {
        0 => bench.progress.say(&format!("{} events", HumanCount(number as u64))),
        _ => bench.progress.go_on(),
    };
    fill::fill(url, usize::try_from(count)?, report)?;
    let (seconds, bytes) = (begun.elapsed().as_secs(), file.metadata()?.len());
    bench.progress.say(&format!("filled in {seconds} s, {} bytes an event", bytes / count.max(1)))
}

/// Requests with the one key of the store.
fn traffic(server: &Server) -> Result<Traffic> {
    let filled = Filled {
        shape: Shape { projects: 0, members: 0 },
        organization: String::new(),
        keys: vec![fill::key()],
        project_keys: Vec::new(),
        added: AtomicUsize::new(0),
        removed: AtomicUsize::new(0),
    };
    Traffic::new(server.address, Asks::Members { limit: ROWS, from: From::First }, Arc::new(filled))
}

/// One request after another, none like one before, so that no answer is a kept one.
async fn ask(traffic: &Traffic, question: &Question, place: usize) -> Result<Histogram<u64>> {
    let (mut client, mut random) = (Client::connect(traffic).await?, Rng::with_seed(0));
    let mut times = histogram()?;
    for number in 0..ASKED {
        // A time that no event reaches.
        let fresh = 4_000_000_000 + place as u64 * ASKED + number;
        let path = format!("{}&effective_at[lte]={fresh}", question.query);
        let request = traffic.get(&mut random, &path)?;
        let asked = Instant::now();
        let answer = client.capture(request).await.with_context(|| path.clone())?;
        times.saturating_record(u64::try_from(asked.elapsed().as_nanos())?);
        check(question, &answer.body())?;
    }
    Ok(times)
}

fn check(question: &Question, body: &[u8]) -> Result<()> {
    let page: serde_json::Value = serde_json::from_slice(body)?;
    let rows = page["data"].as_array().map(Vec::len);
    let is_right = match question.shows {
        Shows::Full => rows == Some(ROWS),
        Shows::Nothing => rows == Some(0),
        Shows::Some => rows.is_some(),
    };
    ensure!(is_right, "{} shows {rows:?} rows", question.query);
    Ok(())
}

fn tell(bench: &Bench, count: u64, found: &[Found]) -> Result<()> {
    let header = ["filters", "pages", "the slowest of them", "its p50, µs", "its p99, µs"];
    let pages = found.chunk_by(|one, two| one.filters == two.filters);
    let row = |pages: &[Found]| {
        let slowest = pages.iter().max_by_key(|one| one.p99)?;
        let [p50, p99] = [slowest.p50, slowest.p99].map(|micros| HumanCount(micros).to_string());
        let (filters, count) = (slowest.filters.clone(), pages.len().to_string());
        Some([filters, count, slowest.name.clone(), p50, p99])
    };
    let rows = Rows::under(header, pages.filter_map(row).collect());
    let about = format!(
        "Each page was asked for {ASKED} times on one connection; {} events; {}.",
        HumanCount(count),
        machine()?
    );
    bench.tell(&Section::new(AUDIT, vec![rows], about))
}
