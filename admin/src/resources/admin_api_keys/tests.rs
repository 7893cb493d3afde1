use serde_json::{Value, json};

use crate::testing::Api;

const KEYS: &str = "/organization/admin_api_keys";

#[tokio::test]
async fn a_key_is_made_shown_once_and_deleted() {
    let api = Api::new().await;
    let made = api.post(KEYS, json!({ "name": "CI" })).await;
    let (id, value) = (made.id(), made.ok()["value"].as_str().expect("the secret").to_owned());
    assert!(value.starts_with("sk-admin-") && value.len() == 58);
    assert!(crate::domain::secret::has_valid_checksum(&value));
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let mut key = json!({
        "object": "organization.admin_api_key", "id": id, "name": "CI",
        "redacted_value": format!("sk-admin-***{}", &value[54..]), "created_at": 1_750_000_000, "expires_at": null,
        "last_used_at": null, "value": value,
        "owner": {
            "type": "user", "object": "organization.user", "id": api.first.owner_id, "name": "Olga Owner",
            "created_at": 1_750_000_000, "role": "owner",
        },
    });
    assert_eq!(*made.ok(), key);
    key.as_object_mut().expect("it is an object").remove("value");
    assert_eq!(*api.get(&format!("{KEYS}/{id}")).await.ok(), key);
    assert_eq!(api.get(KEYS).await.ok()["data"][1], key);
    api.request("GET", KEYS).key(&value).send().await.ok();

    let deleted =
        json!({ "object": "organization.admin_api_key.deleted", "id": id, "deleted": true });
    assert_eq!(*api.delete(&format!("{KEYS}/{id}")).await.ok(), deleted);
    api.request("GET", KEYS).key(&value).send().await.refused(
        401,
        "invalid_api_key",
        (),
        "Incorrect API key",
    );
    api.get(&format!("{KEYS}/{id}")).await.refused(404, "not_found", (), "not found");
    api.delete(&format!("{KEYS}/{id}")).await.refused(404, "not_found", (), "not found");
}

#[tokio::test]
async fn the_secret_is_nowhere_in_the_store() {
    let api = Api::new().await;
    let made = api.post(KEYS, json!({ "name": "CI" })).await;
    let value = made.ok()["value"].as_str().expect("the secret").to_owned();
    let rows = api.snapshot().await.join("\n");
    assert!(rows.contains(&made.id()) && !rows.contains(&value[..20]), "{rows}");
}

#[tokio::test]
async fn a_key_may_delete_itself() {
    let api = Api::new().await;
    api.delete(&format!("{KEYS}/{}", api.first.key_id)).await.ok();
    api.get(KEYS).await.refused(401, "invalid_api_key", (), "Incorrect API key");
}

#[tokio::test]
async fn a_life_is_asked_for_in_seconds_or_as_an_end() {
    let api = Api::new().await;
    for (body, end) in [
        (json!({ "name": "k", "expires_in_seconds": 1 }), json!(1_750_000_001)),
        (json!({ "name": "k", "expires_in_seconds": 31_536_000 }), json!(1_781_536_000)),
        (json!({ "name": "k", "expires_at": 1_900_000_000 }), json!(1_900_000_000)),
        (json!({ "name": "k", "expires_at": null, "scopes": null }), Value::Null),
    ] {
        assert_eq!(api.post(KEYS, body).await.ok()["expires_at"], end);
    }
    for (body, code, param) in [
        (
            json!({ "name": "k", "expires_in_seconds": 0 }),
            "integer_below_min_value",
            "expires_in_seconds",
        ),
        (
            json!({ "name": "k", "expires_in_seconds": 31_536_001 }),
            "integer_above_max_value",
            "expires_in_seconds",
        ),
        (
            json!({ "name": "k", "expires_in_seconds": 9_223_372_036_854_775_808_u64 }),
            "integer_above_max_value",
            "expires_in_seconds",
        ),
        (
            json!({ "name": "k", "expires_in_seconds": 1e30 }),
            "integer_above_max_value",
            "expires_in_seconds",
        ),
        (
            json!({ "name": "k", "expires_in_seconds": -1e30 }),
            "integer_below_min_value",
            "expires_in_seconds",
        ),
        (json!({ "name": "k", "expires_at": 1_750_000_000 }), "invalid_value", "expires_at"),
        (json!({ "name": "k", "expires_at": -1 }), "integer_below_min_value", "expires_at"),
        (
            json!({ "name": "k", "expires_at": 1_900_000_000, "expires_in_seconds": 5 }),
            "invalid_value",
            "expires_at",
        ),
    ] {
        api.post(KEYS, body).await.refused(400, code, param, param);
    }
}

