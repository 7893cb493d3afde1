//! How a program asks.

use serde_json::json;

use super::{CHECK, Place, Terms, id_of};

#[tokio::test]
async fn an_answer_says_whose_key_it_is() {
    let place = Place::new().await;
    let reply = place
        .ask(json!({ "permission": "api.responses.write", "model": "gpt-4o" }), &place.key)
        .await;
    let expected = json!({
        "object": "rollbook.check", "allowed": true, "reason": "allowed", "message": "The key may do this.",
        "permission": "api.responses.write", "model": "gpt-4o", "model_permissions": null, "rate_limit": null, "spend_limit": null,
        "organization": { "id": place.organization(), "slug": "first" },
        "project": { "id": place.project, "name": "Search" },
        "api_key": { "id": id_of(&place.key), "name": "Laptop", "expires_at": null },
        "owner": { "type": "user", "id": place.user, "email": "ada@example.com", "name": "ada@example.com" },
        "service_account": null,
    });
    assert_eq!(*reply.ok(), expected);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("openai-organization"), Some("first"));
}

#[tokio::test]
async fn a_service_account_is_named_as_owner_and_as_itself() {
    let place = Place::new().await;
    place.account("svc_acct_1", Some("member")).await;
    let terms = Terms { is_of_account: true, expires_at: Some(1_800_000_000), ..Terms::default() };
    let key = place.key_of("svc_acct_1", terms).await;
    let reply = place.ask(json!({}), &key).await;
    let body = reply.ok();
    assert_eq!(
        body["owner"],
        json!({ "type": "service_account", "id": "svc_acct_1", "name": "Robot" })
    );
    assert_eq!(
        body["service_account"],
        json!({ "id": "svc_acct_1", "name": "Robot", "role": "member" })
    );
    assert_eq!(body["api_key"]["expires_at"], 1_800_000_000);
    assert_eq!((&body["permission"], &body["model"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn nobody_is_named_for_a_key_that_nobody_has() {
    let place = Place::new().await;
    let reply = place.ask(json!({ "model": "m" }), "sk-proj-made-up").await;
    let expected = json!({
        "object": "rollbook.check", "allowed": false, "reason": "unknown_key",
        "message": "No project of this server has this key. It may have been deleted.",
        "permission": null, "model": "m", "model_permissions": null, "rate_limit": null, "spend_limit": null,
        "organization": null, "project": null, "api_key": null, "owner": null, "service_account": null,
    });
    assert_eq!(*reply.ok(), expected);
    assert_eq!(reply.header("openai-organization"), None);
    let reply = place.ask(json!({}), &place.api.first.key).await;
    assert_eq!(reply.ok()["reason"], "unknown_key");
    assert!(reply.ok()["message"].as_str().unwrap().contains("admin key"));
}

#[tokio::test]
async fn a_key_stands_in_the_body_or_else_in_the_header() {
    let place = Place::new().await;
    let ask = |key: &str| place.api.request("POST", CHECK).key(key);
    assert_eq!(ask(&place.key).send().await.ok()["allowed"], true);
    assert_eq!(ask(&place.key).json(&json!({ "model": null })).send().await.ok()["allowed"], true);
    let both = ask("sk-proj-made-up").json(&json!({ "key": place.key }));
    assert_eq!(both.send().await.ok()["allowed"], true);
    let neither = place.api.request("POST", CHECK).without("authorization").send().await;
    neither.refused(401, (), (), "You didn't provide an API key. Send the key of a project");
    assert_eq!(neither.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn what_the_headers_name_must_be_of_the_key_in_the_header() {
    let place = Place::new().await;
    let organization = place.organization().to_owned();
    for (name, value, code) in [
        ("openai-organization", "first", None),
        ("openai-organization", &organization, None),
        ("openai-organization", "second", Some("mismatched_organization")),
        ("openai-project", &place.project, None),
        ("openai-project", "proj_x", Some("mismatched_project")),
    ] {
        let ask = || place.api.request("POST", CHECK).header(name, value);
        let reply = ask().key(&place.key).send().await;
        match code {
            None => assert_eq!(reply.ok()["allowed"], true, "{name}: {value}"),
            Some(code) => drop(reply.refused(401, code, (), "Leave the header out")),
        }
        // A key in the body is somebody else's than the headers'.
        let reply = ask().json(&json!({ "key": place.key })).send().await;
        assert_eq!(reply.ok()["allowed"], true, "{name}: {value}");
        let reply = place.forward("", &[(name, value)]).await;
        match code {
            None => drop(reply.ok()),
            Some(code) => drop(reply.refused(401, code, (), "Leave the header out")),
        }
    }
}

#[tokio::test]
async fn a_question_that_is_not_well_formed_is_refused() {
    let place = Place::new().await;
    for (body, code, param, fragment) in [
        (json!({ "surprise": 1 }), "unknown_parameter", "surprise", "Unknown parameter"),
        (json!({ "key": null }), "invalid_type", "key", "expected a string, but got null"),
        (json!({ "key": "" }), "empty_string", "key", "at least 1"),
        (json!({ "key": "k".repeat(513) }), "string_above_max_length", "key", "at most 512"),
        (json!({ "model": 1 }), "invalid_type", "model", "expected a string"),
        (json!({ "model": "m".repeat(256) }), "string_above_max_length", "model", "at most 255"),
        (json!({ "permission": "" }), "empty_string", "permission", "at least 1"),
        (
            json!({ "permission": "model.request" }),
            "invalid_value",
            "permission",
            "is not a permission",
        ),
        (
            json!({ "permission": "api.Model" }),
            "invalid_value",
            "permission",
            "is not a permission",
        ),
    ] {
        let request = place.api.request("POST", CHECK).key(&place.key).json(&body);
        request.send().await.refused(400, code, param, fragment);
    }
    let request = place.api.request("POST", CHECK).key(&place.key).body("{");
    request.send().await.refused(400, (), (), "could not be parsed as JSON");
    let request = place.api.request("POST", CHECK).key(&place.key).body("x".repeat(9000));
    request.send().await.refused(413, "request_too_large", (), "At most 8192 bytes");
    place.api.request("GET", CHECK).send().await.refused(
        405,
        "method_not_supported",
        (),
        "GET is not",
    );
}
