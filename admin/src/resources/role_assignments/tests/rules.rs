use serde_json::{Value, json};

use super::fixture::{add_group, add_role, key_with};
use crate::testing::Api;

/// The lists of both levels and both kinds of principals, in a project with one member.
async fn lists(api: &Api) -> (String, [String; 4]) {
    let (user, project) =
        (api.add_user("ada@example.com").await, api.create_project("Engine").await);
    api.add_member(&project, &user).await;
    let group = add_group(api, "0a").await;
    let lists = [
        format!("/organization/users/{user}/roles"),
        format!("/organization/groups/{group}/roles"),
        format!("/projects/{project}/users/{user}/roles"),
        format!("/projects/{project}/groups/{group}/roles"),
    ];
    (project, lists)
}

/// A role of another level or place is none here, in whatever spelling.
#[tokio::test]
async fn roles_of_another_level_or_project_are_not_found() {
    let api = Api::new().await;
    let (project, lists) = lists(&api).await;
    let other = api.create_project("Other").await;
    let everywhere = add_role(&api, "", "A", &[]).await;
    let (here, there) =
        (add_role(&api, &project, "A", &[]).await, add_role(&api, &other, "A", &[]).await);
    let of_organization = [
        everywhere,
        "role-api-organization-reader".to_owned(),
        format!("role-api-organization-reader__api-organization__{}", api.first.organization.id),
    ];
    let of_project = [
        here,
        "role-api-project-member".to_owned(),
        format!("role-api-project-member__api-project__{project}"),
    ];
    let nowhere = [
        there,
        "none".to_owned(),
        "owner".to_owned(),
        format!("role-api-project-member__api-project__{other}"),
    ];
    for list in &lists {
        let is_project = list.starts_with("/projects");
        let foreign = if is_project { &of_organization } else { &of_project };
        for id in foreign.iter().chain(&nowhere) {
            let place = if is_project { " in project." } else { "." };
            let fragment = format!("Role with id '{id}' not found{place}");
            let body = json!({ "role_id": id });
            api.post(list, body).await.refused(404, "not_found", "role_id", &fragment);
            api.get(&format!("{list}/{id}")).await.refused(404, "not_found", (), &fragment);
            api.delete(&format!("{list}/{id}")).await.refused(404, "not_found", (), &fragment);
        }
    }
}

#[tokio::test]
async fn whoever_is_not_there_is_told_so_before_anything_else() {
    let api = Api::new().await;
    let (project, _) = lists(&api).await;
    for (path, what) in [
        ("/organization/users/none/roles".to_owned(), "User with id 'none' not found."),
        ("/organization/groups/none/roles".to_owned(), "Group with id 'none' not found."),
        (format!("/projects/{project}/users/none/roles"), "User with id 'none' not found."),
        (format!("/projects/{project}/groups/none/roles"), "Group with id 'none' not found."),
    ] {
        api.get(&format!("{path}?limit=x")).await.refused(404, "not_found", (), what);
        api.post(&path, json!({ "x": 1 })).await.refused(404, "not_found", (), what);
        api.get(&format!("{path}/none")).await.refused(404, "not_found", (), what);
        api.delete(&format!("{path}/none")).await.refused(404, "not_found", (), what);
    }
    for path in ["/projects/none/users/none/roles", "/projects/none/groups/none/roles"] {
        let fragment = "Project with id 'none' not found.";
        api.get(path).await.refused(404, "project_not_found", (), fragment);
        api.post(path, json!({})).await.refused(404, "project_not_found", (), fragment);
    }
}

