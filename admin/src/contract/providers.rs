//! What the Terraform providers depend on beyond the published document (section 4 of the contract): the flows in which they
//! create, read, import and destroy, with the very words that they look for.

use serde_json::{Value, json};

use crate::testing::document::{Operation, OperationName, operations};
use crate::testing::world::{World, parameters};
use crate::testing::{Api, Reply};

/// Everything of this method whose path ends in an id.
fn of_one(method: &str) -> impl Iterator<Item = (&'static OperationName, &'static Operation)> {
    let method = method.to_owned();
    operations().filter(move |(name, operation)| {
        name.0 == method && name.1.ends_with('}') && !operation.is_list()
    })
}

/// Section 4.1: a 404 is the only refusal that counts as "gone"; anything else leaves `destroy` stuck.
#[tokio::test]
async fn what_is_deleted_is_gone_for_whoever_deletes_or_reads_it_again() {
    for (name, operation) in of_one("DELETE") {
        let api = Api::new().await;
        let world = World::of_first(&api).await;
        let gone = |reply: &Reply| _ = reply.refused(404, "not_found", (), "not found");
        world.request(&api, name, operation).send().await.ok();
        gone(&world.request(&api, name, operation).send().await);
        gone(&api.get(&world.path(&name.1)).await);
    }
}

/// Section 4.1: what is created is read back by its id at once, and found in the list from which some resources are read.
#[tokio::test]
async fn what_a_list_shows_is_what_its_rows_show_alone() {
    let api = Api::new().await;
    let mut world = World::of_first(&api).await;
    world.grow(&api, 3).await;
    for (name, _) in of_one("GET") {
        let Some((list, _)) = name.1.rsplit_once('/') else { continue };
        let is_list = operations().any(|((method, template), operation)| {
            method == "GET" && template == list && operation.is_list()
        });
        if !is_list {
            continue;
        }
        let page = api.get(&format!("{}?limit=100", world.path(list))).await;
        let known = world.path(&name.1);
        let known = known.rsplit('/').next().expect("a path has a last segment");
        assert!(page.ids().iter().any(|id| id == known), "{list} lacks {known}");
        for row in page.body["data"].as_array().expect("a list has rows") {
            let id = row["id"].as_str().or(row["group_id"].as_str()).expect("rows have ids");
            let alone = api.get(&format!("{}/{id}", world.path(list))).await;
            if is_inherited(row) {
                alone.refused(404, "not_found", (), "not found");
            } else {
                let shown = alone.ok();
                let shown = shown["id"].as_str().or(shown["group_id"].as_str());
                assert_eq!(shown, Some(id), "{}", name.1);
            }
        }
    }
}

/// Ruling 5.8: what somebody has through a group only is in their list, and nowhere alone.
fn is_inherited(row: &Value) -> bool {
    let sources = row["assignment_sources"].as_array();
    sources.is_some_and(|sources| sources.iter().all(|source| source["principal_type"] == "group"))
}

/// Ruling 5.15.
#[tokio::test]
async fn whatever_is_created_is_answered_with_200() {
    for (name, operation) in operations().filter(|(name, _)| name.0 == "POST") {
        assert!(operation.responses.contains_key(&200), "{name:?}");
        assert!(!operation.responses.contains_key(&201), "{name:?}");
    }
}

