//! What every list promises about its pages.

use serde_json::json;

use super::world::{World, operations};
use crate::testing::document::Operation;
use crate::testing::{Api, Reply};

/// Rows beside those that a world has, so that pages of three have a remainder.
async fn world_with_rows(api: &Api) -> World {
    let world = World::of_first(api).await;
    let project = world.path("{project_id}");
    for place in 0..9 {
        let user = api.add_user(&format!("member{place}@example.com")).await;
        api.add_member(&project, &user).await;
        api.create_project(&format!("Project {place}")).await;
        api.post("/organization/admin_api_keys", json!({ "name": format!("Key {place}") }))
            .await
            .ok();
    }
    world
}

fn lists() -> impl Iterator<Item = (&'static str, &'static Operation)> {
    operations()
        .filter(|(_, operation)| operation.is_list())
        .map(|((_, path), operation)| (path.as_str(), operation))
}

fn orders(operation: &Operation) -> &'static [&'static str] {
    let has_order = operation.parameters.contains_key(&("query".to_owned(), "order".to_owned()));
    if has_order { &["&order=asc", "&order=desc"] } else { &[""] }
}

fn assert_page(reply: &Reply, expected: &[String], has_more: bool, call: &str) {
    assert_eq!(reply.ids(), expected, "{call}");
    assert_eq!(reply.ok()["has_more"], has_more, "{call}");
    assert_eq!(reply.ok()["first_id"], json!(expected.first()), "{call}");
    assert_eq!(reply.ok()["last_id"], json!(expected.last()), "{call}");
}

#[tokio::test]
async fn pages_of_any_size_add_up_to_the_whole_list_in_order() {
    let api = Api::new().await;
    let world = world_with_rows(&api).await;
    for (template, operation) in lists() {
        for order in orders(operation) {
            let path = world.path(template);
            let all = api.get(&format!("{path}?limit=100{order}")).await.ids();
            assert!(all.len() >= 10, "{path}");
            let is_descending = order.ends_with("desc");
            assert!(
                all.is_sorted_by(|a, b| if is_descending { a > b } else { a < b }),
                "{path} runs by id, bytewise"
            );
            for limit in [1, 3, all.len() - 1, all.len(), all.len() + 1] {
                let mut seen = Vec::new();
                loop {
                    let after = seen.last().map(|id| format!("&after={id}")).unwrap_or_default();
                    let call = format!("{path}?limit={limit}{order}{after}");
                    let rest = &all[seen.len()..];
                    let page = &rest[..limit.min(rest.len())];
                    assert_page(&api.get(&call).await, page, rest.len() > limit, &call);
                    seen.extend_from_slice(page);
                    if rest.len() <= limit {
                        break;
                    }
                }
                // A client that ignores has_more asks once more and must be told that nothing is left.
                let call = format!("{path}?limit={limit}{order}&after={}", all[all.len() - 1]);
                assert_page(&api.get(&call).await, &[], false, &call);
            }
        }
    }
}

#[tokio::test]
async fn the_default_page_has_twenty_rows() {
    let api = Api::new().await.unwatched();
    let world = world_with_rows(&api).await;
    let project = world.path("{project_id}");
    for place in 10..25 {
        let user = api.add_user(&format!("member{place}@example.com")).await;
        api.add_member(&project, &user).await;
        api.create_project("More").await;
        api.post("/organization/admin_api_keys", json!({ "name": "More" })).await.ok();
    }
    for (template, _) in lists() {
        let path = world.path(template);
        for query in ["", "?after=", "?limit=20", "?limit=%2B20"] {
            let reply = api.get(&format!("{path}{query}")).await;
            assert_eq!(
                (reply.ids().len(), &reply.ok()["has_more"]),
                (20, &json!(true)),
                "{path}{query}"
            );
        }
    }
}

#[tokio::test]
async fn limits_out_of_bounds_are_refused_not_clamped() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for (template, _) in lists() {
        let path = world.path(template);
        for (limit, code, fragment) in [
            ("0", "integer_below_min_value", "Expected a value >= 1, but got 0 instead."),
            ("-5", "integer_below_min_value", "Expected a value >= 1, but got -5 instead."),
            ("101", "integer_above_max_value", "Expected a value <= 100, but got 101 instead."),
            (
                "99999999999999999999",
                "integer_above_max_value",
                "but got 99999999999999999999 instead.",
            ),
            ("", "invalid_type", "expected an integer, but got a string instead."),
            ("1.5", "invalid_type", "expected an integer, but got a string instead."),
        ] {
            api.get(&format!("{path}?limit={limit}")).await.refused(400, code, "limit", fragment);
        }
    }
}

#[tokio::test]
async fn a_cursor_is_a_position_whether_its_row_exists_or_not() {
    let api = Api::new().await;
    let world = world_with_rows(&api).await;
    for (template, _) in lists() {
        let path = world.path(template);
        let all = api.get(&format!("{path}?limit=100")).await.ids();
        let just_before = format!("{}%20", &all[4][..all[4].len() - 1]);
        let cursors = [
            ("0", 0),
            ("%7E%7E%7E", all.len()),
            ("%F0%9F%8D%8B", all.len()),
            (just_before.as_str(), 4),
        ];
        for (cursor, position) in cursors {
            let reply = api.get(&format!("{path}?limit=100&after={cursor}")).await;
            assert_eq!(reply.ids(), all[position..], "{path} after {cursor}");
        }
        let long = "x".repeat(256);
        assert!(api.get(&format!("{path}?after={long}")).await.ids().is_empty(), "{path}");
        for cursor in
            [format!("{long}x"), "a%00b".to_owned(), "%0A".to_owned(), "%C2%85".to_owned()]
        {
            let reply = api.get(&format!("{path}?after={cursor}")).await;
            reply.refused(400, "invalid_value", "after", "at most 256 bytes");
        }
    }
}

#[tokio::test]
async fn a_head_request_is_answered_like_a_get_without_its_body() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for (template, _) in lists() {
        let reply = api.request("HEAD", &world.path(template)).send().await;
        assert_eq!((reply.status.as_u16(), reply.text.len()), (200, 0));
    }
}
