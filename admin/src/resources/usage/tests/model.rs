//! Every answer beside what a naive count says, whatever happens between reports and questions: rolling up, merging, removing, another
//! process, another start.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::{App, Settings};
use crate::resources::usage::schema;
use crate::testing::usage::{Dice, costing, event, new_ones, report};
use crate::testing::{Api, SeededRandom};
use crate::usage::event::{Amount, Event};
use crate::usage::keep::Keep;
use crate::usage::kind::{Dimension, Kind};
use crate::usage::rollup::width::Width;
use crate::usage::rollup::{Roller, Shape};

/// Of some dimensions, in their order.
type Values = Vec<Option<String>>;

/// In the afternoon of a day soon after a leap day.
const NOW: u64 = 1_835_872_496;
const DAY: i64 = 86_400;
const KEEP: Keep = Keep { events: 0, minutes: 3, hours: 20, days: 400 };
const ALL: [Kind; 11] = [
    Kind::AudioSpeeches,
    Kind::AudioTranscriptions,
    Kind::CodeInterpreterSessions,
    Kind::Completions,
    Kind::Embeddings,
    Kind::FileSearchCalls,
    Kind::Images,
    Kind::Moderations,
    Kind::VectorStores,
    Kind::WebSearchCalls,
    Kind::Costs,
];

/// How many questions are asked.
fn questions() -> usize {
    let set = std::env::var("ROLLBOOK_TEST_USAGE_QUERIES");
    set.map_or(120, |set| set.parse().expect("it is a number"))
}

/// What was reported, and to whom.
struct World {
    api: Api,
    organization: String,
    events: Vec<Event>,
    dice: Dice,
    /// How many processes have begun.
    starts: u8,
}

/// A moment: anywhere in the last days or months, at the border of a bucket, or around the turn of a month, a year or a leap day.
fn moment(dice: &mut Dice, now: i64) -> i64 {
    const TURNS: [i64; 5] = [
        1_835_308_800, // 2028-02-28
        1_835_395_200, // 2028-02-29
        1_835_481_600, // 2028-03-01
        1_830_297_600, // 2028-01-01
        1_832_976_000, // 2028-02-01
    ];
    let back = |dice: &mut Dice, seconds: u64| now - i64::try_from(dice.below(seconds)).unwrap();
    let base = match dice.below(6) {
        0 => *dice.of(&TURNS),
        1 => back(dice, 90 * 86_400),
        2 => back(dice, 7200),
        _ => back(dice, 4 * 86_400),
    };
    let width = [60, 3600, DAY][usize::try_from(dice.below(3)).unwrap()];
    let time = match dice.below(3) {
        0 => base,
        1 => base.div_euclid(width) * width,
        _ => base.div_euclid(width) * width - 1,
    };
    time.min(now)
}

fn value(dice: &mut Dice, dimension: Dimension) -> Option<&'static str> {
    let values: &[&str] = match dimension {
        Dimension::ProjectId => {
            return Some(*dice.of(&["proj_a", "proj_b", "proj_c", "proj_ä \"d\""]));
        }
        Dimension::UserId => &["user_1", "user_2"],
        Dimension::ApiKeyId => &["key_1", "key_2", "key_3"],
        Dimension::Model => &["gpt-4o", "gpt-4o-mini", "o\\1"],
        Dimension::Batch => &["true", "false"],
        Dimension::ServiceTier => &["flex", "default"],
        Dimension::Source => &["image.generation", "image.edit", "image.variation"],
        Dimension::Size => &["256x256", "512x512"],
        Dimension::VectorStoreId => &["vs_1", "vs_2"],
        Dimension::ContextLevel => &["low", "medium", "high"],
        Dimension::LineItem => &["gpt-4o, input_tokens", "gpt-4o, output_tokens", "num_sessions"],
        Dimension::QuantityUnit => &["tokens", "images"],
    };
    (!dice.one_in(5)).then(|| *dice.of(values))
}

