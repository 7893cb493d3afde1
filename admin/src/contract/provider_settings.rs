//! What the Terraform providers depend on in settings, limits and alerts (section 4 of the contract).

use serde_json::json;

use crate::testing::document::{OURS, OperationName, operations};
use crate::testing::world::World;
use crate::testing::{Api, Reply, fixture};

/// Sections 4.1 and 4.2: what a level has at most one of, and has not, is 404 for whoever reads or deletes it; set again, it is
/// there again.
#[tokio::test]
async fn what_is_not_set_is_gone_for_whoever_deletes_or_reads_it() {
    let is_single = |name: &OperationName| {
        let shown = OURS.operations.get(&("GET".to_owned(), name.1.clone()));
        name.0 == "DELETE" && !name.1.ends_with('}') && shown.is_some_and(|get| !get.is_list())
    };
    for (name, operation) in operations().filter(|(name, _)| is_single(name)) {
        let api = Api::new().await;
        let world = World::of_first(&api).await;
        let path = world.path(&name.1);
        let gone = |reply: &Reply| _ = reply.refused(404, "not_found", (), "not found");
        api.get(&path).await.ok();
        world.request(&api, name, operation).send().await.ok();
        gone(&world.request(&api, name, operation).send().await);
        gone(&api.get(&path).await);
        let set = ("POST".to_owned(), name.1.clone());
        let shown = world.request(&api, &set, &OURS.operations[&set]).send().await;
        assert_eq!(api.get(&path).await.ok(), shown.ok(), "{}", name.1);
    }
}

/// Section 4.1: alerts and limits are sent whole again at each change, so each member that is missing is a refusal, and what was
/// read can be sent back as it is.
#[tokio::test]
async fn a_change_of_an_alert_or_a_limit_is_a_whole_body() {
    let channel =
        json!({ "type": "email", "recipients": ["b@x.org", "a@x.org"], "subject_prefix": null });
    let alert = json!({
        "threshold_amount": 7, "currency": "USD", "interval": "month", "notification_channel": channel,
    });
    let limit = json!({ "threshold_amount": 7, "currency": "USD", "interval": "month" });
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for level in ["/organization", "/organization/projects/{project_id}"] {
        for (place, whole) in [
            ("/spend_alerts", &alert),
            ("/spend_alerts/{alert_id}", &alert),
            ("/spend_limit", &limit),
        ] {
            let path = world.path(&format!("{level}{place}"));
            for member in whole.as_object().expect("it is an object").keys() {
                let mut body = whole.clone();
                body.as_object_mut().expect("it is an object").remove(member);
                let reply = api.post(&path, body).await;
                reply.refused(400, "missing_required_parameter", member.as_str(), member);
            }
            let shown = api.post(&path, whole.clone()).await;
            for (member, value) in whole.as_object().expect("it is an object") {
                assert_eq!(&shown.ok()[member], value, "{path}: {member}");
            }
        }
    }
}

/// Section 4.1: alerts are matched by `id` in their list, which is read in pages of 100, at once after each write.
#[tokio::test]
async fn alerts_are_found_in_their_list_and_keep_their_order() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for template in
        ["/organization/spend_alerts", "/organization/projects/{project_id}/spend_alerts"]
    {
        let path = world.path(template);
        for number in 0..101 {
            let body = json!({
                "threshold_amount": number, "currency": "USD", "interval": "month",
                "notification_channel": { "type": "email", "recipients": ["z@x.org", "a@x.org"], "subject_prefix": "" },
            });
            let made = api.post(&path, body).await;
            let page = api.get(&format!("{path}?limit=100&order=desc")).await;
            let newest = &page.ok()["data"][0];
            assert_eq!((newest, page.body["has_more"] == true), (made.ok(), number > 98), "{path}");
        }
        let first = api.get(&format!("{path}?limit=100")).await;
        let rest = api.get(&format!("{path}?limit=100&after={}", first.ids()[99])).await;
        assert_eq!((first.ids().len(), rest.ids().len()), (100, 2), "{path}");
        api.get(&format!("{path}?limit=101")).await.refused(
            400,
            "integer_above_max_value",
            "limit",
            "100",
        );
        let none = api.get(&format!("{path}?limit=0")).await;
        let expected = json!({ "object": "list", "data": [], "first_id": null, "last_id": null, "has_more": true });
        assert_eq!(none.ok(), &expected, "{path}");
    }
}

/// Section 4.1: how data is kept is always there, and is never taken away: destroying it is forgetting it.
#[tokio::test]
async fn how_data_is_kept_is_always_there() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    for (path, kind) in [
        ("/organization/data_retention".to_owned(), "modified_abuse_monitoring"),
        (format!("/organization/projects/{project}/data_retention"), "organization_default"),
    ] {
        assert_eq!(api.get(&path).await.ok()["type"], kind);
        let request = api.request("DELETE", &path);
        request.send().await.refused(405, "method_not_supported", (), "DELETE");
        let body = json!({ "retention_type": "zero_data_retention" });
        assert_eq!(api.post(&path, body).await.ok()["type"], "zero_data_retention");
        assert_eq!(api.get(&path).await.ok()["type"], "zero_data_retention");
    }
}

