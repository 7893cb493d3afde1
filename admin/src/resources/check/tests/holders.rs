//! Which keys may do what.

use serde_json::json;

use super::{Place, Terms};
use crate::holdings::Kind;

const READ: Option<&str> = Some("api.model.read");
const REQUEST: Option<&str> = Some("api.model.request");

#[tokio::test]
async fn the_first_reason_against_a_key_counts() {
    let place = Place::new().await;
    let terms = Terms {
        scopes: Some("api.files.read"),
        expires_at: Some(1_750_000_100),
        ..Terms::default()
    };
    let key = place.key_of(&place.user, terms).await;
    let [manage, files] = [Some("api.management.write"), Some("api.files.read")];
    // Everything is against it, and falls away one by one.
    place.api.clock.advance(100);
    place.run(
        "UPDATE project_api_keys SET owner_left_at = 1, owner_email = 'old@example.com', owner_name = 'Old Ada' WHERE organization_id = $1 AND project_id = $2",
    ).await;
    place
        .api
        .delete(&format!("/organization/projects/{}/users/{}", place.project, place.user))
        .await
        .ok();
    place.run("UPDATE projects SET archived_at = 1 WHERE organization_id = $1 AND id = $2").await;
    assert_eq!(place.reason(&key, manage).await, "expired_key");
    place.run("UPDATE project_api_keys SET expires_at = NULL WHERE organization_id = $1 AND project_id = $2").await;
    assert_eq!(place.reason(&key, manage).await, "project_archived");
    place
        .run("UPDATE projects SET archived_at = NULL WHERE organization_id = $1 AND id = $2")
        .await;
    let reply = place.ask(json!({ "permission": manage }), &key).await;
    assert_eq!(reply.ok()["reason"], "owner_left");
    let remembered =
        json!({ "type": "user", "id": place.user, "email": "old@example.com", "name": "Old Ada" });
    assert_eq!(reply.ok()["owner"], remembered);
    place.run("UPDATE project_api_keys SET owner_left_at = NULL WHERE organization_id = $1 AND project_id = $2").await;
    assert_eq!(place.reason(&key, manage).await, "owner_without_access");
    place.api.add_member(&place.project, &place.user).await;
    assert_eq!(place.reason(&key, manage).await, "missing_permission");
    assert_eq!(place.reason(&key, REQUEST).await, "key_scope");
    assert_eq!(place.reason(&key, files).await, "allowed");
    assert_eq!(place.reason(&key, None).await, "allowed");
    let reply = place.ask(json!({ "permission": files, "model": "gpt-4o" }), &key).await;
    assert_eq!(reply.ok()["reason"], "key_scope", "a model needs a permission of its own");
}

#[tokio::test]
async fn a_key_ends_with_its_time() {
    let place = Place::new().await;
    let terms = Terms { expires_at: Some(1_750_000_060), ..Terms::default() };
    let key = place.key_of(&place.user, terms).await;
    place.api.clock.advance(59);
    assert_eq!(place.reason(&key, None).await, "allowed");
    place.api.clock.advance(1);
    assert_eq!(place.reason(&key, None).await, "expired_key");
}

#[tokio::test]
async fn an_account_without_a_role_may_only_be_known() {
    let place = Place::new().await;
    place.account("svc_acct_none", None).await;
    let key =
        place.key_of("svc_acct_none", Terms { is_of_account: true, ..Terms::default() }).await;
    assert_eq!(place.reason(&key, None).await, "allowed");
    assert_eq!(place.reason(&key, READ).await, "missing_permission");
    place.assign(true, Kind::User, "svc_acct_none", "role-api-project-viewer").await;
    assert_eq!(place.reason(&key, READ).await, "allowed");
    assert_eq!(place.reason(&key, REQUEST).await, "missing_permission");
}

#[tokio::test]
async fn an_owner_of_the_organization_may_do_everything_in_every_project() {
    let place = Place::new().await;
    let key = place.key_of(&place.api.first.owner_id, Terms::default()).await;
    for permission in [REQUEST, Some("api.management.write"), Some("api.ours.anything")] {
        assert_eq!(place.reason(&key, permission).await, "allowed", "{permission:?}");
    }
}

