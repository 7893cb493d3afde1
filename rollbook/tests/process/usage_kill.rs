//! kill -9 while usage comes in: every event that was acknowledged is counted once, in every roll-up, in the costs and in what was spent.

use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel};
use std::thread::{JoinHandle, spawn};

use admin::usage::money;
use admin::usage::spend::month_of;
use serde_json::{Value, json};
use sql::{Options, Store, Tx, args};

use crate::database::Database;
use crate::server::{Server, Start};
use crate::wire::Client;

const ROUNDS: usize = 30;
const WRITERS: usize = 8;
/// How many events a request reports.
const BATCH: usize = 40;
/// How many of those that a writer reports were reported in the request before.
const AGAIN: usize = 5;
const EVENTS: &str = "/rollbook/v1/usage_events";
/// A millionth of a dollar for a token.
const PRICE: &str = "m input_tokens=1/1000000";
const MILLIONTH: i128 = 1_000_000_000_000;
const DAY: i64 = 24 * 60 * 60;

/// An event: its id, its time and its tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    id: String,
    time: i64,
    tokens: i64,
}

/// What one writer reports at once.
#[derive(Debug, Clone)]
struct Batch {
    writer: usize,
    events: Vec<Event>,
}

impl Batch {
    /// The batch of this number, which differs from all others of all rounds but for what it repeats.
    fn make(round: usize, writer: usize, number: usize, since: i64) -> Self {
        let event = |place: usize| {
            let mixed = i64::try_from(round * 7919 + writer * 104_729 + place * 31).unwrap();
            Event {
                id: format!("{round}-{writer}-{place}"),
                time: since + mixed * 61 % (2 * DAY),
                tokens: 1 + mixed % 977,
            }
        };
        let first = number * (BATCH - AGAIN);
        Self { writer, events: (first..first + BATCH).map(event).collect() }
    }

    fn body(&self, project: &str) -> Value {
        let events = self.events.iter().map(|Event { id, time, tokens }| {
            json!({
                "id": id, "time": time, "kind": "completions", "model": "m", "input_tokens": tokens,
                "project_id": project, "user_id": "user-x", "api_key_id": format!("key_{}", self.writer),
            })
        });
        events.collect()
    }

    /// Reports it; nothing if there was no answer.
    fn report(&self, client: &Client, project: &str) -> Option<Value> {
        let (status, answer) = client.try_post(EVENTS, &self.body(project)).ok()?;
        assert_eq!((status, &answer["refused"]), (200, &json!(0)), "{answer}");
        Some(answer)
    }
}

/// A batch, and whether it was acknowledged.
type Sent = (Batch, bool);

/// Reports until the server is gone.
fn writer(
    client: Client,
    project: String,
    round: usize,
    writer: usize,
    since: i64,
    sent: Sender<Sent>,
) -> JoinHandle<()> {
    spawn(move || {
        for number in 0.. {
            let batch = Batch::make(round, writer, number, since);
            let is_acknowledged = batch.report(&client, &project).is_some();
            if sent.send((batch, is_acknowledged)).is_err() || !is_acknowledged {
                return;
            }
        }
    })
}

fn start(database: &Database) -> Server {
    Start::with_key(database).flag("--price", PRICE).start()
}

fn project(client: &Client) -> String {
    let (_, projects) = client.get("/v1/organization/projects");
    projects["data"][0]["id"].as_str().unwrap().to_owned()
}

/// What a bucket adds up to: tokens and requests.
type Sums = BTreeMap<(i64, String), (i64, i64)>;

fn expected(all: &BTreeMap<Event, usize>, width: i64) -> Sums {
    let mut sums = Sums::new();
    for (event, writer) in all {
        let start = event.time - event.time.rem_euclid(width);
        let sum = sums.entry((start, format!("key_{writer}"))).or_default();
        *sum = (sum.0 + event.tokens, sum.1 + 1);
    }
    sums
}

/// Walks the answer to its end.
fn counted(client: &Client, path: &str, mut take: impl FnMut(i64, &Value)) {
    let mut page = String::new();
    loop {
        let (status, body) = client.get(&format!("{path}{page}"));
        assert_eq!(status, 200, "{body}");
        for bucket in body["data"].as_array().unwrap() {
            for row in bucket["results"].as_array().unwrap() {
                take(bucket["start_time"].as_i64().unwrap(), row);
            }
        }
        let Some(next) = body["next_page"].as_str() else { return };
        page = format!("&page={next}");
    }
}

