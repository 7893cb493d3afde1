use serde_json::{Value, json};

use crate::testing::Api;

const ALERTS: &str = "/organization/spend_alerts";

fn of_project(project: &str) -> String {
    format!("/organization/projects/{project}/spend_alerts")
}

/// The lists of both levels, with the words of their rows.
async fn levels(api: &Api) -> [(String, &'static str); 2] {
    let project = api.create_project("Engine").await;
    [(ALERTS.to_owned(), "organization.spend_alert"), (of_project(&project), "project.spend_alert")]
}

fn alert(cents: i64) -> Value {
    json!({
        "threshold_amount": cents, "currency": "USD", "interval": "month",
        "notification_channel": { "type": "email", "recipients": ["z@example.com", "a@example.com"] },
    })
}

/// The same body with another value in its channel.
fn with(member: &str, value: Value) -> Value {
    let mut body = alert(5);
    body["notification_channel"][member] = value;
    body
}

/// Ruling 5.11: there may be several alerts, also of the same words. Ruling 5.10: the last answer has its id.
#[tokio::test]
async fn an_alert_is_created_shown_replaced_listed_and_deleted() {
    let api = Api::new().await;
    for (path, object) in levels(&api).await {
        let made = api.post(&path, alert(0)).await;
        let id = made.id();
        assert!(id.strip_prefix("alert_").is_some_and(|tail| tail.len() == 24), "{id}");
        let shown = |cents: i64, prefix: Value| {
            json!({
                "id": id, "object": object, "threshold_amount": cents, "currency": "USD", "interval": "month",
                "notification_channel": {
                    "type": "email", "recipients": ["z@example.com", "a@example.com"], "subject_prefix": prefix,
                },
            })
        };
        assert_eq!(*made.ok(), shown(0, Value::Null));
        let one = format!("{path}/{id}");
        assert_eq!(*api.get(&one).await.ok(), shown(0, Value::Null));
        for prefix in [json!(""), json!(" [spend] "), Value::Null] {
            let mut body = alert(9_007_199_254_740_991);
            body["notification_channel"]["subject_prefix"] = prefix.clone();
            let expected = shown(9_007_199_254_740_991, prefix);
            assert_eq!(*api.post(&one, body).await.ok(), expected);
            assert_eq!(*api.get(&one).await.ok(), expected);
        }
        let twin = api.post(&path, alert(9_007_199_254_740_991)).await.id();
        assert_eq!(api.get(&path).await.ids(), [id.clone(), twin.clone()]);
        assert_eq!(api.get(&path).await.ok()["data"][0], *api.get(&one).await.ok());
        let deleted = json!({ "id": id, "object": format!("{object}.deleted"), "deleted": true });
        assert_eq!(*api.delete(&one).await.ok(), deleted);
        for reply in [
            api.get(&one).await,
            api.delete(&one).await,
            api.post(&one, alert(1)).await,
            api.post(&one, json!({})).await,
        ] {
            reply.refused(404, "not_found", (), &format!("Spend alert with id '{id}' not found"));
        }
        assert_eq!(api.get(&path).await.ids(), [twin]);
    }
}

/// Ruling 5.18: the limit is 0 to 100, and the list can be read from either side.
#[tokio::test]
async fn pages_are_read_from_either_side() {
    let api = Api::new().await;
    for (path, _) in levels(&api).await {
        let none = json!({
            "object": "list", "data": [], "first_id": null, "last_id": null, "has_more": false,
        });
        assert_eq!(*api.get(&format!("{path}?limit=0")).await.ok(), none, "there are none");
        let mut ids = Vec::new();
        for cents in 0..21 {
            ids.push(api.post(&path, alert(cents)).await.id());
        }
        let page = api.get(&path).await;
        assert_eq!((page.ids(), &page.ok()["has_more"]), (ids[..20].to_vec(), &json!(true)));
        let some = json!({
            "object": "list", "data": [], "first_id": null, "last_id": null, "has_more": true,
        });
        assert_eq!(*api.get(&format!("{path}?limit=0")).await.ok(), some);
        let last = api.get(&format!("{path}?order=desc&limit=2")).await;
        assert_eq!(last.ids(), [ids[20].clone(), ids[19].clone()]);
        let back = api.get(&format!("{path}?limit=2&before={}", ids[5])).await;
        assert_eq!((back.ids(), &back.ok()["has_more"]), (ids[3..5].to_vec(), &json!(true)));
        let back = api.get(&format!("{path}?limit=2&order=desc&before={}", ids[18])).await;
        let page = (vec![ids[20].clone(), ids[19].clone()], &json!(false));
        assert_eq!((back.ids(), &back.ok()["has_more"]), page);
        api.delete(&format!("{path}/{}", ids[5])).await.ok();
        let gone = api.get(&format!("{path}?limit=2&before={}", ids[5])).await;
        assert_eq!(gone.ids(), ids[3..5], "a position is not looked up");
    }
}

/// Section 3.16: recipients keep their order; who is named twice is told once.
#[tokio::test]
async fn recipients_are_kept_in_order_each_once() {
    let api = Api::new().await;
    for (path, _) in levels(&api).await {
        let named = json!(["b@x.org", "a@x.org", "B@x.org", "b@x.org", "a@x.org"]);
        let kept = json!(["b@x.org", "a@x.org", "B@x.org"]);
        let made = api.post(&path, with("recipients", named.clone())).await;
        assert_eq!(made.ok()["notification_channel"]["recipients"], kept);
        let seen = api.events().await.len();
        let same = api.post(&format!("{path}/{}", made.id()), with("recipients", named)).await;
        assert_eq!((same.ok(), api.events().await.len()), (made.ok(), seen), "the same again");
        let turned = json!(["a@x.org", "b@x.org", "B@x.org"]);
        let turned_now =
            api.post(&format!("{path}/{}", made.id()), with("recipients", turned.clone())).await;
        assert_eq!(turned_now.ok()["notification_channel"]["recipients"], turned);
        let many: Vec<_> = (0..100).map(|number| format!("p{number}@x.org")).collect();
        let made = api.post(&path, with("recipients", json!(many))).await;
        assert_eq!(made.ok()["notification_channel"]["recipients"], json!(many));
    }
}

#[tokio::test]
async fn what_is_wrong_inside_the_channel_is_named_with_its_place() {
    let api = Api::new().await;
    let (long, many) = ("x".repeat(321), vec!["a@x.org"; 101]);
    let place = "notification_channel.recipients";
    let faults = [
        (with("type", json!("sms")), "invalid_value", "notification_channel.type"),
        (with("type", json!(7)), "invalid_type", "notification_channel.type"),
        (with("recipients", json!([])), "array_below_min_length", place),
        (with("recipients", json!(many)), "array_above_max_length", place),
        (with("recipients", json!("a@x.org")), "invalid_type", place),
        (with("recipients", Value::Null), "invalid_type", place),
        (
            with("recipients", json!(["a@x.org", "b"])),
            "invalid_value",
            "notification_channel.recipients[1]",
        ),
        (with("recipients", json!([7])), "invalid_type", "notification_channel.recipients[0]"),
        (with("recipients", json!([""])), "empty_string", "notification_channel.recipients[0]"),
        (
            with("recipients", json!([long])),
            "string_above_max_length",
            "notification_channel.recipients[0]",
        ),
        (
            with("subject_prefix", json!(long)),
            "string_above_max_length",
            "notification_channel.subject_prefix",
        ),
        (with("subject_prefix", json!(7)), "invalid_type", "notification_channel.subject_prefix"),
        (
            with("subject_prefix", json!("a\0b")),
            "invalid_value",
            "notification_channel.subject_prefix",
        ),
        (with("surprise", json!(1)), "unknown_parameter", "notification_channel.surprise"),
    ];
    for (path, _) in levels(&api).await {
        let one = format!("{path}/{}", api.post(&path, alert(1)).await.id());
        for (body, code, param) in &faults {
            for path in [&path, &one] {
                api.post(path, body.clone()).await.refused(400, *code, *param, param);
            }
        }
        for member in ["type", "recipients"] {
            let mut body = alert(1);
            body["notification_channel"].as_object_mut().expect("an object").remove(member);
            let param = format!("notification_channel.{member}");
            for path in [&path, &one] {
                let reply = api.post(path, body.clone()).await;
                reply.refused(400, "missing_required_parameter", param.as_str(), &param);
            }
        }
    }
}

#[tokio::test]
async fn amounts_and_words_out_of_bounds_are_refused_by_name() {
    let api = Api::new().await;
    for (path, _) in levels(&api).await {
        for (member, wrong, code) in [
            ("threshold_amount", json!(-1), "integer_below_min_value"),
            ("threshold_amount", json!(9_007_199_254_740_992_i64), "integer_above_max_value"),
            ("threshold_amount", json!(0.5), "invalid_type"),
            ("currency", json!("EUR"), "invalid_value"),
            ("interval", json!("year"), "invalid_value"),
            ("notification_channel", json!([]), "invalid_type"),
            ("notification_channel", Value::Null, "invalid_type"),
        ] {
            let mut body = alert(1);
            body[member] = wrong;
            api.post(&path, body).await.refused(400, code, member, member);
        }
        assert!(api.get(&path).await.ids().is_empty());
    }
}

/// Appendix A, 64†, 66†, 67†, 82†, 84† and 85†: a change is one of the organization or the project, and names nothing but it.
#[tokio::test]
async fn a_change_is_on_record_once() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let organization = api.first.organization.id.clone();
    for (path, event) in [
        (
            ALERTS.to_owned(),
            ("organization.updated".to_owned(), None, json!({ "id": organization })),
        ),
        (
            of_project(&project),
            ("project.updated".to_owned(), Some(project.clone()), json!({ "id": project })),
        ),
    ] {
        let seen = api.events().await.len();
        let one = format!("{path}/{}", api.post(&path, alert(1)).await.id());
        let mut changes = 1;
        for (body, is_change) in [
            (alert(1), false),
            (with("subject_prefix", Value::Null), true),
            (alert(5), false),
            (with("subject_prefix", json!("")), true),
            (with("recipients", json!(["z@example.com"])), true),
        ] {
            api.post(&one, body.clone()).await.ok();
            changes += usize::from(is_change);
            assert_eq!(api.events().await[seen..], vec![event.clone(); changes], "{path} {body}");
        }
        api.delete(&one).await.ok();
        assert_eq!(api.events().await[seen..], vec![event.clone(); changes + 1], "{path}");
        api.delete(&one).await.refused(404, "not_found", (), "not found");
        assert_eq!(api.events().await.len(), seen + changes + 1);
    }
}

