use serde_json::{Value, json};

use crate::testing::Api;

const PATH: &str = "/organization/spend_limit";

fn of_project(project: &str) -> String {
    format!("/organization/projects/{project}/spend_limit")
}

fn limit(cents: impl Into<Value>) -> Value {
    json!({ "threshold_amount": cents.into(), "currency": "USD", "interval": "month" })
}

/// The limits of both levels, with the words of their objects.
async fn levels(api: &Api) -> [(String, &'static str); 2] {
    let project = api.create_project("Engine").await;
    [(PATH.to_owned(), "organization.spend_limit"), (of_project(&project), "project.spend_limit")]
}

/// Section 3.17 and ruling 5.10: the answer to the end of a limit has no id.
#[tokio::test]
async fn a_limit_is_set_shown_replaced_and_taken_away() {
    let api = Api::new().await;
    for (path, object) in levels(&api).await {
        let shown = |cents: i64| {
            json!({
                "object": object, "threshold_amount": cents, "currency": "USD", "interval": "month",
                "enforcement": { "status": "inactive" },
            })
        };
        api.get(&path).await.refused(404, "not_found", (), "Spend limit not found: ");
        api.delete(&path).await.refused(404, "not_found", (), "Spend limit not found: ");
        for cents in [1, 12_345, 12_345, 9_007_199_254_740_991] {
            assert_eq!(*api.post(&path, limit(cents)).await.ok(), shown(cents));
            assert_eq!(*api.get(&path).await.ok(), shown(cents));
        }
        let deleted = json!({ "object": format!("{object}.deleted"), "deleted": true });
        assert_eq!(*api.delete(&path).await.ok(), deleted);
        api.delete(&path).await.refused(404, "not_found", (), "not found");
        api.get(&path).await.refused(404, "not_found", (), "not found");
    }
}

#[tokio::test]
async fn amounts_and_words_out_of_bounds_are_refused_by_name() {
    let api = Api::new().await;
    for (path, _) in levels(&api).await {
        for (cents, code) in [
            (json!(0), "integer_below_min_value"),
            (json!(-1), "integer_below_min_value"),
            (json!(9_007_199_254_740_992_i64), "integer_above_max_value"),
            (json!(1e30), "integer_above_max_value"),
            (json!(1.5), "invalid_type"),
            (json!("100"), "invalid_type"),
            (Value::Null, "invalid_type"),
        ] {
            let reply = api.post(&path, limit(cents)).await;
            reply.refused(400, code, "threshold_amount", "threshold_amount");
        }
        for (member, wrong) in [
            ("currency", "EUR"),
            ("currency", "usd"),
            ("currency", ""),
            ("interval", "day"),
            ("interval", "Month"),
        ] {
            let mut body = limit(1);
            body[member] = json!(wrong);
            api.post(&path, body).await.refused(400, "invalid_value", member, "Supported values");
        }
        for member in ["threshold_amount", "currency", "interval"] {
            let mut body = limit(1);
            body.as_object_mut().expect("it is an object").remove(member);
            let reply = api.post(&path, body).await;
            reply.refused(400, "missing_required_parameter", member, "Missing required");
        }
        let mut shown = limit(1);
        shown["enforcement"] = json!({ "status": "inactive" });
        api.post(&path, shown).await.refused(400, "unknown_parameter", "enforcement", "Unknown");
        api.get(&path).await.refused(404, "not_found", (), "not found");
    }
}

/// Appendix A, 69†, 70†, 87† and 88†: a change is one of the organization or the project, and names nothing but it.
#[tokio::test]
async fn a_change_is_on_record_once() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let organization = api.first.organization.id.clone();
    for (path, event) in [
        (PATH.to_owned(), ("organization.updated".to_owned(), None, json!({ "id": organization }))),
        (
            of_project(&project),
            ("project.updated".to_owned(), Some(project.clone()), json!({ "id": project })),
        ),
    ] {
        let seen = api.events().await.len();
        for (cents, changes) in [(100, 1), (100, 1), (200, 2)] {
            api.post(&path, limit(cents)).await.ok();
            assert_eq!(api.events().await[seen..], vec![event.clone(); changes], "{path} {cents}");
        }
        api.delete(&path).await.ok();
        assert_eq!(api.events().await[seen..], vec![event.clone(); 3], "{path}");
        api.delete(&path).await.refused(404, "not_found", (), "not found");
        assert_eq!(api.events().await.len(), seen + 3, "{path}");
    }
}

/// Ruling 5.13: a limit of an archived project can be read and taken away, and none set.
#[tokio::test]
async fn the_limit_of_an_archived_project_may_go() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let path = of_project(&project);
    api.post(&path, limit(100)).await.ok();
    api.post(&format!("/organization/projects/{project}/archive"), Value::Null).await.ok();
    assert_eq!(api.get(&path).await.ok()["threshold_amount"], 100);
    for body in [limit(100), limit(200), json!({})] {
        api.post(&path, body).await.refused(400, "project_archived", (), "archived");
    }
    api.delete(&path).await.ok();
    api.delete(&path).await.refused(404, "not_found", (), "not found");
    api.get(&path).await.refused(404, "not_found", (), "not found");
}

/// Whatever else is set of a level stays when its limit goes, and the other way round.
#[tokio::test]
async fn a_limit_and_other_settings_leave_one_another_alone() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let retention = format!("/organization/projects/{project}/data_retention");
    let path = of_project(&project);
    api.post(&path, limit(100)).await.ok();
    api.post(&retention, json!({ "retention_type": "none" })).await.ok();
    assert_eq!(api.get(&path).await.ok()["threshold_amount"], 100);
    api.delete(&path).await.ok();
    assert_eq!(api.get(&retention).await.ok()["type"], "none");
    api.post(&path, limit(200)).await.ok();
    assert_eq!(api.get(&retention).await.ok()["type"], "none");
    api.get(PATH).await.refused(404, "not_found", (), "the organization has none");
    let other = api.create_project("Other").await;
    let expected = format!("project '{other}' has none");
    api.get(&of_project(&other)).await.refused(404, "not_found", (), &expected);
}