/// Section 4.1: `error` is an object with a string or null as its code, also where the path leads nowhere.
#[tokio::test]
async fn what_never_was_is_404_with_an_object() {
    let api = Api::new().await;
    for (name, operation) in operations().filter(|(name, _)| !parameters(&name.1).is_empty()) {
        let path = name.1.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
        let request = api.request(&name.0, &path.collect::<Vec<_>>().join("/"));
        let request = if operation.body.is_some() { request.json(&json!({})) } else { request };
        let reply = request.send().await;
        assert_eq!(reply.status.as_u16(), 404, "{name:?}");
        assert!(reply.body["error"].is_object(), "{name:?}");
        let message = reply.body["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("not found"), "{name:?}: {message}");
    }
}

/// Section 4.1: exactly one built-in role of each name in a list, because modules pick theirs with `one(...)`.
#[tokio::test]
async fn each_built_in_role_is_in_its_list_once() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for (template, expected) in [
        ("/organization/roles", vec!["owner", "reader"]),
        ("/projects/{project_id}/roles", vec!["member", "owner", "viewer"]),
    ] {
        let reply = api.get(&world.path(template)).await;
        let rows = reply.ok()["data"].as_array().expect("a list has rows");
        let built_in = rows.iter().filter(|row| row["predefined_role"] == true);
        let mut names: Vec<_> = built_in.filter_map(|row| row["name"].as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{template}");
    }
}

/// Sections 4.1 and 3.12: state keeps the id that was configured, so an alias must work in all four verbs.
#[tokio::test]
async fn a_built_in_role_is_assigned_read_and_taken_away_by_its_alias() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for (template, alias) in [
        ("/organization/users/{user_id}/roles", "role-api-organization-reader"),
        ("/organization/groups/{group_id}/roles", "role-api-organization-reader"),
        ("/projects/{project_id}/users/{user_id}/roles", "role-api-project-viewer"),
        ("/projects/{project_id}/groups/{group_id}/roles", "role-api-project-viewer"),
    ] {
        let path = world.path(template);
        for _ in 0..2 {
            let assigned = api.post(&path, json!({ "role_id": alias })).await;
            let role = &assigned.ok()["role"];
            for member in ["name", "description", "permissions", "resource_type"] {
                assert!(!role[member].is_null(), "{template}: {member}");
            }
            assert_eq!(role["predefined_role"], true, "{template}");
        }
        let one = format!("{path}/{alias}");
        assert_eq!(api.get(&one).await.ok()["predefined_role"], true, "{template}");
        api.delete(&one).await.ok();
        api.delete(&one).await.refused(404, "not_found", (), "not found");
        api.get(&one).await.refused(404, "not_found", (), "not found");
    }
}

/// Section 4.3: a provider adds a member, posts one role after the other, waits until all are there, and on destroy takes them
/// away one by one before it removes the member.
#[tokio::test]
async fn members_and_their_roles_come_and_go_one_by_one() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let (user, project) = (api.add_user("late@example.com").await, world.path("/{project_id}"));
    let members = format!("/organization/projects{project}/users");
    let added = json!({ "user_id": user, "role": "member" });
    api.post(&members, added.clone()).await.ok();
    let again = api.post(&members, added).await;
    again.refused(400, "already_exists", (), "already exists in project");
    let custom = world.id("/projects/", "role_id").to_owned();
    let roles = format!("/projects{project}/users/{user}/roles");
    for role in ["role-api-project-member", &custom, "role-api-project-owner", &custom] {
        api.post(&roles, json!({ "role_id": role })).await.ok();
    }
    let held = api.get(&roles).await.ids();
    assert_eq!(held.len(), 3, "{held:?}");
    for role in held {
        api.delete(&format!("{roles}/{role}")).await.ok();
    }
    assert!(api.get(&roles).await.ids().is_empty());
    let member = format!("{members}/{user}");
    assert_eq!(api.get(&member).await.ok()["role"], "member", "ruling 5.7");
    api.delete(&member).await.ok();
    api.delete(&member).await.refused(404, "not_found", (), "not found");
    api.get(&roles).await.refused(404, "not_found", (), "not found");
}

/// Section 4.1: a project is archived with `null` as its body, stays in the list that names it, and what is left in it goes
/// away without a refusal.
#[tokio::test]
async fn an_archived_project_lets_destroy_converge() {
    for (name, operation) in operations().filter(|(name, _)| {
        name.0 == "DELETE" && parameters(&name.1).first() == Some(&"project_id")
    }) {
        let api = Api::new().await;
        let world = World::of_first(&api).await;
        let project = world.path("/organization/projects/{project_id}");
        let archived = api.post(&format!("{project}/archive"), Value::Null).await;
        assert_eq!(archived.ok()["status"], "archived");
        let listed = api.get("/organization/projects?include_archived=true&limit=100").await;
        assert!(listed.ids().contains(&archived.id()));
        let reply = world.request(&api, name, operation).send().await;
        assert!(
            reply.status.as_u16() == 200 || reply.body["error"]["code"] == "not_found",
            "{name:?}: {}",
            reply.body
        );
        let again = world.request(&api, name, operation).send().await;
        again.refused(404, "not_found", (), "not found");
    }
}

