use serde_json::{Value, json};

use crate::resources::role_assignments::tests::fixture::{
    add_group, add_role, key_with, told_since,
};
use crate::testing::Api;

const ROLES: &str = "/organization/roles";

/// The lists of both levels: the path, and the place where its roles hold.
async fn levels(api: &Api) -> [(String, String); 2] {
    let project = api.create_project("Engine").await;
    [
        (ROLES.to_owned(), api.first.organization.id.clone()),
        (format!("/projects/{project}/roles"), project),
    ]
}

#[tokio::test]
async fn built_in_roles_stand_among_the_others_once_each() {
    let api = Api::new().await;
    let [organization, project] = levels(&api).await;
    for ((path, place), names, kind) in [
        (&organization, vec!["owner", "reader"], "organization"),
        (&project, vec!["member", "owner", "viewer"], "project"),
    ] {
        let own = api.post(path, json!({ "role_name": "A", "permissions": [] })).await;
        let page = api.get(path).await;
        let scoped = |name: &&str| format!("role-api-{kind}-{name}__api-{kind}__{place}");
        let mut expected: Vec<_> = names.iter().map(scoped).collect();
        expected.push(own.id());
        assert_eq!(page.ids(), expected);
        for (name, id) in names.iter().zip(&expected) {
            let alias = format!("role-api-{kind}-{name}");
            for spelling in [&alias, id] {
                let role = api.get(&format!("{path}/{spelling}")).await;
                let row = &page.ok()["data"].as_array().expect("a page").clone();
                assert!(row.contains(role.ok()));
                let role = role.ok();
                assert_eq!((&role["id"], &role["name"]), (&json!(id), &json!(name)));
                assert_eq!(role["predefined_role"], json!(true));
                assert_eq!(role["resource_type"], json!(format!("api.{kind}")));
                assert!(!role["permissions"].as_array().expect("a list").is_empty());
            }
        }
        // Pages end and begin between the two kinds as anywhere else.
        let first = api.get(&format!("{path}?limit=2&order=desc")).await;
        assert_eq!(
            first.ids(),
            [expected[expected.len() - 1].clone(), expected[expected.len() - 2].clone()]
        );
        assert_eq!(first.ok()["next"], json!(expected[expected.len() - 2]));
        let none = json!({ "object": "list", "data": [], "has_more": true, "next": null });
        assert_eq!(*api.get(&format!("{path}?limit=0")).await.ok(), none);
    }
}

#[tokio::test]
async fn a_role_is_kept_as_it_was_sent() {
    let api = Api::new().await;
    for (path, place) in levels(&api).await {
        let kind = if path == ROLES { "api.organization" } else { "api.project" };
        let seen = api.events().await.len();
        let body = json!({
            "role_name": "Writer", "description": "",
            "permissions": ["api.responses.write", "api.groups.read", "api.own_tool.run", "api.groups.read"],
        });
        let made = api.post(&path, body).await;
        let id = made.id();
        let tail = if path == ROLES {
            id.strip_prefix("role_")
        } else {
            id.strip_prefix(&format!("role_{place}~"))
        };
        assert!(
            tail.is_some_and(
                |tail| tail.len() == 32 && tail.bytes().all(|byte| byte.is_ascii_hexdigit())
            ),
            "{id}"
        );
        let permissions = ["api.responses.write", "api.groups.read", "api.own_tool.run"];
        let mut role = json!({
            "object": "role", "id": id, "name": "Writer", "description": "", "permissions": permissions,
            "resource_type": kind, "predefined_role": false,
        });
        assert_eq!(*made.ok(), role);
        let one = format!("{path}/{id}");
        assert_eq!(*api.get(&one).await.ok(), role);
        // Null and what is left out change nothing, and neither does what is there.
        for body in [
            json!({}),
            json!({ "role_name": null, "permissions": null }),
            json!({ "role_name": "Writer", "permissions": permissions, "description": "" }),
        ] {
            assert_eq!(*api.post(&one, body).await.ok(), role);
        }
        let project = (path != ROLES).then(|| place.clone());
        let created = json!({
            "id": id, "role_name": "Writer", "permissions": permissions, "resource_type": kind, "resource_id": place,
        });
        assert_eq!(
            api.events().await[seen..],
            [("role.created".to_owned(), project.clone(), created)]
        );

        // Null clears the description.
        let body =
            json!({ "description": null, "permissions": ["api.own_tool.run", "api.files.read"] });
        role["description"] = Value::Null;
        role["permissions"] = json!(["api.own_tool.run", "api.files.read"]);
        assert_eq!(*api.post(&one, body).await.ok(), role);
        api.post(&one, json!({ "permissions": [], "role_name": "Nobody" })).await.ok();
        assert_eq!(api.get(&one).await.ok()["permissions"], json!([]));
        let updated = |changes: Value| {
            (
                "role.updated".to_owned(),
                project.clone(),
                json!({ "id": id, "changes_requested": changes }),
            )
        };
        let expected = [
            updated(json!({
                "description": "", "permissions_added": ["api.files.read"],
                "permissions_removed": ["api.responses.write", "api.groups.read"],
                "resource_id": place, "resource_type": kind,
            })),
            updated(json!({
                "role_name": "Nobody", "permissions_added": [],
                "permissions_removed": ["api.own_tool.run", "api.files.read"],
                "resource_id": place, "resource_type": kind,
            })),
        ];
        assert_eq!(api.events().await[seen + 1..], expected);
        let deleted = json!({ "object": "role.deleted", "id": id, "deleted": true });
        assert_eq!(*api.delete(&one).await.ok(), deleted);
        api.delete(&one).await.refused(404, "not_found", (), "not found");
        assert_eq!(
            api.events().await[seen + 3..],
            [("role.deleted".to_owned(), project, json!({ "id": id }))]
        );
    }
}

