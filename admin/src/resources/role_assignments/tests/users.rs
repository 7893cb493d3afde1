use serde_json::{Value, json};

use super::fixture::{add_account, add_group, add_role, join, told_since};
use crate::testing::Api;

const VIEWER: &str = "role-api-project-viewer";

/// A project with one member: project and person.
async fn project_with_member(api: &Api) -> (String, String) {
    let (user, project) =
        (api.add_user("ada@example.com").await, api.create_project("Engine").await);
    api.add_member(&project, &user).await;
    (project, user)
}

#[tokio::test]
async fn a_role_of_the_organization_is_given_shown_and_taken() {
    let api = Api::new().await;
    let user = api.add_user("ada@example.com").await;
    let role = add_role(&api, "", "Auditor", &["api.organization.users.read"]).await;
    let roles = format!("/organization/users/{user}/roles");
    let seen = api.events().await.len();

    let given = api.post(&roles, json!({ "role_id": role })).await;
    let shown = json!({
        "object": "role", "id": role, "name": "Auditor", "description": null,
        "permissions": ["api.organization.users.read"], "resource_type": "api.organization", "predefined_role": false,
    });
    assert_eq!((&given.ok()["object"], &given.ok()["role"]), (&json!("user.role"), &shown));
    assert_eq!(given.ok()["user"], *api.get(&format!("/organization/users/{user}")).await.ok());
    let details = json!({
        "id": role, "name": "Auditor", "description": null, "permissions": ["api.organization.users.read"],
        "resource_type": "api.organization", "predefined_role": false, "created_at": 1_750_000_000,
        "updated_at": 1_750_000_000, "created_by": api.first.owner_id, "created_by_user_obj": null, "metadata": null,
        "assignment_sources": null,
    });
    assert_eq!(*api.get(&format!("{roles}/{role}")).await.ok(), details);
    let organization = &api.first.organization.id;
    let reader = format!("role-api-organization-reader__api-organization__{organization}");
    let page = api.get(&roles).await;
    assert_eq!(page.ids(), [reader.clone(), role.clone()]);
    assert_eq!(page.ok()["data"][1], details);
    assert_eq!((&page.ok()["has_more"], &page.ok()["next"]), (&json!(false), &Value::Null));
    assert_eq!(api.get(&format!("{roles}?order=desc&limit=1")).await.ok()["next"], json!(role));
    assert_eq!(page.ok()["data"][0]["created_at"], Value::Null);
    assert_eq!(page.ok()["data"][0]["predefined_role"], json!(true));

    // Ruling 5.10: no id in the answer.
    let taken = json!({ "object": "user.role.deleted", "deleted": true });
    assert_eq!(*api.delete(&format!("{roles}/{role}")).await.ok(), taken);
    let fragment =
        format!("Role '{role}' is not assigned to user '{user}': role assignment not found.");
    api.delete(&format!("{roles}/{role}")).await.refused(404, "not_found", (), &fragment);
    api.get(&format!("{roles}/{role}")).await.refused(404, "not_found", (), &fragment);
    assert_eq!(api.get(&roles).await.ids(), [reader]);

    let events = api.events().await;
    let payload = json!({
        "id": format!("role_assignment_{role}__api-organization__{organization}_{user}"),
        "principal_id": user, "principal_type": "user", "resource_id": organization, "resource_type": "api.organization",
    });
    let expected = ["role.assignment.created", "role.assignment.deleted"]
        .map(|kind| (kind.to_owned(), None, payload.clone()));
    assert_eq!(events[seen..], expected);
}

#[tokio::test]
async fn a_role_of_a_project_is_given_shown_and_taken() {
    let api = Api::new().await;
    let (project, user) = project_with_member(&api).await;
    let role = add_role(&api, &project, "Typist", &["api.model.read"]).await;
    let roles = format!("/projects/{project}/users/{user}/roles");
    let seen = api.events().await.len();
    let given = api.post(&roles, json!({ "role_id": role })).await;
    assert_eq!(given.ok()["user"]["id"], json!(user));
    assert_eq!(given.ok()["role"]["resource_type"], json!("api.project"));
    let member = format!("role-api-project-member__api-project__{project}");
    assert_eq!(api.get(&roles).await.ids(), [member, role.clone()]);
    assert!(api.get(&format!("/organization/users/{user}/roles")).await.ids().len() == 1);
    api.delete(&format!("{roles}/{role}")).await.ok();
    let events = api.events().await;
    assert!(events[seen..].iter().all(|(_, place, payload)| *place == Some(project.clone())
        && payload["resource_id"] == json!(project)
        && payload["resource_type"] == json!("api.project")));
    assert_eq!(events.len(), seen + 2);
}

