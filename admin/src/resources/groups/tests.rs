use serde_json::{Value, json};

use crate::testing::Api;

const GROUPS: &str = "/organization/groups";

async fn create(api: &Api, name: &str) -> String {
    api.post(GROUPS, json!({ "name": name })).await.id()
}

fn is_hexadecimal(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Ruling 5.9: the schema has no `object`, the examples do.
#[tokio::test]
async fn a_group_is_created_shown_renamed_listed_and_deleted() {
    let api = Api::new().await;
    let reply = api.post(GROUPS, json!({ "name": " Engine room " })).await;
    let id = reply.id();
    assert!(is_hexadecimal(&id), "{id}");
    let group = |name: &str| {
        json!({
            "object": "group", "id": id, "name": name, "created_at": 1_750_000_000,
            "is_scim_managed": false, "group_type": "group",
        })
    };
    assert_eq!(*reply.ok(), group(" Engine room "));
    let path = format!("{GROUPS}/{id}");
    assert_eq!(*api.get(&path).await.ok(), group(" Engine room "));
    assert_eq!(*api.post(&path, json!({ "name": "Bridge" })).await.ok(), group("Bridge"));
    let page =
        json!({ "object": "list", "data": [group("Bridge")], "has_more": false, "next": null });
    assert_eq!(*api.get(GROUPS).await.ok(), page);
    let deleted = json!({ "object": "group.deleted", "id": id, "deleted": true });
    assert_eq!(*api.delete(&path).await.ok(), deleted);
    let empty = json!({ "object": "list", "data": [], "has_more": false, "next": null });
    assert_eq!(*api.get(GROUPS).await.ok(), empty);
}

#[tokio::test]
async fn groups_may_have_one_name_and_run_by_id_both_ways() {
    let api = Api::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(create(&api, "Twins").await);
        api.clock.advance(1);
    }
    assert_eq!(api.get(GROUPS).await.ids(), ids, "ids made later come later");
    let first = api.get(&format!("{GROUPS}?limit=2")).await;
    assert_eq!((first.ids(), &first.ok()["next"]), (ids[..2].to_vec(), &json!(ids[1])));
    let second = api.get(&format!("{GROUPS}?limit=2&after={}", ids[1])).await;
    assert_eq!((second.ids(), &second.ok()["next"]), (ids[2..].to_vec(), &Value::Null));
    ids.reverse();
    assert_eq!(api.get(&format!("{GROUPS}?order=desc")).await.ids(), ids);
    let rest = api.get(&format!("{GROUPS}?order=desc&after={}", ids[0])).await;
    assert_eq!(rest.ids(), ids[1..]);
    let none = api.get(&format!("{GROUPS}?limit=0")).await;
    let asked_for_none = json!({ "object": "list", "data": [], "has_more": true, "next": null });
    assert_eq!(*none.ok(), asked_for_none);
    api.get(&format!("{GROUPS}?limit=1001")).await.refused(
        400,
        "integer_above_max_value",
        "limit",
        "<= 1000",
    );
}

#[tokio::test]
async fn a_name_has_1_to_255_characters() {
    let api = Api::new().await;
    let id = create(&api, &"å".repeat(255)).await;
    for path in [GROUPS.to_owned(), format!("{GROUPS}/{id}")] {
        let refused = [
            (json!({}), "missing_required_parameter"),
            (json!({ "name": null }), "invalid_type"),
            (json!({ "name": "" }), "empty_string"),
            (json!({ "name": "å".repeat(256) }), "string_above_max_length"),
        ];
        for (body, code) in refused {
            api.post(&path, body).await.refused(400, code, "name", "'name'");
        }
    }
}

#[tokio::test]
async fn an_unknown_group_is_404_for_every_verb_before_the_body_is_read() {
    let api = Api::new().await;
    let path = format!("{GROUPS}/none");
    let fragment = "Group with id 'none' not found.";
    api.get(&path).await.refused(404, "not_found", (), fragment);
    api.post(&path, json!({ "surprise": 1 })).await.refused(404, "not_found", (), fragment);
    api.delete(&path).await.refused(404, "not_found", (), fragment);
}

#[tokio::test]
async fn a_deleted_group_leaves_nothing_behind() {
    let api = Api::new().await;
    let (user, project) =
        (api.add_user("ada@example.com").await, api.create_project("Engine").await);
    let (gone, kept) = (create(&api, "Gone").await, create(&api, "Kept").await);
    for group in [&gone, &kept] {
        api.post(&format!("{GROUPS}/{group}/users"), json!({ "user_id": user })).await.ok();
        let body = json!({ "group_id": group, "role": "member" });
        api.post(&format!("/organization/projects/{project}/groups"), body).await.ok();
    }
    api.delete(&format!("{GROUPS}/{gone}")).await.ok();
    let rows = api.snapshot().await;
    let of = |group: &str| {
        let tables = ["groups", "group_members", "project_groups", "role_assignments"];
        let counts = tables.map(|table| {
            let table = format!("{table} ");
            rows.iter().filter(|row| row.starts_with(&table) && row.contains(group)).count()
        });
        counts.to_vec()
    };
    assert_eq!((of(&gone), of(&kept)), (vec![0; 4], vec![1; 4]));
    api.get(&format!("/organization/users/{user}")).await.ok();
}

#[tokio::test]
async fn what_happens_to_a_group_is_on_record_once() {
    let api = Api::new().await;
    let before = api.events().await.len();
    let id = create(&api, "One").await;
    let path = format!("{GROUPS}/{id}");
    api.post(&path, json!({ "name": "One" })).await.ok();
    api.post(&path, json!({ "name": "Two" })).await.ok();
    api.delete(&path).await.ok();
    let event = |kind: &str, payload: Value| (kind.to_owned(), None, payload);
    let expected = [
        event("group.created", json!({ "id": id, "data": { "group_name": "One" } })),
        event("group.updated", json!({ "id": id, "changes_requested": { "group_name": "Two" } })),
        event("group.deleted", json!({ "id": id })),
    ];
    assert_eq!(api.events().await[before..], expected);
}
