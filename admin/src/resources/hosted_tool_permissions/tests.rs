use serde_json::{Value, json};

use super::store::{self, Tool};
use crate::audit::{Actor, Author, EVENTS_PER_CHANGE, Origin};
use crate::error::Result;
use crate::testing::Api;

/// A project, and the path of its hosted tools.
async fn project(api: &Api) -> (String, String) {
    let project = api.create_project("Engine").await;
    (format!("/organization/projects/{project}/hosted_tool_permissions"), project)
}

/// The answer when all but these are enabled.
fn all_but(disabled: &[&str]) -> Value {
    let member = |tool: Tool| {
        (tool.name().to_owned(), json!({ "enabled": !disabled.contains(&tool.name()) }))
    };
    Value::Object(Tool::ALL.map(member).into_iter().collect())
}

/// Makes the organization require these tools and no others, as an operator does.
async fn require(api: &Api, tools: &[Tool]) {
    let organization = api.first.organization.clone();
    let (now, block) = (api.app.clock.now(), api.app.ids.block(EVENTS_PER_CHANGE));
    let tools = tools.to_vec();
    let write = move |tx: &mut sql::Tx<'_>| -> Result<()> {
        let (actor, origin) = (Actor::System, Origin::default());
        let by = Author::new(organization.clone(), actor, origin, now, block.clone());
        for tool in Tool::ALL {
            store::require(tx, &by, tool, tools.contains(&tool))?;
        }
        assert_eq!(store::required(tx, &organization.id)?, tools.iter().copied().collect());
        Ok(())
    };
    api.app.store.write(write).await.expect("tools can be required");
}

#[tokio::test]
async fn every_tool_is_enabled_until_it_is_disabled() {
    let api = Api::new().await;
    let (path, _) = project(&api).await;
    let shown = api.get(&path).await;
    assert_eq!(*shown.ok(), all_but(&[]));
    let order = r#"{"file_search":{"enabled":true},"web_search":{"enabled":true},"image_generation":{"enabled":true},"mcp":{"enabled":true},"code_interpreter":{"enabled":true}}"#;
    assert_eq!(String::from_utf8_lossy(&shown.text), order, "five members, and no object");
    for tool in Tool::ALL.map(Tool::name) {
        let body = json!({ (tool): { "enabled": false } });
        assert_eq!(*api.post(&path, body).await.ok(), all_but(&[tool]));
        assert_eq!(*api.get(&path).await.ok(), all_but(&[tool]));
        let body = json!({ (tool): { "enabled": true } });
        assert_eq!(*api.post(&path, body).await.ok(), all_but(&[]));
    }
}

#[tokio::test]
async fn a_tool_that_is_not_named_or_null_stays_as_it_is() {
    let api = Api::new().await;
    let (path, _) = project(&api).await;
    let (off, on) = (json!({ "enabled": false }), json!({ "enabled": true }));
    let body = json!({ "mcp": off, "web_search": off, "file_search": on });
    assert_eq!(*api.post(&path, body).await.ok(), all_but(&["mcp", "web_search"]));
    let body = json!({ "mcp": null, "web_search": on });
    assert_eq!(*api.post(&path, body).await.ok(), all_but(&["mcp"]));
    assert_eq!(*api.post(&path, json!({})).await.ok(), all_but(&["mcp"]));
    // A provider always sends all five.
    let all = json!({
        "file_search": on, "web_search": off, "image_generation": on, "mcp": on, "code_interpreter": off,
    });
    let expected = all_but(&["web_search", "code_interpreter"]);
    assert_eq!(*api.post(&path, all.clone()).await.ok(), expected);
    assert_eq!(*api.post(&path, all).await.ok(), expected);
}

#[tokio::test]
async fn tools_of_one_project_are_none_of_another() {
    let api = Api::new().await;
    let (path, _) = project(&api).await;
    let (other, _) = project(&api).await;
    api.post(&path, json!({ "mcp": { "enabled": false } })).await.ok();
    assert_eq!(*api.get(&other).await.ok(), all_but(&[]));
}

/// Appendix A, 51†: a change is told as one of the project, once; what changes nothing is not told.
#[tokio::test]
async fn dagger_51_a_change_is_one_of_the_project() {
    let api = Api::new().await;
    let (path, project) = project(&api).await;
    let before = api.events().await.len();
    let both = json!({ "mcp": { "enabled": false }, "web_search": { "enabled": false } });
    for body in [json!({}), json!({ "mcp": { "enabled": true } }), both.clone(), both] {
        api.post(&path, body).await.ok();
    }
    let told = ("project.updated".to_owned(), Some(project.clone()), json!({ "id": project }));
    assert_eq!(api.events().await[before..], [told]);
}

