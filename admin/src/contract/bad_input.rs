//! What every operation answers to arguments that are wrong, taken from its own description.

use serde_json::{Value, json};

use crate::error::enumerate;
use crate::testing::document::{Operation, OperationName, operations};
use crate::testing::world::{World, sample};
use crate::testing::{Api, Reply};

fn with_body() -> impl Iterator<Item = (&'static OperationName, &'static Operation)> {
    operations().filter(|(_, operation)| operation.body.is_some())
}

/// Every operation with a body. One world serves them all, because a refusal changes nothing.
async fn each_with_body(check: impl AsyncFn(&Api, &World, &OperationName, &Operation)) {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for (name, operation) in with_body() {
        check(&api, &world, name, operation).await;
    }
}

/// Sends an object for a body.
async fn send(
    api: &Api,
    world: &World,
    (name, operation): (&OperationName, &Operation),
    object: Value,
) -> Reply {
    let request = api.request(&name.0, &world.path(&name.1));
    request.json(&operation.whole_body(object)).send().await
}

/// Asserts that an object was refused: with the body, or for itself where there may be several.
fn assert_refused(operation: &Operation, reply: &Reply, code: &str, param: &str, fragment: &str) {
    if !operation.takes_many() {
        reply.refused(400, code, param, fragment);
        return;
    }
    let result = &reply.ok()["results"][0];
    assert_eq!(
        (&result["status"], &result["code"], &result["param"]),
        (&json!("refused"), &json!(code), &json!(param)),
        "{result}"
    );
    let message = result["message"].as_str().unwrap_or_default();
    assert!(message.contains(fragment), "'{message}' lacks '{fragment}'");
}

/// Ruling 5.24.
#[tokio::test]
async fn an_unknown_member_is_refused_by_name() {
    each_with_body(async |api, world, name, operation| {
        let mut body = world.sample_body(&name.1, operation);
        body["surprise"] = json!(1);
        let reply = send(api, world, (name, operation), body).await;
        let fragment = "Unknown parameter: 'surprise'.";
        assert_refused(operation, &reply, "unknown_parameter", "surprise", fragment);
    })
    .await;
}

#[tokio::test]
async fn a_missing_member_is_refused_by_name() {
    each_with_body(async |api, world, name, operation| {
        for member in operation.body_members().1 {
            let mut body = world.sample_body(&name.1, operation);
            body.as_object_mut().expect("bodies are objects").remove(&member);
            let reply = send(api, world, (name, operation), body).await;
            let fragment = format!("Missing required parameter: '{member}'.");
            assert_refused(operation, &reply, "missing_required_parameter", &member, &fragment);
        }
    })
    .await;
}

#[tokio::test]
async fn a_member_of_the_wrong_type_is_refused_by_name() {
    each_with_body(async |api, world, name, operation| {
        for (member, schema) in operation.body_members().0 {
            let kinds = schema["type"].to_string();
            for (kind, value) in wrong_values() {
                if kinds.contains(kind) {
                    continue;
                }
                let mut body = world.sample_body(&name.1, operation);
                body[&member] = value;
                let reply = send(api, world, (name, operation), body).await;
                let fragment = format!("Invalid type for '{member}': expected a");
                assert_refused(operation, &reply, "invalid_type", &member, &fragment);
            }
        }
    })
    .await;
}

