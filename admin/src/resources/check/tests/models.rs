//! What the answer says of models: whether there is such a one, whether the project may use it, and how much of it.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{CHECK, FORWARD, Place, Terms};
use crate::Recall;
use crate::testing::{Reply, fixture};

impl Place {
    async fn add_model(&self, id: &str) {
        fixture::add_model(&self.api.app, &self.api.first.organization, id).await;
    }

    fn path(&self, rest: &str) -> String {
        format!("/organization/projects/{}/{rest}", self.project)
    }

    async fn list(&self, mode: &str, ids: &[&str]) {
        let body = json!({ "mode": mode, "model_ids": ids });
        self.api.post(&self.path("model_permissions"), body).await.ok();
    }

    async fn ask_for(&self, model: &str) -> Reply {
        self.ask(json!({ "model": model }), &self.key).await
    }

    async fn verdict(&self, model: &str) -> String {
        let reply = self.ask_for(model).await;
        reply.ok()["reason"].as_str().expect("there is a reason").to_owned()
    }
}

#[tokio::test]
async fn a_server_without_models_knows_every_name() {
    let place = Place::new().await;
    assert_eq!(place.verdict("whatever").await, "allowed");
    place.list("allow_list", &[]).await;
    assert_eq!(place.verdict("whatever").await, "model_not_permitted");
    let body = place.ask_for("whatever").await;
    let nothing =
        json!({ "object": "project.model_permissions", "mode": "allow_list", "model_ids": [] });
    assert_eq!(
        (&body.ok()["model_permissions"], &body.ok()["rate_limit"]),
        (&nothing, &Value::Null)
    );
    place.list("deny_list", &[]).await;
    assert_eq!(place.verdict("whatever").await, "allowed");
    place.add_model("gpt-4o").await;
    assert_eq!(place.verdict("whatever").await, "unknown_model");
    assert_eq!(place.verdict("gpt-4o").await, "allowed");
}

#[tokio::test]
async fn an_answer_says_which_models_and_how_much_of_the_one_in_question() {
    let place = Place::new().await;
    for model in ["gpt-4o", "o3"] {
        place.add_model(model).await;
    }
    place.list("deny_list", &["o3"]).await;
    let limit = place.path("rate_limits/rl-gpt-4o");
    let limit = place.api.post(&limit, json!({ "max_requests_per_1_minute": 7 })).await;
    let list = place.api.get(&place.path("model_permissions")).await;
    let reply = place.ask_for("gpt-4o").await;
    assert_eq!(
        (&reply.ok()["model_permissions"], &reply.ok()["rate_limit"]),
        (list.ok(), limit.ok())
    );
    assert_eq!(reply.ok()["rate_limit"]["max_requests_per_1_minute"], 7);
    let refused = place.ask_for("o3").await;
    assert_eq!(
        (&refused.ok()["allowed"], &refused.ok()["reason"]),
        (&json!(false), &json!("model_not_permitted"))
    );
    assert_eq!(refused.ok()["rate_limit"]["id"], "rl-o3");
    for (model, reason) in [
        (json!("x"), "unknown_model"),
        (json!("a\u{1}"), "unknown_model"),
        (json!(null), "allowed"),
    ] {
        let reply = place.ask(json!({ "model": model }), &place.key).await;
        assert_eq!(
            (&reply.ok()["reason"], &reply.ok()["rate_limit"]),
            (&json!(reason), &Value::Null)
        );
        assert_eq!(reply.ok()["model_permissions"], *list.ok());
    }
}

#[tokio::test]
async fn a_key_that_opens_nothing_is_told_nothing_of_models() {
    let place = Place::new().await;
    place.add_model("gpt-4o").await;
    place.list("deny_list", &[]).await;
    let expired =
        place.key_of(&place.user, Terms { expires_at: Some(1), ..Terms::default() }).await;
    let reply = place.ask(json!({ "model": "gpt-4o" }), &expired).await;
    assert_eq!(reply.ok()["reason"], "expired_key");
    assert_eq!(
        (&reply.ok()["model_permissions"], &reply.ok()["rate_limit"]),
        (&Value::Null, &Value::Null)
    );
}

/// What the key may not do at all is told before what it may not do with a model.
#[tokio::test]
async fn models_are_the_last_reason() {
    let place = Place::new().await;
    place.add_model("gpt-4o").await;
    place.list("allow_list", &[]).await;
    let limited = Terms { scopes: Some("api.files.read"), ..Terms::default() };
    let limited = place.key_of(&place.user, limited).await;
    for (model, reason) in [("gpt-4o", "model_not_permitted"), ("x", "unknown_model")] {
        let ask = async |key: &str, permission: &str| {
            let body = json!({ "model": model, "permission": permission });
            place.ask(body, key).await.ok()["reason"].clone()
        };
        assert_eq!(ask(&place.key, "api.management.write").await, "missing_permission");
        assert_eq!(ask(&limited, "api.files.read").await, "key_scope");
        assert_eq!(ask(&place.key, "api.model.request").await, reason);
    }
}