/// Clients keep whichever spelling they were configured with, and give a role that is there again.
#[tokio::test]
async fn every_spelling_works_in_all_four_verbs_and_giving_twice_is_no_change() {
    let api = Api::new().await;
    let (project, user) = project_with_member(&api).await;
    let roles = format!("/projects/{project}/users/{user}/roles");
    let scoped = format!("{VIEWER}__api-project__{project}");
    for (given, other) in [(VIEWER, scoped.as_str()), (&scoped, VIEWER)] {
        let reply = api.post(&roles, json!({ "role_id": given })).await;
        assert_eq!(reply.ok()["role"]["id"], json!(scoped));
        let seen = api.events().await.len();
        for again in [given, other] {
            assert_eq!(api.post(&roles, json!({ "role_id": again })).await.ok(), reply.ok());
            assert_eq!(api.get(&format!("{roles}/{again}")).await.ok()["id"], json!(scoped));
        }
        assert_eq!(api.events().await.len(), seen);
        assert!(api.get(&roles).await.ids().contains(&scoped));
        api.delete(&format!("{roles}/{other}")).await.ok();
        api.delete(&format!("{roles}/{given}")).await.refused(404, "not_found", (), given);
    }
}

/// Ruling 5.8: a list shows what comes through groups and says so; one role by its id is the principal's own or none.
#[tokio::test]
async fn lists_show_inherited_roles_with_their_sources() {
    let api = Api::new().await;
    let (project, user) = project_with_member(&api).await;
    let custom = add_role(&api, &project, "Typist", &["api.model.read"]).await;
    let everywhere = add_role(&api, "", "Auditor", &[]).await;
    for group in ["0a", "0b"] {
        add_group(&api, group).await;
        join(&api, group, &user).await;
    }
    for (group, role) in [("0b", VIEWER), ("0a", VIEWER), ("0a", custom.as_str())] {
        let path = format!("/projects/{project}/groups/{group}/roles");
        api.post(&path, json!({ "role_id": role })).await.ok();
    }
    let path = "/organization/groups/0a/roles";
    api.post(path, json!({ "role_id": everywhere })).await.ok();
    let roles = format!("/projects/{project}/users/{user}/roles");
    api.post(&roles, json!({ "role_id": custom })).await.ok();

    let source = |id: &str, kind: &str| json!({ "principal_id": id, "principal_type": kind });
    let page = api.get(&roles).await;
    let sources: Vec<_> = page.ok()["data"].as_array().expect("a page").iter().collect();
    let scoped = |name: &str| format!("role-api-project-{name}__api-project__{project}");
    assert_eq!(page.ids(), [scoped("member"), scoped("viewer"), custom.clone()]);
    assert_eq!(sources[0]["assignment_sources"], Value::Null);
    assert_eq!(
        sources[1]["assignment_sources"],
        json!([source("0a", "group"), source("0b", "group")])
    );
    assert_eq!(
        sources[2]["assignment_sources"],
        json!([source(&user, "user"), source("0a", "group")])
    );
    // Of its own: with no source, and what only comes through a group is not there.
    assert_eq!(api.get(&format!("{roles}/{custom}")).await.ok()["assignment_sources"], Value::Null);
    let fragment = "role assignment not found";
    api.get(&format!("{roles}/{VIEWER}")).await.refused(404, "not_found", (), fragment);
    api.delete(&format!("{roles}/{VIEWER}")).await.refused(404, "not_found", (), fragment);
    // The organization's roles hold in the project and are listed where they were given.
    let of_organization = api.get(&format!("/organization/users/{user}/roles")).await;
    let row = &of_organization.ok()["data"][1];
    assert_eq!(
        (&row["id"], &row["assignment_sources"]),
        (&json!(everywhere), &json!([source("0a", "group")]))
    );
    assert_eq!(of_organization.ids().len(), 2);
    // Taking the direct one leaves what the group gives.
    api.delete(&format!("{roles}/{custom}")).await.ok();
    let left = api.get(&format!("{roles}?order=desc&limit=1")).await;
    assert_eq!(left.ok()["data"][0]["assignment_sources"], json!([source("0a", "group")]));
}

