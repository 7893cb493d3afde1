use serde_json::{Value, json};
use sql::args;

use crate::testing::Api;

async fn group(api: &Api) -> String {
    api.post("/organization/groups", json!({ "name": "Engine room" })).await.id()
}

/// A service account as it will be found, whatever makes it.
async fn service_account(api: &Api, project: &str, id: &str) {
    let organization = api.first.organization.id.clone();
    let (project, id) = (project.to_owned(), id.to_owned());
    let insert = move |tx: &mut sql::Tx<'_>| {
        tx.execute(
            "INSERT INTO service_accounts (organization_id, project_id, id, name, role, created_at)
             VALUES ($1, $2, $3, 'Robot', 'member', 7)",
            args![&organization, &project, &id],
        )
    };
    api.app.store.write::<_, sql::Error>(insert).await.expect("the row can be written");
}

#[tokio::test]
async fn a_person_is_added_listed_shown_and_removed() {
    let api = Api::new().await;
    let (group, user) = (group(&api).await, api.add_user("ada@example.com").await);
    let users = format!("/organization/groups/{group}/users");
    let assignment = json!({ "object": "group.user", "user_id": user, "group_id": group });
    assert_eq!(*api.post(&users, json!({ "user_id": user })).await.ok(), assignment);
    let row = json!({ "id": user, "name": "ada@example.com", "email": "ada@example.com" });
    let page = json!({ "object": "list", "data": [row], "has_more": false, "next": null });
    assert_eq!(*api.get(&users).await.ok(), page);
    let shown = json!({
        "id": user, "name": "ada@example.com", "email": "ada@example.com", "picture": null,
        "is_service_account": false, "user_type": "user",
    });
    assert_eq!(*api.get(&format!("{users}/{user}")).await.ok(), shown);
    api.delete(&format!("{users}/{user}")).await.ok();
    assert_eq!(api.get(&users).await.ids(), Vec::<String>::new());
}

/// Ruling 5.10: the answer to a removal has no id.
#[tokio::test]
async fn the_answer_to_a_removal_names_nobody() {
    let api = Api::new().await;
    let (group, user) = (group(&api).await, api.add_user("ada@example.com").await);
    let users = format!("/organization/groups/{group}/users");
    api.post(&users, json!({ "user_id": user })).await.ok();
    let removed = json!({ "object": "group.user.deleted", "deleted": true });
    assert_eq!(*api.delete(&format!("{users}/{user}")).await.ok(), removed);
}

/// Ruling 5.26: names are never null, also not those of service accounts, which have no address.
#[tokio::test]
async fn a_service_account_of_any_project_stands_where_a_person_may_stand() {
    let api = Api::new().await;
    let (group, project) = (group(&api).await, api.create_project("Engine").await);
    service_account(&api, &project, "svc_acct_1").await;
    let users = format!("/organization/groups/{group}/users");
    api.post(&users, json!({ "user_id": "svc_acct_1" })).await.ok();
    let row = json!({ "id": "svc_acct_1", "name": "Robot", "email": null });
    assert_eq!(api.get(&users).await.ok()["data"], json!([row]));
    let shown = json!({
        "id": "svc_acct_1", "name": "Robot", "email": null, "picture": null,
        "is_service_account": true, "user_type": "user",
    });
    assert_eq!(*api.get(&format!("{users}/svc_acct_1")).await.ok(), shown);
    api.delete(&format!("{users}/svc_acct_1")).await.ok();
}

#[tokio::test]
async fn the_list_runs_downwards_unless_it_is_told() {
    let api = Api::new().await;
    let group = group(&api).await;
    let users = format!("/organization/groups/{group}/users");
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let user = api.add_user(&format!("{name}@example.com")).await;
        api.post(&users, json!({ "user_id": user })).await.ok();
        ids.push(user);
    }
    ids.sort_unstable();
    assert_eq!(api.get(&format!("{users}?order=asc")).await.ids(), ids);
    let upper = api.get(&format!("{users}?order=asc&limit=2&after={}", ids[0])).await;
    assert_eq!((upper.ids(), &upper.ok()["next"]), (ids[1..].to_vec(), &Value::Null));
    ids.reverse();
    assert_eq!(api.get(&users).await.ids(), ids);
    let first = api.get(&format!("{users}?limit=2")).await;
    assert_eq!((first.ids(), &first.ok()["next"]), (ids[..2].to_vec(), &json!(ids[1])));
    assert_eq!(api.get(&format!("{users}?after={}", ids[1])).await.ids(), ids[2..]);
    let none = json!({ "object": "list", "data": [], "has_more": true, "next": null });
    assert_eq!(*api.get(&format!("{users}?limit=0")).await.ok(), none);
}

