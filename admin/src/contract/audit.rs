//! What the record promises: one voice for every change, none for refusals and for changes that change nothing.

use serde_json::{Value, json};

use crate::testing::Api;
use crate::testing::document::{REFERENCE, closed, operations};
use crate::testing::world::World;

/// Every kind of change once, with the events it must write.
async fn changes(api: &Api) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut seen = api.events().await.len();
    let mut told = Vec::new();
    let user = api.add_user("ada@example.com").await;
    let project = api.create_project("Engine").await;
    let users = format!("/organization/projects/{project}/users");
    let one = format!("{users}/{user}");
    let key = api.post("/organization/admin_api_keys", json!({ "name": "k" })).await.id();
    seen += 3;
    assert_eq!(api.events().await.len(), seen);
    let steps: Vec<(&str, String, Option<Value>, Vec<&str>)> = vec![
        ("DELETE", format!("/organization/admin_api_keys/{key}"), None, vec!["api_key.deleted"]),
        (
            "POST",
            users.clone(),
            Some(json!({ "user_id": user, "role": "member" })),
            vec!["user.added"],
        ),
        ("POST", one.clone(), Some(json!({ "role": "member" })), vec![]),
        ("POST", one.clone(), Some(json!({})), vec![]),
        (
            "POST",
            one.clone(),
            Some(json!({ "role": "owner" })),
            vec!["user.updated", "role.assignment.deleted", "role.assignment.created"],
        ),
        ("DELETE", one, None, vec!["user.deleted"]),
        (
            "POST",
            format!("/organization/projects/{project}"),
            Some(json!({ "name": "Engine" })),
            vec![],
        ),
        (
            "POST",
            format!("/organization/projects/{project}"),
            Some(json!({ "name": "New" })),
            vec!["project.updated"],
        ),
        (
            "POST",
            format!("/organization/projects/{project}/archive"),
            None,
            vec!["project.archived"],
        ),
        ("POST", format!("/organization/projects/{project}/archive"), None, vec![]),
        (
            "POST",
            format!("/organization/users/{user}"),
            Some(json!({ "role": "owner" })),
            vec!["user.updated", "role.assignment.deleted", "role.assignment.created"],
        ),
        ("POST", format!("/organization/users/{user}"), Some(json!({ "role": "owner" })), vec![]),
        (
            "POST",
            format!("/organization/users/{user}"),
            Some(json!({ "technical_level": "high" })),
            vec!["user.updated"],
        ),
        ("DELETE", format!("/organization/users/{user}"), None, vec!["user.deleted"]),
    ];
    for (method, path, body, expected) in steps {
        let request = api.request(method, &path);
        let request = if let Some(body) = &body { request.json(body) } else { request };
        request.send().await.ok();
        let events = api.events().await;
        let kinds: Vec<_> = events[seen..].iter().map(|(kind, _, _)| kind.clone()).collect();
        assert_eq!(kinds, expected, "{method} {path} {body:?}");
        seen = events.len();
        told.push((method, expected));
    }
    told
}

#[tokio::test]
async fn each_change_writes_its_events_and_what_changes_nothing_writes_none() {
    let api = Api::new().await;
    assert_eq!(changes(&api).await.len(), 14);
}

#[tokio::test]
async fn events_have_the_published_payloads() {
    let api = Api::new().await;
    changes(&api).await;
    assert_all_published(&api).await;
}

#[tokio::test]
async fn whatever_any_operation_writes_has_a_published_payload() {
    for (name, operation) in operations().filter(|(name, _)| name.0 != "GET") {
        let api = Api::new().await.unwatched();
        let world = World::of_first(&api).await;
        let before = api.events().await.len();
        let reply = world.request(&api, name, operation).send().await;
        let written = api.events().await.len() - before;
        assert!(reply.status.as_u16() == 200 || written == 0, "{name:?}: {}", reply.body);
        assert_all_published(&api).await;
    }
}

/// Holds every event on record against the published document.
async fn assert_all_published(api: &Api) {
    for (kind, _, payload) in api.events().await {
        assert_published(&kind, &payload);
    }
}

/// Holds an event against the published document.
pub fn assert_published(kind: &str, payload: &Value) {
    let Some(reference) = REFERENCE.as_ref() else { return };
    let list = &reference.operations[&("GET".to_owned(), "/organization/audit_logs".to_owned())];
    let row = &list.responses[&200]["properties"]["data"]["items"];
    let known = row["properties"]["type"]["enum"].as_array().expect("the types are listed");
    assert!(known.contains(&json!(kind)), "{kind} is a published type");
    let schema = closed(&row["properties"][kind]);
    assert!(schema.is_object(), "{kind} has a published payload");
    jsonschema::validate(&schema, payload)
        .unwrap_or_else(|error| panic!("{kind}: {error}: {payload}"));
    let names_one = |thing: &Value| thing["id"].is_string();
    let several = payload["certificates"].as_array();
    let names_all = several.is_some_and(|things| things.iter().all(names_one));
    assert!(names_one(payload) || names_all, "{kind}");
}