fn wrong_values() -> [(&'static str, Value); 7] {
    [
        ("string", json!("text")),
        ("integer", json!(7)),
        ("number", json!(1.5)),
        ("boolean", json!(true)),
        ("array", json!([])),
        ("object", json!({})),
        ("null", Value::Null),
    ]
}

#[tokio::test]
async fn a_nullable_member_may_be_null() {
    for (name, operation) in with_body() {
        // A world of its own for each, because what is accepted changes it.
        let api = Api::new().await;
        let world = World::of_first(&api).await;
        for (member, schema) in operation.body_members().0 {
            if schema["type"].to_string().contains("null") {
                let mut body = world.sample_body(&name.1, operation);
                body[&member] = Value::Null;
                let reply = send(&api, &world, (name, operation), body).await;
                // Whoever names nobody is told so; every other null is as if it were absent.
                let is_accepted = reply.status.as_u16() == 200
                    || reply.body["error"]["code"] == "missing_required_parameter";
                assert!(is_accepted, "{name:?} {member}: {}", reply.body);
            }
        }
    }
}

#[tokio::test]
async fn text_that_no_engine_could_keep_is_refused_by_name() {
    each_with_body(async |api, world, name, operation| {
        for (member, schema) in operation.body_members().0 {
            if !schema["type"].to_string().contains("string") {
                continue;
            }
            let mut body = world.sample_body(&name.1, operation);
            body[&member] = json!("a\0b");
            let reply = send(api, world, (name, operation), body.clone()).await;
            assert_refused(operation, &reply, "invalid_value", &member, "NUL");
            // Most names have no use for so many; what may be longer says how long.
            let most = schema["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok());
            let long = most.map_or(1000, |most| 1000.max(most + 1));
            body[&member] = json!("x".repeat(long));
            let reply = send(api, world, (name, operation), body).await;
            let fragment = format!("but got {long}");
            assert_refused(operation, &reply, "string_above_max_length", &member, &fragment);
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    each_with_body(async |api, world, name, operation| {
        let path = world.path(&name.1);
        for text in
            ["{", "{\"a\":}", "nonsense", "{\"a\":1} x", "\u{FEFF}{}", "{\"a\":\"\\ud800\"}"]
        {
            let request =
                api.request(&name.0, &path).header("content-type", "application/json").body(text);
            request.send().await.refused(400, (), (), "could not be parsed as JSON");
        }
        let (expected, other) = if operation.takes_many() {
            ("an array", ("{}", "an object"))
        } else {
            ("an object", ("[]", "an array"))
        };
        for (text, kind) in
            [other, ("7", "an integer"), ("\"x\"", "a string"), ("true", "a boolean")]
        {
            let reply = api.request(&name.0, &path).body(text).send().await;
            let fragment = format!("expected {expected}, but got {kind}");
            reply.refused(400, "invalid_type", (), &fragment);
        }
        let request = api.request(&name.0, &path).header("content-type", "text/plain").body("{}");
        request.send().await.refused(415, "unsupported_media_type", (), "application/json");
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        api.request(&name.0, &path).body(deep).send().await.refused(
            400,
            (),
            (),
            "could not be parsed as JSON",
        );
        if operation.body.as_ref().is_some_and(|(required, _)| *required) {
            api.request(&name.0, &path).body("").send().await.refused(
                400,
                (),
                (),
                "could not be parsed as JSON",
            );
            api.request(&name.0, &path).body("null").send().await.refused(
                400,
                "invalid_type",
                (),
                "but got null",
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_json_body_is_taken_with_any_charset_and_without_a_type() {
    let api = Api::new().await;
    for kind in
        ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-16"]
    {
        let request = api.request("POST", "/organization/projects").header("content-type", kind);
        request.body("{\"name\":\"n\"}").send().await.ok();
    }
    api.request("POST", "/organization/projects")
        .body("{\"name\":\"n\",\"name\":\"last\"}")
        .send()
        .await
        .ok();
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused_and_the_connection_closed() {
    each_with_body(async |api, world, name, operation| {
        let path = world.path(&name.1);
        let cap: usize = if operation.takes_many() { 8 << 20 } else { 1 << 20 };
        let reply = api.request(&name.0, &path).body(vec![b' '; cap + 1]).send().await;
        reply.refused(413, "request_too_large", (), &format!("{cap} bytes"));
        assert_eq!(reply.header("connection"), Some("close"));
    })
    .await;
}

#[tokio::test]
async fn query_arguments_are_checked_and_unknown_ones_ignored() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for (name, operation) in operations().filter(|(name, _)| name.0 == "GET") {
        let path = world.path(&name.1);
        let complete = format!("{path}{}", operation.query());
        api.get(&format!("{complete}surprise=1&surprise=2")).await.ok();
        for ((place, parameter), (is_required, schema)) in &operation.parameters {
            if place != "query" || schema["type"] == "array" {
                continue;
            }
            let others = if *is_required { format!("{path}?") } else { complete.clone() };
            let twice = format!("{others}{parameter}=1&{parameter}=1");
            api.get(&twice).await.refused(
                400,
                "duplicate_parameter",
                parameter.as_str(),
                "Duplicate parameter",
            );
            let wrong = format!("{others}{parameter}=wrong");
            match schema["type"].as_str().unwrap_or_default() {
                "integer" | "boolean" => {
                    api.get(&wrong).await.refused(
                        400,
                        "invalid_type",
                        parameter.as_str(),
                        "but got a string instead",
                    );
                }
                _ if schema["enum"].is_array() => {
                    let words = schema["enum"].as_array().into_iter().flatten();
                    let words: Vec<_> = words.filter_map(Value::as_str).collect();
                    let fragment = format!("Supported values are: {}.", enumerate(&words));
                    api.get(&wrong).await.refused(
                        400,
                        "invalid_value",
                        parameter.as_str(),
                        &fragment,
                    );
                }
                // What a page of buckets continues with is made by the server.
                _ if parameter == "page" => {
                    api.get(&wrong).await.refused(400, "invalid_value", "page", "next_page");
                    continue;
                }
                _ => {}
            }
            let value = sample(parameter, schema);
            let value = value.as_str().map_or(value.to_string(), str::to_owned);
            api.get(&format!("{others}{parameter}={value}")).await.ok();
        }
    }
}
