//! What is added, what is changed, what is left alone, and what the record says of it.

use serde_json::{Value, json};

use super::{document_of, exported, fresh, restoration, restore, restore_by, rows};
use crate::contract::audit::assert_published;
use crate::document::{Action, Document, Hashes, LITERAL, parse};
use crate::testing::world::World;
use crate::testing::{Api, fixture};

fn document(value: &Value) -> Document {
    parse(&value.to_string()).unwrap_or_else(|fault| panic!("{fault}"))
}

fn told(changes: &[crate::document::Change]) -> Vec<String> {
    changes.iter().map(|one| format!("{} {} {}", one.action.name(), one.kind, one.id)).collect()
}

#[tokio::test]
async fn what_is_missing_is_added_and_what_is_not_said_stays() {
    let api = Api::new().await;
    let user = api.add_user("ada@example.com").await;
    let project = api.create_project("Engine").await;
    api.add_member(&project, &user).await;
    let before = rows(&api.app.store).await;
    let seed = document(&json!({
        "users": [{ "id": user, "email": "ada@example.com", "name": "Ada" }, { "id": "u", "email": "bob@example.com" }],
        "projects": [{ "id": project, "name": "Engines", "users": [{ "id": "u" }] }],
    }));
    let outcome = restore(&api.app.store, seed).await;
    let mut expected = vec![
        format!("updated user {user}"),
        "added user u".to_owned(),
        format!("updated project {project}"),
        "added member u".to_owned(),
    ];
    expected.sort_unstable();
    let mut changes = told(&outcome.changes);
    changes.sort_unstable();
    assert_eq!(changes, expected);
    let after = rows(&api.app.store).await;
    assert_eq!(after.len(), before.len() + 2, "nothing is removed");
    let member = api.get(&format!("/organization/projects/{project}/users/{user}")).await;
    assert_eq!((&member.ok()["name"], &member.body["role"]), (&json!("Ada"), &json!("member")));
    assert_eq!(api.get("/organization/users/u").await.ok()["role"], "reader");
}

/// Every part of the seed with another value in each member that can have one.
#[tokio::test]
async fn what_differs_is_updated() {
    let store = fresh().await;
    restore(&store.store, parse(LITERAL).expect("it can be read")).await;
    let mut changed: Value = serde_json::from_str(LITERAL).expect("it is JSON");
    for (pointer, value) in [
        ("/name", json!("Other")),
        ("/slug", json!("other")),
        ("/spend_limit/threshold_amount", json!(7)),
        ("/data_retention/type", json!("zero_data_retention")),
        ("/models/0/max_requests_per_1_minute", json!(7)),
        ("/users/1/email", json!("una@example.com")),
        ("/users/1/name", json!("Una")),
        ("/users/1/role", json!("none")),
        ("/groups/0/name", json!("Others")),
        ("/roles/0/name", json!("seer")),
        ("/roles/0/permissions", json!(["api.groups.read"])),
        ("/invites/0/role", json!("owner")),
        ("/admin_api_keys/0/name", json!("Other")),
        ("/admin_api_keys/0/value", json!("sk-admin-another-0123456789-0123456789-0123456789")),
        ("/certificates/0/name", json!("Other")),
        ("/certificates/0/active", json!(false)),
        ("/spend_alerts/0/threshold_amount", json!(7)),
        ("/projects/1/name", json!("Other")),
        ("/projects/1/spend_limit/threshold_amount", json!(7)),
        ("/projects/1/data_retention/type", json!("none")),
        ("/projects/1/model_permissions/mode", json!("deny_list")),
        ("/projects/1/hosted_tool_permissions", json!({ "mcp": { "enabled": false } })),
        ("/projects/1/users/0/role", json!("owner")),
        ("/projects/1/roles/0/description", json!("Other")),
        ("/projects/1/service_accounts/0/role", json!("owner")),
        ("/projects/1/api_keys/0/scopes", json!(["api.model.request"])),
        ("/projects/1/rate_limits/0/max_requests_per_1_minute", json!(7)),
        ("/projects/1/spend_alerts/0/notification_channel/subject_prefix", json!("Other")),
    ] {
        let (parent, name) = pointer.rsplit_once('/').expect("it has a parent");
        changed.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"))[name] = value;
    }
    changed["projects"][1]["certificates"][0]["active"] = json!(false);
    let outcome = restore(&store.store, document(&changed)).await;
    assert!(outcome.changes.iter().all(|change| change.action == Action::Updated), "{outcome:?}");
    let text = exported(&store.store, "organization_id", Hashes::LeftOut).await;
    for old in [
        "Una User",
        "user@example.com\",\n      \"name\"",
        "auditor",
        "\"Project\"",
        "\"active\": true",
    ] {
        assert!(!text.contains(old), "{old} in {text}");
    }
    let again: Value = serde_json::from_str(&text).expect("it is JSON");
    let tools = &again["projects"][1]["hosted_tool_permissions"];
    assert_eq!(tools, &json!({ "web_search": { "enabled": false }, "mcp": { "enabled": false } }));
    assert_eq!(again["projects"][1].get("certificates"), None);
}