fn assert_counted(client: &Client, all: &BTreeMap<Event, usize>, since: i64) {
    let range = format!("start_time={since}&end_time={}", since + 2 * DAY);
    for (width, name, limit) in [(60, "1m", 1440), (3600, "1h", 168), (DAY, "1d", 31)] {
        let path = format!(
            "/v1/organization/usage/completions?{range}&bucket_width={name}&limit={limit}&group_by[]=api_key_id"
        );
        let mut sums = Sums::new();
        counted(client, &path, |start, row| {
            let number = |member: &str| row[member].as_i64().unwrap();
            let key = row["api_key_id"].as_str().unwrap().to_owned();
            sums.insert((start, key), (number("input_tokens"), number("num_model_requests")));
        });
        assert!(
            sums == expected(all, width),
            "{name}: {:?}",
            first_difference(&sums, &expected(all, width))
        );
    }
    let mut costs = Sums::new();
    counted(
        client,
        &format!("/v1/organization/costs?{range}&group_by[]=api_key_id"),
        |start, row| {
            #[expect(clippy::cast_possible_truncation, reason = "it is a whole number by then")]
            let millionths = (row["amount"]["value"].as_f64().unwrap() * 1e6).round() as i64;
            costs.insert((start, row["api_key_id"].as_str().unwrap().to_owned()), (millionths, 0));
        },
    );
    let expected: Sums =
        expected(all, DAY).into_iter().map(|(key, (tokens, _))| (key, (tokens, 0))).collect();
    assert!(costs == expected, "costs: {:?}", first_difference(&costs, &expected));
}

fn first_difference(one: &Sums, other: &Sums) -> Option<String> {
    let keys = one.keys().chain(other.keys());
    let mut different = keys.filter(|key| one.get(key) != other.get(key));
    different
        .next()
        .map(|key| format!("{key:?}: {:?} instead of {:?}", one.get(key), other.get(key)))
}

/// Amounts by project and month.
type Spent = BTreeMap<(String, i64), String>;

/// What the store says was spent, by project and month, and how many batches are in no roll-up.
fn spent(tx: &mut Tx<'_>) -> sql::Result<(Spent, i64)> {
    let sql = "SELECT project_id, month, amount FROM usage_spend";
    let rows = tx.all(sql, args![], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    let rows: Vec<((String, i64), String)> = rows;
    let tail = tx.one("SELECT COUNT(*) FROM usage_tail", args![], |row| row.get::<i64>(0))?;
    Ok((rows.into_iter().collect(), tail.unwrap_or_default()))
}

/// Answers how many batches are in no roll-up.
fn assert_spent(database: &Database, project: &str, all: &BTreeMap<Event, usize>) -> i64 {
    let mut expected = BTreeMap::<_, i128>::new();
    for event in all.keys() {
        for place in ["", project] {
            let sum = expected.entry((place.to_owned(), month_of(event.time))).or_default();
            *sum += i128::from(event.tokens) * MILLIONTH;
        }
    }
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(key, amount)| (key, money::text(amount))).collect();
    let store = Store::open(Options::new(&database.url)).unwrap();
    let (spent, tail) = store.read_blocking(spent).unwrap();
    store.close();
    assert_eq!(spent, expected);
    tail
}

#[test]
fn whoever_is_killed_while_usage_comes_in_counts_each_event_once() {
    let database = Database::in_file();
    let since = now() / DAY * DAY - 2 * DAY;
    // Every event of a request that was acknowledged by now, with the writer whose it is.
    let mut all = BTreeMap::new();
    let (mut lost, mut heard): (Vec<Batch>, Vec<Batch>) = (Vec::new(), Vec::new());
    let mut unknown = 0;
    for round in 0..=ROUNDS {
        let mut server = start(&database);
        let client = Client::of(&server);
        let project = project(&client);
        // What was acknowledged is known, and what had no answer can be reported again.
        for batch in heard.drain(..) {
            let answer = batch.report(&client, &project).unwrap();
            assert_eq!(answer["duplicates"], BATCH, "round {round}: {answer}");
        }
        for batch in lost.drain(..) {
            let answer = batch.report(&client, &project).unwrap();
            let is_known = answer["duplicates"].as_u64() == Some(BATCH as u64);
            unknown += usize::from(is_known);
            all.extend(batch.events.into_iter().map(|event| (event, batch.writer)));
        }
        assert_counted(&client, &all, since);
        if round == ROUNDS {
            server.stop();
            assert_eq!(assert_spent(&database, &project, &all), 0, "the last pass leaves nothing");
            let server = start(&database);
            assert_counted(&Client::of(&server), &all, since);
            server.stop();
            break;
        }
        let (sent, outcomes) = channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                writer(Client::of(&server), project.clone(), round, number, since, sent.clone())
            })
            .collect();
        drop(sent);
        // A different number each time, so that the kill meets the intake and the roll-up in different moments.
        let mut outcome: Vec<_> = outcomes.iter().take(10 + round * 37 % 149).collect();
        server.kill();
        outcome.extend(outcomes.iter());
        for writer in writers {
            writer.join().unwrap();
        }
        for (batch, is_acknowledged) in outcome {
            if is_acknowledged {
                heard.retain(|other: &Batch| other.writer != batch.writer);
                all.extend(batch.events.iter().map(|event| (event.clone(), batch.writer)));
                heard.push(batch);
            } else {
                lost.push(batch);
            }
        }
        assert_eq!(lost.len(), WRITERS);
    }
    assert!(all.len() > ROUNDS * BATCH * 10, "{}", all.len());
    // Some requests were counted though nobody heard of it: exactly these would be counted twice.
    println!(
        "{} events, {unknown} of {} requests without an answer were counted",
        all.len(),
        ROUNDS * WRITERS
    );
}

/// The machine's time: events that are too old are refused.
fn now() -> i64 {
    use admin::domain::clock::{Clock, SystemClock};
    SystemClock.now()
}