#[tokio::test]
async fn events_say_who_did_it_and_where_in_the_project() {
    let api = Api::new().await;
    let (user, project) =
        (api.add_user("ada@example.com").await, api.create_project("Engine").await);
    let request = api.request("POST", &format!("/organization/projects/{project}/users"));
    let request =
        request.header("user-agent", "test/1").json(&json!({ "user_id": user, "role": "member" }));
    request.send().await.ok();
    let sql = "SELECT a.kind, a.actor_id, a.user_id, a.email, e.user_agent, e.project_id FROM audit_events e
               JOIN audit_actors a ON a.organization_id = e.organization_id AND a.actor = e.actor
               WHERE e.kind = 'user.added' AND e.resource_id = $1 AND e.project_id IS NOT NULL";
    let read = move |tx: &mut sql::Tx<'_>| {
        tx.one(sql, sql::args![&user], |row| {
            (0..6).map(|column| row.get(column)).collect::<sql::Result<Vec<Option<String>>>>()
        })
    };
    let texts = api.app.store.read::<_, sql::Error>(read).await.expect("events can be read");
    let first = &api.first;
    let expected =
        ["api_key", &first.key_id, &first.owner_id, "owner@first.example", "test/1", &project];
    assert_eq!(texts, Some(expected.map(|text| Some(text.to_owned())).to_vec()));
}

#[tokio::test]
async fn a_founding_is_on_record_too() {
    let api = Api::new().await;
    let kinds: Vec<_> = api.events().await.into_iter().map(|(kind, _, _)| kind).collect();
    assert_eq!(kinds, ["project.created", "user.added", "user.added", "api_key.created"]);
}

/// Appendix A, 72†: who is added to a project is told by an event of the project.
#[tokio::test]
async fn payloads_say_what_was_changed() {
    let api = Api::new().await;
    let user = api.add_user("ada@example.com").await;
    let project = api.create_project("Engine").await;
    let users = format!("/organization/projects/{project}/users");
    api.post(&users, json!({ "user_id": user, "role": "member" })).await.ok();
    api.post(&format!("{users}/{user}"), json!({ "role": "owner" })).await.ok();
    api.post(&format!("/organization/projects/{project}"), json!({ "name": "New" })).await.ok();
    api.post(&format!("/organization/users/{user}"), json!({ "role": "owner" })).await.ok();
    let key = json!({ "name": "k", "scopes": ["api.management.read"] });
    let key = api.post("/organization/admin_api_keys", key).await.id();
    let organization = &api.first.organization.id;
    let assignment = |role: &str, scope: &str, place: &str| {
        let id = format!("role_assignment_role-api-{scope}-{role}__api-{scope}__{place}_{user}");
        json!({
            "id": id, "principal_id": user, "principal_type": "user",
            "resource_id": place, "resource_type": format!("api.{scope}"),
        })
    };
    let in_project = Some(project.clone());
    let told: Vec<_> = api.events().await.into_iter().skip(4).collect();
    let expected = [
        ("user.added", None, json!({ "id": user, "data": { "role": "reader" } })),
        (
            "project.created",
            in_project.clone(),
            json!({ "id": project, "data": { "name": "Engine", "title": "Engine" } }),
        ),
        ("user.added", in_project.clone(), json!({ "id": user, "data": { "role": "member" } })),
        (
            "user.updated",
            in_project.clone(),
            json!({ "id": user, "changes_requested": { "role": "owner" } }),
        ),
        ("role.assignment.deleted", in_project.clone(), assignment("member", "project", &project)),
        ("role.assignment.created", in_project.clone(), assignment("owner", "project", &project)),
        (
            "project.updated",
            in_project,
            json!({ "id": project, "changes_requested": { "title": "New" } }),
        ),
        ("user.updated", None, json!({ "id": user, "changes_requested": { "role": "owner" } })),
        ("role.assignment.deleted", None, assignment("reader", "organization", organization)),
        ("role.assignment.created", None, assignment("owner", "organization", organization)),
        (
            "api_key.created",
            None,
            json!({ "id": key, "data": { "scopes": ["api.management.read"] } }),
        ),
    ];
    assert_eq!(told, expected.map(|(kind, project, payload)| (kind.to_owned(), project, payload)));
}

/// Section 1.3: whoever may read may read the record, of their own organization only. No filter finds what is another's.
#[tokio::test]
async fn no_filter_finds_the_record_of_another_organization() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let second = api.found("second").await;
    let list = "/organization/audit_logs";
    for (name, value) in [
        ("project_ids", world.row("projects", 0)),
        ("resource_ids", world.row("users", 0)),
        ("actor_ids", &api.first.owner_id),
        ("actor_ids", &api.first.key_id),
        ("actor_emails", "owner@first.example"),
    ] {
        let path = format!("{list}?{name}[]={value}");
        assert!(!api.get(&path).await.ids().is_empty(), "{path}");
        let theirs = api.request("GET", &path).key(&second.key).send().await;
        assert_eq!((theirs.ids(), &theirs.ok()["has_more"]), (Vec::new(), &json!(false)), "{path}");
    }
}