/// Rulings 5.13 and 5.14.
#[tokio::test]
async fn an_archived_project_takes_nothing_in_and_shows_what_the_rulings_say() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    api.post(&world.path("/organization/projects/{project_id}/archive"), Value::Null).await.ok();
    let is_meant = |name: &OperationName| {
        name.0 != "DELETE" && parameters(&name.1).first() == Some(&"project_id")
    };
    for (name, operation) in operations().filter(|(name, _)| is_meant(name)) {
        let (method, template) = (name.0.as_str(), name.1.as_str());
        let reply = world.request(&api, name, operation).send().await;
        match (method, template.rsplit('/').next().unwrap_or_default()) {
            ("POST", "archive") => _ = reply.ok(),
            ("POST", _) => _ = reply.refused(400, "project_archived", (), "archived"),
            (_, "users" | "service_accounts") if operation.is_list() => {
                reply.refused(400, "project_archived", (), "archived");
            }
            (_, "api_keys") => assert!(reply.ids().is_empty(), "{name:?}"),
            (_, "{service_account_id}" | "{api_key_id}") => {
                reply.refused(404, "not_found", (), "not found");
            }
            (_, "{user_id}") => _ = reply.refused(404, "not_found", (), "not found"),
            _ => _ = reply.ok(),
        }
    }
}

/// Sections 4.1 and 4.2: what is optional comes back as it was sent, also empty; null clears it; ordered lists keep their order.
#[tokio::test]
async fn roles_come_back_as_they_were_sent() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for template in ["/organization/roles", "/projects/{project_id}/roles"] {
        let path = world.path(template);
        let permissions = json!(["api.webhooks.read", "api.groups.read", "api.model.read"]);
        let body = json!({ "role_name": "plain", "permissions": permissions, "description": "" });
        let made = api.post(&path, body).await;
        let one = format!("{path}/{}", made.id());
        assert_eq!(made.ok()["description"], "");
        assert_eq!(api.get(&one).await.ok()["permissions"], permissions);
        let unchanged = json!({ "role_name": null, "permissions": null, "description": "" });
        assert_eq!(api.post(&one, unchanged).await.ok()["permissions"], permissions);
        let cleared = api.post(&one, json!({ "description": null })).await;
        assert_eq!(
            (&cleared.ok()["description"], &cleared.body["name"]),
            (&Value::Null, &json!("plain"))
        );
        let emptied = api.post(&one, json!({ "permissions": [] })).await;
        assert_eq!(emptied.ok()["permissions"], json!([]));
    }
}

/// Sections 4.1 and 4.2: one provider wants an account without a key, the other its key with id and value.
#[tokio::test]
async fn service_accounts_come_with_a_key_or_without() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let path = world.path("/organization/projects/{project_id}/service_accounts");
    let bare = json!({ "name": "bare", "create_service_account_only": true });
    let bare = api.post(&path, bare).await;
    assert_eq!((&bare.ok()["api_key"], &bare.body["role"]), (&Value::Null, &json!("none")));
    let full = api.post(&path, json!({ "name": "full" })).await;
    let key = &full.ok()["api_key"];
    assert!(key["id"].is_string() && key["value"].is_string(), "{key}");
    let renamed = api.post(&format!("{path}/{}", full.id()), json!({ "name": "new" })).await;
    assert_eq!(renamed.ok()["name"], "new");
    let listed = api.get(&format!("{path}?limit=100")).await.ids();
    assert!(listed.contains(&bare.id()) && listed.contains(&full.id()));
}

/// Section 4.1: groups of a project are matched by `group_id` in their list, which leads on by `next` alone.
#[tokio::test]
async fn groups_of_a_project_are_found_in_their_list() {
    let api = Api::new().await;
    let mut world = World::of_first(&api).await;
    world.grow(&api, 3).await;
    let path = world.path("/organization/projects/{project_id}/groups");
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}?limit=1{after}")).await;
        seen.extend(page.ids());
        assert!(page.ok()["data"][0].get("id").is_none());
        let Some(next) = page.body["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    let mut expected: Vec<_> = (0..3).map(|row| world.row("groups", row).to_owned()).collect();
    expected.sort_unstable();
    assert_eq!(seen, expected);
}

/// Section 4.3 and ruling 5.16: the words for which a provider searches the message of a refusal.
#[tokio::test]
async fn an_accepted_invite_says_so() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let invite = world.row("invites", 0).to_owned();
    let accept = format!("UPDATE invites SET accepted_at = 1 WHERE id = '{invite}'");
    let accept = move |tx: &mut sql::Tx<'_>| tx.execute(&accept, sql::args![]);
    api.app.store.write::<_, sql::Error>(accept).await.expect("an invite can be accepted");
    let refused = api.delete(&world.path("/organization/invites/{invite_id}")).await;
    refused.refused(400, (), (), "already accepted");
}