#[tokio::test]
async fn permissions_that_cannot_be_any_are_refused_by_place() {
    let api = Api::new().await;
    let [(path, _), _] = levels(&api).await;
    let long = format!("api.{}", "x".repeat(130));
    for token in [
        "*",
        "api",
        "api.",
        "api..x",
        "API.x",
        "api.x y",
        "models.read",
        "api.a.b.c.d.e.f.g.h.i",
        &long,
    ] {
        let body = json!({ "role_name": "A", "permissions": ["api.model.read", token] });
        let fragment =
            format!("Invalid value for 'permissions[1]': '{token}' is not a permission.");
        api.post(&path, body).await.refused(400, "invalid_value", "permissions[1]", &fragment);
    }
    let body = json!({ "role_name": "A", "permissions": [7] });
    api.post(&path, body).await.refused(400, "invalid_type", "permissions[0]", "a string");
    let body = json!({ "role_name": "A" });
    api.post(&path, body).await.refused(
        400,
        "missing_required_parameter",
        "permissions",
        "permissions",
    );
}

#[tokio::test]
async fn a_name_is_had_by_one_role_of_a_level() {
    let api = Api::new().await;
    for (path, _) in levels(&api).await {
        let make = |name: &str| json!({ "role_name": name, "permissions": [] });
        let one = format!("{path}/{}", api.post(&path, make("A")).await.id());
        // Bytewise: another case is another name.
        let other = format!("{path}/{}", api.post(&path, make("a")).await.id());
        for name in ["A", "owner"] {
            let fragment = format!("A role named '{name}' already exists here.");
            api.post(&path, make(name)).await.refused(
                400,
                "already_exists",
                "role_name",
                &fragment,
            );
            let body = json!({ "role_name": name });
            api.post(&other, body).await.refused(400, "already_exists", "role_name", &fragment);
        }
        api.post(&one, json!({ "role_name": "B" })).await.ok();
        api.post(&other, json!({ "role_name": "A" })).await.ok();
    }
    // A name of the other level is free.
    api.post(ROLES, json!({ "role_name": "viewer", "permissions": [] })).await.ok();
}

/// What is built in is as it is, and that is told before anything that is wrong with the body.
#[tokio::test]
async fn built_in_roles_are_neither_changed_nor_deleted() {
    let api = Api::new().await;
    let [(organization, place), (project, _)] = levels(&api).await;
    for one in [
        format!("{organization}/role-api-organization-owner"),
        format!("{organization}/role-api-organization-owner__api-organization__{place}"),
        format!("{project}/role-api-project-owner"),
    ] {
        let changed =
            "The built-in role 'owner' cannot be changed. Create a role of your own instead.";
        api.post(&one, json!({ "x": 1 })).await.refused(400, (), (), changed);
        api.post(&one, json!({})).await.refused(400, (), (), changed);
        let deleted =
            "The built-in role 'owner' cannot be deleted. Create a role of your own instead.";
        api.delete(&one).await.refused(400, (), (), deleted);
    }
}

