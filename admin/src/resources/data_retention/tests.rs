use serde_json::{Value, json};

use super::store::{OF_ORGANIZATION, OF_PROJECT};
use crate::testing::Api;

const PATH: &str = "/organization/data_retention";

fn of_project(project: &str) -> String {
    format!("/organization/projects/{project}/data_retention")
}

fn wanted(kind: &str) -> Value {
    json!({ "retention_type": kind })
}

/// Section 3.15 and ruling 5.11: there is a setting before anybody made one, and it is not lost by one that is refused.
#[tokio::test]
async fn every_level_begins_with_a_setting() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let organization =
        json!({ "object": "organization.data_retention", "type": "modified_abuse_monitoring" });
    assert_eq!(*api.get(PATH).await.ok(), organization);
    let of_project = of_project(&project);
    let kept = json!({ "object": "project.data_retention", "type": "organization_default" });
    assert_eq!(*api.get(&of_project).await.ok(), kept);
    api.post(PATH, wanted("enhanced_zero_data_retention")).await.ok();
    assert_eq!(*api.get(&of_project).await.ok(), kept, "a project says what it was told");
}

/// Section 3.15: the body names it `retention_type`, the answer `type`.
#[tokio::test]
async fn each_level_takes_its_own_words() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    for (path, words, object) in [
        (PATH.to_owned(), &OF_ORGANIZATION[..], "organization.data_retention"),
        (of_project(&project), &OF_PROJECT[..], "project.data_retention"),
    ] {
        for word in words {
            let expected = json!({ "object": object, "type": word });
            assert_eq!(*api.post(&path, wanted(word)).await.ok(), expected);
            assert_eq!(*api.get(&path).await.ok(), expected);
        }
        for wrong in ["", "None", "zero_data_retention ", "forever"] {
            let reply = api.post(&path, wanted(wrong)).await;
            reply.refused(400, "invalid_value", "retention_type", "Supported values are: ");
        }
        let answered = api.post(&path, json!({ "type": "zero_data_retention" })).await;
        answered.refused(400, "missing_required_parameter", "retention_type", "retention_type");
        let nothing = api.post(&path, json!({ "retention_type": null })).await;
        nothing.refused(400, "invalid_type", "retention_type", "but got null");
    }
    for word in ["organization_default", "none"] {
        let reply = api.post(PATH, wanted(word)).await;
        reply.refused(400, "invalid_value", "retention_type", "'zero_data_retention'");
    }
}

/// Appendix A, 15† and 45†: a change is one of the organization or the project, and names nothing but it.
#[tokio::test]
async fn a_change_is_on_record_once() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let organization = api.first.organization.id.clone();
    for (path, default, event) in [
        (
            PATH.to_owned(),
            "modified_abuse_monitoring",
            ("organization.updated".to_owned(), None, json!({ "id": organization })),
        ),
        (
            of_project(&project),
            "organization_default",
            ("project.updated".to_owned(), Some(project.clone()), json!({ "id": project })),
        ),
    ] {
        let seen = api.events().await.len();
        // What it begins with is what it is, so that it is set is no change.
        for (word, changes) in [
            (default, 0),
            ("zero_data_retention", 1),
            ("zero_data_retention", 1),
            (default, 2),
            (default, 2),
        ] {
            api.post(&path, wanted(word)).await.ok();
            assert_eq!(api.events().await[seen..], vec![event.clone(); changes], "{path} {word}");
        }
    }
}

/// Ruling 5.13.
#[tokio::test]
async fn an_archived_project_shows_its_setting_and_changes_it_no_more() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let path = of_project(&project);
    api.post(&path, wanted("none")).await.ok();
    api.post(&format!("/organization/projects/{project}/archive"), Value::Null).await.ok();
    assert_eq!(api.get(&path).await.ok()["type"], "none");
    // Its state is told before what is wrong with the body.
    for body in [wanted("none"), wanted("wrong"), json!({})] {
        api.post(&path, body).await.refused(400, "project_archived", (), "archived");
    }
}

#[tokio::test]
async fn what_is_set_of_one_project_is_not_of_another() {
    let api = Api::new().await;
    let (one, other) = (api.create_project("One").await, api.create_project("Other").await);
    api.post(&of_project(&one), wanted("none")).await.ok();
    assert_eq!(api.get(&of_project(&other)).await.ok()["type"], "organization_default");
    assert_eq!(api.get(PATH).await.ok()["type"], "modified_abuse_monitoring");
    let second = api.found("second").await;
    let theirs = api.request("GET", PATH).key(&second.key).send().await;
    assert_eq!(theirs.ok()["type"], "modified_abuse_monitoring");
    let ours = api.request("GET", &of_project(&one)).key(&second.key).send().await;
    ours.refused(404, "project_not_found", (), "not found");
}
