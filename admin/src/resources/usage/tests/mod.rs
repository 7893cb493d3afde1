//! What is asked about usage, line by line of the contract.

mod kinds;
mod model;
mod packed;

use serde_json::{Value, json};

use self::kinds::TABLE;
use crate::testing::Api;
use crate::testing::usage::{event, report};
use crate::usage::kind::Dimension::{
    ApiKeyId, Model, ProjectId, ServiceTier, UserId, VectorStoreId,
};
use crate::usage::kind::{Dimension, Kind};
use crate::usage::rollup::Roller;

const DAY: i64 = 86_400;
/// The beginning of a day in UTC, in the past of the tests' clock.
const MONDAY: i64 = 1_749_427_200;
const COMPLETIONS: &str = "/organization/usage/completions";

async fn put(api: &Api, events: Vec<crate::usage::event::Event>) {
    report(&api.app, &api.first.organization.id, events).await;
}

async fn roll(api: &Api) {
    Roller::new(api.app.clone()).roll_all().await.expect("it is rolled up");
}

/// The buckets of an answer.
fn buckets(page: &Value) -> Vec<Value> {
    page["data"].as_array().expect("a page has buckets").clone()
}

fn in_project(time: i64, project: &str, model: &str, tokens: u64) -> crate::usage::event::Event {
    event(
        Kind::Completions,
        time,
        &[(ProjectId, project), (Model, model), (ApiKeyId, "key_1")],
        &[tokens],
    )
}

/// 2.6, `start_time`: required, inclusive, and the first bucket is the one in which it lies.
#[tokio::test]
async fn start_time_is_required_and_floored_to_its_bucket() {
    let api = Api::new().await;
    put(&api, vec![in_project(MONDAY, "proj_a", "m", 7)]).await;
    let page = api.get(&format!("{COMPLETIONS}?start_time={}&limit=1", MONDAY + DAY - 1)).await;
    let first = buckets(page.ok())[0].clone();
    assert_eq!((&first["start_time"], &first["end_time"]), (&json!(MONDAY), &json!(MONDAY + DAY)));
    assert_eq!(first["results"][0]["input_tokens"], 7, "a bucket is whole");
    for (width, seconds) in [("1m", 60), ("1h", 3600)] {
        let query = format!("start_time={}&bucket_width={width}&limit=1", MONDAY + 59);
        let page = api.get(&format!("{COMPLETIONS}?{query}")).await;
        let first = buckets(page.ok())[0].clone();
        assert_eq!(
            (&first["start_time"], &first["end_time"]),
            (&json!(MONDAY), &json!(MONDAY + seconds))
        );
        assert_eq!(first["results"][0]["input_tokens"], 7);
    }
}

