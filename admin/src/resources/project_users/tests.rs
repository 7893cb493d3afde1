use serde_json::{Value, json};

use crate::resources::role_assignments::tests::fixture;
use crate::testing::Api;

/// A project with one member: its path, the member's id.
async fn project_with_member(api: &Api) -> (String, String, String) {
    let (user, project) =
        (api.add_user("ada@example.com").await, api.create_project("Engine").await);
    api.add_member(&project, &user).await;
    (format!("/organization/projects/{project}/users"), project, user)
}

/// Ruling 5.26: whoever has no name is called by the address, and only an empty page has no ids. Ruling 5.12: the role that is asked
/// for is the one that is answered.
#[tokio::test]
async fn a_member_is_added_listed_shown_changed_and_removed() {
    let api = Api::new().await;
    let (user, project) =
        (api.add_user("ada@example.com").await, api.create_project("Engine").await);
    let users = format!("/organization/projects/{project}/users");
    let member = json!({
        "object": "organization.project.user", "id": user, "name": "ada@example.com", "email": "ada@example.com",
        "role": "member", "added_at": 1_750_000_000,
    });

    assert_eq!(*api.post(&users, json!({ "user_id": user, "role": "member" })).await.ok(), member);
    assert_eq!(*api.get(&format!("{users}/{user}")).await.ok(), member);
    let page = json!({ "object": "list", "data": [member], "first_id": user, "last_id": user, "has_more": false });
    assert_eq!(*api.get(&users).await.ok(), page);
    assert_eq!(
        api.post(&format!("{users}/{user}"), json!({ "role": "owner" })).await.ok()["role"],
        "owner"
    );
    assert_eq!(api.get(&format!("{users}/{user}")).await.ok()["role"], "owner");
    let deleted =
        json!({ "object": "organization.project.user.deleted", "id": user, "deleted": true });
    assert_eq!(*api.delete(&format!("{users}/{user}")).await.ok(), deleted);
    let empty = json!({ "object": "list", "data": [], "first_id": null, "last_id": null, "has_more": false });
    assert_eq!(*api.get(&users).await.ok(), empty);
}

#[tokio::test]
async fn somebody_is_added_by_address_in_any_case() {
    let api = Api::new().await;
    let (user, project) =
        (api.add_user("Grace.Hopper@Example.com").await, api.create_project("Compiler").await);
    let body = json!({ "email": "grace.hopper@EXAMPLE.com", "role": "owner", "user_id": null });
    let reply = api.post(&format!("/organization/projects/{project}/users"), body).await;
    assert_eq!((reply.id(), &reply.ok()["email"]), (user, &json!("Grace.Hopper@Example.com")));
}

#[tokio::test]
async fn somebody_is_named_in_exactly_one_way() {
    let api = Api::new().await;
    let (users, _, user) = project_with_member(&api).await;
    let both = json!({ "user_id": user, "email": "ada@example.com", "role": "member" });
    api.post(&users, both).await.refused(400, "invalid_value", "email", "not both");
    let neither = json!({ "role": "member" });
    api.post(&users, neither).await.refused(
        400,
        "missing_required_parameter",
        "user_id",
        "'user_id'",
    );
}

#[tokio::test]
async fn who_is_not_in_the_organization_cannot_be_added() {
    let api = Api::new().await;
    let (users, _, _) = project_with_member(&api).await;
    let by_id = json!({ "user_id": "user-none", "role": "member" });
    api.post(&users, by_id).await.refused(404, "user_not_found", "user_id", "not found");
    let by_email = json!({ "email": "nobody@example.com", "role": "member" });
    api.post(&users, by_email).await.refused(400, "user_not_found", "email", "not found");
}

#[tokio::test]
async fn another_organizations_people_cannot_be_added() {
    let api = Api::new().await;
    let (users, _, _) = project_with_member(&api).await;
    let second = api.found("second").await;
    let by_id = json!({ "user_id": second.owner_id, "role": "member" });
    api.post(&users, by_id).await.refused(404, "user_not_found", "user_id", "not found");
    let by_email = json!({ "email": "owner@second.example", "role": "member" });
    api.post(&users, by_email).await.refused(400, "user_not_found", "email", "not found");
}

#[tokio::test]
async fn nobody_is_added_twice() {
    let api = Api::new().await;
    let (users, project, user) = project_with_member(&api).await;
    for role in ["member", "owner"] {
        let reply = api.post(&users, json!({ "user_id": user, "role": role })).await;
        reply.refused(400, "already_exists", (), &format!("already exists in project {project}"));
    }
}

