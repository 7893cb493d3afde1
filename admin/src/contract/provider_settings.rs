//! What the Terraform providers depend on in settings, limits and alerts (section 4 of the contract).

use serde_json::json;

use crate::testing::document::{OURS, OperationName, operations};
use crate::testing::world::World;
use crate::testing::{Api, Reply};

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
