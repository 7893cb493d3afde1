use serde_json::{Value, json};

use crate::resources::role_assignments::tests::fixture;
use crate::testing::Api;

const USERS: &str = "/organization/users";

#[tokio::test]
async fn a_person_is_shown_in_full() {
    let api = Api::new().await;
    let id = api.add_user("ada@example.com").await;
    let person = json!({
        "object": "organization.user", "id": id, "name": "ada@example.com", "email": "ada@example.com", "role": "reader",
        "added_at": 1_750_000_000, "created": 1_750_000_000, "is_default": false, "is_service_account": false,
        "is_scale_tier_authorized_purchaser": null, "is_scim_managed": false, "api_key_last_used_at": null,
        "technical_level": null, "developer_persona": null, "projects": null,
        "user": {
            "object": "user", "id": id, "email": "ada@example.com", "name": "ada@example.com", "picture": null,
            "enabled": true, "banned": false, "banned_at": null,
        },
    });
    assert_eq!(*api.get(&format!("{USERS}/{id}")).await.ok(), person);
    assert_eq!(api.get(&format!("{USERS}?limit=100")).await.ok()["data"][1], person);
    assert_eq!(
        api.get(&format!("{USERS}/{}", api.first.owner_id)).await.ok()["name"],
        "Olga Owner"
    );
}

#[tokio::test]
async fn people_are_found_by_address_in_every_spelling_of_the_filter() {
    let api = Api::new().await;
    let (ada, bob) = (api.add_user("Ada@Example.com").await, api.add_user("bob@example.com").await);
    for query in [
        "emails[]=ada@example.com&emails[]=BOB@example.com",
        "emails=ada@example.com&emails=BOB@example.com&emails=nobody@example.com",
        "emails=ada%40example.com,BOB@example.com",
        "emails%5B%5D=bob@example.com&emails%5B%5D=ADA@example.com&emails%5B%5D=ada@example.com",
    ] {
        assert_eq!(
            api.get(&format!("{USERS}?{query}")).await.ids(),
            [ada.clone(), bob.clone()],
            "{query}"
        );
    }
    let page = api.get(&format!("{USERS}?emails=ada@example.com,bob@example.com&limit=1")).await;
    assert_eq!((page.ids(), &page.ok()["has_more"]), (vec![ada.clone()], &json!(true)));
    let next = api
        .get(&format!("{USERS}?emails=ada@example.com,bob@example.com&limit=1&after={ada}"))
        .await;
    assert_eq!((next.ids(), &next.ok()["has_more"]), (vec![bob], &json!(false)));
    let many: Vec<_> = (0..1001).map(|place| format!("{place}@example.com")).collect();
    let reply = api.get(&format!("{USERS}?emails={}", many.join(","))).await;
    reply.refused(400, "array_above_max_length", "emails", "at most 1000 values, but got 1001");
    assert!(api.get(&format!("{USERS}?emails={}", many[1..].join(","))).await.ids().is_empty());
    for query in ["emails=", "emails[]=nobody@example.com", "emails=a%00b", "emails=%25"] {
        assert!(api.get(&format!("{USERS}?{query}")).await.ids().is_empty(), "{query}");
    }
}

#[tokio::test]
async fn a_role_changes_by_name_by_alias_and_by_scoped_id() {
    let api = Api::new().await;
    let path = format!("{USERS}/{}", api.add_user("ada@example.com").await);
    let scoped =
        format!("role-api-organization-reader__api-organization__{}", api.first.organization.id);
    for (body, role) in [
        (json!({ "role": "owner" }), "owner"),
        (json!({ "role": null, "role_id": null }), "owner"),
        (json!({}), "owner"),
        (json!({ "role_id": scoped }), "reader"),
        (json!({ "role_id": "role-api-organization-owner" }), "owner"),
        (json!({ "role": "owner", "role_id": "role-api-organization-reader" }), "reader"),
    ] {
        assert_eq!(api.post(&path, body.clone()).await.ok()["role"], role, "{body}");
        assert_eq!(api.get(&path).await.ok()["role"], role);
    }
    for role in ["member", "Owner", ""] {
        let supported = "Supported values are: 'owner' and 'reader'.";
        api.post(&path, json!({ "role": role })).await.refused(
            400,
            "invalid_value",
            "role",
            supported,
        );
    }
    let foreign = format!(
        "role-api-organization-owner__api-organization__{}",
        api.found("second").await.organization.id
    );
    for id in ["role_none", &foreign] {
        api.post(&path, json!({ "role_id": id })).await.refused(
            404,
            "not_found",
            "role_id",
            "not found",
        );
    }
}

