//! What events cost.

use super::*;
use crate::error::Result;
use crate::usage::event::Cost;
use crate::usage::money;
use crate::usage::prices::{self, NewPrice};

/// Sets a price as the command line would.
pub async fn set_price(
    api: &Api,
    (model, measure): (&str, &str),
    effective_from: i64,
    price: &str,
    units: i64,
) -> Result<bool> {
    let new = NewPrice {
        model: model.to_owned(),
        measure: measure.to_owned(),
        effective_from,
        price: price.to_owned(),
        units,
    };
    let organization = api.first.organization.id.clone();
    api.app.store.write(move |tx| prices::set(tx, &organization, &new, NOW)).await
}

fn line(cost: &Cost) -> (&str, u64, Option<&str>, String) {
    (&cost.line_item, cost.quantity, cost.unit.as_deref(), money::text(cost.amount))
}

#[tokio::test]
async fn what_is_used_costs_what_it_cost_at_its_time() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    set_price(&api, ("m", "input_tokens"), NOW - 100, "0.15", 1_000_000).await.expect("it is set");
    set_price(&api, ("m", "input_tokens"), NOW, "0.000000000007", 1).await.expect("it is set");
    let at =
        |id: &str, time: i64| with(event(id, &project), json!({ "time": time, "input_tokens": 7 }));
    let events =
        [at("a", NOW - 101), at("b", NOW - 100), at("c", NOW - 1), at("d", NOW), at("e", NOW + 5)];
    report(&api, &events).await.ok();
    // A later price changes nothing of what was counted, and one of the past is not changed.
    set_price(&api, ("m", "input_tokens"), NOW + 1, "9", 1).await.expect("it is set");
    for from in [NOW - 200, NOW, NOW + 1] {
        let error =
            set_price(&api, ("m", "input_tokens"), from, "8", 1).await.expect_err("it is refused");
        assert_eq!(
            (error.code, error.param.as_deref()),
            (Some("price_in_force"), Some("effective_from"))
        );
    }
    assert!(
        !set_price(&api, ("m", "input_tokens"), NOW + 1, "9.000", 1).await.expect("it is the same")
    );
    report(&api, &[at("f", NOW), at("g", NOW + 1)]).await.ok();
    let events = stored(&api).await;
    let costs: Vec<Vec<_>> =
        events.iter().map(|event| event.costs.iter().map(line).collect()).collect();
    let one = |amount: &str| vec![("m, input_tokens", 7, Some("tokens"), amount.to_owned())];
    let expected = [
        vec![],
        one("0.00000105"),
        one("0.00000105"),
        one("0.000000000049"),
        one("0.000000000049"),
        one("0.000000000049"),
        one("63"),
    ];
    assert_eq!(costs, expected);
}

#[tokio::test]
async fn each_measure_has_a_line_and_tools_have_no_model() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    for (model, measure, price) in [
        ("m", "input_uncached_tokens", "1"),
        ("m", "output_tokens", "2"),
        ("m", "num_model_requests", "0.5"),
        ("m", "seconds", "0.0001"),
        ("", "web_search_calls", "0.01"),
        ("", "file_search_calls", "0.0025"),
        ("", "vector_stores", "0.000000000001"),
        ("", "code_interpreter_sessions", "0.03"),
    ] {
        assert!(set_price(&api, (model, measure), 0, price, 1).await.expect("it is set"));
    }
    let of = |id: &str, kind: &str, members: Value| {
        with(json!({ "id": id, "time": NOW, "kind": kind, "project_id": project }), members)
    };
    let events = [
        of(
            "a",
            "completions",
            json!({ "user_id": "u", "model": "m", "input_tokens": 3, "output_tokens": 0 }),
        ),
        of(
            "b",
            "audio_transcriptions",
            json!({ "user_id": "u", "model": "m", "seconds": 60, "num_model_requests": 0 }),
        ),
        of("c", "web_search_calls", json!({ "user_id": "u", "model": "m", "num_requests": 2 })),
        of("d", "file_search_calls", json!({ "user_id": "u" })),
        of("e", "vector_stores", json!({ "usage_bytes": 1_000_000_000_000_i64 })),
        of("f", "code_interpreter_sessions", json!({})),
        of("g", "embeddings", json!({ "user_id": "u", "input_tokens": 3 })),
        of("h", "embeddings", json!({ "user_id": "u", "model": "other", "input_tokens": 3 })),
    ];
    assert_eq!(counts(&report(&api, &events).await), [8, 0, 0]);
    let stored = stored(&api).await;
    let costs: Vec<_> = stored.iter().flat_map(|event| event.costs.iter().map(line)).collect();
    let text = str::to_owned;
    let expected = [
        ("m, input_uncached_tokens", 3, Some("tokens"), text("3")),
        ("m, num_model_requests", 1, None, text("0.5")),
        ("m, seconds", 60, Some("duration_seconds"), text("0.006")),
        ("web_search_calls", 2, None, text("0.02")),
        ("file_search_calls", 1, None, text("0.0025")),
        ("vector_stores", 1_000_000_000_000, None, text("1")),
        ("code_interpreter_sessions", 1, None, text("0.03")),
    ];
    assert_eq!(costs, expected);
}

#[tokio::test]
async fn prices_that_are_not_exact_or_of_nothing_are_refused() {
    let api = Api::new().await;
    for (model, measure, from, price, units, param) in [
        ("m", "tokens", 0, "1", 1, "measure"),
        ("m", "num_requests", 0, "1", 1, "measure"),
        ("", "input_tokens", 0, "1", 1, "measure"),
        ("a b", "input_tokens", 0, "1", 1, "model"),
        ("m", "input_tokens", -1, "1", 1, "effective_from"),
        ("m", "input_tokens", 0, "1e3", 1, "price"),
        ("m", "input_tokens", 0, "-1", 1, "price"),
        ("m", "input_tokens", 0, "0.0000000000001", 1, "price"),
        ("m", "input_tokens", 0, "1000000.1", 1, "price"),
        ("m", "input_tokens", 0, "1", 0, "units"),
        ("m", "input_tokens", 0, "1", 1_000_000_001, "units"),
        ("m", "input_tokens", 0, "1", 3, "units"),
    ] {
        let error =
            set_price(&api, (model, measure), from, price, units).await.expect_err("it is refused");
        assert_eq!(error.param.as_deref(), Some(param), "{error}");
    }
    assert!(set_price(&api, ("m", "input_tokens"), 0, "0.3", 3).await.expect("it is exact"));
    assert!(set_price(&api, ("m", "images"), 0, "1000000", 1).await.expect("it is a price"));
    let organization = api.first.organization.id.clone();
    let list =
        api.app.store.read(move |tx| prices::list(tx, &organization)).await.expect("it is read");
    let list: Vec<_> = list
        .iter()
        .map(|price| (&*price.terms.measure, &*price.terms.price, price.terms.units))
        .collect();
    assert_eq!(list, [("images", "1000000", 1), ("input_tokens", "0.3", 3)]);
    // What nobody can pay was not used.
    let project = api.create_project("Engine").await;
    let images = |id: &str, images: u64| json!({ "id": id, "time": NOW, "kind": "images", "project_id": project, "user_id": "u", "model": "m", "images": images });
    let reply = report(&api, &[images("a", 1000), images("b", 1001)]).await;
    assert_eq!(results(&reply)[1].1.as_deref(), Some("cost_above_max_value"));
    assert_eq!(statuses(&reply), ["accepted", "refused"]);
}
