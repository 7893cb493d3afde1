//! What stands before the router answers as the router does, and only what is still so.

use axum::body::Body;
use axum::response::Response;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{CHECK, FORWARD, Place, Terms};
use crate::Recall;

fn question(key: &str, body: &Value) -> Request<Body> {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let request = Request::post(CHECK).header("authorization", format!("Bearer {key}"));
    request.body(body).unwrap()
}

fn proxied(key: &str, path: &str) -> Request<Body> {
    let request = Request::get(format!("{FORWARD}{path}"));
    request.header("authorization", format!("Bearer {key}")).body(Body::empty()).unwrap()
}

/// Status, headers that are not each answer's own, and body.
async fn shown(response: Response) -> (StatusCode, Vec<(String, String)>, String) {
    let (mut parts, body) = response.into_parts();
    for of_its_own in ["x-request-id", "openai-processing-ms", "content-length"] {
        parts.headers.remove(of_its_own);
    }
    let headers = parts.headers.iter();
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort_unstable();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, headers, String::from_utf8(body.to_vec()).unwrap())
}

/// The states of file stores have stamps; without one nothing is kept.
fn keeps(place: &Place) -> bool {
    place.api.app.store.stamp().is_some()
}

#[tokio::test]
async fn a_kept_answer_is_the_routers() {
    let place = Place::new().await;
    if !keeps(&place) {
        return;
    }
    let (router, kept) = (crate::router(place.api.app.clone()), Recall::new(place.api.app.clone()));
    let limited = Terms { scopes: Some("api.files.read"), ..Terms::default() };
    let limited = place.key_of(&place.user, limited).await;
    let expired =
        place.key_of(&place.user, Terms { expires_at: Some(1), ..Terms::default() }).await;
    // The first use is written down at once, which is a change like any other.
    assert_eq!(place.reason(&place.key, None).await, "allowed");
    let bodies = [
        Value::Null,
        json!({}),
        json!({ "model": "gpt-4o", "permission": "api.model.request" }),
        json!({ "key": place.key }),
    ];
    for key in [&place.key, &limited, &expired] {
        for body in &bodies {
            let answered = router.clone().oneshot(question(key, body)).await.unwrap();
            assert!(kept.is_check(&question(key, body)));
            let again = kept.check(question(key, body)).await.expect("it is kept now");
            assert_eq!(shown(again).await, shown(answered).await, "{body}");
        }
        for path in ["", "?permission=none", "/v1/files?x", "/", "/v1/../x"] {
            let answered = router.clone().oneshot(proxied(key, path)).await.unwrap();
            let Some(again) = kept.answer(&proxied(key, path)) else {
                assert_eq!(path, "/v1/../x", "a question that was read is answered");
                continue;
            };
            assert_eq!(shown(again).await, shown(answered).await, "{path}");
        }
    }
    assert!(kept.answer(&proxied(&place.key, "s")).is_none());
}

#[tokio::test]
async fn what_is_not_known_goes_on_to_the_router_with_its_body() {
    let place = Place::new().await;
    let recall = Recall::new(place.api.app.clone());
    let body = json!({ "key": "sk-proj-made-up" });
    let back = recall.check(question(&place.key, &body)).await.expect_err("nobody has this key");
    let bytes = back.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), body);
    // What is wrong with a question is the router's to say.
    recall
        .check(question(&place.key, &json!({ "x": 1 })))
        .await
        .expect_err("it is not well formed");
    let large = recall.check(question(&place.key, &json!({ "model": "m".repeat(10_000) }))).await;
    assert_eq!(large.expect("it is refused here").status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn nothing_is_answered_from_a_state_that_is_over() {
    let place = Place::new().await;
    let recall = Recall::new(place.api.app.clone());
    let terms = Terms { expires_at: Some(1_750_000_060), ..Terms::default() };
    let key = place.key_of(&place.user, terms).await;
    // The first use is written down, which is a change like any other.
    for _ in 0..2 {
        assert_eq!(place.reason(&key, None).await, "allowed");
    }
    assert_eq!(recall.answer(&proxied(&key, "")).is_some(), keeps(&place));
    place.api.create_project("Another").await;
    assert!(recall.answer(&proxied(&key, "")).is_none(), "somebody wrote");
    recall.check(question(&key, &Value::Null)).await.expect_err("somebody wrote");
    assert_eq!(place.reason(&key, None).await, "allowed");
    place.api.clock.advance(60);
    if let Some(answer) = recall.answer(&proxied(&key, "")) {
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "the time is looked at each time");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_503() {
    let place = Place::on(crate::testing::Api::new().await.unwatched()).await;
    let store = place.api.app.store.clone();
    tokio::task::spawn_blocking(move || store.close()).await.unwrap();
    for reply in [place.ask(json!({}), &place.key).await, place.forward("", &[]).await] {
        reply.refused(503, (), (), "cannot reach its store");
    }
    let posted = place.forward_as("POST", "", &[]).await;
    posted.refused(503, (), (), "Nothing was changed");
}