/// What the organization requires is enabled whatever the project says, and 400 for whoever disables it: 409 would be sent again.
#[tokio::test]
async fn a_tool_that_the_organization_requires_cannot_be_disabled() {
    let api = Api::new().await;
    let (path, _) = project(&api).await;
    let off = json!({ "enabled": false });
    api.post(&path, json!({ "mcp": off })).await.ok();
    require(&api, &[Tool::WebSearch, Tool::Mcp]).await;
    assert_eq!(*api.get(&path).await.ok(), all_but(&[]), "whatever is stored");
    let refused = api.post(&path, json!({ "file_search": off, "web_search": off })).await;
    refused.refused(400, (), "web_search.enabled", "enabled for all projects of the organization");
    api.post(&path, json!({ "mcp": off })).await.refused(400, (), "mcp.enabled", "'mcp'");
    let body = json!({ "web_search": { "enabled": true }, "file_search": off });
    assert_eq!(*api.post(&path, body).await.ok(), all_but(&["file_search"]));
    require(&api, &[]).await;
    // What the project said before holds again.
    assert_eq!(*api.get(&path).await.ok(), all_but(&["file_search", "mcp"]));
    require(&api, &[Tool::Mcp]).await;
    api.post(&path, json!({ "mcp": { "enabled": true } })).await.ok();
    require(&api, &[]).await;
    assert_eq!(*api.get(&path).await.ok(), all_but(&["file_search"]));
}

/// What the organization requires is told as a change of it, once, and holds in no other organization.
#[tokio::test]
async fn what_is_required_is_told_once_and_holds_in_one_organization() {
    let api = Api::new().await;
    let (path, _) = project(&api).await;
    let other = api.found("second").await;
    let elsewhere = &other.organization.default_project_id;
    let elsewhere = format!("/organization/projects/{elsewhere}/hosted_tool_permissions");
    let off = json!({ "mcp": { "enabled": false } });
    let before = api.events().await.len();
    for tools in [&[Tool::Mcp][..], &[Tool::Mcp], &[]] {
        require(&api, tools).await;
        assert_eq!(*api.get(&path).await.ok(), all_but(&[]));
    }
    let id = &api.first.organization.id;
    let told = ("organization.updated".to_owned(), None, json!({ "id": id }));
    assert_eq!(api.events().await[before..], [told.clone(), told]);
    require(&api, &[Tool::Mcp]).await;
    let shown = api.request("POST", &elsewhere).key(&other.key).json(&off).send().await;
    assert_eq!(*shown.ok(), all_but(&["mcp"]));
}

#[tokio::test]
async fn bodies_are_refused_by_the_place_of_their_fault() {
    let api = Api::new().await;
    let (path, _) = project(&api).await;
    let post = async |body: Value| api.post(&path, body).await;
    let missing = "Missing required parameter: 'mcp.enabled'.";
    post(json!({ "mcp": {} })).await.refused(
        400,
        "missing_required_parameter",
        "mcp.enabled",
        missing,
    );
    post(json!({ "mcp": { "enabled": null } })).await.refused(
        400,
        "invalid_type",
        "mcp.enabled",
        "'mcp.enabled': expected a boolean, but got null",
    );
    post(json!({ "mcp": { "enabled": "true" } })).await.refused(
        400,
        "invalid_type",
        "mcp.enabled",
        "a string",
    );
    let unknown = json!({ "mcp": { "enabled": true, "x": 1 } });
    post(unknown).await.refused(400, "unknown_parameter", "mcp.x", "'mcp.x'");
    post(json!({ "mcp": true })).await.refused(400, "invalid_type", "mcp", "expected an object");
    post(json!({ "shell": { "enabled": true } })).await.refused(
        400,
        "unknown_parameter",
        "shell",
        "'shell'",
    );
}

/// Ruling 5.13: in an archived project they can be read and not changed. An unknown project comes before everything.
#[tokio::test]
async fn ruling_5_13_an_archived_project_keeps_its_tools() {
    let api = Api::new().await;
    let (path, project) = project(&api).await;
    api.post(&path, json!({ "mcp": { "enabled": false } })).await.ok();
    api.post(&format!("/organization/projects/{project}/archive"), json!({})).await.ok();
    assert_eq!(*api.get(&path).await.ok(), all_but(&["mcp"]));
    let archived = "You can only update an active project.";
    for body in [json!({ "mcp": { "enabled": true } }), json!({ "x": 1 }), json!([])] {
        api.post(&path, body).await.refused(400, "project_archived", (), archived);
    }
    let nowhere = "/organization/projects/proj_x/hosted_tool_permissions";
    api.get(nowhere).await.refused(404, "project_not_found", (), "not found");
    api.post(nowhere, json!([])).await.refused(404, "project_not_found", (), "not found");
}
