//! What the edge does for every request: paths, methods, headers, deadlines, trouble of the store.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use serde_json::json;

use crate::app::Settings;
use crate::domain::secret::PlainKey;
use crate::http::edge::edge;
use crate::testing::document::operations;
use crate::testing::world::World;
use crate::testing::{Api, whole_path};

#[tokio::test]
async fn a_path_that_nobody_serves_is_404_and_names_itself() {
    let api = Api::new().await;
    for path in [
        "/nothing",
        "/organization/users/",
        "/organization//users",
        "/organization",
        "/Organization/users",
        "/organization/users/a/b",
        "/organization/users/%FF",
    ] {
        let reply = api.get(path).await;
        reply.refused(404, "unknown_url", (), &format!("GET /v1{path}"));
        api.request("POST", path).without("authorization").send().await.refused(
            404,
            "unknown_url",
            (),
            "POST",
        );
    }
}

#[tokio::test]
async fn a_method_that_a_path_lacks_is_405_and_names_the_others() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for ((_, template), _) in operations() {
        let reply = api.request("PUT", &world.path(template)).send().await;
        reply.refused(
            405,
            "method_not_supported",
            (),
            &format!("PUT is not supported on {}", whole_path(&world.path(template))),
        );
        let allowed = reply.header("allow").expect("Allow is set").to_owned();
        for ((method, other), _) in operations() {
            assert!(
                other != template || allowed.contains(method.as_str()),
                "{template}: {allowed} lacks {method}"
            );
        }
    }
    let reply = api.request("DELETE", "/organization/users").send().await;
    assert_eq!(
        reply.refused(405, "method_not_supported", (), "Allow").header("allow"),
        Some("GET,HEAD")
    );
}

#[tokio::test]
async fn ids_are_decoded_once_and_compared_bytewise() {
    let api = Api::new().await;
    let odd = "user~1:a.b__c/d%41";
    crate::testing::fixture::add_user_as(&api.app, &api.first.organization, odd, "odd@example.com")
        .await;
    let path = "/organization/users/user%7E1%3Aa%2Eb__c%2Fd%2541";
    assert_eq!(api.get(path).await.id(), odd);
    api.get("/organization/users/USER~1:a.b__c%2Fd%2541").await.refused(
        404,
        "not_found",
        (),
        "not found",
    );
    for id in ["a%00b", "%0A", &"x".repeat(300)] {
        api.get(&format!("/organization/users/{id}")).await.refused(
            404,
            "not_found",
            (),
            "not found",
        );
    }
}

#[tokio::test]
async fn answers_name_the_organization_once_it_is_known() {
    let api = Api::new().await;
    assert_eq!(
        api.get("/organization/users/none").await.header("openai-organization"),
        Some("first")
    );
    let reply = api.request("GET", "/organization/users").without("authorization").send().await;
    assert_eq!(reply.header("openai-organization"), None);
}