fn drawn(dice: &mut Dice, now: i64) -> Event {
    let kind = *dice.of(&Kind::OF_EVENTS);
    let values: Vec<_> = kind
        .dimensions()
        .iter()
        .filter_map(|dimension| Some((*dimension, value(dice, *dimension)?)))
        .collect();
    let measures: Vec<_> = kind
        .measures()
        .iter()
        .map(|_| match dice.below(4) {
            0 => 0,
            1 => dice.below(1_000_000_000_000),
            _ => dice.below(3000),
        })
        .collect();
    let mut event = event(kind, moment(dice, now), &values, &measures);
    for _ in 0..dice.below(4) {
        let item = value(dice, Dimension::LineItem).unwrap_or("other");
        // A few line items have several units.
        let unit = if item == "num_sessions" {
            value(dice, Dimension::QuantityUnit)
        } else {
            Some("tokens")
        };
        let amount = Amount::from(dice.below(u64::MAX)) * Amount::from(dice.below(1000));
        event = costing(event, item, dice.below(1_000_000), unit, amount);
    }
    event
}

impl World {
    async fn new(seed: u64) -> Self {
        let settings = Settings { usage_keep: KEEP, ..Settings::default() };
        let api = Api::with(settings, None).await.unwatched();
        api.clock.set(NOW);
        let organization = api.first.organization.id.clone();
        Self { api, organization, events: Vec::new(), dice: Dice::new(seed), starts: 1 }
    }

    fn now(&self) -> i64 {
        self.api.app.clock.now()
    }

    async fn report(&mut self) {
        let count = 1 + self.dice.below(30);
        let now = self.now();
        let number = self.events.len();
        let mut events: Vec<_> = (0..count).map(|_| drawn(&mut self.dice, now)).collect();
        for (place, event) in events.iter_mut().enumerate() {
            event.id = format!("event {}", number + place);
        }
        let expected = events.clone();
        // What was counted before comes again, at another time or not, and what is new comes twice.
        for _ in 0..self.dice.below(4) {
            let all = expected.len() + self.events.len();
            let place = usize::try_from(self.dice.below(all as u64)).unwrap();
            let mut again = expected.iter().chain(&self.events).nth(place).unwrap().clone();
            again.time = if self.dice.one_in(2) { again.time } else { moment(&mut self.dice, now) };
            events.push(again);
        }
        let new = new_ones(&self.api.app, &self.organization, events).await;
        assert_eq!(new, expected);
        report(&self.api.app, &self.organization, new).await;
        self.events.extend(expected);
    }

    /// A process that begins now, on the same store. No two of them draw the same ids.
    fn start(&mut self) -> App {
        self.starts += 1;
        let seed = self.starts;
        let (store, clock) = (self.api.app.store.clone(), self.api.clock.clone());
        let settings = Settings { usage_keep: KEEP, ..Settings::default() };
        App::new(store, clock, Arc::new(SeededRandom::new(seed)), settings)
    }