#[tokio::test]
async fn a_proxy_is_told_how_much_of_the_model_and_refuses_others() {
    let place = Place::new().await;
    for model in ["gpt-4o", "o3"] {
        place.add_model(model).await;
    }
    place.list("allow_list", &["gpt-4o"]).await;
    let limit = place.path("rate_limits/rl-gpt-4o");
    place.api.post(&limit, json!({ "max_requests_per_1_minute": 7 })).await.ok();
    let headers = |reply: &Reply| {
        ["x-rollbook-rate-limit-requests", "x-rollbook-rate-limit-tokens"]
            .map(|name| reply.header(name).map(str::to_owned))
    };
    let reply = place.forward("?model=gpt-4o", &[]).await;
    assert_eq!(reply.ok()["rate_limit"]["id"], "rl-gpt-4o");
    assert_eq!(headers(&reply), [Some("7".to_owned()), Some("50000".to_owned())]);
    let reply = place.forward("?permission=none", &[]).await;
    assert_eq!((reply.status.as_u16(), headers(&reply)), (200, [None, None]));
    for model in ["o3", "x"] {
        let reply = place.forward(&format!("?model={model}"), &[]).await;
        let message =
            format!("Project '{}' does not have access to model '{model}'.", place.project);
        reply.refused(403, "model_not_found", (), &message);
        assert_eq!(headers(&reply), [None, None]);
    }
}

/// What stands before the router knows each model after it was asked for once, and no name that anybody makes up.
#[tokio::test]
async fn what_is_kept_of_models_is_what_is_read() {
    use axum::body::Body;
    use http::Request;
    let place = Place::new().await;
    if place.api.app.store.stamp().is_none() {
        return;
    }
    place.add_model("gpt-4o").await;
    place.add_model("o3").await;
    place.list("deny_list", &["o3"]).await;
    let recall = Recall::new(place.api.app.clone());
    // The first use is written down, which is a change like any other.
    assert_eq!(place.reason(&place.key, None).await, "allowed");
    assert_eq!(place.reason(&place.key, None).await, "allowed");
    let question = |body: &Value| {
        let request = Request::post(CHECK).header("authorization", format!("Bearer {}", place.key));
        request.body(Body::from(body.to_string())).unwrap()
    };
    for (model, is_kept) in [("gpt-4o", true), ("o3", true), ("x", false)] {
        let body = json!({ "model": model });
        recall.check(question(&body)).await.expect_err("it was not asked for yet");
        let read = place.ask_for(model).await;
        let kept = recall.check(question(&body)).await;
        assert_eq!(kept.is_ok(), is_kept, "{model}");
        let Ok(kept) = kept else { continue };
        let kept = axum::body::to_bytes(kept.into_body(), usize::MAX).await.unwrap();
        assert_eq!(kept, read.text, "{model}");
        let proxied = Request::get(format!("{FORWARD}?model={model}"));
        let proxied = proxied.header("authorization", format!("Bearer {}", place.key));
        let kept = recall.answer(&proxied.body(Body::empty()).unwrap()).expect("it is kept");
        assert_eq!(kept.status() == 200, model == "gpt-4o");
    }
}

#[tokio::test]
async fn every_change_of_models_and_lists_is_seen_at_once() {
    let place = Place::new().await;
    place.add_model("gpt-4o").await;
    place.add_model("o3").await;
    for _ in 0..2 {
        assert_eq!(place.verdict("o3").await, "allowed");
        place.list("allow_list", &["gpt-4o"]).await;
        assert_eq!(place.verdict("o3").await, "model_not_permitted");
        place.api.delete(&place.path("model_permissions")).await.ok();
    }
    let limit = place.path("rate_limits/rl-o3");
    for requests in [3, 2] {
        place.api.post(&limit, json!({ "max_requests_per_1_minute": requests })).await.ok();
        let reply = place.ask_for("o3").await;
        assert_eq!(reply.ok()["rate_limit"]["max_requests_per_1_minute"], requests);
    }
    fixture::remove_model(&place.api.app, &place.api.first.organization, "o3").await;
    assert_eq!(place.verdict("o3").await, "unknown_model");
}

/// Section 3.18 of the contract, read naively: an empty list of what is allowed allows nothing, one of what is denied denies nothing.
fn naive(models: &[&str], list: Option<(bool, &[&str])>, asked: &str) -> &'static str {
    if !models.is_empty() && !models.contains(&asked) {
        return "unknown_model";
    }
    let is_permitted = match list {
        None => true,
        Some((true, allowed)) => allowed.contains(&asked),
        Some((false, denied)) => !denied.contains(&asked),
    };
    if is_permitted { "allowed" } else { "model_not_permitted" }
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

#[test]
fn the_verdict_is_that_of_a_naive_reading() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let some = || proptest::sample::subsequence(NAMES.to_vec(), 0..=4);
    let cases = (some(), proptest::option::of((any::<bool>(), some())));
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&cases, |(models, list)| {
        runtime.block_on(async {
            let place = Place::new().await;
            for model in &models {
                place.add_model(model).await;
            }
            // Only what there is can be listed.
            let list = list.map(|(is_allowed, mut ids)| {
                ids.retain(|id| models.contains(id));
                (is_allowed, ids)
            });
            if let Some((is_allowed, ids)) = &list {
                place.list(if *is_allowed { "allow_list" } else { "deny_list" }, ids).await;
            }
            for asked in NAMES {
                let list = list.as_ref().map(|(is_allowed, ids)| (*is_allowed, ids.as_slice()));
                assert_eq!(place.verdict(asked).await, naive(&models, list, asked), "{asked}");
            }
        });
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
