//! What is asked about costs, line by line of the contract.

use serde_json::{Value, json};

use crate::testing::Api;
use crate::testing::usage::{costing, event, report};
use crate::usage::event::{Amount, Event};
use crate::usage::kind::Dimension::{ApiKeyId, Model, ProjectId, UserId};
use crate::usage::kind::Kind;
use crate::usage::rollup::Roller;

const DAY: i64 = 86_400;
/// The beginning of a day in UTC, in the past of the tests' clock.
const MONDAY: i64 = 1_749_427_200;
const COSTS: &str = "/organization/costs";
const DOLLAR: Amount = 1_000_000_000_000_000_000;

async fn put(api: &Api, events: Vec<Event>) {
    report(&api.app, &api.first.organization.id, events).await;
}

async fn roll(api: &Api) {
    Roller::new(api.app.clone()).roll_all().await.expect("it is rolled up");
}

fn used(project: &str, user: &str, key: &str) -> Event {
    let values = [(ProjectId, project), (UserId, user), (ApiKeyId, key), (Model, "m")];
    event(Kind::Completions, MONDAY + 5, &values, &[1])
}

/// The rows of the first day.
async fn rows(api: &Api, query: &str) -> Vec<Value> {
    let page = api.get(&format!("{COSTS}?start_time={MONDAY}&limit=1{query}")).await;
    page.ok()["data"][0]["results"].as_array().expect("a bucket has rows").clone()
}

/// Ruling 5.4: costs are grouped by project, line item, key and user; grouped by user they say whose they are.
#[tokio::test]
async fn costs_are_grouped_in_four_ways_and_by_user_with_more_members() {
    let api = Api::new().await;
    let user = api.add_user("payer@example.com").await;
    let input = |event| costing(event, "m, input_tokens", 1000, Some("tokens"), DOLLAR / 4);
    put(
        &api,
        vec![
            costing(
                input(used("proj_a", &user, "key_1")),
                "m, output_tokens",
                10,
                Some("tokens"),
                DOLLAR / 2,
            ),
            input(used("proj_b", "user-gone", "key_2")),
        ],
    )
    .await;
    let row = |value: Value| {
        json!({
            "object": "organization.costs.result", "amount": { "value": value, "currency": "usd" }, "line_item": null,
            "project_id": null, "api_key_id": null, "quantity": null, "quantity_unit": null,
        })
    };
    for _ in 0..2 {
        assert_eq!(rows(&api, "").await, [row(json!(1))]);
        let mut expected = [row(json!(0.75)), row(json!(0.25))];
        for (row, project) in expected.iter_mut().zip(["proj_a", "proj_b"]) {
            row["project_id"] = json!(project);
        }
        assert_eq!(rows(&api, "&group_by=project_id").await, expected);
        let mut expected = [row(json!(0.75)), row(json!(0.25))];
        for (row, key) in expected.iter_mut().zip(["key_1", "key_2"]) {
            row["api_key_id"] = json!(key);
        }
        assert_eq!(rows(&api, "&group_by=api_key_id").await, expected);
        let mut expected = [row(json!(0.5)), row(json!(0.5))];
        for (row, (item, quantity)) in
            expected.iter_mut().zip([("m, input_tokens", 2000), ("m, output_tokens", 10)])
        {
            row["line_item"] = json!(item);
            row["quantity"] = json!(quantity);
            row["quantity_unit"] = json!("tokens");
        }
        assert_eq!(rows(&api, "&group_by=line_item").await, expected);
        let mut expected = [row(json!(0.25)), row(json!(0.75))];
        let whose = [("user-gone", None), (&user, Some("payer@example.com"))];
        for (row, (user, email)) in expected.iter_mut().zip(whose) {
            row["organization_id"] = json!(api.first.organization.id);
            row["user_id"] = json!(user);
            row["user_email"] = json!(email);
        }
        let mut found = rows(&api, "&group_by=user_id").await;
        found.sort_by_key(|row| row["user_email"].is_string());
        assert_eq!(found, expected);
        roll(&api).await;
    }
    let all = "Supported values are: 'project_id', 'user_id', 'api_key_id' and 'line_item'.";
    let reply = api.get(&format!("{COSTS}?start_time=0&group_by=model")).await;
    reply.refused(400, "invalid_value", "group_by", all);
}

/// Ruling 5.5: a number, never a string, never with an exponent, to the last digit.
#[tokio::test]
async fn an_amount_is_a_plain_decimal_with_all_its_digits() {
    for (amount, expected) in [
        (1, "0.000000000000000001"),
        (DOLLAR / 10 * 3, "0.3"),
        (0, "0"),
        (DOLLAR * 123_456_789_012 + 1, "123456789012.000000000000000001"),
        (DOLLAR * 2, "2"),
    ] {
        let api = Api::new().await;
        put(&api, vec![costing(used("proj_a", "user_1", "key_1"), "m, x", 1, None, amount)]).await;
        for _ in 0..2 {
            let page = api.get(&format!("{COSTS}?start_time={MONDAY}&limit=1")).await;
            let text = String::from_utf8(page.text).expect("JSON is text");
            assert!(
                text.contains(&format!("\"amount\":{{\"value\":{expected},\"currency\":\"usd\"}}")),
                "{text}"
            );
            roll(&api).await;
        }
    }
}