#[tokio::test]
async fn request_ids_differ() {
    let api = Api::new().await;
    let ids: Vec<_> = [api.get("/organization/users").await, api.get("/organization/users").await]
        .iter()
        .map(|reply| reply.header("x-request-id").expect("every answer has one").to_owned())
        .collect();
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_store_that_cannot_serve_is_503_and_never_401() {
    let api = Api::new().await.unwatched();
    let world = World::of_first(&api).await;
    let store = api.app.store.clone();
    tokio::task::spawn_blocking(move || store.close()).await.expect("the store closes");
    for (name, operation) in operations() {
        let reply = world.request(&api, name, operation).send().await;
        reply.refused(503, (), (), "try again");
        assert_eq!(reply.header("retry-after"), Some("1"), "{name:?}");
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_408_but_strangers_are_refused_before_it() {
    let settings = Settings { body_deadline: Duration::from_millis(20), ..Settings::default() };
    let api = Api::with(settings, None).await;
    let world = World::of_first(&api).await;
    let endless = || Body::new(Endless);
    for (name, _) in operations().filter(|(_, operation)| operation.body.is_some()) {
        let path = world.path(&name.1);
        let reply = api.request(&name.0, &path).body(endless()).send().await;
        reply.refused(408, "request_timeout", (), "not received in time");
        assert_eq!(reply.header("connection"), Some("close"));
        let stranger =
            api.request(&name.0, &path).key("sk-admin-stranger-stranger").body(endless());
        stranger.send().await.refused(401, "invalid_api_key", (), "Incorrect API key");
    }
}

#[tokio::test]
async fn what_is_remembered_of_a_key_lets_nobody_in() {
    let settings = Settings { body_deadline: Duration::from_millis(20), ..Settings::default() };
    let api = Api::with(settings, None).await;
    let keeps = api.app.store.stamp().is_some();
    for stops_short in [false, true] {
        let made = api.post("/organization/admin_api_keys", json!({ "name": "gone" })).await;
        let (id, key) = (made.id(), made.ok()["value"].as_str().expect("a secret").to_owned());
        let hash = PlainKey::given(key.clone()).hash();
        let create =
            |body: Body| api.request("POST", "/organization/projects").key(&key).body(body);
        let project = || Body::from(json!({ "name": "P" }).to_string());
        create(project()).send().await.ok();
        assert_eq!(api.app.kept.last_key(&hash).is_some(), keeps);
        api.delete(&format!("/organization/admin_api_keys/{id}")).await.ok();
        let body = if stops_short { Body::new(Endless) } else { project() };
        create(body).send().await.refused(401, "invalid_api_key", (), "Incorrect API key");
        // The next body is not received, and no change of it begun.
        assert!(api.app.kept.last_key(&hash).is_none());
        create(project()).send().await.refused(401, "invalid_api_key", (), "Incorrect API key");
    }
}

#[tokio::test]
async fn a_request_over_its_deadline_is_503_and_says_whether_something_may_have_changed() {
    let settings = Settings { request_deadline: Duration::from_millis(1), ..Settings::default() };
    let api = Api::with(settings, None).await.unwatched();
    let never = || std::future::pending::<()>();
    let router = Router::new().route("/v1/stuck", get(never).post(never).delete(never));
    let around = from_fn_with_state(api.app.clone(), edge);
    let api = api.serving(router.layer(around));
    api.get("/stuck").await.refused(503, (), (), "Nothing was changed");
    for method in ["POST", "DELETE"] {
        let reply = api.request(method, "/stuck").send().await;
        reply.refused(503, (), (), "outcome is unknown");
        assert_eq!(reply.header("x-should-retry"), Some("false"));
    }
}

#[tokio::test]
async fn a_panic_is_500_with_the_request_id_and_no_internals() {
    let api = Api::new().await.unwatched();
    let burst = async || -> &str { panic!("a secret of the implementation") };
    let router = Router::new().route("/v1/burst", get(burst));
    let around = from_fn_with_state(api.app.clone(), edge);
    let api = api.serving(router.layer(around));
    let reply = api.get("/burst").await;
    reply.refused(500, (), (), reply.header("x-request-id").expect("every answer has one"));
    assert!(!reply.body.to_string().contains("secret"));
}

#[tokio::test]
async fn the_last_use_of_a_key_is_recorded_within_minutes() {
    let api = Api::new().await;
    let made = api.post("/organization/admin_api_keys", json!({ "name": "used" })).await;
    let path = format!("/organization/admin_api_keys/{}", made.id());
    let key = made.ok()["value"].as_str().expect("a secret").to_owned();
    assert_eq!(api.get(&path).await.ok()["last_used_at"], json!(null));
    api.request("GET", "/organization/users").key(&key).send().await.ok();
    assert_eq!(api.get(&path).await.ok()["last_used_at"], 1_750_000_000);
    api.clock.advance(299);
    api.request("GET", "/organization/users").key(&key).send().await.ok();
    assert_eq!(api.get(&path).await.ok()["last_used_at"], 1_750_000_000);
    api.clock.advance(1);
    api.request("GET", "/organization/users").key(&key).send().await.ok();
    assert_eq!(api.get(&path).await.ok()["last_used_at"], 1_750_000_300);
}

/// A body that never ends.
struct Endless;

impl axum::body::HttpBody for Endless {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        Poll::Pending
    }
}