/// Ruling 5.13: alerts of an archived project can be read and deleted, and neither made nor changed.
#[tokio::test]
async fn alerts_of_an_archived_project_may_go() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let path = of_project(&project);
    let id = api.post(&path, alert(1)).await.id();
    let one = format!("{path}/{id}");
    api.post(&format!("/organization/projects/{project}/archive"), Value::Null).await.ok();
    assert_eq!(api.get(&path).await.ids(), std::slice::from_ref(&id));
    assert_eq!(api.get(&one).await.id(), id);
    for body in [alert(1), json!({})] {
        for path in [&path, &one, &format!("{path}/alert_none")] {
            let reply = api.post(path, body.clone()).await;
            reply.refused(400, "project_archived", (), "archived");
        }
    }
    api.delete(&one).await.ok();
    api.delete(&one).await.refused(404, "not_found", (), "not found");
    assert!(api.get(&path).await.ids().is_empty());
}

/// Section 1.10: an id belongs to its level, and to no other.
#[tokio::test]
async fn alerts_of_one_level_are_not_found_at_another() {
    let api = Api::new().await;
    let [(organization, _), (project, _)] = levels(&api).await;
    let other = of_project(&api.create_project("Other").await);
    let ours = api.post(&organization, alert(1)).await.id();
    let its = api.post(&project, alert(1)).await.id();
    for (path, id) in [(&project, &ours), (&other, &ours), (&organization, &its), (&other, &its)] {
        let one = format!("{path}/{id}");
        api.get(&one).await.refused(404, "not_found", (), "Spend alert");
        api.post(&one, alert(2)).await.refused(404, "not_found", (), "Spend alert");
        api.delete(&one).await.refused(404, "not_found", (), "Spend alert");
    }
    assert_eq!(api.get(&organization).await.ids(), [ours]);
    assert_eq!(api.get(&project).await.ids(), [its]);
    assert!(api.get(&other).await.ids().is_empty());
}
