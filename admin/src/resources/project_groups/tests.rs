use serde_json::{Value, json};

use crate::testing::Api;

/// A project and a group: the path of the project's groups, and both ids.
async fn project_and_group(api: &Api) -> (String, String, String) {
    let project = api.create_project("Engine").await;
    let group = api.post("/organization/groups", json!({ "name": "Engine room" })).await.id();
    (format!("/organization/projects/{project}/groups"), project, group)
}

fn group_ids(page: &Value) -> Vec<String> {
    let rows = page["data"].as_array().expect("a page has rows");
    rows.iter().map(|row| row["group_id"].as_str().expect("rows have ids").to_owned()).collect()
}

/// Ruling 5.10: the answer to a removal has no id.
#[tokio::test]
async fn a_group_is_added_listed_shown_and_removed() {
    let api = Api::new().await;
    let (groups, project, group) = project_and_group(&api).await;
    api.clock.advance(9);
    let there = json!({
        "object": "project.group", "project_id": project, "group_id": group, "group_name": "Engine room",
        "group_type": "group", "created_at": 1_750_000_009,
    });
    let body = json!({ "group_id": group, "role": "member" });
    assert_eq!(*api.post(&groups, body).await.ok(), there);
    let page = json!({ "object": "list", "data": [there], "has_more": false, "next": null });
    assert_eq!(*api.get(&groups).await.ok(), page);
    assert_eq!(*api.get(&format!("{groups}/{group}")).await.ok(), there);
    let removed = json!({ "object": "project.group.deleted", "deleted": true });
    assert_eq!(*api.delete(&format!("{groups}/{group}")).await.ok(), removed);
    let empty = json!({ "object": "list", "data": [], "has_more": false, "next": null });
    assert_eq!(*api.get(&groups).await.ok(), empty);
}

#[tokio::test]
async fn the_list_runs_by_group_and_continues_with_next() {
    let api = Api::new().await;
    let (groups, _, first) = project_and_group(&api).await;
    let mut ids = vec![first];
    for name in ["b", "c"] {
        api.clock.advance(1);
        ids.push(api.post("/organization/groups", json!({ "name": name })).await.id());
    }
    for id in &ids {
        api.post(&groups, json!({ "group_id": id, "role": "viewer" })).await.ok();
    }
    let page = api.get(&format!("{groups}?limit=2")).await;
    assert_eq!((group_ids(page.ok()), &page.ok()["next"]), (ids[..2].to_vec(), &json!(ids[1])));
    let rest = api.get(&format!("{groups}?limit=2&after={}", ids[1])).await;
    assert_eq!((group_ids(rest.ok()), &rest.ok()["next"]), (ids[2..].to_vec(), &Value::Null));
    ids.reverse();
    let down = api.get(&format!("{groups}?order=desc&after={}", ids[0])).await;
    assert_eq!(group_ids(down.ok()), ids[1..]);
    let none = json!({ "object": "list", "data": [], "has_more": true, "next": null });
    assert_eq!(*api.get(&format!("{groups}?limit=0")).await.ok(), none);
    api.get(&format!("{groups}?limit=101")).await.refused(
        400,
        "integer_above_max_value",
        "limit",
        "<= 100",
    );
}

#[tokio::test]
async fn a_role_is_named_in_any_spelling_of_this_project() {
    let api = Api::new().await;
    let (groups, project, group) = project_and_group(&api).await;
    let scoped = format!("role-api-project-member__api-project__{project}");
    for role in ["member", "role-api-project-member", &scoped] {
        api.post(&groups, json!({ "group_id": group, "role": role })).await.ok();
    }
    let elsewhere = "role-api-project-member__api-project__proj_other";
    for role in ["Member", "reader", "none", "role-api-organization-owner", elsewhere] {
        let body = json!({ "group_id": group, "role": role });
        let fragment = format!("Role with id '{role}' not found in project.");
        api.post(&groups, body).await.refused(404, "not_found", "role", &fragment);
    }
}