#[tokio::test]
async fn roles_count_at_both_levels_and_through_groups() {
    let place = Place::new().await;
    let stranger = place.api.add_user("grace@example.com").await;
    let key = place.key_of(&stranger, Terms::default()).await;
    assert_eq!(place.reason(&key, None).await, "owner_without_access");
    place.run("INSERT INTO roles (organization_id, project_id, id, name, permissions, reaches_projects, created_at, updated_at)
        VALUES ($1, '', 'role_files', 'Files', 'api.files.read', TRUE, 1, 1), ($1, $2, 'role_ours', 'Ours', 'api.ours.run', TRUE, 1, 1)")
        .await;
    place.run("INSERT INTO groups (organization_id, id, name, created_at) SELECT id, 'group_1', $2, 1 FROM organizations WHERE id = $1").await;
    place.assign(false, Kind::Group, "group_1", "role_files").await;
    assert_eq!(place.reason(&key, None).await, "owner_without_access");
    place.api.app.store.write({
        let (organization, user) = (place.organization().to_owned(), stranger.clone());
        move |tx: &mut sql::Tx<'_>| tx.execute(
            "INSERT INTO group_members (organization_id, group_id, user_id, added_at) VALUES ($1, 'group_1', $2, 1)",
            sql::args![&organization, &user],
        )
    }).await.unwrap();
    assert_eq!(place.reason(&key, Some("api.files.read")).await, "allowed");
    assert_eq!(place.reason(&key, Some("api.files.write")).await, "missing_permission");
    assert_eq!(place.reason(&key, Some("api.ours.run")).await, "missing_permission");
    place.run("INSERT INTO project_groups (organization_id, project_id, group_id, created_at) VALUES ($1, $2, 'group_1', 1)").await;
    place.assign(true, Kind::Group, "group_1", "role_ours").await;
    assert_eq!(place.reason(&key, Some("api.ours.run")).await, "allowed");
    assert_eq!(place.reason(&key, Some("api.ours.stop")).await, "missing_permission");
}

#[tokio::test]
async fn a_project_key_manages_nothing() {
    let place = Place::new().await;
    let users = "/organization/users";
    let refused = |scope: &'static str| {
        format!("You have insufficient permissions for this operation. Missing scopes: {scope}.")
    };
    let owner = place.key_of(&place.api.first.owner_id, Terms::default()).await;
    for key in [&place.key, &owner] {
        let send = |method: &'static str, path: &str| place.api.request(method, path).key(key);
        for (method, path) in [
            ("GET", users),
            ("GET", "/organization/users/user-x"),
            ("GET", "/organization/projects"),
        ] {
            send(method, path).send().await.refused(403, (), (), &refused("api.management.read"));
        }
        let user = format!("{users}/{}", place.user);
        send("DELETE", &user).send().await.refused(403, (), (), &refused("api.management.write"));
        send("POST", &user).json(&json!({ "role": "owner" })).send().await.refused(
            403,
            (),
            (),
            &refused("api.management.write"),
        );
        send("POST", "/organization/admin_api_keys")
            .json(&json!({ "name": "x" }))
            .send()
            .await
            .refused(403, (), (), &refused("api.management.write"));
        send("GET", users).header("openai-organization", "second").send().await.refused(
            401,
            "mismatched_organization",
            (),
            "another organization",
        );
        // What the owner's key reads meanwhile, it must not get.
        place.api.get(users).await.ok();
        send("GET", users).send().await.refused(403, (), (), &refused("api.management.read"));
    }
    let expired =
        place.key_of(&place.user, Terms { expires_at: Some(1), ..Terms::default() }).await;
    place.api.request("GET", users).key(&expired).send().await.refused(
        401,
        "invalid_api_key",
        (),
        "Incorrect API key",
    );
    place
        .api
        .post(&format!("/organization/projects/{}/archive", place.project), json!({}))
        .await
        .ok();
    place.api.request("GET", users).key(&place.key).send().await.refused(
        401,
        "invalid_api_key",
        (),
        "Incorrect API key",
    );
}
