//! What every list promises about its pages.

use serde_json::{Value, json};

use crate::testing::document::{Operation, operations};
use crate::testing::seed;
use crate::testing::world::{World, parameters};
use crate::testing::{Api, Reply};

/// So many rows of everything that pages of three have a remainder.
async fn world_with_rows(api: &Api, rows: usize) -> World {
    let mut world = World::of_first(api).await;
    world.grow(api, rows).await;
    world
}

fn lists() -> impl Iterator<Item = (&'static str, &'static Operation)> {
    operations()
        .filter(|(_, operation)| operation.is_list())
        .map(|((_, path), operation)| (path.as_str(), operation))
}

/// The bounds of a list's pages and how long one is if nobody says, as its description has them.
struct Limits {
    least: i64,
    most: i64,
    default: Option<i64>,
}

impl Limits {
    fn of(operation: &Operation) -> Self {
        let limit = operation.argument("limit").expect("lists have a limit");
        let number = |name: &str| limit.get(name).and_then(Value::as_i64);
        let bound = |name| number(name).unwrap_or_else(|| panic!("the limit has a {name}"));
        Self { least: bound("minimum"), most: bound("maximum"), default: number("default") }
    }
}

/// The order in which a list runs, as arguments of the query.
fn orders(operation: &Operation) -> &'static [&'static str] {
    let has_order = operation.argument("order").is_some();
    if has_order { &["&order=asc", "&order=desc"] } else { &[""] }
}

/// The ways to read a list: arguments of the query, and whether it runs downwards then.
fn ways(template: &str, operation: &Operation) -> Vec<(String, bool)> {
    let record_of = seed::list(template).and_then(|(_, list)| list.record_of);
    let ordered = |order: &&str| ((*order).to_owned(), order.ends_with("desc"));
    record_of.map_or_else(
        || orders(operation).iter().map(ordered).collect(),
        |arguments| vec![(format!("&{arguments}"), true)],
    )
}

/// The members with which a page says where it ends differ between the families of lists.
fn has_next(operation: &Operation) -> bool {
    operation.responses[&200]["properties"].get("next").is_some()
}

fn assert_page(
    reply: &Reply,
    operation: &Operation,
    expected: &[String],
    has_more: bool,
    call: &str,
) {
    assert_eq!(reply.ids(), expected, "{call}");
    assert_eq!(reply.ok()["has_more"], has_more, "{call}");
    if has_next(operation) {
        let next = expected.last().filter(|_| has_more);
        assert_eq!(reply.ok()["next"], json!(next), "{call}");
        assert_eq!(reply.ok().as_object().map(serde_json::Map::len), Some(4), "{call}");
    } else {
        assert_eq!(reply.ok()["first_id"], json!(expected.first()), "{call}");
        assert_eq!(reply.ok()["last_id"], json!(expected.last()), "{call}");
    }
}

#[test]
fn every_list_and_every_id_of_a_path_is_known_to_a_seed() {
    for ((method, template), operation) in operations() {
        for parameter in parameters(template) {
            let seed = seed::filling(template, parameter);
            assert!(seed.is_some(), "no seed fills {{{parameter}}} of {method} {template}");
        }
        let is_known = seed::list(template).is_some();
        assert!(is_known || !operation.is_list(), "no seed has rows for {method} {template}");
    }
    let mut known: Vec<_> = seed::ALL.iter().flat_map(|seed| seed.lists).collect();
    known.sort_by_key(|list| list.template);
    for pair in known.windows(2) {
        assert_ne!(pair[0].template, pair[1].template, "two seeds have rows for one list");
    }
    for list in known {
        let is_built = lists().any(|(template, _)| template == list.template);
        assert!(is_built, "a seed names {}, which is no list", list.template);
    }
}

/// Rulings 5.3 and 5.23: lists run by id, bytewise, and whoever asks once more behind the end gets an empty page.
#[tokio::test]
async fn pages_of_any_size_add_up_to_the_whole_list_in_order() {
    let api = Api::new().await;
    let world = world_with_rows(&api, 10).await;
    for (template, operation) in lists() {
        for (order, is_descending) in ways(template, operation) {
            let path = world.path(template);
            let all = api.get(&format!("{path}?limit=100{order}")).await.ids();
            assert!(all.len() >= 10, "{path}");
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
                    let has_more = rest.len() > limit;
                    assert_page(&api.get(&call).await, operation, page, has_more, &call);
                    seen.extend_from_slice(page);
                    if rest.len() <= limit {
                        break;
                    }
                }
                // A client that ignores has_more asks once more and must be told that nothing is left.
                let call = format!("{path}?limit={limit}{order}&after={}", all[all.len() - 1]);
                assert_page(&api.get(&call).await, operation, &[], false, &call);
            }
        }
    }
}

