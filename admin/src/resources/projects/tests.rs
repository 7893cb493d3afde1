use serde_json::{Value, json};

use crate::testing::Api;

const PROJECTS: &str = "/organization/projects";

#[tokio::test]
async fn a_project_is_created_shown_renamed_and_archived() {
    let api = Api::new().await;
    let created = api.post(PROJECTS, json!({ "name": "Engine" })).await;
    let (id, path) = (created.id(), format!("{PROJECTS}/{}", created.id()));
    let mut project = json!({
        "object": "organization.project", "id": id, "name": "Engine", "created_at": 1_750_000_000,
        "archived_at": null, "status": "active", "external_key_id": null,
    });
    assert_eq!(*created.ok(), project);
    assert_eq!(*api.get(&path).await.ok(), project);
    project["name"] = json!("Analytical Engine");
    assert_eq!(*api.post(&path, json!({ "name": "Analytical Engine" })).await.ok(), project);
    api.clock.advance(5);
    project["archived_at"] = json!(1_750_000_005);
    project["status"] = json!("archived");
    assert_eq!(*api.request("POST", &format!("{path}/archive")).send().await.ok(), project);
    assert_eq!(*api.get(&path).await.ok(), project);
}

#[tokio::test]
async fn names_are_kept_as_sent_and_need_not_be_unique() {
    let api = Api::new().await;
    for name in ["  spaces  ", "Ünïcode 🚀", "x".repeat(255).as_str(), "twin", "twin"] {
        assert_eq!(api.post(PROJECTS, json!({ "name": name })).await.ok()["name"], name);
    }
    api.post(PROJECTS, json!({ "name": "" })).await.refused(
        400,
        "empty_string",
        "name",
        "empty string",
    );
    let long = json!({ "name": "é".repeat(256) });
    api.post(PROJECTS, long).await.refused(400, "string_above_max_length", "name", "at most 255");
    api.post(PROJECTS, json!({ "name": null })).await.refused(
        400,
        "invalid_type",
        "name",
        "but got null",
    );
}

#[tokio::test]
async fn archived_projects_are_listed_on_request_only() {
    let api = Api::new().await;
    let (kept, gone) = (api.create_project("kept").await, api.create_project("gone").await);
    api.post(&format!("{PROJECTS}/{gone}/archive"), Value::Null).await.ok();
    let default = api.first.organization.default_project_id.clone();
    for query in ["", "?include_archived=false", "?include_archived=0", "?include_archived=False"] {
        assert_eq!(
            api.get(&format!("{PROJECTS}{query}")).await.ids(),
            [default.clone(), kept.clone()]
        );
    }
    for query in ["?include_archived=true", "?include_archived=1", "?include_archived=True"] {
        assert_eq!(
            api.get(&format!("{PROJECTS}{query}")).await.ids(),
            [default.clone(), kept.clone(), gone.clone()]
        );
    }
    // Filtering happens before the page is cut: no short page that claims to go on.
    let page = api.get(&format!("{PROJECTS}?limit=2")).await;
    assert_eq!((page.ids().len(), &page.ok()["has_more"]), (2, &json!(false)));
}

/// Ruling 5.6: whoever archives again changes nothing, and is told so by the same answer.
#[tokio::test]
async fn archiving_twice_is_answered_alike_and_recorded_once() {
    let api = Api::new().await;
    let path = format!("{PROJECTS}/{}/archive", api.create_project("gone").await);
    let first = api.request("POST", &path).send().await.ok().clone();
    api.clock.advance(60);
    // Bodies that clients send although there is nothing to say.
    for body in ["", "null", "{}"] {
        let request =
            api.request("POST", &path).header("content-type", "application/json").body(body);
        assert_eq!(*request.send().await.ok(), first);
    }
    let archived =
        api.events().await.into_iter().filter(|(kind, _, _)| kind == "project.archived").count();
    assert_eq!(archived, 1);
    let body = json!({ "reason": "old" });
    api.post(&path, body).await.refused(400, "unknown_parameter", "reason", "Unknown parameter");
}

#[tokio::test]
async fn an_archived_project_cannot_be_changed() {
    let api = Api::new().await;
    let id = api.create_project("gone").await;
    api.post(&format!("{PROJECTS}/{id}/archive"), Value::Null).await.ok();
    for body in [json!({ "name": "new" }), json!({}), json!({ "name": 7 })] {
        let message = format!("Project '{id}' is archived. You can only update an active project.");
        api.post(&format!("{PROJECTS}/{id}"), body).await.refused(
            400,
            "project_archived",
            (),
            &message,
        );
    }
}

#[tokio::test]
async fn the_default_project_cannot_be_changed_or_archived() {
    let api = Api::new().await;
    let path = format!("{PROJECTS}/{}", api.first.organization.default_project_id);
    let shown = api.get(&path).await.ok().clone();
    assert_eq!(shown["name"], "Default project");
    for body in
        [json!({ "name": "mine" }), json!({ "external_key_id": "k" }), json!({ "geography": "EU" })]
    {
        api.post(&path, body).await.refused(400, "default_project", (), "default project");
    }
    for body in [json!({ "name": 7 }), json!({ "x": 1 }), json!({ "residency": "GLOBAL" })] {
        api.post(&path, body).await.refused(400, "default_project", (), "default project");
    }
    for body in [json!({}), json!({ "name": null }), json!({ "name": "Default project" })] {
        assert_eq!(*api.post(&path, body).await.ok(), shown);
    }
    api.post(&format!("{path}/archive"), Value::Null).await.refused(
        400,
        "default_project",
        (),
        "default project",
    );
}

