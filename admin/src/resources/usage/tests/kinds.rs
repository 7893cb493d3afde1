//! The ten kinds: what each of them says of itself.

use serde_json::{Value, json};

use super::{MONDAY, buckets, put, roll};
use crate::testing::Api;
use crate::testing::usage::event;
use crate::usage::kind::Dimension::{Batch, ContextLevel, Size, Source};
use crate::usage::kind::{Dimension, Kind};

/// What the contract says of one: its name and object, and of what kinds its groups, filters and measures are.
type Operation = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

/// What the ten operations say of themselves: path, row, grouping, filters, measures.
pub(super) const TABLE: [Operation; 10] = [
    (
        "completions",
        "organization.usage.completions.result",
        &["project_id", "user_id", "api_key_id", "model", "batch", "service_tier"],
        &["project_ids", "user_ids", "api_key_ids", "models", "batch"],
        &[
            "input_tokens",
            "input_cached_tokens",
            "input_cache_write_tokens",
            "input_uncached_tokens",
            "output_tokens",
            "input_text_tokens",
            "output_text_tokens",
            "input_cached_text_tokens",
            "input_audio_tokens",
            "input_cached_audio_tokens",
            "output_audio_tokens",
            "input_image_tokens",
            "input_cached_image_tokens",
            "output_image_tokens",
            "num_model_requests",
        ],
    ),
    (
        "embeddings",
        "organization.usage.embeddings.result",
        USUAL,
        USUAL_FILTERS,
        &["input_tokens", "num_model_requests"],
    ),
    (
        "moderations",
        "organization.usage.moderations.result",
        USUAL,
        USUAL_FILTERS,
        &["input_tokens", "num_model_requests"],
    ),
    (
        "images",
        "organization.usage.images.result",
        &["project_id", "user_id", "api_key_id", "model", "size", "source"],
        &["project_ids", "user_ids", "api_key_ids", "models", "sources", "sizes"],
        &["images", "num_model_requests"],
    ),
    (
        "audio_speeches",
        "organization.usage.audio_speeches.result",
        USUAL,
        USUAL_FILTERS,
        &["characters", "num_model_requests"],
    ),
    (
        "audio_transcriptions",
        "organization.usage.audio_transcriptions.result",
        USUAL,
        USUAL_FILTERS,
        &["seconds", "num_model_requests"],
    ),
    (
        "vector_stores",
        "organization.usage.vector_stores.result",
        &["project_id"],
        &["project_ids"],
        &["usage_bytes"],
    ),
    (
        "code_interpreter_sessions",
        "organization.usage.code_interpreter_sessions.result",
        &["project_id"],
        &["project_ids"],
        &["num_sessions"],
    ),
    (
        "file_search_calls",
        "organization.usage.file_searches.result",
        &["project_id", "user_id", "api_key_id", "vector_store_id"],
        &["project_ids", "user_ids", "api_key_ids", "vector_store_ids"],
        &["num_requests"],
    ),
    (
        "web_search_calls",
        "organization.usage.web_searches.result",
        &["project_id", "user_id", "api_key_id", "model", "context_level"],
        &["project_ids", "user_ids", "api_key_ids", "models", "context_levels"],
        &["num_model_requests", "num_requests"],
    ),
];
const USUAL: &[&str] = &["project_id", "user_id", "api_key_id", "model"];
const USUAL_FILTERS: &[&str] = &["project_ids", "user_ids", "api_key_ids", "models"];

/// A value that a dimension can have.
fn value(dimension: Dimension) -> &'static str {
    match dimension {
        Batch => "true",
        Source => "image.edit",
        Size => "512x512",
        ContextLevel => "high",
        _ => "some",
    }
}

/// 2.6, the table: each kind with its row, its grouping, its filters and its measures.
#[tokio::test]
async fn each_kind_has_its_row_its_groups_its_filters_and_its_measures() {
    let api = Api::new().await.unwatched();
    for kind in Kind::OF_EVENTS {
        let values: Vec<_> =
            kind.dimensions().iter().map(|dimension| (*dimension, value(*dimension))).collect();
        let measures: Vec<u64> = (1..).take(kind.measures().len()).collect();
        put(&api, vec![event(kind, MONDAY, &values, &measures)]).await;
    }
    for is_rolled in [false, true] {
        for (name, object, groups, filters, measures) in TABLE {
            let path = format!("/organization/usage/{name}?start_time={MONDAY}&limit=1");
            let kind = Kind::of_events(name).expect("it is a kind");
            let mut expected = json!({ "object": object });
            for (place, measure) in kind.measures().iter().enumerate() {
                expected[measure] = json!(place + 1);
            }
            assert_eq!(kind.measures().len(), measures.len());
            assert!(measures.iter().all(|measure| expected[measure].is_number()), "{name}");
            for group in groups {
                expected[group] = Value::Null;
            }
            let row = |page: &Value| buckets(page)[0]["results"].clone();
            assert_eq!(row(api.get(&path).await.ok()), json!([expected]), "{name}, {is_rolled}");
            for (group, dimension) in groups.iter().zip(kind.dimensions()) {
                let mut grouped = expected.clone();
                grouped[group] =
                    if *group == "batch" { json!(true) } else { json!(value(*dimension)) };
                let path = format!("{path}&group_by[]={group}");
                assert_eq!(row(api.get(&path).await.ok()), json!([grouped]), "{name} by {group}");
            }
            for filter in filters {
                let (meant, other) = match *filter {
                    "batch" => ("true", "false"),
                    "sources" => ("image.edit", "image.variation"),
                    "sizes" => ("512x512", "256x256"),
                    "context_levels" => ("high", "low"),
                    _ => ("some", "other"),
                };
                let found = api.get(&format!("{path}&{filter}={meant}")).await;
                assert_eq!(row(found.ok()), json!([expected]), "{name}, {filter}");
                let nothing = api.get(&format!("{path}&{filter}={other}")).await;
                assert_eq!(row(nothing.ok()), json!([]), "{name}, not {filter}");
            }
        }
        roll(&api).await;
    }
}