    async fn question(&mut self) {
        let kind = *self.dice.of(&ALL);
        let width = *self.dice.of(Width::of(kind));
        let now = self.now();
        let start = moment(&mut self.dice, now);
        let reach = width.seconds().unsigned_abs() * 40;
        let end = (!self.dice.one_in(3))
            .then(|| start - 5 + i64::try_from(self.dice.below(reach)).unwrap());
        let (_, most) = super::super::asked::limits(kind, width);
        let limit = 1 + i64::try_from(self.dice.below(most.unsigned_abs())).unwrap();
        let groups: Vec<_> =
            super::super::kinds::groups(kind).filter(|_| self.dice.one_in(3)).collect();
        let mut filters = Vec::new();
        for filter in super::super::kinds::filters(kind) {
            if !self.dice.one_in(6) {
                continue;
            }
            let count =
                if filter.dimension == Dimension::Batch { 1 } else { 1 + self.dice.below(2) };
            let values: Vec<_> =
                (0..count).filter_map(|_| value(&mut self.dice, filter.dimension)).collect();
            if !values.is_empty() {
                filters.push((filter, values));
            }
        }
        let whole = schema::path(kind);
        let below = whole.strip_prefix("/v1").expect("every published path begins so");
        let mut path = format!("{below}?start_time={start}&limit={limit}");
        if width != Width::Day || self.dice.one_in(2) {
            write!(path, "&bucket_width={}", width.name()).expect("texts take what is written");
        }
        if let Some(end) = end {
            write!(path, "&end_time={end}").expect("texts take what is written");
        }
        for group in &groups {
            write!(path, "&group_by[]={}", group.name()).expect("texts take what is written");
        }
        for (filter, values) in &filters {
            for value in values {
                let name = if filter.dimension == Dimension::Batch {
                    filter.name.to_owned()
                } else {
                    format!("{}[]", filter.name)
                };
                let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
                write!(path, "&{name}={value}").expect("texts take what is written");
            }
        }
        let (mut shown, mut page, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let coding = if self.dice.one_in(2) { "gzip" } else { "identity" };
            let request = self.api.request("GET", &format!("{path}{page}"));
            let reply = request.header("accept-encoding", coding).send().await;
            reply.ok();
            let answer = exact(&reply.text);
            let buckets = answer["data"].as_array().expect("a page has buckets").clone();
            assert!(buckets.len() <= usize::try_from(limit).unwrap());
            shown.extend(buckets);
            let Some(next) = answer["next_page"].as_str() else { break };
            page = format!("&page={next}");
            pages += 1;
            if pages == 4 {
                break;
            }
        }
        let width_of = width.seconds();
        let end = end.unwrap_or(now);
        let mut expected = Vec::new();
        let mut bucket = start.div_euclid(width_of) * width_of;
        while start < end && bucket < end && (pages < 4 || expected.len() < shown.len()) {
            expected.push(self.bucket(kind, width, bucket, &groups, &filters));
            bucket += width_of;
        }
        assert_eq!(shown, expected, "{path}");
    }

    /// What a bucket is by counting.
    fn bucket(
        &self,
        kind: Kind,
        width: Width,
        start: i64,
        groups: &[Dimension],
        filters: &[(super::super::kinds::Filter, Vec<&str>)],
    ) -> Value {
        let days = match width {
            Width::Minute => KEEP.minutes,
            Width::Hour => KEEP.hours,
            Width::Day => KEEP.days,
        };
        let is_kept = start >= self.now() - i64::from(days) * DAY;
        let end = start + width.seconds();
        let mut rows: BTreeMap<Values, (Vec<Amount>, Values)> = BTreeMap::new();
        let mut count = |event: &Event,
                         series: &dyn Fn(Dimension) -> Option<String>,
                         sums: Vec<Amount>| {
            let is_meant = filters.iter().all(|(filter, values)| {
                series(filter.dimension).is_some_and(|value| values.contains(&&*value))
            });
            if event.time < start || event.time >= end || !is_meant || !is_kept {
                return;
            }
            let key = groups.iter().map(|group| series(*group)).collect();
            let (row, units) = rows.entry(key).or_insert_with(|| (vec![0; sums.len()], Vec::new()));
            row.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
            units.push(series(Dimension::QuantityUnit));
        };
        for event in &self.events {
            let of_event = |dimension| {
                let value = event.series.value(dimension).map(str::to_owned);
                if dimension == Dimension::Batch {
                    value.or(Some("false".to_owned()))
                } else {
                    value
                }
            };
            if event.series.kind == kind {
                count(
                    event,
                    &of_event,
                    event.measures.iter().map(|measure| Amount::from(*measure)).collect(),
                );
            }
            for cost in event.costs.iter().filter(|_| kind == Kind::Costs) {
                let of_cost = |dimension| match dimension {
                    Dimension::LineItem => Some(cost.line_item.clone()),
                    Dimension::QuantityUnit => cost.unit.clone(),
                    _ => of_event(dimension),
                };
                count(event, &of_cost, vec![cost.quantity.into(), cost.amount]);
            }
        }
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(key, (sums, units))| self.row(kind, groups, &key, &sums, &units))
            .collect();
        json!({ "object": "bucket", "start_time": start, "end_time": end, "results": rows })
    }

    fn row(
        &self,
        kind: Kind,
        groups: &[Dimension],
        key: &[Option<String>],
        sums: &[Amount],
        units: &[Option<String>],
    ) -> Value {
        let value = |dimension: Dimension| {
            let place = groups.iter().position(|group| *group == dimension);
            place.and_then(|place| key[place].clone())
        };
        let mut row = json!({ "object": kind.object() });
        if kind == Kind::Costs {
            let by_item = groups.contains(&Dimension::LineItem);
            let unit =
                units[0].clone().filter(|_| by_item && units.iter().all(|unit| *unit == units[0]));
            row["amount"] = json!({ "value": decimal(sums[1]), "currency": "usd" });
            row["quantity"] =
                if by_item { json!(u64::try_from(sums[0]).unwrap()) } else { Value::Null };
            row["quantity_unit"] = json!(unit);
            for dimension in [Dimension::LineItem, Dimension::ProjectId, Dimension::ApiKeyId] {
                row[dimension.name()] = json!(value(dimension));
            }
            if groups.contains(&Dimension::UserId) {
                row["user_id"] = json!(value(Dimension::UserId));
                row["user_email"] = Value::Null;
                row["organization_id"] = json!(self.organization);
            }
            return row;
        }
        for (name, sum) in kind.measures().iter().zip(sums) {
            row[name] = json!(u64::try_from(*sum).unwrap());
        }
        for dimension in kind.dimensions() {
            row[dimension.name()] = match (dimension, value(*dimension)) {
                (Dimension::Batch, Some(word)) => json!(word == "true"),
                (_, value) => json!(value),
            };
        }
        row
    }
}

