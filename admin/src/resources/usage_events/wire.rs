//! Reports of usage and their answers as they are sent.

use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::http::fields::{Fields, FromFields};
use crate::http::reply::literal;
use crate::usage::event::{MOST, Series};
use crate::usage::intake::{Outcome, Reported};
use crate::usage::kind::{Dimension, Kind};

literal!(
    /// Names the answer to a report.
    UsageEvents = "rollbook.usage_events"
);

/// So many events are in a report at most.
pub const MOST_EVENTS: usize = 1000;
/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// Something that was used. Which of the optional members an event may have is a matter of its kind.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by name")]
pub struct UsageEvent {
    /// An id of the caller's. Events of one id count once.
    #[schema(min_length = 1, max_length = 255)]
    id: String,
    /// When it happened, in Unix seconds; at most five minutes ahead.
    #[schema(minimum = 0, maximum = 253_402_300_799_i64, format = "unixtime")]
    time: i64,
    /// What kind of usage it is.
    #[schema(max_length = 255)]
    kind: UsageKind,
    /// The project. A key of a project leaves it out.
    #[schema(max_length = 255)]
    project_id: Option<String>,
    /// Who used it; without this, the owner of the key.
    #[schema(max_length = 255)]
    user_id: Option<String>,
    /// With which project key.
    #[schema(max_length = 255)]
    api_key_id: Option<String>,
    /// With which model.
    #[schema(max_length = 255)]
    model: Option<String>,
    /// Whether it was part of a batch job.
    batch: Option<bool>,
    /// The service tier.
    #[schema(max_length = 255)]
    service_tier: Option<String>,
    /// How images were made, for example `image.generation`.
    #[schema(max_length = 255)]
    source: Option<String>,
    /// The size of images, for example `1024x1024`.
    #[schema(max_length = 255)]
    size: Option<String>,
    /// The vector store that was searched.
    #[schema(max_length = 255)]
    vector_store_id: Option<String>,
    /// How much of the web was read: `low`, `medium` or `high`.
    #[schema(max_length = 255)]
    context_level: Option<String>,
    /// Tokens that went in, with those that were cached.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    input_tokens: Option<i64>,
    /// Those of them that came out of a cache.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    input_cached_tokens: Option<i64>,
    /// Those of them that were written into a cache.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    input_cache_write_tokens: Option<i64>,
    /// Those of them that were neither; without this, the rest.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    input_uncached_tokens: Option<i64>,
    /// Tokens that came out.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    output_tokens: Option<i64>,
    /// Tokens of text that went in.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    input_text_tokens: Option<i64>,
    /// Tokens of text that came out.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    output_text_tokens: Option<i64>,
    /// Tokens of text that came out of a cache.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    input_cached_text_tokens: Option<i64>,
    /// Tokens of sound that went in.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    input_audio_tokens: Option<i64>,
    /// Tokens of sound that came out of a cache.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    input_cached_audio_tokens: Option<i64>,
    /// Tokens of sound that came out.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    output_audio_tokens: Option<i64>,
    /// Tokens of images that went in.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    input_image_tokens: Option<i64>,
    /// Tokens of images that came out of a cache.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    input_cached_image_tokens: Option<i64>,
    /// Tokens of images that came out.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    output_image_tokens: Option<i64>,
    /// Requests to the model; without this, one.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    num_model_requests: Option<i64>,
    /// Images.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    images: Option<i64>,
    /// Characters that were spoken.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    characters: Option<i64>,
    /// Seconds that were heard.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    seconds: Option<i64>,
    /// Bytes that are stored.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    usage_bytes: Option<i64>,
    /// Sessions; without this, one.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    num_sessions: Option<i64>,
    /// Calls; without this, one.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    num_requests: Option<i64>,
}

/// The kinds of usage.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes what is read by name")]
enum UsageKind {
    AudioSpeeches,
    AudioTranscriptions,
    CodeInterpreterSessions,
    Completions,
    Embeddings,
    FileSearchCalls,
    Images,
    Moderations,
    VectorStores,
    WebSearchCalls,
}

/// What an event may be told by beside its measures.
const DIMENSIONS: [Dimension; 9] = [
    Dimension::ProjectId,
    Dimension::UserId,
    Dimension::ApiKeyId,
    Dimension::Model,
    Dimension::ServiceTier,
    Dimension::Source,
    Dimension::Size,
    Dimension::VectorStoreId,
    Dimension::ContextLevel,
];

/// An event that was read.
#[derive(Debug, Clone)]
pub struct Sent(pub Reported);