/// Ruling 5.18: an order that nobody asks for is the one that the description names.
#[tokio::test]
async fn a_list_runs_in_its_own_order_if_nobody_names_one() {
    let api = Api::new().await;
    let world = world_with_rows(&api, 3).await;
    for (template, operation) in lists() {
        let Some(schema) = operation.argument("order") else { continue };
        let order = schema.get("default").and_then(Value::as_str).unwrap_or("asc");
        let path = world.path(template);
        let silent = api.get(&format!("{path}?limit=3")).await.ids();
        let named = api.get(&format!("{path}?limit=3&order={order}")).await.ids();
        assert_eq!(silent, named, "{path} runs {order}");
        assert!(silent.len() > 1, "{path} has rows in some order");
    }
}

#[tokio::test]
async fn the_default_page_has_as_many_rows_as_the_description_says() {
    let api = Api::new().await.unwatched();
    let world = world_with_rows(&api, 25).await;
    for (template, operation) in lists() {
        let path = world.path(template);
        let all = api.get(&format!("{path}?limit=100")).await.ids().len();
        let default = Limits::of(operation).default;
        let rows = default.map_or(all, |rows| usize::try_from(rows).expect("few").min(all));
        let same = default.map_or_else(String::new, |rows| format!("?limit=%2B{rows}"));
        assert!(all > 20, "{path}");
        for query in ["", "?after=", same.as_str()] {
            let reply = api.get(&format!("{path}{query}")).await;
            assert_eq!(
                (reply.ids().len(), &reply.ok()["has_more"]),
                (rows, &json!(all > rows)),
                "{path}{query}"
            );
        }
    }
}

/// Ruling 5.3.
#[tokio::test]
async fn limits_out_of_bounds_are_refused_not_clamped() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for (template, operation) in lists() {
        let path = world.path(template);
        let Limits { least, most, default } = Limits::of(operation);
        assert!(has_next(operation) || (least, most, default) == (1, 100, Some(20)), "{path}");
        let below = |limit: &str| {
            let fragment = format!("Expected a value >= {least}, but got {limit} instead.");
            (limit.to_owned(), "integer_below_min_value", fragment)
        };
        let above = |limit: &str| {
            let fragment = format!("Expected a value <= {most}, but got {limit} instead.");
            (limit.to_owned(), "integer_above_max_value", fragment)
        };
        let wrong = |limit: &str| {
            let fragment = "expected an integer, but got a string instead.".to_owned();
            (limit.to_owned(), "invalid_type", fragment)
        };
        for (limit, code, fragment) in [
            below(&(least - 1).to_string()),
            below("-5"),
            above(&(most + 1).to_string()),
            above("99999999999999999999"),
            wrong(""),
            wrong("1.5"),
        ] {
            api.get(&format!("{path}?limit={limit}")).await.refused(400, code, "limit", &fragment);
        }
        for limit in [least, most] {
            api.get(&format!("{path}?limit={limit}")).await.ok();
        }
    }
}

/// A page of no rows says whether there are any, and leads nowhere.
#[tokio::test]
async fn a_list_that_may_be_asked_for_no_rows_says_whether_there_are_any() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for (template, operation) in lists() {
        if Limits::of(operation).least > 0 {
            continue;
        }
        let path = world.path(template);
        let expect = async |query: &str, has_more: bool| {
            let page = api.get(&format!("{path}?limit=0{query}")).await;
            let expected =
                json!({ "object": "list", "data": [], "has_more": has_more, "next": null });
            assert_eq!(page.ok(), &expected, "{path}{query}");
        };
        expect("", true).await;
        let order = orders(operation).first().copied().unwrap_or_default();
        expect(&format!("{order}&after=%7E%7E%7E"), false).await;
    }
}

#[tokio::test]
async fn a_cursor_is_a_position_whether_its_row_exists_or_not() {
    let api = Api::new().await;
    let world = world_with_rows(&api, 10).await;
    for (template, operation) in lists() {
        let (path, (order, is_descending)) =
            (world.path(template), ways(template, operation).swap_remove(0));
        let all = api.get(&format!("{path}?limit=100{order}")).await.ids();
        let just_before = format!("{}%20", &all[4][..all[4].len() - 1]);
        let cursors = [
            ("0", 0),
            ("%7E%7E%7E", all.len()),
            ("%F0%9F%8D%8B", all.len()),
            (just_before.as_str(), 4),
        ];
        for (cursor, before) in cursors {
            let position = match (is_descending, cursor) {
                (false, _) => before,
                (true, cursor) if cursor == just_before => before + 1,
                (true, _) => all.len() - before,
            };
            let reply = api.get(&format!("{path}?limit=100{order}&after={cursor}")).await;
            assert_eq!(reply.ids(), all[position..], "{path} after {cursor}");
        }
        let long = "x".repeat(256);
        let beyond = api.get(&format!("{path}?after={long}{order}")).await;
        assert!(beyond.ids().is_empty() || is_descending, "{path}");
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