#[tokio::test]
async fn an_owner_who_ceases_to_be_one_loses_their_keys_and_another_one_comes_first() {
    let api = Api::new().await;
    let (old, key) = (api.first.owner_id.clone(), api.first.key_id.clone());
    let email = api.get(&format!("/organization/users/{old}")).await.ok()["email"].clone();
    let seed = json!({ "users": [
        { "id": old, "email": email, "role": "reader" },
        { "id": "new", "email": "new@example.com", "role": "owner" },
    ] });
    let outcome = restore(&api.app.store, document(&seed)).await;
    let expected = [
        "added user new".to_owned(),
        format!("updated user {old}"),
        format!("ended admin key {key}"),
    ];
    assert_eq!(told(&outcome.changes), expected);
    api.get("/organization/users").await.refused(401, "invalid_api_key", (), "Incorrect API key");
}

#[tokio::test]
async fn a_key_without_its_secret_is_left_out_and_one_that_is_there_keeps_it() {
    let api = Api::new().await;
    World::of_first(&api).await;
    let document = document_of(&api, Hashes::LeftOut).await;
    let keys = |document: &Document| -> usize {
        let within: usize = document.projects.iter().map(|project| project.api_keys.len()).sum();
        within + document.admin_api_keys.len()
    };
    let outcome = restore(&api.app.store, document.clone()).await;
    assert_eq!(told(&outcome.changes), Vec::<String>::new(), "here they are");
    let elsewhere = fresh().await;
    let outcome = restore(&elsewhere.store, document.clone()).await;
    let left_out = outcome.changes.iter().filter(|one| one.action == Action::LeftOut).count();
    assert_eq!(left_out, keys(&document));
    assert!(left_out > 1);
    let text = exported(&elsewhere.store, &api.first.organization.id, Hashes::Included).await;
    assert_eq!(keys(&parse(&text).expect("it can be read")), 0);
}

/// Each event is one that was published, from whoever restored, and there is one for whatever the API has one for.
#[tokio::test]
async fn everything_that_is_restored_is_on_record() {
    let api = Api::new().await;
    let before = api.events().await.len();
    let outcome = restore(&api.app.store, parse(LITERAL).expect("it can be read")).await;
    let events = api.events().await.split_off(before);
    for (kind, _, payload) in &events {
        assert_published(kind, payload);
    }
    // Members of groups have no events, groups come into projects by their roles, models have one for all of them, and an active
    // certificate has one beside its own.
    let untold = ["organization", "group member", "project group", "model"];
    let expected = outcome.changes.iter().filter(|one| !untold.contains(&one.kind)).count();
    assert_eq!(events.len(), expected + 2, "{events:#?}");
    let actors = fixture::actors_of(&api.app, "user_id").await;
    assert!(!actors.is_empty());
    for (_, kind, id) in actors {
        assert_eq!((kind.as_str(), id.as_str()), ("command_line", "command_line:olga"));
    }
}

#[tokio::test]
async fn a_seed_needs_nothing_but_an_owner() {
    let store = fresh().await;
    let seed = json!({ "users": [{ "id": "u", "email": "u@example.com", "role": "owner" }] });
    let outcome = restore(&store.store, document(&seed)).await;
    assert_eq!(outcome.organization.slug, "default");
    let text = exported(&store.store, &outcome.organization.id, Hashes::LeftOut).await;
    super::coverage::assert_valid(&text);
    assert!(text.contains("\"Default project\""), "{text}");
}

/// The same document goes into an organization of another name, which keeps its own.
#[tokio::test]
async fn a_document_can_go_into_another_organization() {
    let api = Api::new().await;
    let other = restoration(parse(LITERAL).expect("it can be read")).into_organization("first");
    let outcome = restore_by(&api.app.store, other).await.expect("it can be restored");
    assert_eq!(outcome.organization, api.first.organization);
    assert!(outcome.changes.iter().all(|one| one.kind != "organization"));
    assert_eq!(api.get("/organization/projects/project_id").await.ok()["name"], "Project");
}