impl FromFields for Sent {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let id = fields.required_text("id", 1..=255)?;
        let time = fields.required_integer("time", 0..=LAST_SECOND)?;
        let kind = fields.required_one_of("kind", &Kind::OF_EVENTS.map(Kind::name))?;
        let kind = Kind::of_events(kind)
            .ok_or_else(|| Error::internal("a kind of usage has two names"))?;
        let mut values = vec![None; kind.dimensions().len()];
        let mut put = |dimension: Dimension, value: Option<String>| {
            match (kind.place(dimension), value) {
                (Some(place), value) => values[place] = value,
                (None, None) => {}
                (None, Some(_)) => return Err(not_of(kind, dimension.name())),
            }
            Ok(())
        };
        let mut stray = Ok(());
        for dimension in DIMENSIONS {
            let value = fields.optional_text(dimension.name(), 1..=255)?;
            stray = stray.and(put(dimension, value));
        }
        let batch = fields.optional_boolean(Dimension::Batch.name())?;
        stray = stray.and(put(Dimension::Batch, batch.map(|batch| batch.to_string())));
        let measures = measures(fields, kind)?;
        stray?;
        Ok(Self(Reported { id, time, series: Series { kind, values }, measures }))
    }
}

/// What an event tells of each measure of its kind. Measures of other kinds are read for their faults, which are told first.
fn measures(fields: &mut Fields, kind: Kind) -> Result<Vec<u64>> {
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    let mut read = |name| {
        let told = fields.optional_integer(name, 0..=most)?;
        Ok::<_, Error>(told.and_then(|told| u64::try_from(told).ok()))
    };
    let told = kind.measures().iter().map(|name| read(name)).collect::<Result<Vec<_>>>()?;
    for other in Kind::OF_EVENTS {
        for name in other.measures().iter().filter(|name| !kind.measures().contains(name)) {
            if read(name)?.is_some() {
                return Err(not_of(kind, name));
            }
        }
    }
    let names = kind.measures();
    let or_default = |(name, told): (&&str, &Option<u64>)| told.unwrap_or(Kind::default_of(name));
    let mut counted: Vec<u64> = names.iter().zip(&told).map(or_default).collect();
    if let Some(place) = names.iter().position(|name| *name == "input_uncached_tokens")
        && told[place].is_none()
    {
        let of = |name| names.iter().position(|known| *known == name).map_or(0, |at| counted[at]);
        let apart = of("input_cached_tokens") + of("input_cache_write_tokens");
        counted[place] = of("input_tokens").saturating_sub(apart);
    }
    Ok(counted)
}

fn not_of(kind: Kind, name: &str) -> Error {
    let message = format!(
        "Unknown parameter: '{name}'. Events of the kind '{}' have no such member.",
        kind.name()
    );
    Error::invalid("unknown_parameter", message).param(name)
}

/// The answer to a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageReport {
    object: UsageEvents,
    /// How many events count.
    accepted: usize,
    /// How many were counted before.
    duplicates: usize,
    /// How many do not count.
    refused: usize,
    /// What became of each, in the order in which they were sent.
    results: Vec<UsageResult>,
}

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageResult {
    /// The event's id, if it has one.
    #[schema(required)]
    id: Option<String>,
    status: UsageStatus,
    /// Why it was refused, as a word.
    #[schema(required)]
    code: Option<&'static str>,
    /// The same as a sentence.
    #[schema(required)]
    message: Option<String>,
    /// The member at fault.
    #[schema(required)]
    param: Option<String>,
}

/// What can become of an event.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageStatus {
    /// It counts.
    Accepted,
    /// One with this id was counted before.
    Duplicate,
    /// It does not count.
    Refused,
}

impl UsageReport {
    /// The answer for events of these ids.
    #[must_use]
    pub fn of(ids: Vec<Option<String>>, outcomes: Vec<Outcome>) -> Self {
        let (mut accepted, mut duplicates, mut refused) = (0, 0, 0);
        let result = |(id, outcome)| {
            let (status, count, fault) = match outcome {
                Outcome::Accepted => (UsageStatus::Accepted, &mut accepted, None),
                Outcome::Duplicate => (UsageStatus::Duplicate, &mut duplicates, None),
                Outcome::Refused(fault) => (UsageStatus::Refused, &mut refused, Some(fault)),
            };
            *count += 1;
            let (code, message, param) = fault
                .map_or((None, None, None), |fault| (fault.code, Some(fault.message), fault.param));
            UsageResult { id, status, code, message, param }
        };
        let results = ids.into_iter().zip(outcomes).map(result).collect();
        Self { object: UsageEvents, accepted, duplicates, refused, results }
    }
}