/// Sections 4.1 and 4.2: a project that nobody set anything for has no limit and says nothing of models, and taking either away is 404,
/// so that `destroy` of what somebody else destroyed succeeds.
#[tokio::test]
async fn what_was_never_set_is_gone_already() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let place = format!("/organization/projects/{project}");
    for path in [
        "/organization/spend_limit".to_owned(),
        format!("{place}/spend_limit"),
        format!("{place}/model_permissions"),
    ] {
        api.get(&path).await.refused(404, "not_found", (), "not found");
        api.delete(&path).await.refused(404, "not_found", (), "not found");
    }
}

/// Sections 4.1 and 4.2: one provider reads all limits of a project in one page of a thousand and looks for the id, the other walks
/// in pages of a hundred; both see a change at once. Ids of tuned models have colons, which come encoded.
#[tokio::test]
async fn limits_are_found_in_one_page_of_a_thousand_or_in_ten() {
    let api = Api::new().await.unwatched();
    let tuned = "ft:gpt-4o:acme::a1";
    fixture::add_model(&api.app, &api.first.organization, tuned).await;
    for number in 1..1000 {
        let name = format!("m-{number:04}");
        fixture::add_model(&api.app, &api.first.organization, &name).await;
    }
    let project = api.create_project("Engine").await;
    let path = format!("/organization/projects/{project}/rate_limits");
    let encoded = format!("{path}/rl-{}", tuned.replace(':', "%3A"));
    let changed = api.post(&encoded, json!({ "max_requests_per_1_minute": 3 })).await;
    assert_eq!(changed.id(), format!("rl-{tuned}"));
    let page = api.get(&format!("{path}?limit=1000")).await;
    assert_eq!((page.ids().len(), &page.body["has_more"]), (1000, &json!(false)));
    let rows = page.body["data"].as_array().expect("a list has rows");
    assert_eq!(rows.iter().find(|row| row["id"] == changed.body["id"]), Some(changed.ok()));
    let (mut walked, mut after) = (Vec::new(), String::new());
    for number in 1..=10 {
        let page = api.get(&format!("{path}?limit=100{after}")).await;
        assert_eq!(page.body["has_more"], number < 10);
        walked.extend(page.ids());
        after = format!("&after={}", walked[walked.len() - 1].replace(':', "%3A"));
    }
    assert_eq!(walked, page.ids());
    api.get(&format!("{path}?limit=1001")).await.refused(
        400,
        "integer_above_max_value",
        "limit",
        "Expected a value <= 1000, but got 1001",
    );
}

/// Section 4.1: models are compared by their place in the list, so it is shown as it was sent, each name where it came first.
#[tokio::test]
async fn models_keep_the_order_in_which_they_were_sent() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    for model in ["a", "b", "c"] {
        fixture::add_model(&api.app, &api.first.organization, model).await;
    }
    let path = format!("/organization/projects/{project}/model_permissions");
    for (sent, kept) in [
        (json!(["c", "a", "b"]), json!(["c", "a", "b"])),
        (json!(["b", "c", "b", "a", "c"]), json!(["b", "c", "a"])),
        (json!([]), json!([])),
    ] {
        let body = json!({ "mode": "allow_list", "model_ids": sent });
        assert_eq!(api.post(&path, body).await.ok()["model_ids"], kept);
        assert_eq!(api.get(&path).await.ok()["model_ids"], kept);
    }
}

/// Section 4.1: a certificate is uploaded, active where it is said to be, and found by its id in the lists, which say so. Each step
/// may come twice.
#[tokio::test]
async fn a_certificate_is_found_in_the_list_that_says_whether_it_is_active() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let upload = OURS.operations.get_key_value(&name("POST", "/organization/certificates"));
    let (upload, operation) = upload.expect("certificates can be uploaded");
    let made = world.request(&api, upload, operation).send().await;
    let id = made.id();
    let one = format!("/organization/certificates/{id}");
    assert_eq!(api.get(&one).await.ok(), made.ok(), "what the server chose stays");
    for level in ["/organization", "/organization/projects/{project_id}"] {
        let list = format!("{}/certificates", world.path(level));
        let is_active = async || {
            let page = api.get(&format!("{list}?limit=100")).await;
            let rows = page.ok()["data"].as_array().expect("a list has rows").clone();
            rows.into_iter().find(|row| row["id"] == json!(id)).map(|row| row["active"].clone())
        };
        assert_eq!(is_active().await, Some(json!(false)), "{level}");
        let body = json!({ "certificate_ids": [id] });
        for (word, expected) in [("activate", true), ("deactivate", false)] {
            for _ in 0..2 {
                api.post(&format!("{list}/{word}"), body.clone()).await.ok();
                assert_eq!(is_active().await, Some(json!(expected)), "{level}");
            }
        }
    }
    api.delete(&one).await.ok();
    api.delete(&one).await.refused(404, "not_found", (), "not found");
    api.get(&one).await.refused(404, "not_found", (), "not found");
}

fn name(method: &str, template: &str) -> OperationName {
    (method.to_owned(), template.to_owned())
}