#[tokio::test]
async fn sending_the_same_again_changes_nothing_and_another_role_is_refused() {
    let api = Api::new().await;
    let (groups, project, group) = project_and_group(&api).await;
    let body = json!({ "group_id": group, "role": "member" });
    let first = api.post(&groups, body.clone()).await;
    let rows = api.snapshot().await;
    api.clock.advance(5);
    let again = api.post(&groups, body).await;
    assert_eq!((again.ok(), api.snapshot().await), (first.ok(), rows));
    let other = json!({ "group_id": group, "role": "owner" });
    let fragment = format!("Group {group} already exists in project {project}.");
    api.post(&groups, other).await.refused(400, "already_exists", (), &fragment);
}

/// Appendix A, 47† and 49†: a group comes and goes with the assignments of its roles.
#[tokio::test]
async fn coming_and_going_is_on_record_as_assignments() {
    let api = Api::new().await;
    let (groups, project, group) = project_and_group(&api).await;
    let before = api.events().await.len();
    api.post(&groups, json!({ "group_id": group, "role": "member" })).await.ok();
    api.delete(&format!("{groups}/{group}")).await.ok();
    let payload = json!({
        "id": format!("role_assignment_role-api-project-member__api-project__{project}_{group}"),
        "principal_id": group, "principal_type": "group",
        "resource_id": project, "resource_type": "api.project",
    });
    let event = |kind: &str| (kind.to_owned(), Some(project.clone()), payload.clone());
    let expected = [event("role.assignment.created"), event("role.assignment.deleted")];
    assert_eq!(api.events().await[before..], expected);
}

/// Ruling 5.21: there are no tenants here, so no group is one's.
#[tokio::test]
async fn a_group_of_a_tenant_is_nowhere() {
    let api = Api::new().await;
    let (groups, _, group) = project_and_group(&api).await;
    api.post(&groups, json!({ "group_id": group, "role": "member" })).await.ok();
    let path = format!("{groups}/{group}");
    api.get(&format!("{path}?group_type=group")).await.ok();
    let fragment = format!("Group with id '{group}' not found in project.");
    let tenant = api.get(&format!("{path}?group_type=tenant_group")).await;
    tenant.refused(404, "not_found", (), &fragment);
    let supported = "Supported values are: 'group' and 'tenant_group'.";
    let other = api.get(&format!("{path}?group_type=other")).await;
    other.refused(400, "invalid_value", "group_type", supported);
}

/// Ruling 5.13: what is in an archived project can be read and taken out, and nothing comes in.
#[tokio::test]
async fn an_archived_project_shows_its_groups_and_lets_them_go() {
    let api = Api::new().await;
    let (groups, project, group) = project_and_group(&api).await;
    api.post(&groups, json!({ "group_id": group, "role": "member" })).await.ok();
    api.post(&format!("/organization/projects/{project}/archive"), Value::Null).await.ok();
    assert_eq!(group_ids(api.get(&groups).await.ok()), [group.as_str()]);
    let path = format!("{groups}/{group}");
    assert_eq!(api.get(&path).await.ok()["group_id"], group);
    let fragment = format!("Project '{project}' is archived.");
    let body = json!({ "surprise": 1 });
    api.post(&groups, body).await.refused(400, "project_archived", (), &fragment);
    api.delete(&path).await.ok();
    api.delete(&path).await.refused(404, "not_found", (), "not found in project");
}

#[tokio::test]
async fn what_is_unknown_is_404() {
    let api = Api::new().await;
    let (groups, _, group) = project_and_group(&api).await;
    for id in [group.as_str(), "none"] {
        let (path, fragment) =
            (format!("{groups}/{id}"), format!("Group with id '{id}' not found in project."));
        api.get(&path).await.refused(404, "not_found", (), &fragment);
        api.delete(&path).await.refused(404, "not_found", (), &fragment);
    }
    let body = json!({ "group_id": "none", "role": "nonsense" });
    let fragment = "Group with id 'none' not found.";
    api.post(&groups, body).await.refused(404, "not_found", "group_id", fragment);
    let (nowhere, fragment) =
        ("/organization/projects/proj_none/groups", "Project with id 'proj_none' not found");
    api.get(&format!("{nowhere}?limit=-1")).await.refused(404, "project_not_found", (), fragment);
    api.post(nowhere, json!({ "x": 1 })).await.refused(404, "project_not_found", (), fragment);
    let one = format!("{nowhere}/{group}");
    let get = api.get(&format!("{one}?group_type=other")).await;
    get.refused(404, "project_not_found", (), fragment);
    api.delete(&one).await.refused(404, "project_not_found", (), fragment);
}