/// Appendix A, 26† and 28†: the record has no type of event for who is in a group. Adding twice is the same as adding once.
#[tokio::test]
async fn adding_again_changes_nothing_and_neither_is_on_record() {
    let api = Api::new().await;
    let (group, user) = (group(&api).await, api.add_user("ada@example.com").await);
    let users = format!("/organization/groups/{group}/users");
    let before = api.events().await.len();
    let first = api.post(&users, json!({ "user_id": user })).await;
    let rows = api.snapshot().await;
    api.clock.advance(5);
    let again = api.post(&users, json!({ "user_id": user })).await;
    assert_eq!((again.ok(), api.snapshot().await), (first.ok(), rows));
    api.delete(&format!("{users}/{user}")).await.ok();
    assert_eq!(api.events().await.len(), before);
}

#[tokio::test]
async fn who_is_not_of_the_organization_cannot_be_added() {
    let api = Api::new().await;
    let group = group(&api).await;
    let users = format!("/organization/groups/{group}/users");
    let second = api.found("second").await;
    for id in ["user-none", second.owner_id.as_str()] {
        let body = json!({ "user_id": id });
        api.post(&users, body).await.refused(404, "user_not_found", "user_id", "not found");
    }
    for (body, code) in
        [(json!({}), "missing_required_parameter"), (json!({ "user_id": "" }), "empty_string")]
    {
        api.post(&users, body).await.refused(400, code, "user_id", "'user_id'");
    }
}

#[tokio::test]
async fn who_is_not_in_the_group_is_404_for_every_verb() {
    let api = Api::new().await;
    let (group, user) = (group(&api).await, api.add_user("ada@example.com").await);
    for id in [user.as_str(), "user-none"] {
        let path = format!("/organization/groups/{group}/users/{id}");
        let fragment = format!(
            "User with id '{id}' is not a member of group '{group}': group user not found."
        );
        api.get(&path).await.refused(404, "not_found", (), &fragment);
        api.delete(&path).await.refused(404, "not_found", (), &fragment);
    }
}

#[tokio::test]
async fn an_unknown_group_is_404_before_its_arguments_are_read() {
    let api = Api::new().await;
    let (users, fragment) = ("/organization/groups/none/users", "Group with id 'none' not found.");
    api.get(&format!("{users}?limit=-1")).await.refused(404, "not_found", (), fragment);
    api.post(users, json!({ "surprise": 1 })).await.refused(404, "not_found", (), fragment);
    api.get(&format!("{users}/user-1")).await.refused(404, "not_found", (), fragment);
    api.delete(&format!("{users}/user-1")).await.refused(404, "not_found", (), fragment);
}

#[tokio::test]
async fn nobody_adds_to_a_group_that_holds_more_than_they_do() {
    let api = Api::new().await;
    let (group, user) = (group(&api).await, api.add_user("ada@example.com").await);
    let users = format!("/organization/groups/{group}/users");
    let body = json!({ "name": "w", "scopes": ["api.management.write"] });
    let key = api.post("/organization/admin_api_keys", body).await;
    let key = key.ok()["value"].as_str().expect("a new key shows its secret").to_owned();
    let add = || api.request("POST", &users).key(&key).json(&json!({ "user_id": user }));
    add().send().await.ok();

    let project = api.create_project("Engine").await;
    let role = json!({ "group_id": group, "role": "viewer" });
    api.post(&format!("/organization/projects/{project}/groups"), role).await.ok();
    add().send().await.ok();
    let role = json!({ "group_id": group, "role": "owner" });
    let other = api.create_project("Other").await;
    api.post(&format!("/organization/projects/{other}/groups"), role).await.ok();
    add().send().await.refused(403, (), (), "Missing scopes: api.management.read.");
    // That somebody does not exist is told first.
    let nobody = json!({ "user_id": "user-none" });
    let request = api.request("POST", &users).key(&key).json(&nobody);
    request.send().await.refused(404, "user_not_found", "user_id", "not found");
}

#[tokio::test]
async fn who_leaves_the_organization_leaves_its_groups() {
    let api = Api::new().await;
    let (group, user) = (group(&api).await, api.add_user("ada@example.com").await);
    let users = format!("/organization/groups/{group}/users");
    api.post(&users, json!({ "user_id": user })).await.ok();
    api.delete(&format!("/organization/users/{user}")).await.ok();
    assert_eq!(api.get(&users).await.ids(), Vec::<String>::new());
    api.get(&format!("{users}/{user}")).await.refused(404, "not_found", (), "not a member");
}
