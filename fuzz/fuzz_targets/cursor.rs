//! Whatever a query says of a page, it is refused, or the page is that part of the list: nothing skipped, nothing shown twice.

#![no_main]

use admin::domain::page::{Order, PageRequest};
use admin::error::Result;
use admin::http::page::{AlertPage, GroupPage, RateLimitPage, read, read_newest_first, read_ordered};
use admin::http::query::Query;
use admin::resources::audit_logs::filters::Filters;
use admin::resources::rate_limits::store::position;
use libfuzzer_sys::fuzz_target;

/// A list in its order, with ids of many beginnings.
const IDS: [&str; 12] = [
    "!",
    "Z",
    "gpt-4o",
    "proj_0",
    "proj_00",
    "r",
    "rl",
    "rl.",
    "user-0",
    "user_1",
    "~",
    "\u{10FFFE}",
];

fuzz_target!(|text: &str| {
    let query = Query::parse(text);
    let (up, down) = (Order::Ascending, Order::Descending);
    check(&query, up, None, read(&query));
    let (after, before) = (cursor(&query, "after"), cursor(&query, "before"));
    for position in [after, before].into_iter().flatten() {
        models_keep_their_order(position);
    }
    check(&query, down, before, read_newest_first(&query));
    // Whatever times are asked for, the positions between which they lie are positions.
    if let Ok(filters) = Filters::read(&query) {
        assert!(filters.above.into_iter().chain(filters.below).all(|id| id.is_ascii()));
    }
    for usual in [up, down] {
        let order = match query.text("order") {
            Ok(Some("asc")) => up,
            Ok(Some("desc")) => down,
            _ => usual,
        };
        check(&query, order, None, read_ordered(&query, usual));
        check(&query, order, None, GroupPage::read(&query, usual));
        check(&query, order, before, AlertPage::read_either_way(&query, usual));
        check(&query, order, before, RateLimitPage::read_either_way(&query, usual));
    }
});

/// A cursor that is one.
fn cursor<'q>(query: &'q Query, name: &str) -> Option<&'q str> {
    let cursor = query.cursor(name).ok().flatten()?;
    assert!(!cursor.is_empty() && cursor.len() <= 256 && !cursor.contains(char::is_control));
    Some(cursor)
}

/// A position among the ids of limits is the same position among the names of the models.
fn models_keep_their_order(cursor: &str) {
    for model in IDS {
        let id = format!("rl-{model}");
        assert_eq!(id.as_str() > cursor, model > position(cursor), "{model}");
        assert_eq!(id.as_str() < cursor, model < position(cursor), "{model}");
    }
}

/// Holds a page against the plainest reader of a list that there can be.
fn check(query: &Query, order: Order, before: Option<&str>, page: Result<PageRequest>) {
    let Ok(page) = page else { return };
    let limit = usize::try_from(page.fetch() - 1).expect("no limit is negative");
    let follows = |one: &str, other: &str| match order {
        Order::Ascending => one > other,
        Order::Descending => one < other,
    };
    let mut expected = IDS.to_vec();
    if order == Order::Descending {
        expected.reverse();
    }
    match before {
        Some(before) => expected.retain(|id| follows(before, id)),
        None => expected.retain(|id| cursor(query, "after").is_none_or(|after| follows(id, after))),
    }
    let has_more = expected.len() > limit;
    if before.is_some() {
        expected.drain(..expected.len().saturating_sub(limit));
    }
    expected.truncate(limit);
    let slice = page.slice(IDS.to_vec(), |id| id);
    assert_eq!((slice.rows, slice.has_more), (expected, has_more), "{page:?}");
}