/// Ruling 5.7: membership is a thing of its own. Nobody becomes a member by a role, and nobody ceases to be one by losing it.
#[tokio::test]
async fn membership_neither_comes_nor_goes_with_a_role() {
    let api = Api::new().await;
    let (project, user) = project_with_member(&api).await;
    let stranger = api.add_user("bob@example.com").await;
    let path = format!("/projects/{project}/users/{stranger}/roles");
    let fragment = format!("User {stranger} is not a member of {project}: project user not found.");
    for reply in [
        api.post(&path, json!({ "role_id": VIEWER })).await,
        api.get(&path).await,
        api.get(&format!("{path}/{VIEWER}")).await,
        api.delete(&format!("{path}/{VIEWER}")).await,
    ] {
        reply.refused(404, "not_found", (), &fragment);
    }
    let roles = format!("/projects/{project}/users/{user}/roles");
    api.delete(&format!("{roles}/role-api-project-member")).await.ok();
    assert!(api.get(&roles).await.ids().is_empty());
    let member = format!("/organization/projects/{project}/users/{user}");
    assert_eq!(api.get(&member).await.ok()["role"], json!("member"));
    // Setting what is shown gives the role that was lost.
    let seen = api.events().await.len();
    api.post(&member, json!({})).await.ok();
    assert_eq!(api.events().await.len(), seen);
    api.post(&member, json!({ "role": "member" })).await.ok();
    let expected = ["user.updated", "role.assignment.created role-api-project-member"];
    assert_eq!(told_since(&api, seen).await, expected);
    assert_eq!(api.get(&roles).await.ids().len(), 1);
}

/// The way in which one client adds somebody: as a member, then role by role, then it waits until all of them are there.
#[tokio::test]
async fn roles_that_are_given_one_after_another_are_all_there() {
    let api = Api::new().await;
    let (project, user) = project_with_member(&api).await;
    let roles = format!("/projects/{project}/users/{user}/roles");
    let custom = add_role(&api, &project, "Typist", &["api.model.read"]).await;
    for role in ["role-api-project-member", VIEWER, "role-api-project-owner", &custom] {
        api.post(&roles, json!({ "role_id": role })).await.ok();
    }
    let all = api.get(&roles).await.ids();
    assert_eq!(all.len(), 4);
    let member = format!("/organization/projects/{project}/users/{user}");
    assert_eq!(api.get(&member).await.ok()["role"], json!("owner"));
    for role in &all {
        api.delete(&format!("{roles}/{role}")).await.ok();
    }
    assert!(api.get(&roles).await.ids().is_empty());
    api.delete(&member).await.ok();
    api.get(&roles).await.refused(404, "not_found", (), "project user not found");
}

/// A service account has roles like a person, in its own project and in the organization, but never owns that.
#[tokio::test]
async fn a_service_account_stands_where_a_person_may() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let account = add_account(&api, &project, "svc_acct_robot").await;
    let roles = format!("/projects/{project}/users/{account}/roles");
    let shown = |page: &crate::testing::Reply| {
        let rows = page.ok()["data"].as_array().expect("a page").clone();
        rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert!(api.get(&roles).await.ids().is_empty());
    for role in ["viewer", "member", "owner"] {
        let body = json!({ "role_id": format!("role-api-project-{role}") });
        let given = api.post(&roles, body).await;
        let user = &given.ok()["user"];
        assert_eq!(
            (
                &user["id"],
                &user["name"],
                &user["email"],
                &user["role"],
                &user["is_service_account"],
                &user["added_at"]
            ),
            (&json!(account), &json!("Robot"), &Value::Null, &Value::Null, &json!(true), &json!(7))
        );
    }
    assert_eq!(shown(&api.get(&roles).await), ["member", "owner", "viewer"]);
    assert!(
        api.snapshot().await.iter().any(|row| row.contains("Robot") && row.contains("\"owner\""))
    );
    api.delete(&format!("{roles}/role-api-project-owner")).await.ok();
    assert!(
        api.snapshot().await.iter().any(|row| row.contains("Robot") && row.contains("\"member\""))
    );
    assert_eq!(shown(&api.get(&roles).await), ["member", "viewer"]);

    let everywhere = format!("/organization/users/{account}/roles");
    api.post(&everywhere, json!({ "role_id": "role-api-organization-reader" })).await.ok();
    assert_eq!(shown(&api.get(&everywhere).await), ["reader"]);
    let body = json!({ "role_id": "role-api-organization-owner" });
    api.post(&everywhere, body).await.refused(400, "invalid_value", "role_id", "cannot own");
    api.delete(&format!("{everywhere}/role-api-organization-reader")).await.ok();
    assert!(api.get(&everywhere).await.ids().is_empty());

    let other = api.create_project("Other").await;
    let elsewhere = format!("/projects/{other}/users/{account}/roles");
    api.get(&elsewhere).await.refused(
        404,
        "not_found",
        (),
        "User with id 'svc_acct_robot' not found.",
    );
}