/// 2.6, quantity: only where rows are grouped by line item; the unit only where there is one.
#[tokio::test]
async fn a_quantity_is_told_by_line_item_and_its_unit_if_it_is_one() {
    let api = Api::new().await;
    let one = || used("proj_a", "user_1", "key_1");
    put(
        &api,
        vec![
            costing(one(), "images", 1, Some("images"), 5),
            costing(one(), "mixed", 2, Some("tokens"), 5),
            costing(one(), "mixed", 3, Some("characters"), 5),
            costing(one(), "mixed", 4, None, 5),
            costing(one(), "sessions", 6, None, 5),
        ],
    )
    .await;
    for _ in 0..2 {
        let rows = rows(&api, "&group_by=line_item").await;
        let told = |row: &Value| {
            (row["line_item"].clone(), row["quantity"].clone(), row["quantity_unit"].clone())
        };
        let expected = [
            (json!("images"), json!(1), json!("images")),
            (json!("mixed"), json!(9), Value::Null),
            (json!("sessions"), json!(6), Value::Null),
        ];
        assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), expected);
        roll(&api).await;
    }
}

/// 2.6 and 1.6, filters of costs: projects, keys, and line items, which have commas in their names.
#[tokio::test]
async fn costs_are_filtered_by_projects_keys_and_line_items() {
    let api = Api::new().await;
    let input =
        |event, amount| costing(event, "m, input_tokens", 1, Some("tokens"), amount * DOLLAR);
    put(
        &api,
        vec![
            input(used("proj_a", "user_1", "key_1"), 1),
            input(used("proj_b", "user_1", "key_2"), 2),
            costing(used("proj_a", "user_1", "key_2"), "m, output_tokens", 1, None, 4 * DOLLAR),
        ],
    )
    .await;
    for _ in 0..2 {
        for (query, expected) in [
            ("project_ids=proj_a", Some(5)),
            ("api_key_ids[]=key_2", Some(6)),
            ("api_key_ids=key_2&project_ids=proj_a", Some(4)),
            ("line_items[]=m,%20input_tokens", Some(3)),
            ("line_items=m,+input_tokens&line_items=m,+output_tokens", Some(7)),
            ("project_ids=proj_none", None),
        ] {
            let rows = rows(&api, &format!("&{query}")).await;
            assert_eq!(
                rows.first().map(|row| row["amount"]["value"].clone()),
                expected.map(|value| json!(value)),
                "{query}"
            );
        }
        roll(&api).await;
    }
}

/// 1.7, the family of costs and usage: what is refused, and in which words. Ruling 5.3.
#[tokio::test]
async fn what_is_wrong_is_refused_in_the_words_of_this_family() {
    let api = Api::new().await;
    let refused = async |query: &str, code: &str, param: Value, fragment: &str| {
        api.get(&format!("{COSTS}?{query}")).await.refused(400, code, param, fragment);
    };
    let over = "Invalid limit provided: 366. Limit must be less than or equal to 180.";
    refused("start_time=0&limit=366", "invalid_request_error", Value::Null, over).await;
    let under = "Invalid limit provided: 0. Limit must be greater than or equal to 1.";
    refused("start_time=0&limit=0", "invalid_request_error", Value::Null, under).await;
    refused("start_time=0&limit=abc", "invalid_type", json!("limit"), "expected an integer").await;
    refused("", "invalid_request_error", Value::Null, "Missing required parameter: 'start_time'")
        .await;
    refused("start_time=x", "invalid_type", json!("start_time"), "expected an integer").await;
    let days = "Supported values are: '1d'.";
    refused("start_time=0&bucket_width=1h", "invalid_value", json!("bucket_width"), days).await;
    refused("start_time=0&page=page_AAAA", "invalid_value", json!("page"), "next_page").await;
    assert_eq!(
        api.get(&format!("{COSTS}?start_time=0")).await.ok()["data"].as_array().map(Vec::len),
        Some(7)
    );
    let most = api.get(&format!("{COSTS}?start_time=0&limit=180")).await;
    assert_eq!(most.ok()["data"].as_array().map(Vec::len), Some(180));
}

/// 2.6, buckets, as seen live: 264 days in a row, all a day apart, over pages.
#[tokio::test]
async fn days_follow_one_another_over_pages() {
    let api = Api::new().await;
    let query =
        format!("{COSTS}?start_time={}&end_time={}&limit=100", MONDAY - 264 * DAY + 77, MONDAY);
    let (mut starts, mut page) = (Vec::new(), String::new());
    loop {
        let reply = api.get(&format!("{query}{page}")).await;
        let buckets = reply.ok()["data"].as_array().expect("a page has buckets");
        starts.extend(
            buckets.iter().map(|bucket| bucket["start_time"].as_i64().expect("it is a number")),
        );
        let Some(next) = reply.ok()["next_page"].as_str() else { break };
        page = format!("&page={next}");
    }
    let expected: Vec<_> = (0..264).map(|day| MONDAY - (264 - day) * DAY).collect();
    assert_eq!(starts, expected);
}

/// L15, `user_email`: the address of today, or the last one of somebody who is gone.
#[tokio::test]
async fn addresses_are_those_of_today_and_of_the_past() {
    let api = Api::new().await;
    let (here, gone) = (api.add_user("here@example.com").await, "user-gone");
    let organization = api.first.organization.id.clone();
    let remember = move |tx: &mut sql::Tx<'_>| {
        let (of, email) = (crate::usage::names::Of::User, Some("gone@example.com"));
        crate::usage::names::remember(tx, &organization, of, gone, None, email)
    };
    api.app.store.write(remember).await.expect("it is remembered");
    put(
        &api,
        vec![
            costing(used("proj_a", &here, "key_1"), "m", 1, None, 5),
            costing(used("proj_a", gone, "key_1"), "m", 1, None, 5),
        ],
    )
    .await;
    for _ in 0..2 {
        let rows = rows(&api, "&group_by=user_id").await;
        let mut emails: Vec<_> = rows.iter().filter_map(|row| row["user_email"].as_str()).collect();
        emails.sort_unstable();
        assert_eq!(emails, ["gone@example.com", "here@example.com"]);
        roll(&api).await;
    }
}
