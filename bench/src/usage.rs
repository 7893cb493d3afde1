//! Usage at volume: how fast events come in while others write, and how long the answers about a month of them take.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use admin::domain::clock::{Clock, SystemClock};
use admin::usage::prices::{self, NewPrice};
use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use flate2::read::GzDecoder;
use hdrhistogram::Histogram;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT_ENCODING, HeaderValue};
use hyper::{Method, Request};
use indicatif::{HumanBytes, HumanCount};
use sql::{Options, Store, Tx};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::fill::{self, Filled, Shape, project};
use crate::load::Client;
use crate::processes::{Log, Server};
use crate::report::{Rows, Section, thousands};
use crate::run::{Bench, machine};
use crate::tally::histogram;
use crate::traffic::{Asks, From, Traffic, project_path};

/// Its name for `--only`.
pub const USAGE: &str = "usage";
const PROJECTS: usize = 100;
const MODELS: usize = 20;
const KEYS: usize = 1000;
const DAYS: u64 = 31;
const DAY: u64 = 24 * 60 * 60;
/// Events in a report.
const REPORT: u64 = 1000;
const REPORTERS: u64 = 4;
/// Somebody else changes something so often meanwhile.
const CHANGE_EVERY: Duration = Duration::from_millis(50);
/// How often each question is asked.
const ASKED: u64 = 200;
const BARE: &str = "a bare server with the same bytes";

/// Fills a store with a month of events through its server, and asks about them.
pub fn measure(bench: &Bench) -> Result<()> {
    let events = bench.plan.events / REPORT * REPORT;
    let file = bench.file("usage.db");
    let url = format!("sqlite:{}", file.display());
    bench.progress.say("filling a store with projects and prices")?;
    let filled = Arc::new(prepare(&url)?);
    let server = Server::rollbook(&url, Log::Requests, &bench.file("usage.log"))?;
    let asks = Asks::Members { limit: 1, from: From::First };
    let traffic = Arc::new(Traffic::new(server.address, asks, filled)?);
    let end = u64::try_from(SystemClock.now())? / DAY * DAY;
    let mut rows = intake(bench, &traffic, events, end - DAYS * DAY)?;
    rows.push(["server, the most resident".into(), format!("{:.0} MiB", server.memory("VmHWM")?)]);
    rows.push(["database".into(), size(&file, events)?]);
    for question in questions(end) {
        bench.progress.say(&question.name)?;
        let asked = ask(bench, &traffic, &question)?;
        rows.extend(asked.rows(&question.name)?);
    }
    let about = format!(
        "{} events over {DAYS} days, {PROJECTS} projects × {MODELS} models × {KEYS} keys, in reports of {REPORT} on {REPORTERS} \
         connections; p50 / p99 in µs; {}.",
        HumanCount(events),
        machine()?
    );
    bench.tell(&Section::new(USAGE, vec![Rows::under(["", "found"], rows)], about))
}

/// A store in which every model has prices.
fn prepare(url: &str) -> Result<Filled> {
    let filled = fill::fill(url, Shape { projects: PROJECTS, members: 10 }, |_| Ok(()))?;
    let store = Store::open(Options::new(url))?;
    let organization = filled.organization.clone();
    store.write_blocking::<_, admin::error::Error>(move |tx| set_prices(tx, &organization))?;
    store.close();
    Ok(filled)
}

fn set_prices(tx: &mut Tx<'_>, organization: &str) -> admin::error::Result<()> {
    for model in 0..MODELS {
        for measure in ["input_uncached_tokens", "input_cached_tokens", "output_tokens"] {
            let (model, measure) = (format!("model-{model:02}"), measure.to_owned());
            let price = "2.50".to_owned();
            let new = NewPrice { model, measure, effective_from: 0, price, units: 1_000_000 };
            prices::set(tx, organization, &new, 0)?;
        }
    }
    Ok(())
}