#[tokio::test]
async fn a_role_of_another_level_or_project_is_not_found() {
    let api = Api::new().await;
    let [(organization, _), (project, _)] = levels(&api).await;
    let other = api.create_project("Other").await;
    let (everywhere, here, there) = (
        add_role(&api, "", "A", &[]).await,
        api.post(&project, json!({ "role_name": "A", "permissions": [] })).await.id(),
        add_role(&api, &other, "A", &[]).await,
    );
    for (path, id) in [
        (&organization, here.as_str()),
        (&organization, "role-api-project-viewer"),
        (&organization, "owner"),
        (&project, everywhere.as_str()),
        (&project, there.as_str()),
        (&project, "role-api-organization-reader"),
        (&project, &format!("role-api-project-owner__api-project__{other}")),
    ] {
        let place = if *path == organization { " not found." } else { " not found in project." };
        let (one, fragment) = (format!("{path}/{id}"), format!("Role with id '{id}'{place}"));
        api.get(&one).await.refused(404, "not_found", (), &fragment);
        api.post(&one, json!({ "x": 1 })).await.refused(404, "not_found", (), &fragment);
        api.delete(&one).await.refused(404, "not_found", (), &fragment);
    }
    for method in ["GET", "POST"] {
        let reply = api.request(method, "/projects/none/roles?limit=x").send().await;
        reply.refused(404, "project_not_found", (), "Project with id 'none' not found.");
    }
}

/// Ruling 5.13: what belongs to an archived project is shown, may go, and changes no more.
#[tokio::test]
async fn roles_of_an_archived_project_are_frozen() {
    let api = Api::new().await;
    let [_, (path, project)] = levels(&api).await;
    let id = add_role(&api, &project, "A", &[]).await;
    let one = format!("{path}/{id}");
    api.post(&format!("/organization/projects/{project}/archive"), Value::Null).await.ok();
    let fragment = "You can only update an active project.";
    for target in [&path, &one, &format!("{path}/role-api-project-owner")] {
        api.post(target, json!({ "x": 1 })).await.refused(400, "project_archived", (), fragment);
    }
    assert_eq!(api.get(&path).await.ids().len(), 4);
    api.get(&one).await.ok();
    api.delete(&one).await.ok();
}

#[tokio::test]
async fn a_role_that_is_deleted_is_taken_from_everybody() {
    let api = Api::new().await;
    let [_, (path, project)] = levels(&api).await;
    let user = api.add_user("ada@example.com").await;
    api.add_member(&project, &user).await;
    let group = add_group(&api, "0a").await;
    let (gone, stays) =
        (add_role(&api, &project, "A", &[]).await, add_role(&api, &project, "B", &[]).await);
    let (users, groups) = (
        format!("/projects/{project}/users/{user}/roles"),
        format!("/projects/{project}/groups/{group}/roles"),
    );
    for list in [&users, &groups] {
        api.post(list, json!({ "role_id": gone })).await.ok();
    }
    api.post(&users, json!({ "role_id": stays })).await.ok();
    let seen = api.events().await.len();
    api.delete(&format!("{path}/{gone}")).await.ok();
    assert_eq!(told_since(&api, seen).await, ["role.deleted"]);
    let rows = api.snapshot().await;
    let debris: Vec<_> =
        rows.iter().filter(|row| row.contains(&gone) && !row.starts_with("audit_")).collect();
    assert!(debris.is_empty(), "{debris:?}");
    assert!(!rows.iter().any(|row| row.starts_with("project_groups")), "its last role was deleted");
    assert_eq!(api.get(&users).await.ids().len(), 2);
    assert!(api.get(&groups).await.ids().is_empty());
}

/// Nobody makes or widens a role beyond what they hold; what was there before counts as given.
#[tokio::test]
async fn a_key_puts_nothing_into_a_role_beyond_its_own_scopes() {
    let api = Api::new().await;
    let manager = key_with(&api, &["api.management.read", "api.management.write"]).await;
    let writer = key_with(&api, &["api.management.write"]).await;
    for (path, _) in levels(&api).await {
        let send = async |key: &str, path: &str, body: Value| {
            api.request("POST", path).key(key).json(&body).send().await
        };
        let make = |name: &str, token: &str| json!({ "role_name": name, "permissions": [token] });
        let usage = "Missing scopes: api.usage.read.";
        send(&manager, &path, make("A", "api.usage.read")).await.refused(403, (), (), usage);
        let read = "Missing scopes: api.management.read.";
        send(&writer, &path, make("A", "api.groups.read")).await.refused(403, (), (), read);
        let one =
            format!("{path}/{}", send(&writer, &path, make("A", "api.model.read")).await.id());
        let more = json!({ "permissions": ["api.model.read", "api.usage.read"] });
        send(&manager, &one, more.clone()).await.refused(403, (), (), usage);
        api.post(&one, more.clone()).await.ok();
        let body =
            json!({ "permissions": ["api.usage.read", "api.files.write"], "description": "x" });
        send(&manager, &one, body).await.ok();
        // A taken name is told to those who may give the permissions.
        send(&manager, &path, make("A", "api.usage.read")).await.refused(403, (), (), usage);
        send(&manager, &path, make("A", "api.model.read")).await.refused(
            400,
            "already_exists",
            "role_name",
            "exists",
        );
    }
}
