use serde_json::{Value, json};

use crate::testing::{Api, fixture};

/// A project and two models: the path of what is said of its models, and its id.
async fn project(api: &Api) -> (String, String) {
    for model in ["gpt-4o", "o3"] {
        fixture::add_model(&api.app, &api.first.organization, model).await;
    }
    let project = api.create_project("Search").await;
    (format!("/organization/projects/{project}/model_permissions"), project)
}

fn list(mode: &str, model_ids: &[&str]) -> Value {
    json!({ "object": "project.model_permissions", "mode": mode, "model_ids": model_ids })
}

fn body(mode: &str, model_ids: &[&str]) -> Value {
    json!({ "mode": mode, "model_ids": model_ids })
}

/// Ruling 5.10: the answer to a deletion has no id. Appendix A, 53† and 54†: each change is an update of the project, and what
/// changes nothing is none.
#[tokio::test]
async fn a_list_is_set_shown_replaced_and_forgotten() {
    let api = Api::new().await;
    let (path, project) = project(&api).await;
    let count = api.events().await.len();
    let allowed = list("allow_list", &["o3", "gpt-4o"]);
    for _ in 0..2 {
        let set = api.post(&path, body("allow_list", &["o3", "gpt-4o", "o3"])).await;
        assert_eq!(*set.ok(), allowed, "in the order in which they were sent, each once");
    }
    assert_eq!(*api.get(&path).await.ok(), allowed);
    for (mode, ids) in
        [("allow_list", vec!["gpt-4o", "o3"]), ("deny_list", vec![]), ("allow_list", vec![])]
    {
        assert_eq!(*api.post(&path, body(mode, &ids)).await.ok(), list(mode, &ids));
    }
    let deleted = json!({ "object": "project.model_permissions.deleted", "deleted": true });
    assert_eq!(*api.delete(&path).await.ok(), deleted);
    let events = api.events().await.split_off(count);
    let event = ("project.updated".to_owned(), Some(project.clone()), json!({ "id": project }));
    assert_eq!(events, vec![event; 5]);
}

/// T2 takes the 404 for "none is set".
#[tokio::test]
async fn nothing_said_is_404_and_says_not_found() {
    let api = Api::new().await;
    let (path, project) = project(&api).await;
    let message = format!("Model permissions not found: project '{project}' has no model policy.");
    api.get(&path).await.refused(404, "not_found", (), &message);
    api.delete(&path).await.refused(404, "not_found", (), &message);
    api.post(&path, body("deny_list", &["o3"])).await.ok();
    api.delete(&path).await.ok();
    api.get(&path).await.refused(404, "not_found", (), &message);
    api.delete(&path).await.refused(404, "not_found", (), &message);
    let nowhere = "/organization/projects/proj_x/model_permissions";
    api.get(nowhere).await.refused(404, "project_not_found", (), "not found");
    api.delete(nowhere).await.refused(404, "project_not_found", (), "not found");
    let reply = api.post(nowhere, json!({ "surprise": 1 })).await;
    reply.refused(404, "project_not_found", (), "not found");
}

#[tokio::test]
async fn a_model_that_is_not_there_is_refused_by_its_place() {
    let api = Api::new().await;
    let (path, _) = project(&api).await;
    let message = "The model 'o4' does not exist in this organization.";
    let reply = api.post(&path, body("allow_list", &["o3", "o3", "o4", "o5"])).await;
    reply.refused(400, "model_not_found", "model_ids[2]", message);
    let second = api.found("second").await;
    let theirs = format!(
        "/organization/projects/{}/model_permissions",
        second.organization.default_project_id
    );
    let request = api.request("POST", &theirs).key(&second.key).json(&body("allow_list", &["o3"]));
    request.send().await.refused(400, "model_not_found", "model_ids[0]", "The model 'o3'");
}

#[tokio::test]
async fn a_name_that_is_listed_may_stay_when_its_model_is_gone() {
    let api = Api::new().await;
    let (path, _) = project(&api).await;
    api.post(&path, body("allow_list", &["o3", "gpt-4o"])).await.ok();
    fixture::remove_model(&api.app, &api.first.organization, "o3").await;
    assert_eq!(*api.get(&path).await.ok(), list("allow_list", &["o3", "gpt-4o"]));
    let swapped = api.post(&path, body("deny_list", &["gpt-4o", "o3"])).await;
    assert_eq!(*swapped.ok(), list("deny_list", &["gpt-4o", "o3"]));
    api.post(&path, body("deny_list", &["gpt-4o"])).await.ok();
    let reply = api.post(&path, body("deny_list", &["o3"])).await;
    reply.refused(400, "model_not_found", "model_ids[0]", "The model 'o3'");
}

#[tokio::test]
async fn a_body_that_is_not_well_formed_is_refused_by_name() {
    let api = Api::new().await;
    let (path, _) = project(&api).await;
    let many = vec!["o3"; 1001];
    for (body, code, param, fragment) in [
        (json!({ "model_ids": [] }), "missing_required_parameter", "mode", "'mode'"),
        (json!({ "mode": "deny_list" }), "missing_required_parameter", "model_ids", "'model_ids'"),
        (
            body("all", &[]),
            "invalid_value",
            "mode",
            "Supported values are: 'allow_list' and 'deny_list'.",
        ),
        (
            json!({ "mode": "deny_list", "model_ids": null }),
            "invalid_type",
            "model_ids",
            "but got null",
        ),
        (
            json!({ "mode": "deny_list", "model_ids": [1] }),
            "invalid_type",
            "model_ids[0]",
            "a string",
        ),
        (body("deny_list", &["o3", ""]), "empty_string", "model_ids[1]", "at least 1 character"),
        (
            body("deny_list", &[&"x".repeat(256)]),
            "string_above_max_length",
            "model_ids[0]",
            "at most 255",
        ),
        (
            body("deny_list", &many),
            "array_above_max_length",
            "model_ids",
            "at most 1000 items, but got 1001",
        ),
    ] {
        api.post(&path, body).await.refused(400, code, param, fragment);
    }
    api.post(&path, body("deny_list", &many[1..])).await.ok();
}

/// Ruling 5.13: an archived project shows its list, takes no other, and lets go of it.
#[tokio::test]
async fn an_archived_project_lets_go_of_its_list() {
    let api = Api::new().await;
    let (path, project) = project(&api).await;
    api.post(&path, body("deny_list", &["o3"])).await.ok();
    api.post(&format!("/organization/projects/{project}/archive"), Value::Null).await.ok();
    assert_eq!(*api.get(&path).await.ok(), list("deny_list", &["o3"]));
    let reply = api.post(&path, json!({ "surprise": 1 })).await;
    reply.refused(400, "project_archived", (), "is archived");
    api.delete(&path).await.ok();
    api.get(&path).await.refused(404, "not_found", (), "not found");
}