/// Sends all events, in the order of their days, while somebody else changes something again and again.
fn intake(
    bench: &Bench,
    traffic: &Arc<Traffic>,
    events: u64,
    start: u64,
) -> Result<Vec<[String; 2]>> {
    let (next, reports) = (Arc::new(AtomicU64::new(0)), events / REPORT);
    let is_over = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let (reported, changed) = bench.runtime.block_on(async {
        let changing = tokio::spawn(change(Arc::clone(traffic), Arc::clone(&is_over)));
        let mut reporting = JoinSet::new();
        for _ in 0..REPORTERS {
            let (traffic, next) = (Arc::clone(traffic), Arc::clone(&next));
            reporting.spawn(report(traffic, next, reports, start));
        }
        let mut times = histogram()?;
        let mut tick = interval(Duration::from_secs(1));
        while !reporting.is_empty() {
            tokio::select! {
                Some(one) = reporting.join_next() => times.add(one??)?,
                _ = tick.tick() => {
                    let sent = next.load(Ordering::Relaxed).min(reports) * REPORT;
                    bench.progress.say(&format!("{} events sent", HumanCount(sent)))?;
                }
            }
        }
        is_over.store(true, Ordering::Relaxed);
        anyhow::Ok((times, changing.await??))
    })?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2⁵²")]
    let rate = events as f64 / begun.elapsed().as_secs_f64();
    Ok(vec![
        ["events taken in a second".into(), thousands(rate)],
        ["a report".into(), quantiles(&reported)],
        [format!("a change meanwhile, {} of them", changed.len()), quantiles(&changed)],
    ])
}

/// Sends reports until all are sent. Every event must be accepted.
async fn report(
    traffic: Arc<Traffic>,
    next: Arc<AtomicU64>,
    reports: u64,
    start: u64,
) -> Result<Histogram<u64>> {
    let (mut client, mut times) = (Client::connect(&traffic).await?, histogram()?);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= reports {
            return Ok(times);
        }
        let mut random = Rng::with_seed(number);
        // The reports share the month evenly.
        let place = |report: u64| DAYS * DAY * report / reports;
        let (from, to) = (place(number), place(number + 1));
        let body = events(&mut random, start + from..start + to.max(from + 1));
        let path = "/rollbook/v1/usage_events";
        let request = traffic.send(&mut random, Method::POST, path, body)?;
        let sent = Instant::now();
        let answer: serde_json::Value =
            serde_json::from_slice(&client.capture(request).await?.body())?;
        times.saturating_record(u64::try_from(sent.elapsed().as_nanos())?);
        ensure!(answer["accepted"] == REPORT, "not everything was accepted: {answer}");
    }
}

/// The events of a report, whose ids come in no order.
fn events(random: &mut Rng, times: std::ops::Range<u64>) -> String {
    let mut body = String::from("[");
    for number in 0..REPORT {
        let separator = if number == 0 { "" } else { "," };
        let (id, time, of) = (random.u128(..), random.u64(times.clone()), random.usize(..KEYS));
        let (model, input) = (random.usize(..MODELS), random.u32(100..5000));
        let (cached, output) = (random.u32(..100), random.u32(1..900));
        // A key belongs to one project. Writing into a text cannot fail.
        let _ = write!(
            body,
            r#"{separator}{{"id":"{id:032x}","time":{time},"kind":"completions","project_id":"{}","api_key_id":"key_{of:024}","model":"model-{model:02}","input_tokens":{input},"input_cached_tokens":{cached},"output_tokens":{output}}}"#,
            project(of % PROJECTS)
        );
    }
    body + "]"
}

/// Renames a project again and again until all is over.
async fn change(traffic: Arc<Traffic>, is_over: Arc<AtomicBool>) -> Result<Histogram<u64>> {
    let (mut client, mut times) = (Client::connect(&traffic).await?, histogram()?);
    let mut tick = interval(CHANGE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) {
        tick.tick().await;
        let begun = Instant::now();
        rename(&mut client, &traffic, &format!("Name {number:09}")).await?;
        times.saturating_record(u64::try_from(begun.elapsed().as_nanos())?);
        number += 1;
    }
    Ok(times)
}

