//! A seed in which everything is called like the parameters of paths: whoever tries an example of the published document out finds
//! something there.

use super::{fresh, restore};
use crate::app::{App, Settings};
use crate::document::{LITERAL, parse};
use crate::testing::document::operations;
use crate::testing::{Api, SeededRandom, TestClock};

const KEY: &str = "sk-admin-literal-0123456789-0123456789-0123456789";
const PROJECT_KEY: &str = "sk-proj-literal-0123456789-0123456789-0123456789";

/// The API on a store with nothing but the seed.
async fn literal() -> (Api, crate::testing::TestStore) {
    let seeded = fresh().await;
    restore(&seeded.store, parse(LITERAL).expect("the seed can be read")).await;
    let clock = std::sync::Arc::new(TestClock::at(1_760_000_100));
    let random = std::sync::Arc::new(SeededRandom::new(1));
    let app = App::new(seeded.store.clone(), clock, random, Settings::default());
    (Api::new().await.unwatched().serving(crate::router(app)), seeded)
}

#[tokio::test]
async fn every_get_finds_what_is_called_like_its_parameters() {
    let (api, _seeded) = literal().await;
    let mut asked = 0;
    for ((method, template), _) in operations() {
        if method != "GET" {
            continue;
        }
        let mut path = template.replace(['{', '}'], "");
        if template.contains("/usage/") || template.ends_with("/costs") {
            path += "?start_time=1750000000&end_time=1750086400";
        }
        let reply = api.request("GET", &path).key(KEY).send().await;
        assert_eq!(reply.status.as_u16(), 200, "{template}: {}", reply.body);
        asked += usize::from(template.contains('{'));
    }
    assert!(asked > 25, "{asked} have parameters");
}

/// Ids of rate limits are made of those of models. Nothing can be called `rate_limit_id` itself.
#[tokio::test]
async fn a_rate_limit_is_called_like_its_model() {
    let (api, _seeded) = literal().await;
    let limits = "/organization/projects/project_id/rate_limits";
    let body = serde_json::json!({ "max_requests_per_1_minute": 7 });
    for (id, status) in [("rl-rate_limit_id", 200), ("rate_limit_id", 404)] {
        let request = api.request("POST", &format!("{limits}/{id}")).key(KEY);
        assert_eq!(request.json(&body).send().await.status.as_u16(), status, "{id}");
    }
}

#[tokio::test]
async fn a_key_in_plain_text_opens_what_it_should_and_is_nowhere_any_more() {
    let (api, seeded) = literal().await;
    let body = serde_json::json!({ "key": PROJECT_KEY, "model": "model_id" });
    let reply = api.request("POST", "/rollbook/v1/check").key(KEY).json(&body).send().await;
    assert_eq!(reply.ok()["allowed"], true, "{}", reply.body);
    for hashes in [super::Hashes::Included, super::Hashes::LeftOut] {
        let text = super::exported(&seeded.store, "organization_id", hashes).await;
        assert!(!text.contains(KEY) && !text.contains(PROJECT_KEY), "{text}");
        assert_eq!(text.contains("sha256"), hashes == super::Hashes::Included);
    }
    let document = parse(LITERAL).expect("the seed can be read");
    assert!(!format!("{document:?}").contains("literal-0123456789-0123"));
}