/// Ruling 5.22: the viewer's role is given as an assignment, not here.
#[tokio::test]
async fn roles_are_owner_and_member_only() {
    let api = Api::new().await;
    let (users, _, user) = project_with_member(&api).await;
    let supported = "Supported values are: 'owner' and 'member'.";
    for role in ["viewer", "none", "Owner", "", "role-api-project-member"] {
        let add = json!({ "user_id": user, "role": role });
        api.post(&users, add).await.refused(400, "invalid_value", "role", supported);
        let change = json!({ "role": role });
        api.post(&format!("{users}/{user}"), change).await.refused(
            400,
            "invalid_value",
            "role",
            supported,
        );
    }
    for unchanged in [json!({}), json!({ "role": null }), json!({ "role": "member" })] {
        assert_eq!(api.post(&format!("{users}/{user}"), unchanged).await.ok()["role"], "member");
    }
}

#[tokio::test]
async fn who_is_not_a_member_is_404_for_every_verb() {
    let api = Api::new().await;
    let (users, project, _) = project_with_member(&api).await;
    let outsider = api.add_user("out@example.com").await;
    for id in [outsider.as_str(), "user-none"] {
        let path = format!("{users}/{id}");
        let fragment = format!("User {id} is not a member of {project}");
        api.get(&path).await.refused(404, "not_found", (), &fragment).refused(
            404,
            "not_found",
            (),
            "not found",
        );
        api.post(&path, json!({ "role": "owner" })).await.refused(404, "not_found", (), &fragment);
        api.delete(&path).await.refused(404, "not_found", (), &fragment);
    }
}

#[tokio::test]
async fn an_unknown_project_is_404_before_its_arguments_are_read() {
    let api = Api::new().await;
    let users = "/organization/projects/proj_none/users";
    let fragment = "Project with id 'proj_none' not found";
    api.get(&format!("{users}?limit=0")).await.refused(404, "project_not_found", (), fragment);
    api.post(users, json!({ "surprise": 1 })).await.refused(404, "project_not_found", (), fragment);
    api.get(&format!("{users}/user-1")).await.refused(404, "project_not_found", (), fragment);
    api.delete(&format!("{users}/user-1")).await.refused(404, "project_not_found", (), fragment);
}

/// Rulings 5.13 and 5.14: nobody lives in an archived project any more.
#[tokio::test]
async fn an_archived_project_refuses_its_list_and_changes_and_holds_nobody() {
    let api = Api::new().await;
    let (users, project, user) = project_with_member(&api).await;
    api.post(&format!("/organization/projects/{project}/archive"), Value::Null).await.ok();
    let message =
        format!("Project '{project}' is archived. You can only update an active project.");
    api.get(&users).await.refused(400, "project_archived", (), &message);
    api.get(&format!("{users}?limit=0")).await.refused(400, "project_archived", (), &message);
    api.post(&users, json!({ "surprise": 1 })).await.refused(400, "project_archived", (), &message);
    api.post(&format!("{users}/{user}"), json!({ "role": 7 })).await.refused(
        400,
        "project_archived",
        (),
        &message,
    );
    api.get(&format!("{users}/{user}")).await.refused(404, "not_found", (), "not found");
    api.delete(&format!("{users}/{user}")).await.refused(404, "not_found", (), "not found");
    let kept =
        api.snapshot().await.into_iter().filter(|line| line.starts_with("project_members")).count();
    assert_eq!(
        kept, 2,
        "archiving deletes no row: this member and the owner of the default project"
    );
}

#[tokio::test]
async fn members_leave_the_default_project_only_with_the_organization() {
    let api = Api::new().await;
    let project = &api.first.organization.default_project_id;
    let users = format!("/organization/projects/{project}/users");
    let user = api.add_user("ada@example.com").await;
    api.delete(&format!("{users}/{user}")).await.refused(404, "not_found", (), "not a member");
    api.add_member(project, &user).await;
    api.delete(&format!("{users}/{user}")).await.refused(
        400,
        "default_project",
        (),
        "default project",
    );
    api.delete(&format!("/organization/users/{user}")).await.ok();
    api.get(&format!("{users}/{user}")).await.refused(404, "not_found", (), "not a member");
}