#[tokio::test]
async fn scopes_are_honoured_or_refused() {
    let api = Api::new().await;
    let unknown = json!({ "name": "k", "scopes": ["api.management.read", "api.everything"] });
    api.post(KEYS, unknown).await.refused(
        400,
        "invalid_value",
        "scopes[1]",
        "Supported values are",
    );
    let none = json!({ "name": "k", "scopes": [] });
    api.post(KEYS, none).await.refused(400, "array_below_min_length", "scopes", "at least one");
    let mixed = json!({ "name": "k", "scopes": ["api.management.read", 7] });
    api.post(KEYS, mixed).await.refused(400, "invalid_type", "scopes[1]", "expected a string");
}

#[tokio::test]
async fn nobody_grants_scopes_that_they_do_not_hold() {
    let api = Api::new().await;
    let narrow = json!({ "name": "k", "scopes": ["api.management.read", "api.management.write"] });
    let narrow =
        api.post(KEYS, narrow).await.ok()["value"].as_str().expect("the secret").to_owned();
    let make = |body: Value| api.request("POST", KEYS).key(&narrow).json(&body);
    let wide = json!({ "name": "wider", "scopes": ["api.usage.read"] });
    make(wide).send().await.refused(403, (), (), "Missing scopes: api.usage.read");
    make(json!({ "name": "as wide" })).send().await.ok();
    let scopes: Vec<_> =
        api.snapshot().await.into_iter().filter(|row| row.contains("as wide")).collect();
    assert!(scopes[0].contains("\"api.management.read api.management.write\""), "{scopes:?}");
}

#[tokio::test]
async fn keys_are_listed_in_both_directions() {
    let api = Api::new().await;
    let mut ids = vec![api.first.key_id.clone()];
    for name in ["a", "b", "c"] {
        ids.push(api.post(KEYS, json!({ "name": name })).await.id());
    }
    assert_eq!(api.get(KEYS).await.ids(), ids);
    assert_eq!(api.get(&format!("{KEYS}?order=asc")).await.ids(), ids);
    let after = api.get(&format!("{KEYS}?order=desc&after={}&limit=2", ids[3])).await;
    assert_eq!(
        (after.ids(), &after.ok()["has_more"]),
        (vec![ids[2].clone(), ids[1].clone()], &json!(true))
    );
}

/// Ruling 5.20: keys of projects are keys of another kind, which the list of admin keys does not know.
#[tokio::test]
async fn keys_of_projects_are_not_among_them() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let accounts = format!("/organization/projects/{project}/service_accounts");
    let account = api.post(&accounts, json!({ "name": "Robot" })).await;
    let machine = account.ok()["api_key"]["id"].as_str().expect("it has a key").to_owned();
    let keys = format!("/rollbook/v1/projects/{project}/api_keys");
    let person = api.post(&keys, json!({ "name": "k", "user_id": api.first.owner_id })).await.id();
    assert_eq!(api.get(KEYS).await.ids(), [api.first.key_id.as_str()]);
    for key in [machine, person] {
        let one = format!("{KEYS}/{key}");
        api.get(&one).await.refused(404, "not_found", (), "not found");
        api.delete(&one).await.refused(404, "not_found", (), "not found");
    }
}