/// 2.6, `end_time`: exclusive, now where it is left out; the last bucket still has its full width.
#[tokio::test]
async fn end_time_is_exclusive_and_the_last_bucket_has_its_full_width() {
    let api = Api::new().await;
    put(&api, vec![in_project(MONDAY + DAY, "proj_a", "m", 7)]).await;
    let ends = async |end: i64| {
        let page = api.get(&format!("{COMPLETIONS}?start_time={MONDAY}&end_time={end}")).await;
        buckets(page.ok())
            .iter()
            .map(|bucket| bucket["end_time"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ends(MONDAY + DAY).await, [MONDAY + DAY]);
    assert_eq!(ends(MONDAY + DAY + 1).await, [MONDAY + DAY, MONDAY + 2 * DAY]);
    assert_eq!(ends(MONDAY).await, Vec::<i64>::new(), "nothing lies before the beginning");
    assert_eq!(ends(MONDAY - DAY).await, Vec::<i64>::new());
    let now = api.app.clock.now();
    let page = api.get(&format!("{COMPLETIONS}?start_time={}&limit=31", now - DAY)).await;
    assert_eq!(buckets(page.ok()).len(), 2, "yesterday and today");
    assert_eq!(page.ok()["has_more"], false);
    assert_eq!(page.header("rollbook-final-through"), Some(&*now.to_string()));
}

/// 2.6, `bucket_width`: a minute, an hour or a day, which it is unless it is said; 1.7: what else is refused, with what there is.
#[tokio::test]
async fn bucket_width_is_a_day_unless_it_is_said() {
    let api = Api::new().await;
    for (query, seconds) in
        [("", DAY), ("&bucket_width=1d", DAY), ("&bucket_width=1h", 3600), ("&bucket_width=1m", 60)]
    {
        let page = api.get(&format!("{COMPLETIONS}?start_time={MONDAY}&limit=1{query}")).await;
        let bucket = buckets(page.ok())[0].clone();
        assert_eq!(bucket["end_time"].as_i64(), Some(MONDAY + seconds), "{query}");
    }
    let wrong = api.get(&format!("{COMPLETIONS}?start_time={MONDAY}&bucket_width=1w")).await;
    wrong.refused(
        400,
        "invalid_value",
        "bucket_width",
        "Supported values are: '1d', '1h' and '1m'.",
    );
}

/// 2.6, `group_by`: what rows are not grouped by is null; 1.7: an unknown value is refused with the whole list. All spellings hold.
#[tokio::test]
async fn rows_are_grouped_by_what_is_asked_for_and_nothing_else() {
    let api = Api::new().await;
    let events =
        [("proj_b", "m1", 1), ("proj_a", "m2", 2), ("proj_a", "m1", 4), ("proj_a", "m1", 8)];
    put(
        &api,
        events.map(|(project, model, tokens)| in_project(MONDAY, project, model, tokens)).to_vec(),
    )
    .await;
    let rows = async |query: &str| {
        let page = api.get(&format!("{COMPLETIONS}?start_time={MONDAY}&limit=1&{query}")).await;
        let rows = buckets(page.ok())[0]["results"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| {
                (row["project_id"].clone(), row["model"].clone(), row["input_tokens"].clone())
            })
            .collect::<Vec<_>>()
    };
    let all = [("proj_a", "m1", 12), ("proj_a", "m2", 2), ("proj_b", "m1", 1)];
    let all = all.map(|(project, model, tokens)| (json!(project), json!(model), json!(tokens)));
    for _ in 0..2 {
        for query in [
            "group_by[]=project_id&group_by[]=model",
            "group_by=model&group_by=project_id&group_by=model",
            "group_by=project_id,model",
        ] {
            assert_eq!(rows(query).await, all, "{query}");
        }
        assert_eq!(rows("group_by=").await, [(Value::Null, Value::Null, json!(15))]);
        let by_model =
            [(Value::Null, json!("m1"), json!(13)), (Value::Null, json!("m2"), json!(2))];
        assert_eq!(rows("group_by=model").await, by_model);
        roll(&api).await;
    }
    for (name, _, groups, ..) in TABLE {
        let reply =
            api.get(&format!("/organization/usage/{name}?start_time=0&group_by=line_item")).await;
        let all = crate::error::enumerate(groups);
        reply.refused(400, "invalid_value", "group_by", &format!("Supported values are: {all}."));
    }
}

/// 2.6, filters: all of them hold, and of each one value; ids that nobody has are no error.
#[tokio::test]
async fn filters_are_joined_and_their_values_are_choices() {
    let api = Api::new().await;
    let events =
        [("proj_b", "m1", 1), ("proj_a", "m2", 2), ("proj_a", "m1", 4), ("proj_c", "m1", 8)];
    put(
        &api,
        events.map(|(project, model, tokens)| in_project(MONDAY, project, model, tokens)).to_vec(),
    )
    .await;
    for _ in 0..2 {
        for (query, expected) in [
            ("project_ids=proj_a", json!(6)),
            ("project_ids[]=proj_a&project_ids[]=proj_b", json!(7)),
            ("project_ids=proj_a,proj_b&models=m1", json!(5)),
            ("project_ids=proj_none", Value::Null),
            ("project_ids=proj_none&project_ids=proj_c", json!(8)),
            ("user_ids=user_1", Value::Null),
            ("api_key_ids=key_1", json!(15)),
            ("project_ids=", json!(15)),
            ("batch=False", json!(15)),
            ("batch=1", Value::Null),
        ] {
            let page = api.get(&format!("{COMPLETIONS}?start_time={MONDAY}&limit=1&{query}")).await;
            assert_eq!(buckets(page.ok())[0]["results"][0]["input_tokens"], expected, "{query}");
        }
        roll(&api).await;
    }
    for (path, name, words) in [
        ("images", "sources", "'image.generation', 'image.edit' and 'image.variation'"),
        ("images", "sizes", "'256x256', '512x512', '1024x1024', '1792x1792' and '1024x1792'"),
        ("web_search_calls", "context_levels", "'low', 'medium' and 'high'"),
    ] {
        let reply = api.get(&format!("/organization/usage/{path}?start_time=0&{name}=none")).await;
        reply.refused(400, "invalid_value", name, &format!("Supported values are: {words}."));
    }
}

/// 2.6, buckets and stop: contiguous, one for each interval, empty ones too; pages follow one another without a gap, and the last one
/// says that it is the last. 2.6, row emission: no usage, no row.
#[tokio::test]
async fn buckets_are_contiguous_over_all_pages_and_the_last_page_says_so() {
    let api = Api::new().await;
    put(&api, vec![in_project(MONDAY + 3 * 3600, "proj_a", "m", 7)]).await;
    for limit in [1, 5, 23, 24, 25] {
        let query = format!(
            "{COMPLETIONS}?start_time={MONDAY}&end_time={}&bucket_width=1h&limit={limit}",
            MONDAY + DAY
        );
        let (mut starts, mut page, mut tokens) = (Vec::new(), String::new(), Vec::new());
        loop {
            let reply = api.get(&format!("{query}{page}")).await;
            let shown = buckets(reply.ok());
            assert!(!shown.is_empty() && shown.len() <= limit);
            for bucket in shown {
                let start = bucket["start_time"].as_i64().unwrap();
                let is_used = start == MONDAY + 3 * 3600;
                assert_eq!(bucket["results"].as_array().unwrap().len(), usize::from(is_used));
                starts.push(start);
            }
            assert_eq!(reply.ok()["has_more"], reply.ok()["next_page"].is_string());
            let Some(next) = reply.ok()["next_page"].as_str() else { break };
            assert!(next.starts_with("page_") && !tokens.contains(&next.to_owned()));
            tokens.push(next.to_owned());
            page = format!("&page={next}");
        }
        let expected: Vec<_> = (0..24).map(|hour| MONDAY + hour * 3600).collect();
        assert_eq!(starts, expected, "{limit}");
    }
}

/// 2.6, `end_time` and 1.7, stale or foreign `page`: a token goes on with the end of the first page, and belongs to one question.
#[tokio::test]
async fn a_token_keeps_the_end_of_its_first_page_and_is_good_for_one_question() {
    let api = Api::new().await;
    let now = api.app.clock.now();
    let query = format!("{COMPLETIONS}?start_time={}&bucket_width=1h&limit=2", now - 3 * 3600);
    let first = api.get(&query).await;
    let token = first.ok()["next_page"].as_str().expect("there is more").to_owned();
    api.clock.advance(10 * 3600);
    let second = api.get(&format!("{query}&page={token}")).await;
    assert_eq!(buckets(second.ok()).len(), 2, "the end has not moved");
    assert_eq!(second.ok()["has_more"], false);
    let foreign = [
        query.replace("limit=2", "limit=3"),
        query.replace("1h", "1m"),
        query.replace("completions", "embeddings"),
        format!("{query}&group_by=model"),
        format!("{query}&models=m"),
        format!("{query}&end_time={now}"),
        query.replace(&format!("{}", now - 3 * 3600), &format!("{}", now - 4 * 3600)),
    ];
    for other in foreign {
        let reply = api.get(&format!("{other}&page={token}")).await;
        reply.refused(400, "invalid_value", "page", "next_page");
    }
    let theirs = api.found("second").await;
    let request = api.request("GET", &format!("{query}&page={token}")).key(&theirs.key);
    request.send().await.refused(400, "invalid_value", "page", "next_page");
    for wrong in ["page_AAAA", "x", &token[..20], &format!("{token}A")] {
        let reply = api.get(&format!("{query}&page={wrong}")).await;
        reply.refused(400, "invalid_value", "page", "next_page");
    }
    api.get(&format!("{query}&page=")).await.ok();
}

/// 1.7, the family of costs and usage: how a `limit` out of bounds is refused, which is not by clamping it. Ruling 5.3.
#[tokio::test]
async fn a_limit_out_of_bounds_is_refused_in_the_words_of_this_family() {
    let api = Api::new().await;
    for (width, default, most) in [("1d", 7, 31), ("1h", 24, 168), ("1m", 60, 1440)] {
        let query = format!("{COMPLETIONS}?start_time=0&bucket_width={width}");
        assert_eq!(buckets(api.get(&query).await.ok()).len(), default, "{width}");
        let all = api.get(&format!("{query}&limit={most}")).await;
        assert_eq!(buckets(all.ok()).len(), most, "{width}");
        let over = most + 1;
        let message =
            format!("Invalid limit provided: {over}. Limit must be less than or equal to {most}.");
        api.get(&format!("{query}&limit={over}")).await.refused(
            400,
            "invalid_request_error",
            (),
            &message,
        );
        let message = "Invalid limit provided: 0. Limit must be greater than or equal to 1.";
        api.get(&format!("{query}&limit=0")).await.refused(
            400,
            "invalid_request_error",
            (),
            message,
        );
        let reply = api.get(&format!("{query}&limit=abc")).await;
        reply.refused(400, "invalid_type", "limit", "expected an integer, but got a string");
    }
}

/// 1.7, the family of costs and usage: `start_time` that is missing or no number.
#[tokio::test]
async fn a_start_time_that_is_missing_or_no_number_is_refused() {
    let api = Api::new().await;
    for (name, ..) in TABLE {
        let path = format!("/organization/usage/{name}");
        api.get(&path).await.refused(
            400,
            "invalid_request_error",
            (),
            "Missing required parameter: 'start_time'",
        );
        for wrong in ["abc", "1.5", "", "2025-06-15"] {
            let reply = api.get(&format!("{path}?start_time={wrong}")).await;
            reply.refused(400, "invalid_type", "start_time", "expected an integer");
        }
        let reply = api.get(&format!("{path}?start_time=99999999999999")).await;
        reply.refused(400, "integer_above_max_value", "start_time", "above maximum");
    }
}

/// 2.6, rows of what is gone: they stay, under the id that it had.
#[tokio::test]
async fn what_a_project_used_is_shown_after_it_is_gone() {
    let api = Api::new().await;
    let project = api.create_project("Short").await;
    let user = api.add_user("short@example.com").await;
    let values =
        [(ProjectId, &*project), (UserId, &*user), (ApiKeyId, "key_1"), (ServiceTier, "flex")];
    put(&api, vec![event(Kind::Completions, MONDAY, &values, &[5])]).await;
    api.post(&format!("/organization/projects/{project}/archive"), Value::Null).await.ok();
    api.delete(&format!("/organization/users/{user}")).await.ok();
    for _ in 0..2 {
        let query = "group_by=project_id,user_id,api_key_id,service_tier&limit=1";
        let page = api.get(&format!("{COMPLETIONS}?start_time={MONDAY}&{query}")).await;
        let row = buckets(page.ok())[0]["results"][0].clone();
        assert_eq!((&row["project_id"], &row["user_id"]), (&json!(project), &json!(user)));
        assert_eq!((&row["api_key_id"], &row["service_tier"]), (&json!("key_1"), &json!("flex")));
        roll(&api).await;
    }
}

#[tokio::test]
async fn one_organization_sees_nothing_of_what_another_used() {
    let api = Api::new().await;
    let second = api.found("second").await;
    put(&api, vec![in_project(MONDAY, "proj_a", "m", 7)]).await;
    report(&api.app, &second.organization.id, vec![in_project(MONDAY, "proj_a", "m", 100)]).await;
    for _ in 0..2 {
        for grouping in ["", "&group_by=project_id"] {
            let path = format!("{COMPLETIONS}?start_time={MONDAY}&limit=1{grouping}");
            for (key, expected) in [(&api.first.key, 7), (&second.key, 100), (&api.first.key, 7)] {
                let page = api.request("GET", &path).key(key).send().await;
                assert_eq!(buckets(page.ok())[0]["results"][0]["input_tokens"], expected);
            }
        }
        roll(&api).await;
    }
}

/// A file search has no model and a vector store; nobody has to say of which dimension an event has none.
#[tokio::test]
async fn what_has_no_value_is_grouped_as_null() {
    let api = Api::new().await;
    let values: [&[(Dimension, &str)]; 2] =
        [&[(ProjectId, "proj_a"), (VectorStoreId, "vs_1")], &[(ProjectId, "proj_a")]];
    put(
        &api,
        values.iter().map(|values| event(Kind::FileSearchCalls, MONDAY, values, &[1])).collect(),
    )
    .await;
    for _ in 0..2 {
        let path = format!(
            "/organization/usage/file_search_calls?start_time={MONDAY}&limit=1&group_by=vector_store_id"
        );
        let page = api.get(&path).await;
        let rows = buckets(page.ok())[0]["results"].clone();
        assert_eq!(rows[0]["vector_store_id"], Value::Null);
        assert_eq!(rows[1]["vector_store_id"], "vs_1");
        roll(&api).await;
    }
}