#[tokio::test]
async fn nobody_grants_a_role_beyond_what_they_hold() {
    let api = Api::new().await;
    let (groups, _, group) = project_and_group(&api).await;
    let body = json!({ "name": "w", "scopes": ["api.management.write"] });
    let key = api.post("/organization/admin_api_keys", body).await;
    let key = key.ok()["value"].as_str().expect("a new key shows its secret").to_owned();
    let add = |role: &str| {
        let body = json!({ "group_id": group, "role": role });
        api.request("POST", &groups).key(&key).json(&body)
    };
    let refused = add("owner").send().await;
    refused.refused(403, (), (), "Missing scopes: api.management.read.");
    add("nonsense").send().await.refused(404, "not_found", "role", "not found in project");
    add("member").send().await.ok();
}

#[tokio::test]
async fn a_custom_role_is_named_by_id_or_by_name() {
    let api = Api::new().await;
    let (groups, project, group) = project_and_group(&api).await;
    let body = json!({ "role_name": "Tester", "permissions": ["api.model.read"] });
    let role = api.post(&format!("/projects/{project}/roles"), body).await.id();
    for spelling in [role.as_str(), "Tester"] {
        api.post(&groups, json!({ "group_id": group, "role": spelling })).await.ok();
    }
    let assigned = api.get(&format!("/projects/{project}/groups/{group}/roles")).await;
    assert_eq!(assigned.ids(), [role]);
}

#[tokio::test]
async fn an_id_is_an_id_though_a_custom_role_is_called_so() {
    let api = Api::new().await;
    let (groups, project, group) = project_and_group(&api).await;
    let viewer = "role-api-project-viewer";
    let body = json!({ "role_name": viewer, "permissions": ["api.model.request"] });
    api.post(&format!("/projects/{project}/roles"), body).await.ok();
    api.post(&groups, json!({ "group_id": group, "role": viewer })).await.ok();
    let assigned = api.get(&format!("/projects/{project}/groups/{group}/roles")).await;
    assert_eq!(assigned.ids(), [format!("{viewer}__api-project__{project}")]);
}

/// Appendix A, 49†: each role that a group loses with its place is on record.
#[tokio::test]
async fn a_group_leaves_with_all_its_roles() {
    let api = Api::new().await;
    let (groups, project, group) = project_and_group(&api).await;
    api.post(&groups, json!({ "group_id": group, "role": "member" })).await.ok();
    let roles = format!("/projects/{project}/groups/{group}/roles");
    api.post(&roles, json!({ "role_id": "role-api-project-viewer" })).await.ok();
    let before = api.events().await.len();
    api.delete(&format!("{groups}/{group}")).await.ok();
    let events = api.events().await.split_off(before);
    let lost = |(kind, place, payload): &(String, Option<String>, Value)| {
        assert_eq!((kind.as_str(), place), ("role.assignment.deleted", &Some(project.clone())));
        payload["id"].as_str().expect("events name what they are about").to_owned()
    };
    let mut lost: Vec<_> = events.iter().map(lost).collect();
    lost.sort_unstable();
    let id = |role: &str| {
        format!("role_assignment_role-api-project-{role}__api-project__{project}_{group}")
    };
    assert_eq!(lost, [id("member"), id("viewer")]);
    assert_eq!(api.get(&roles).await.ids(), Vec::<String>::new());
}

#[tokio::test]
async fn a_group_is_in_a_project_as_long_as_it_has_a_role_there() {
    let api = Api::new().await;
    let (groups, project, group) = project_and_group(&api).await;
    let roles = format!("/projects/{project}/groups/{group}/roles");
    api.post(&roles, json!({ "role_id": "role-api-project-viewer" })).await.ok();
    let path = format!("{groups}/{group}");
    api.get(&path).await.ok();
    let viewer = format!("role-api-project-viewer__api-project__{project}");
    api.delete(&format!("{roles}/{viewer}")).await.ok();
    api.get(&path).await.refused(404, "not_found", (), "not found in project");
    api.delete(&path).await.refused(404, "not_found", (), "not found in project");
}
