use serde_json::{Value, json};

use super::fixture::{add_group, add_role, told_since};
use crate::testing::Api;

/// Rulings 5.9 and 5.10: the group in the answer has the members of its own schema, and the last answer has no id.
#[tokio::test]
async fn a_group_is_given_roles_at_both_levels() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let group = add_group(&api, "0a").await;
    for (path, role, own) in [
        (
            format!("/organization/groups/{group}/roles"),
            "role-api-organization-owner",
            add_role(&api, "", "A", &[]).await,
        ),
        (
            format!("/projects/{project}/groups/{group}/roles"),
            "role-api-project-member",
            add_role(&api, &project, "A", &[]).await,
        ),
    ] {
        assert!(api.get(&path).await.ids().is_empty());
        let given = api.post(&path, json!({ "role_id": role })).await;
        let shown = json!({ "object": "group", "id": "0a", "name": "Crew", "created_at": 7, "scim_managed": false });
        assert_eq!((&given.ok()["object"], &given.ok()["group"]), (&json!("group.role"), &shown));
        assert_eq!(api.post(&path, json!({ "role_id": role })).await.ok(), given.ok());
        api.post(&path, json!({ "role_id": own })).await.ok();
        let page = api.get(&path).await;
        assert_eq!(page.ids().len(), 2);
        assert!(
            page.ok()["data"]
                .as_array()
                .expect("a page")
                .iter()
                .all(|row| row["assignment_sources"] == Value::Null)
        );
        assert_eq!(api.get(&format!("{path}/{own}")).await.ok()["id"], json!(own));
        let taken = json!({ "object": "group.role.deleted", "deleted": true });
        assert_eq!(*api.delete(&format!("{path}/{role}")).await.ok(), taken);
        let fragment =
            format!("Role '{role}' is not assigned to group '0a': role assignment not found.");
        api.delete(&format!("{path}/{role}")).await.refused(404, "not_found", (), &fragment);
        api.get(&format!("{path}/{role}")).await.refused(404, "not_found", (), &fragment);
    }
    let unknown = format!("/projects/{project}/groups/none/roles");
    api.get(&unknown).await.refused(404, "not_found", (), "Group with id 'none' not found.");
}

/// A group is in a project as long as it has a role there.
#[tokio::test]
async fn a_group_joins_with_its_first_role_and_leaves_with_its_last() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let group = add_group(&api, "0a").await;
    let path = format!("/projects/{project}/groups/{group}/roles");
    let own = add_role(&api, &project, "A", &[]).await;
    let is_in = async || api.snapshot().await.iter().any(|row| row.starts_with("project_groups"));
    let seen = api.events().await.len();
    for role in ["role-api-project-viewer", &own] {
        api.post(&path, json!({ "role_id": role })).await.ok();
        assert!(is_in().await);
    }
    api.delete(&format!("{path}/role-api-project-viewer")).await.ok();
    assert!(is_in().await);
    api.delete(&format!("{path}/{own}")).await.ok();
    assert!(!is_in().await);
    let told = told_since(&api, seen).await;
    assert_eq!(told[1], format!("role.assignment.created {own}"));
    assert_eq!(told.len(), 4);
    // The last role may also go by being deleted.
    let other = add_role(&api, &project, "B", &[]).await;
    for role in [&own, &other] {
        api.post(&path, json!({ "role_id": role })).await.ok();
    }
    api.delete(&format!("/projects/{project}/roles/{own}")).await.ok();
    assert!(is_in().await);
    api.delete(&format!("/projects/{project}/roles/{other}")).await.ok();
    assert!(!is_in().await);
}