#[tokio::test]
async fn what_a_person_says_of_themselves_is_set_left_and_cleared() {
    let api = Api::new().await;
    let path = format!("{USERS}/{}", api.add_user("ada@example.com").await);
    let person =
        api.post(&path, json!({ "technical_level": "high", "developer_persona": "builder" })).await;
    assert_eq!(
        (&person.ok()["technical_level"], &person.ok()["developer_persona"]),
        (&json!("high"), &json!("builder"))
    );
    let person = api.post(&path, json!({ "technical_level": null })).await;
    assert_eq!(
        (&person.ok()["technical_level"], &person.ok()["developer_persona"]),
        (&Value::Null, &json!("builder"))
    );
}

#[tokio::test]
async fn the_last_owner_stays() {
    let api = Api::new().await;
    let path = format!("{USERS}/{}", api.first.owner_id);
    let fragment = "at least one owner";
    api.post(&path, json!({ "role": "reader" })).await.refused(400, "last_owner", (), fragment);
    api.delete(&path).await.refused(400, "last_owner", (), fragment);
    let second = api.add_user("second@example.com").await;
    api.post(&format!("{USERS}/{second}"), json!({ "role": "owner" })).await.ok();
    api.delete(&path).await.ok();
    api.get(USERS).await.refused(401, "invalid_api_key", (), "Incorrect API key");
}

#[tokio::test]
async fn two_owners_who_leave_at_once_do_not_leave_nobody() {
    let api = Api::new().await.unwatched();
    let second = api.add_user("second@example.com").await;
    api.post(&format!("{USERS}/{second}"), json!({ "role": "owner" })).await.ok();
    let (first, second) = (format!("{USERS}/{}", api.first.owner_id), format!("{USERS}/{second}"));
    let replies = tokio::join!(api.delete(&first), api.delete(&second));
    let statuses = [replies.0.status.as_u16(), replies.1.status.as_u16()];
    assert!(matches!(statuses, [200, 400 | 401] | [400, 200]), "{statuses:?}");
}

#[tokio::test]
async fn a_demotion_ends_a_persons_keys_for_good() {
    let api = Api::new().await;
    let (path, key) = owner_with_key(&api).await;
    api.request("GET", USERS).key(&key).send().await.ok();
    api.post(&path, json!({ "role": "reader" })).await.ok();
    api.request("GET", USERS).key(&key).send().await.refused(
        401,
        "invalid_api_key",
        (),
        "Incorrect API key",
    );
    api.post(&path, json!({ "role": "owner" })).await.ok();
    api.request("GET", USERS).key(&key).send().await.refused(
        401,
        "invalid_api_key",
        (),
        "Incorrect API key",
    );
    assert_eq!(api.get("/organization/admin_api_keys").await.ids(), vec![api.first.key_id]);
}

#[tokio::test]
async fn a_deletion_leaves_no_debris() {
    let api = Api::new().await;
    let (path, key) = owner_with_key(&api).await;
    let id = path.rsplit('/').next().expect("the path ends in the id").to_owned();
    let project = api.create_project("Engine").await;
    api.add_member(&project, &id).await;
    let deleted = json!({ "object": "organization.user.deleted", "id": id, "deleted": true });
    assert_eq!(*api.delete(&path).await.ok(), deleted);
    api.request("GET", USERS).key(&key).send().await.refused(
        401,
        "invalid_api_key",
        (),
        "Incorrect API key",
    );
    api.get(&path).await.refused(404, "not_found", (), "User with id");
    api.delete(&path).await.refused(404, "not_found", (), "not found");
    api.post(&path, json!({ "role": "owner" })).await.refused(404, "not_found", (), "not found");
    assert!(api.get(&format!("/organization/projects/{project}/users")).await.ids().is_empty());
    let rows = api.snapshot().await;
    let debris: Vec<_> =
        rows.iter().filter(|row| row.contains(&id) && !row.starts_with("audit_")).collect();
    assert!(debris.len() == 1 && debris[0].starts_with("former_names"), "{debris:?}");
    assert!(rows.iter().any(|row| row.contains(&id)), "the record keeps the id");
}

/// Somebody who became an owner and holds a key: their path and the key.
async fn owner_with_key(api: &Api) -> (String, String) {
    let id = api.add_user("other@example.com").await;
    let path = format!("{USERS}/{id}");
    api.post(&path, json!({ "role": "owner" })).await.ok();
    let key = crate::testing::fixture::add_key(&api.app, &api.first.organization, &id).await;
    (path, key)
}

