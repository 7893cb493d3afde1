//! What cannot be restored is refused where it stands, and changes nothing.

use serde_json::{Value, json};

use super::{fresh, restoration, restore, restore_by};
use crate::document::{LITERAL, Refusal, parse};

/// The seed with another value in one place.
fn with(pointer: &str, value: Value) -> String {
    let mut changed: Value = serde_json::from_str(LITERAL).expect("it is JSON");
    let (parent, name) = pointer.rsplit_once('/').expect("it has a parent");
    let parent = changed.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
    match parent {
        Value::Array(all) if all.len() == name.parse::<usize>().expect("a number") => {
            all.push(value)
        }
        Value::Array(all) => all[name.parse::<usize>().expect("a number")] = value,
        other => other[name] = value,
    }
    changed.to_string()
}

#[test]
fn what_cannot_be_read_is_told_by_its_place() {
    for (text, path, reason) in [
        ("", "$", "EOF"),
        ("[]", "$", "invalid type: sequence"),
        (r#"{"users": [["id", "a@b"]]}"#, "$.users[0]", "expected an object"),
        ("{} x", "$", "trailing characters"),
        (r#"{"version": 2}"#, "$.version", "is not known here"),
        (r#"{"usrs": []}"#, "$.usrs", "unknown field `usrs`"),
        (r#"{"users": [{"id": "a", "email": 7}]}"#, "$.users[0].email", "expected a string"),
        (r#"{"users": [{"id": "a"}]}"#, "$.users[0]", "missing field `email`"),
        (r#"{"users": [], "users": []}"#, "$", "duplicate field `users`"),
        (
            r#"{"projects": [{"id": "p", "name": "P", "users": [{"id": "u", "role": "king"}]}]}"#,
            "$.projects[0].users[0].role",
            "unknown variant `king`",
        ),
        (r#"{"projects": [{"id": "p", "name": "P\u0000"}]}"#, "$.projects[0].name", "NUL"),
        (
            &with("/admin_api_keys/0/value", json!("with space")),
            "$.admin_api_keys[0].value",
            "visible ASCII",
        ),
        (
            &with("/projects/1/api_keys/0/secret_sha256", json!("00")),
            "$.projects[1].api_keys[0].value",
            "one of the two",
        ),
    ] {
        let fault = parse(text).expect_err(text);
        assert_eq!(fault.path, path, "{text}: {fault}");
        assert!(fault.reason.contains(reason), "{text}: {fault}");
    }
}

#[tokio::test]
async fn what_breaks_a_rule_is_told_by_its_place() {
    let store = fresh().await;
    let long = "x".repeat(256);
    let alert = json!({ "id": "a", "threshold_amount": -1, "notification_channel": { "recipients": ["a@b"] } });
    let account = json!({ "id": "service_account_id", "name": "Other" });
    for (pointer, value, path) in [
        ("/slug", json!("Not a slug"), "$.slug"),
        ("/default_project_id", json!("none"), "$.default_project_id"),
        ("/users/0/role", json!("reader"), "$.users"),
        ("/users/1/email", json!("nobody"), "$.users[1].email"),
        ("/users/1/email", json!("OWNER@example.com"), "$.users[1].email"),
        ("/users/1/id", json!("owner_id"), "$.users[1].id"),
        ("/users/1/id", json!("a\nb"), "$.users[1].id"),
        ("/users/1/id", json!("service_account_id"), "$.users[1].id"),
        ("/users/1/name", json!(long), "$.users[1].name"),
        ("/users/1/roles/0/id", json!("none"), "$.users[1].roles[0].id"),
        ("/users/1/roles/0/id", json!("role-api-organization-owner"), "$.users[1].roles[0].id"),
        ("/groups/0/users/0/id", json!("none"), "$.groups[0].users[0].id"),
        ("/groups/0/roles/0/id", json!("role-api-project-owner"), "$.groups[0].roles[0].id"),
        ("/roles/0/name", json!("owner"), "$.roles[0].name"),
        ("/roles/0/permissions/0", json!("everything"), "$.roles[0].permissions[0]"),
        (
            "/roles/1",
            json!({ "id": "other", "name": "auditor", "permissions": [] }),
            "$.roles[1].name",
        ),
        ("/invites/0/role", json!("none"), "$.invites[0].role"),
        ("/invites/0/projects/0/id", json!("none"), "$.invites[0].projects[0].id"),
        ("/admin_api_keys/0/owner/id", json!("user_id"), "$.admin_api_keys[0].owner.id"),
        ("/certificates/0/content", json!("none"), "$.certificates[0].content"),
        ("/spend_alerts/1", alert, "$.spend_alerts[1].threshold_amount"),
        ("/models/0/id", json!("two words"), "$.models[0].id"),
        ("/models/0/max_tokens_per_1_minute", json!(-1), "$.models[0].max_tokens_per_1_minute"),
        ("/projects/0/archived_at", json!(7), "$.projects[0].archived_at"),
        ("/projects/1/name", json!(""), "$.projects[1].name"),
        ("/projects/1/residency", json!("MOON"), "$.projects[1].residency"),
        ("/projects/1/users/0/id", json!("none"), "$.projects[1].users[0].id"),
        (
            "/projects/1/users/0/roles/0/id",
            json!("role-api-project-owner"),
            "$.projects[1].users[0].roles[0].id",
        ),
        ("/projects/1/groups/0/roles", json!([]), "$.projects[1].groups[0].roles"),
        ("/projects/0/service_accounts", json!([account]), "$.projects[0].service_accounts[0].id"),
        ("/projects/1/api_keys/0/owner/id", json!("none"), "$.projects[1].api_keys[0].owner.id"),
        (
            "/projects/1/api_keys/0/owner/type",
            json!("service_account"),
            "$.projects[1].api_keys[0].owner.id",
        ),
        ("/projects/1/rate_limits/0/id", json!("rl-none"), "$.projects[1].rate_limits[0].id"),
        ("/projects/1/certificates/0/id", json!("none"), "$.projects[1].certificates[0].id"),
    ] {
        let document = parse(&with(pointer, value)).unwrap_or_else(|fault| panic!("{fault}"));
        let refusal = restore_by(&store.store, restoration(document)).await;
        let Err(Refusal::Faulty(faults)) = refusal else { panic!("{pointer}: {refusal:?}") };
        assert!(faults.iter().any(|fault| fault.path == path), "{pointer}: {faults:?}");
    }
}

/// What was there cannot become something else.
#[tokio::test]
async fn what_cannot_change_is_refused() {
    let store = fresh().await;
    restore(
        &store.store,
        parse(&with("/projects/1/residency", json!("EU_STORAGE_PROCESSING")))
            .expect("it can be read"),
    )
    .await;
    let rsa = include_str!("../../resources/certificates/examples/rsa.pem");
    for (pointer, value, path) in [
        ("/projects/0/name", json!("Other"), "$.projects[0]"),
        ("/projects/1/residency", json!("US_STORAGE_PROCESSING"), "$.projects[1].residency"),
        ("/certificates/0/content", json!(rsa), "$.certificates[0].content"),
        ("/default_project_id", json!("project_id"), "$.default_project_id"),
        ("/projects/1/api_keys/0/owner/id", json!("owner_id"), "$.projects[1].api_keys[0].owner"),
    ] {
        let document = parse(&with(pointer, value)).unwrap_or_else(|fault| panic!("{fault}"));
        let refusal = restore_by(&store.store, restoration(document)).await;
        let Err(Refusal::Faulty(faults)) = refusal else { panic!("{pointer}: {refusal:?}") };
        assert!(faults.iter().any(|fault| fault.path == path), "{pointer}: {faults:?}");
    }
}

/// A secret opens one thing, also where two organizations share a store.
#[tokio::test]
async fn a_secret_of_something_else_is_refused() {
    let store = fresh().await;
    restore(&store.store, parse(LITERAL).expect("it can be read")).await;
    let mut other: Value = serde_json::from_str(LITERAL).expect("it is JSON");
    (other["id"], other["slug"]) = (json!("other"), json!("other"));
    for path in ["$.admin_api_keys[0].secret_sha256", "$.projects[1].api_keys[0].secret_sha256"] {
        let document = parse(&other.to_string()).expect("it can be read");
        let refusal = restore_by(&store.store, restoration(document)).await;
        let Err(Refusal::Faulty(faults)) = refusal else { panic!("{refusal:?}") };
        other["admin_api_keys"] = json!([]);
        let places: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert!(places == [path] || places[0].contains("api_keys"), "{places:?}");
    }
}