/// Ruling 5.7: a list shows members only. Owners of the organization need not be one, and can be like anybody.
#[tokio::test]
async fn organization_owners_are_listed_only_where_they_were_added() {
    let api = Api::new().await;
    let (users, _, user) = project_with_member(&api).await;
    let owner = &api.first.owner_id;
    assert_eq!(api.get(&users).await.ids(), [user.as_str()]);
    let one = format!("{users}/{owner}");
    api.get(&one).await.refused(404, "not_found", (), "not found");
    api.post(&users, json!({ "user_id": owner, "role": "member" })).await.ok();
    assert_eq!(api.get(&one).await.ok()["role"], "member");
    let mut expected = vec![owner.clone(), user.clone()];
    expected.sort_unstable();
    assert_eq!(api.get(&users).await.ids(), expected);
    api.delete(&one).await.ok();
    assert_eq!(api.get(&users).await.ids(), [user]);
}

#[tokio::test]
async fn one_persons_membership_in_another_project_is_untouched() {
    let api = Api::new().await;
    let (users, _, user) = project_with_member(&api).await;
    let other = api.create_project("Other").await;
    api.add_member(&other, &user).await;
    api.delete(&format!("{users}/{user}")).await.ok();
    assert_eq!(api.get(&format!("/organization/projects/{other}/users")).await.ids(), [user]);
}

/// Appendix A, 75†: whoever is removed has no roles left in the project, and is told by one event.
#[tokio::test]
async fn a_removal_takes_all_roles_in_the_project() {
    let api = Api::new().await;
    let (users, project, user) = project_with_member(&api).await;
    let roles = format!("/projects/{project}/users/{user}/roles");
    let own = fixture::add_role(&api, &project, "Typist", &[]).await;
    for role in ["role-api-project-viewer", "role-api-project-owner", &own] {
        api.post(&roles, json!({ "role_id": role })).await.ok();
    }
    let seen = api.events().await.len();
    api.delete(&format!("{users}/{user}")).await.ok();
    assert_eq!(fixture::told_since(&api, seen).await, ["user.deleted"]);
    assert!(!api.snapshot().await.iter().any(|row| row.starts_with("role_assignments")));
    api.add_member(&project, &user).await;
    assert_eq!(api.get(&roles).await.ids().len(), 1);
}

/// Appendix A, 74†: a role that is set takes the place of every built-in one, and leaves custom ones.
#[tokio::test]
async fn a_role_that_is_set_leaves_custom_ones() {
    let api = Api::new().await;
    let (users, project, user) = project_with_member(&api).await;
    let roles = format!("/projects/{project}/users/{user}/roles");
    let own = fixture::add_role(&api, &project, "Typist", &[]).await;
    for role in ["role-api-project-viewer", &own] {
        api.post(&roles, json!({ "role_id": role })).await.ok();
    }
    let seen = api.events().await.len();
    api.post(&format!("{users}/{user}"), json!({ "role": "owner" })).await.ok();
    let told = [
        "user.updated",
        "role.assignment.deleted role-api-project-member",
        "role.assignment.deleted role-api-project-viewer",
        "role.assignment.created role-api-project-owner",
    ];
    assert_eq!(fixture::told_since(&api, seen).await, told);
    let owner = format!("role-api-project-owner__api-project__{project}");
    assert_eq!(api.get(&roles).await.ids(), [owner, own]);
}

/// Nobody gives a role in a project beyond what they hold.
#[tokio::test]
async fn a_key_gives_no_membership_beyond_its_scopes() {
    let api = Api::new().await;
    let (users, _, user) = project_with_member(&api).await;
    let other = api.add_user("bob@example.com").await;
    let writer = fixture::key_with(&api, &["api.management.write"]).await;
    let send = async |path: &str, body: Value| {
        api.request("POST", path).key(&writer).json(&body).send().await
    };
    let fragment = "Missing scopes: api.management.read.";
    send(&users, json!({ "user_id": other, "role": "owner" })).await.refused(403, (), (), fragment);
    send(&format!("{users}/{user}"), json!({ "role": "owner" })).await.refused(
        403,
        (),
        (),
        fragment,
    );
    // Who is to be added is looked for first, and what is there already is told last.
    let nobody = json!({ "user_id": "none", "role": "owner" });
    send(&users, nobody).await.refused(404, "user_not_found", "user_id", "not found");
    send(&users, json!({ "user_id": user, "role": "owner" })).await.refused(403, (), (), fragment);
    send(&users, json!({ "user_id": other, "role": "member" })).await.ok();
    send(&format!("{users}/{user}"), json!({ "role": "member" })).await.ok();
}
