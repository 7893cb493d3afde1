use std::slice::from_ref;

use serde_json::{Value, json};

use super::{LIST, events, upload, upload_text};
use crate::resources::certificates::der::{Parts, validity};
use crate::testing::{Api, Reply};

/// Activates or deactivates certificates.
async fn turn(api: &Api, list: &str, word: &str, ids: &[&String]) -> Reply {
    api.post(&format!("{list}/{word}"), json!({ "certificate_ids": ids })).await
}

/// A project and the path of its certificates.
async fn project(api: &Api) -> (String, String) {
    let project = api.create_project("Engine").await;
    (format!("/organization/projects/{project}/certificates"), project)
}

/// The ids that are active in a list.
async fn active(api: &Api, list: &str) -> Vec<String> {
    let page = api.get(list).await;
    let rows = page.ok()["data"].as_array().expect("a page").iter();
    let active = rows.filter(|row| row["active"] == true);
    active.map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

fn told(
    kind: &str,
    project: Option<&String>,
    certificates: &Value,
) -> (String, Option<String>, Value) {
    (kind.to_owned(), project.cloned(), json!({ "certificates": certificates }))
}

#[tokio::test]
async fn each_level_has_its_own_active_certificates() {
    let api = Api::new().await;
    let (first, second) = (upload(&api, "first").await, upload(&api, "second").await);
    let (of_project, project) = project(&api).await;
    let (of_other, _) = self::project(&api).await;
    let turned = turn(&api, LIST, "activate", &[&second, &first]).await;
    assert_eq!(turned.ok()["object"], "organization.certificate.activation");
    assert_eq!(turned.ok().as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(turned.ids(), [second.clone(), first.clone()], "in the order of the request");
    for row in turned.ok()["data"].as_array().expect("rows") {
        assert_eq!(
            (&row["object"], &row["active"]),
            (&json!("organization.certificate"), &json!(true))
        );
    }
    let turned = turn(&api, &of_project, "activate", &[&first]).await;
    assert_eq!(turned.ok()["object"], "organization.project.certificate.activation");
    assert_eq!(turned.ok()["data"][0]["object"], "organization.project.certificate");
    assert_eq!(active(&api, LIST).await, [second.clone(), first.clone()]);
    assert_eq!(active(&api, &of_project).await, from_ref(&first));
    assert_eq!(active(&api, &of_other).await, Vec::<String>::new());
    assert_eq!(api.get(&of_other).await.ids().len(), 2, "every project sees all of them");

    let turned = turn(&api, LIST, "deactivate", &[&first]).await;
    assert_eq!(turned.ok()["object"], "organization.certificate.deactivation");
    assert_eq!(turned.ok()["data"][0]["active"], false);
    let turned = turn(&api, &of_project, "deactivate", &[&first, &second]).await;
    assert_eq!(turned.ok()["object"], "organization.project.certificate.deactivation");
    assert_eq!(active(&api, LIST).await, from_ref(&second));
    assert_eq!(active(&api, &of_project).await, Vec::<String>::new());

    let named = |id: &str, name: &str| json!({ "id": id, "name": name });
    let (first, second) = (named(&first, "first"), named(&second, "second"));
    let expected = [
        told("certificates.activated", None, &json!([second, first])),
        told("certificates.activated", Some(&project), &json!([first])),
        told("certificates.deactivated", None, &json!([first])),
        // Only what changed is told.
        told("certificates.deactivated", Some(&project), &json!([first])),
    ];
    assert_eq!(events(&api).await[2..], expected);
}

/// A request that is sent again finds everything done, and is not told again.
#[tokio::test]
async fn the_same_again_changes_nothing() {
    let api = Api::new().await;
    let (first, second) = (upload(&api, "first").await, upload(&api, "second").await);
    let (of_project, _) = project(&api).await;
    for list in [LIST, &of_project] {
        turn(&api, list, "deactivate", &[&first]).await.ok();
        let before = events(&api).await.len();
        let once = turn(&api, list, "activate", &[&first]).await;
        let again = turn(&api, list, "activate", &[&first, &first]).await;
        assert_eq!(once.ok(), again.ok(), "each is answered once");
        assert_eq!(events(&api).await.len(), before + 1);
        turn(&api, list, "activate", &[&first, &second]).await.ok();
        let last = events(&api).await.pop().expect("there is one").2;
        assert_eq!(last, json!({ "certificates": [{ "id": second, "name": "second" }] }));
        turn(&api, list, "deactivate", &[&second, &first, &second]).await.ok();
        turn(&api, list, "deactivate", &[&first]).await.ok();
        assert_eq!(events(&api).await.len(), before + 3);
    }
}

/// One that is not there or has ended, and nothing happens to the others; the harness sees that nothing changed.
#[tokio::test]
async fn all_of_them_or_none() {
    let api = Api::new().await;
    let good = upload(&api, "good").await;
    let until = |end: &str| {
        let validity = validity("200101000000Z", end);
        Parts { validity, ..Parts::of("old") }.pem()
    };
    let expired = upload_text(&api, &until("240101000000Z")).await;
    let ending = upload_text(&api, &until("250615150640Z")).await;
    let alive = upload_text(&api, &until("250615150641Z")).await;
    let (of_project, _) = project(&api).await;
    let unknown = "cert_x".to_owned();
    for list in [LIST, &of_project] {
        for word in ["activate", "deactivate"] {
            let refused = turn(&api, list, word, &[&good, &unknown]).await;
            let fragment = "Certificate with id 'cert_x' not found.";
            refused.refused(404, "not_found", "certificate_ids[1]", fragment);
        }
        for old in [&expired, &ending] {
            let refused = turn(&api, list, "activate", &[&good, &good, old]).await;
            let param = "certificate_ids[2]";
            refused.refused(
                400,
                "certificate_expired",
                param,
                "has expired and cannot be activated",
            );
        }
        // What is not there is told before what has ended.
        let refused = turn(&api, list, "activate", &[&expired, &unknown]).await;
        refused.refused(404, "not_found", "certificate_ids[1]", "not found");
        turn(&api, list, "activate", &[&alive]).await.ok();
        turn(&api, list, "deactivate", &[&expired, &alive]).await.ok();
    }
    // One that is active stays so when it ends, and can be deactivated.
    turn(&api, LIST, "activate", &[&alive]).await.ok();
    api.clock.advance(1);
    assert_eq!(active(&api, LIST).await, from_ref(&alive));
    turn(&api, LIST, "deactivate", &[&alive]).await.ok();
}

/// One that is not valid yet may be active before, so that it takes over from its predecessor by itself.
#[tokio::test]
async fn a_certificate_may_be_active_before_it_is_valid() {
    let api = Api::new().await;
    let id = upload_text(&api, include_str!("../examples/ec.pem")).await;
    assert_eq!(turn(&api, LIST, "activate", &[&id]).await.ok()["data"][0]["active"], true);
}

#[tokio::test]
async fn one_to_ten_are_named() {
    let api = Api::new().await;
    let mut ids = Vec::new();
    for number in 0..11 {
        ids.push(upload(&api, &format!("client-{number}")).await);
    }
    let (of_project, _) = project(&api).await;
    let all: Vec<_> = ids.iter().collect();
    for list in [LIST, &of_project] {
        for word in ["activate", "deactivate"] {
            let turned = turn(&api, list, word, &all[..10]).await;
            assert_eq!(turned.ids(), ids[..10]);
            let many = turn(&api, list, word, &all).await;
            many.refused(400, "array_above_max_length", "certificate_ids", "at most 10 items");
            let few = turn(&api, list, word, &[]).await;
            few.refused(400, "array_below_min_length", "certificate_ids", "at least 1 items");
            for (wrong, param) in
                [(json!("x"), "certificate_ids"), (json!([7]), "certificate_ids[0]")]
            {
                let body = json!({ "certificate_ids": wrong });
                let refused = api.post(&format!("{list}/{word}"), body).await;
                refused.refused(400, "invalid_type", param, "Invalid type");
            }
        }
    }
}

/// Ruling 5.10: the answer to a deletion has no `deleted`. What is active anywhere is not deleted.
#[tokio::test]
async fn ruling_5_10_only_what_is_active_nowhere_is_deleted() {
    let api = Api::new().await;
    let id = upload(&api, "client").await;
    let one = format!("{LIST}/{id}");
    let (of_project, project) = project(&api).await;
    turn(&api, LIST, "activate", &[&id]).await.ok();
    let refused = api.delete(&one).await;
    refused.refused(400, (), (), "is active in the organization. Deactivate it there first.");
    turn(&api, &of_project, "activate", &[&id]).await.ok();
    let both = format!("is active in the organization, project '{project}'.");
    api.delete(&one).await.refused(400, (), (), &both);
    turn(&api, LIST, "deactivate", &[&id]).await.ok();
    api.delete(&one).await.refused(400, (), (), &format!("is active in project '{project}'."));
    let mut others = Vec::new();
    for _ in 0..4 {
        let (list, _) = self::project(&api).await;
        turn(&api, &list, "activate", &[&id]).await.ok();
        others.push(list);
    }
    api.delete(&one).await.refused(400, (), (), ", and others. Deactivate it there first.");
    for list in others.iter().chain([&of_project]) {
        turn(&api, list, "deactivate", &[&id]).await.ok();
    }
    let deleted = api.delete(&one).await;
    assert_eq!(*deleted.ok(), json!({ "object": "certificate.deleted", "id": id }));
}

/// Ruling 5.13, and lines 42 and 43 of the operations: in an archived project certificates can be listed and neither activated nor
/// deactivated, so what was active there does not keep a certificate from being deleted.
#[tokio::test]
async fn ruling_5_13_an_archived_project_holds_no_certificate_back() {
    let api = Api::new().await;
    let (first, second) = (upload(&api, "first").await, upload(&api, "second").await);
    let (of_project, project) = project(&api).await;
    turn(&api, &of_project, "activate", &[&first, &second]).await.ok();
    api.post(&format!("/organization/projects/{project}/archive"), json!({})).await.ok();
    assert_eq!(active(&api, &of_project).await, [second.clone(), first.clone()]);
    for word in ["activate", "deactivate"] {
        let path = format!("{of_project}/{word}");
        for body in [json!({ "certificate_ids": [first] }), json!({ "x": 1 }), json!([])] {
            let refused = api.post(&path, body).await;
            refused.refused(400, "project_archived", (), "You can only update an active project.");
        }
    }
    api.delete(&format!("{LIST}/{first}")).await.ok();
    assert_eq!(active(&api, &of_project).await, [second]);
    let rows = api.snapshot().await;
    let is_left =
        |row: &&String| row.starts_with("certificate_activations") && row.contains(&first);
    assert_eq!(rows.iter().find(is_left), None);
}

#[tokio::test]
async fn an_unknown_project_comes_before_everything_else() {
    let api = Api::new().await;
    let list = "/organization/projects/proj_x/certificates";
    api.get(&format!("{list}?limit=0")).await.refused(404, "project_not_found", (), "not found");
    for word in ["activate", "deactivate"] {
        let refused = api.post(&format!("{list}/{word}"), json!([])).await;
        refused.refused(404, "project_not_found", (), "not found");
    }
}

/// Rulings 5.3, 5.18 and 5.23: the newest comes first unless the query says otherwise, no limit is clamped, and behind the end there
/// is an empty page.
#[tokio::test]
async fn rulings_5_3_5_18_and_5_23_the_newest_comes_first() {
    let api = Api::new().await;
    let ids = [upload(&api, "1").await, upload(&api, "2").await, upload(&api, "3").await];
    let (of_project, _) = project(&api).await;
    for list in [LIST, &of_project] {
        let [first, second, third] = ids.clone();
        let page = api.get(&format!("{list}?limit=2")).await;
        assert_eq!(page.ids(), [third.clone(), second.clone()]);
        assert_eq!((&page.ok()["has_more"], &page.ok()["last_id"]), (&json!(true), &json!(second)));
        assert_eq!(api.get(&format!("{list}?after={second}")).await.ids(), from_ref(&first));
        let upwards = api.get(&format!("{list}?order=asc&after={first}")).await;
        assert_eq!(upwards.ids(), [second, third]);
        let behind = api.get(&format!("{list}?after={first}")).await;
        let empty = json!({
            "object": "list", "data": [], "first_id": null, "last_id": null, "has_more": false,
        });
        assert_eq!(*behind.ok(), empty);
        for (limit, code) in [(0, "integer_below_min_value"), (101, "integer_above_max_value")] {
            let refused = api.get(&format!("{list}?limit={limit}")).await;
            refused.refused(400, code, "limit", "Expected a value");
        }
    }
}