/// Ruling 5.13: roles of an archived project are frozen; what is left over may go.
#[tokio::test]
async fn in_an_archived_project_roles_are_shown_and_taken_but_not_given() {
    let api = Api::new().await;
    let (project, lists) = lists(&api).await;
    let own = add_role(&api, &project, "A", &[]).await;
    let lists = &lists[2..];
    for list in lists {
        api.post(list, json!({ "role_id": own })).await.ok();
    }
    let before = (api.get(&lists[0]).await.ids(), api.get(&lists[1]).await.ids());
    api.post(&format!("/organization/projects/{project}/archive"), Value::Null).await.ok();
    assert_eq!((api.get(&lists[0]).await.ids(), api.get(&lists[1]).await.ids()), before);
    for list in lists {
        let fragment = "is archived. You can only update an active project.";
        api.post(list, json!({ "x": 1 })).await.refused(400, "project_archived", (), fragment);
        api.post(list, json!({ "role_id": own })).await.refused(
            400,
            "project_archived",
            (),
            fragment,
        );
        api.get(&format!("{list}/{own}")).await.ok();
        api.delete(&format!("{list}/{own}")).await.ok();
    }
    api.delete(&format!("{}/role-api-project-member", lists[0])).await.ok();
    assert!(api.get(&lists[0]).await.ids().is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_a_body_or_query_is_told_by_name() {
    let api = Api::new().await;
    let (_, lists) = lists(&api).await;
    for list in &lists {
        let missing = "missing_required_parameter";
        api.post(list, json!({})).await.refused(400, missing, "role_id", "'role_id'");
        api.post(list, json!({ "role_id": null })).await.refused(
            400,
            "invalid_type",
            "role_id",
            "a string",
        );
        api.post(list, json!({ "role_id": "" })).await.refused(
            400,
            "empty_string",
            "role_id",
            "empty",
        );
        api.get(&format!("{list}?limit=1001")).await.refused(
            400,
            "integer_above_max_value",
            "limit",
            "1000",
        );
        api.get(&format!("{list}?order=up")).await.refused(
            400,
            "invalid_value",
            "order",
            "'asc' and 'desc'",
        );
    }
}

/// Nobody gives what they do not hold: a key needs the scopes that cover every permission of the role.
#[tokio::test]
async fn a_key_gives_no_role_beyond_its_own_scopes() {
    let api = Api::new().await;
    let (project, lists) = lists(&api).await;
    let (read, write, usage) = ("api.management.read", "api.management.write", "api.usage.read");
    let writer = key_with(&api, &[write]).await;
    let manager = key_with(&api, &[read, write]).await;
    let in_usage = add_role(&api, "", "Accountant", &["api.usage.read"]).await;
    let using = add_role(&api, &project, "Robot", &["api.model.request", "api.own.tool"]).await;
    let nothing = add_role(&api, "", "Nothing", &[]).await;
    for (places, role, refusals) in [
        (
            &lists[..2],
            "role-api-organization-owner",
            [Some("api.management.read, api.usage.read"), Some(usage)],
        ),
        (&lists[..2], "role-api-organization-reader", [Some(read), None]),
        (&lists[..2], &in_usage, [Some(usage), Some(usage)]),
        (&lists[..2], &nothing, [None, None]),
        (&lists[2..], "role-api-project-owner", [Some(read), None]),
        (&lists[2..], "role-api-project-member", [None, None]),
        (&lists[2..], &using, [None, None]),
    ] {
        for list in places {
            for (key, missing) in [&writer, &manager].into_iter().zip(refusals) {
                let request = api.request("POST", list).key(key).json(&json!({ "role_id": role }));
                let reply = request.send().await;
                match missing {
                    Some(missing) => {
                        reply.refused(403, (), (), &format!("Missing scopes: {missing}."));
                    }
                    None => _ = reply.ok(),
                }
            }
        }
    }
    // What is not there is told before what may not be given.
    let request = api.request("POST", &lists[0]).key(&writer).json(&json!({ "role_id": "none" }));
    request.send().await.refused(404, "not_found", "role_id", "not found");
    // Taking a role away gives nothing.
    let taken = api.request("DELETE", &format!("{}/role-api-organization-reader", lists[0]));
    taken.key(&writer).send().await.ok();
}

#[tokio::test]
async fn a_page_of_nothing_says_whether_there_is_something() {
    let api = Api::new().await;
    let (_, lists) = lists(&api).await;
    let none = json!({ "object": "list", "data": [], "has_more": false, "next": null });
    let some = json!({ "object": "list", "data": [], "has_more": true, "next": null });
    for (list, expected) in lists.iter().zip([&some, &none, &some, &none]) {
        assert_eq!(*api.get(&format!("{list}?limit=0")).await.ok(), *expected);
    }
}