async fn rename(client: &mut Client, traffic: &Traffic, name: &str) -> Result<()> {
    let (mut random, body) = (Rng::with_seed(0), format!(r#"{{"name":"{name}"}}"#));
    let request = traffic.send(&mut random, Method::POST, &project_path(0), body)?;
    client.capture(request).await.map(drop)
}

/// Something that is asked about the month.
struct Question {
    name: String,
    path: String,
    buckets: usize,
    /// Whether the answer is to be compressed, as the official clients ask for it.
    is_packed: bool,
}

impl Question {
    fn request(&self, traffic: &Traffic, random: &mut Rng) -> Result<Request<Full<Bytes>>> {
        let mut request = traffic.get(random, &self.path)?;
        if self.is_packed {
            let coding = HeaderValue::from_static("gzip, deflate");
            request.headers_mut().insert(ACCEPT_ENCODING, coding);
        }
        Ok(request)
    }
}

fn questions(end: u64) -> impl Iterator<Item = Question> {
    let question = |name: &str, days: u64, query: &str, buckets| {
        let of = "/v1/organization/usage/completions";
        let path = format!("{of}?start_time={}&end_time={end}&{query}", end - days * DAY);
        [("", false), (", gzip", true)].map(|(coding, is_packed)| Question {
            name: format!("{name}{coding}"),
            path: path.clone(),
            buckets,
            is_packed,
        })
    };
    let grouped = "group_by=project_id&group_by=model";
    let questions = [
        question("31 days", DAYS, "limit=31", 31),
        question("31 days by project", DAYS, "limit=31&group_by=project_id", 31),
        question("31 days by project and model", DAYS, &format!("limit=31&{grouped}"), 31),
        question("1 day by minute", 1, "bucket_width=1m&limit=1440", 1440),
    ];
    questions.into_iter().flatten()
}

/// How long a question took: the first time, then again and again, and how long a bare server takes that sends the same bytes.
struct Asked {
    first: Duration,
    again: Histogram<u64>,
    limit: Histogram<u64>,
    bytes: usize,
}

impl Asked {
    fn rows(&self, name: &str) -> Result<[[String; 2]; 2]> {
        let first = HumanCount(u64::try_from(self.first.as_micros())?);
        let bytes = HumanBytes(u64::try_from(self.bytes)?);
        let again = format!("{}, the first time {first}", quantiles(&self.again));
        Ok([[format!("{name}, {bytes}"), again], [BARE.to_owned(), quantiles(&self.limit)]])
    }
}

/// Asks again and again, each time after a change, so that no whole answer is a kept one; the bare server takes turns.
fn ask(bench: &Bench, traffic: &Traffic, question: &Question) -> Result<Asked> {
    bench.runtime.block_on(async {
        let (mut client, random) = (Client::connect(traffic).await?, &mut Rng::with_seed(0));
        let mut timed = async |client: &mut Client, traffic: &Traffic| {
            let request = question.request(traffic, random)?;
            let asked = Instant::now();
            let bytes = client.drain(request).await.with_context(|| question.path.clone())?;
            anyhow::Ok((asked.elapsed(), bytes))
        };
        let (first, _) = timed(&mut client, traffic).await?;
        let limit = bare(bench, traffic, question).await?;
        let limited = traffic.elsewhere(limit.address)?;
        let mut other = Client::connect(&limited).await?;
        let (mut again, mut bare, mut bytes) = (histogram()?, histogram()?, 0);
        for number in 0..ASKED {
            rename(&mut client, traffic, &format!("Between {number:06}")).await?;
            let (time, found) = timed(&mut client, traffic).await?;
            again.saturating_record(u64::try_from(time.as_nanos())?);
            let (time, same) = timed(&mut other, &limited).await?;
            bare.saturating_record(u64::try_from(time.as_nanos())?);
            ensure!(found == same, "{} has {found} bytes, and then {same}", question.path);
            bytes = found;
        }
        Ok(Asked { first, again, limit: bare, bytes })
    })
}

/// A bare server that sends what the program answers, which must have something in every bucket.
async fn bare(bench: &Bench, traffic: &Traffic, question: &Question) -> Result<Server> {
    let request = question.request(traffic, &mut Rng::with_seed(0))?;
    let answer = Client::connect(traffic).await?.capture(request).await?;
    let mut body = answer.body().to_vec();
    if question.is_packed {
        let packed = std::mem::take(&mut body);
        GzDecoder::new(&*packed).read_to_end(&mut body)?;
    }
    let page: serde_json::Value = serde_json::from_slice(&body)?;
    let buckets = page["data"].as_array().context("no buckets")?;
    let is_full = buckets.len() == question.buckets
        && buckets.iter().all(|one| one["results"] != serde_json::json!([]));
    ensure!(is_full, "{} has {} buckets or empty ones", question.path, buckets.len());
    let file = bench.file("usage-answer.json");
    answer.write(&file)?;
    Server::limit(&file, &bench.file("usage-limit.log"))
}

fn quantiles(times: &Histogram<u64>) -> String {
    let [p50, p99] = [0.5, 0.99].map(|quantile| times.value_at_quantile(quantile) / 1000);
    format!("{} / {}", HumanCount(p50), HumanCount(p99))
}

/// Of the file and of what SQLite keeps beside it.
fn size(file: &Path, events: u64) -> Result<String> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let log = std::fs::metadata(&log).map_or(0, |found| found.len());
    let bytes = file.metadata()?.len();
    let each = bytes / events.max(1);
    Ok(format!("{}, {each} bytes an event; log {}", HumanBytes(bytes), HumanBytes(log)))
}