/// Dollars as they must be written.
fn decimal(amount: Amount) -> String {
    let text = format!("{amount:019}");
    let (whole, rest) = text.split_at(text.len() - 18);
    let text = format!("{whole}.{rest}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An answer in which amounts are texts, because as numbers they would lose digits.
fn exact(text: &[u8]) -> Value {
    const AMOUNT: &str = "\"value\":";
    let text = std::str::from_utf8(text).expect("JSON is text");
    let mut parts = text.split(AMOUNT);
    let mut quoted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(',').expect("the currency follows");
        write!(quoted, "{AMOUNT}\"{number}\",{rest}").expect("texts take what is written");
    }
    serde_json::from_str(&quoted).expect("it is JSON")
}

/// So many questions are asked in one world. It grows, and counting naively takes the longer the more there is to count.
const LIFE: usize = 200;

#[tokio::test]
async fn every_answer_is_what_a_naive_count_says() {
    for first in (0..questions()).step_by(LIFE) {
        live(20_280_229 + first as u64, LIFE.min(questions() - first)).await;
    }
}

/// A life in a world of its own, with so many questions.
async fn live(seed: u64, questions: usize) {
    let mut world = World::new(seed).await;
    let merging = Shape { factor: 3, quiet: 1000, largest: 1 << 20 };
    let tight = Shape { factor: 2, quiet: 0, largest: 2000 };
    let mut roller = Roller::shaped(world.api.app.clone(), merging);
    let mut asked = 0;
    while asked < questions {
        match world.dice.below(16) {
            0..=3 => world.report().await,
            // Waits until a batch is due, as a server would.
            4 => {
                world.api.clock.advance(3);
                roller.pass(false).await.expect("a pass succeeds");
            }
            5 => roller.roll_all().await.expect("it is rolled up"),
            6 => {
                // Two processes at once: of those that do the same work one gives up.
                let mut other = Roller::shaped(world.start(), tight);
                let (one, two) = tokio::join!(roller.roll_all(), other.roll_all());
                one.and(two).expect("both succeed");
            }
            7 if world.dice.one_in(3) => {
                // Another process, which looks for what is to be merged and removed.
                world.api.clock.advance(61);
                let mut other = Roller::shaped(
                    world.start(),
                    if world.dice.one_in(2) { tight } else { merging },
                );
                while other.pass(false).await.expect("a pass succeeds").is_behind {}
            }
            8 if world.dice.one_in(5) => {
                world.api.clock.advance(7 * 3600);
                let app = world.start();
                roller = Roller::shaped(app.clone(), merging);
                world.api = world.api.serving(crate::router(app));
            }
            _ => {
                world.question().await;
                asked += 1;
            }
        }
    }
}