/// A custom role of the organization may be named where the role is set: it is given beside the others.
#[tokio::test]
async fn a_custom_role_is_added_and_leaves_the_one_that_is_shown() {
    let api = Api::new().await;
    let user = api.add_user("ada@example.com").await;
    let path = format!("{USERS}/{user}");
    let role = fixture::add_role(&api, "", "Auditor", &["api.usage.read"]).await;
    let seen = api.events().await.len();
    let person = api
        .post(&path, json!({ "role_id": role, "role": "owner", "technical_level": "high" }))
        .await;
    assert_eq!(
        (&person.ok()["role"], &person.ok()["technical_level"]),
        (&json!("reader"), &json!("high"))
    );
    let told = ["user.updated".to_owned(), format!("role.assignment.created {role}")];
    assert_eq!(fixture::told_since(&api, seen).await, told);
    assert_eq!(api.get(&format!("{path}/roles")).await.ids().len(), 2);
    let seen = api.events().await.len();
    api.post(&path, json!({ "role_id": role })).await.ok();
    assert_eq!(api.events().await.len(), seen);
    // Line 101 of the operations: the person is told as changed, also where nothing but a custom role comes.
    let other = fixture::add_role(&api, "", "Clerk", &["api.usage.read"]).await;
    let seen = api.events().await.len();
    api.post(&path, json!({ "role_id": other })).await.ok();
    let told = ["user.updated".to_owned(), format!("role.assignment.created {other}")];
    assert_eq!(fixture::told_since(&api, seen).await, told);
    let requested = json!({ "id": user, "changes_requested": { "role": "Clerk" } });
    assert_eq!(api.events().await[seen].2, requested);
    api.delete(&format!("{path}/roles/{other}")).await.ok();
    // Another built-in role takes the place of the one that is there, and leaves the custom one.
    api.post(&path, json!({ "role": "owner" })).await.ok();
    let owner =
        format!("role-api-organization-owner__api-organization__{}", api.first.organization.id);
    assert_eq!(api.get(&format!("{path}/roles")).await.ids(), [owner, role]);
    let of_project = "role-api-project-member";
    api.post(&path, json!({ "role_id": of_project })).await.refused(
        404,
        "not_found",
        "role_id",
        "not found",
    );
}

/// Nobody makes somebody more than they are themselves.
#[tokio::test]
async fn a_key_makes_nobody_mightier_than_its_scopes() {
    let api = Api::new().await;
    let path = format!("{USERS}/{}", api.add_user("ada@example.com").await);
    let role = fixture::add_role(&api, "", "Auditor", &["api.usage.read"]).await;
    let key = fixture::key_with(&api, &["api.management.read", "api.management.write"]).await;
    for body in [json!({ "role": "owner" }), json!({ "role_id": role })] {
        let reply = api.request("POST", &path).key(&key).json(&body).send().await;
        reply.refused(403, (), (), "Missing scopes: api.usage.read.");
    }
    for body in [json!({ "role": "reader" }), json!({ "technical_level": "high" })] {
        api.request("POST", &path).key(&key).json(&body).send().await.ok();
    }
    let reply = api.request("POST", &path).key(&key).json(&json!({ "role": "king" })).send().await;
    reply.refused(400, "invalid_value", "role", "Supported values");
}

/// Whoever leaves loses groups and roles at once. Their project keys stay, as keys of somebody who left; what is not theirs stays.
#[tokio::test]
async fn whoever_leaves_loses_groups_and_roles_and_leaves_dead_keys() {
    let api = Api::new().await;
    let (user, project) =
        (api.add_user("Ada@example.com").await, api.create_project("Engine").await);
    let other = api.add_user("bob@example.com").await;
    for person in [&user, &other] {
        api.add_member(&project, person).await;
    }
    let everywhere = fixture::add_role(&api, "", "Auditor", &[]).await;
    let here = fixture::add_role(&api, &project, "Typist", &[]).await;
    let group = fixture::add_group(&api, "0a").await;
    for (person, key) in [(&user, "key_a"), (&other, "key_b")] {
        fixture::join(&api, &group, person).await;
        fixture::add_project_key(&api, &project, key, person).await;
        let (first, second) = (
            format!("{USERS}/{person}/roles"),
            format!("/projects/{project}/users/{person}/roles"),
        );
        api.post(&first, json!({ "role_id": everywhere })).await.ok();
        api.post(&second, json!({ "role_id": here })).await.ok();
    }
    fixture::add_account(&api, &project, "svc_acct_robot").await;
    let seen = api.events().await.len();
    api.delete(&format!("{USERS}/{user}")).await.ok();
    assert_eq!(fixture::told_since(&api, seen).await, ["user.deleted"]);
    let rows = api.snapshot().await;
    let debris: Vec<_> =
        rows.iter().filter(|row| row.contains(&user) && !row.starts_with("audit_")).collect();
    let of: Vec<_> = debris.iter().map(|row| row.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(of, ["former_names", "project_api_keys"]);
    let left = (user, Some(1_750_000_000), Some("Ada@example.com".to_owned()), Some(1_750_000_000));
    assert_eq!(fixture::owner_of_key(&api, "key_a").await, left);
    assert_eq!(fixture::owner_of_key(&api, "key_b").await, (other.clone(), None, None, None));
    assert_eq!(api.get(&format!("{USERS}/{other}/roles")).await.ids().len(), 2);
    assert_eq!(api.get(&format!("/projects/{project}/users/{other}/roles")).await.ids().len(), 2);
    assert!(rows.iter().any(|row| row.starts_with("service_accounts")));
    assert!(rows.iter().any(|row| row.starts_with("group_members") && row.contains(&other)));
}