#[tokio::test]
async fn an_external_key_is_kept_as_sent_and_cleared_by_null() {
    let api = Api::new().await;
    let created = api.post(PROJECTS, json!({ "name": "n", "external_key_id": "kms-1" })).await;
    assert_eq!(created.ok()["external_key_id"], "kms-1");
    let path = format!("{PROJECTS}/{}", created.id());
    assert_eq!(api.post(&path, json!({ "name": "m" })).await.ok()["external_key_id"], "kms-1");
    assert_eq!(
        api.post(&path, json!({ "external_key_id": null })).await.ok()["external_key_id"],
        Value::Null
    );
    assert_eq!(api.post(&path, json!({ "external_key_id": "" })).await.ok()["external_key_id"], "");
    let created = api
        .post(PROJECTS, json!({ "name": "n", "external_key_id": null, "residency": null }))
        .await;
    assert_eq!(created.ok()["external_key_id"], Value::Null);
}

/// Ruling 5.2: what older clients call geography is taken, kept, and shown beside the residency that it means.
#[tokio::test]
async fn geography_is_kept_and_gives_the_residency() {
    let api = Api::new().await;
    for (geography, residency) in [
        ("US", "US_STORAGE_PROCESSING"),
        ("EU", "EU_STORAGE_PROCESSING"),
        ("JP", "JP_STORAGE"),
        ("IN", "IN_STORAGE"),
        ("KR", "KR_STORAGE"),
        ("CA", "CA_STORAGE"),
        ("AU", "AU_STORAGE"),
        ("SG", "SG_STORAGE"),
    ] {
        let project = api.post(PROJECTS, json!({ "name": "n", "geography": geography })).await;
        assert_eq!(
            (&project.ok()["geography"], &project.ok()["residency"]),
            (&json!(geography), &json!(residency))
        );
    }
    let unknown = api.post(PROJECTS, json!({ "name": "n", "geography": "MARS" })).await;
    assert_eq!((&unknown.ok()["geography"], unknown.ok().get("residency")), (&json!("MARS"), None));
    let path = format!("{PROJECTS}/{}", unknown.id());
    assert_eq!(
        api.post(&path, json!({ "geography": "EU" })).await.ok()["residency"],
        "EU_STORAGE_PROCESSING"
    );
    let cleared = api.post(&path, json!({ "geography": null })).await;
    assert_eq!((cleared.ok().get("geography"), cleared.ok().get("residency")), (None, None));
}

/// Ruling 5.2: a residency by its own name shows no geography.
#[tokio::test]
async fn residency_is_chosen_once() {
    let api = Api::new().await;
    let created =
        api.post(PROJECTS, json!({ "name": "n", "residency": "EU_STORAGE_PROCESSING" })).await;
    assert_eq!(
        (&created.ok()["residency"], created.ok().get("geography")),
        (&json!("EU_STORAGE_PROCESSING"), None)
    );
    let path = format!("{PROJECTS}/{}", created.id());
    api.post(&path, json!({ "residency": "EU_STORAGE_PROCESSING" })).await.ok();
    let other = json!({ "residency": "GLOBAL" });
    api.post(&path, other).await.refused(400, "invalid_value", "residency", "cannot change");
    let kept = api.post(&path, json!({ "geography": null })).await;
    assert_eq!(
        kept.ok()["residency"],
        "EU_STORAGE_PROCESSING",
        "null for what was never set clears nothing"
    );
    let both = json!({ "name": "n", "residency": "EU_STORAGE_PROCESSING", "geography": "US" });
    let path = format!("{PROJECTS}/{}", api.post(PROJECTS, both).await.id());
    let kept = api.post(&path, json!({ "geography": null })).await;
    assert_eq!(
        kept.ok()["residency"],
        "EU_STORAGE_PROCESSING",
        "null clears what came from it only"
    );
    let wrong = json!({ "name": "n", "residency": "MOON" });
    api.post(PROJECTS, wrong).await.refused(
        400,
        "invalid_value",
        "residency",
        "Supported values are: 'GLOBAL', ",
    );
}

#[tokio::test]
async fn an_unknown_project_is_404() {
    let api = Api::new().await;
    let path = format!("{PROJECTS}/proj_none");
    let fragment = "Project with id 'proj_none' not found";
    api.get(&path).await.refused(404, "project_not_found", (), fragment);
    api.post(&path, json!({ "name": "n" })).await.refused(404, "project_not_found", (), fragment);
    api.post(&format!("{path}/archive"), json!({ "x": 1 })).await.refused(
        404,
        "project_not_found",
        (),
        fragment,
    );
}
