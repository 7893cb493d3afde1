//! How a proxy asks.

use serde_json::json;

use super::{FORWARD, Place, Terms, id_of};

#[tokio::test]
async fn a_proxy_is_told_whose_key_it_is() {
    let place = Place::new().await;
    let reply = place.forward("?permission=api.model.request&model=gpt-4o", &[]).await;
    let told = [
        ("x-rollbook-organization-id", place.organization()),
        ("x-rollbook-organization", "first"),
        ("x-rollbook-project-id", &place.project),
        ("x-rollbook-key-id", &id_of(&place.key)),
        ("x-rollbook-owner-type", "user"),
        ("x-rollbook-owner-id", &place.user),
        ("x-rollbook-owner-email", "ada@example.com"),
        ("openai-organization", "first"),
        ("openai-project", &place.project),
        ("cache-control", "no-store"),
    ];
    for (name, value) in told {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    let body = reply.ok();
    assert_eq!(
        (&body["permission"], &body["model"]),
        (&json!("api.model.request"), &json!("gpt-4o"))
    );
    place.account("svc_acct_1", Some("owner")).await;
    let key = place.key_of("svc_acct_1", Terms { is_of_account: true, ..Terms::default() }).await;
    let reply = place.api.request("GET", FORWARD).key(&key).send().await;
    assert_eq!(reply.ok()["owner"]["name"], "Robot");
    assert_eq!(reply.header("x-rollbook-owner-type"), Some("service_account"));
    assert_eq!(reply.header("x-rollbook-owner-id"), Some("svc_acct_1"));
    assert_eq!(reply.header("x-rollbook-owner-email"), None);
}

#[tokio::test]
async fn what_cannot_stand_in_a_header_is_left_out() {
    let place = Place::new().await;
    let user = place.api.add_user("josé@example.com").await;
    place.api.add_member(&place.project, &user).await;
    let key = place.key_of(&user, Terms::default()).await;
    let reply = place.api.request("GET", FORWARD).key(&key).send().await;
    assert_eq!(reply.ok()["owner"]["email"], "josé@example.com");
    assert_eq!(reply.header("x-rollbook-owner-id"), Some(user.as_str()));
    assert_eq!(reply.header("x-rollbook-owner-email"), None);
}

#[tokio::test]
async fn a_key_that_opens_nothing_is_401_and_names_nobody() {
    let place = Place::new().await;
    let ask = |key: &str| place.api.request("GET", FORWARD).key(key);
    let refused = async |key: &str, fragment: &str| {
        let reply = ask(key).send().await;
        reply.refused(401, "invalid_api_key", (), fragment);
        reply.refused(401, "invalid_api_key", (), "Incorrect API key provided: ");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        assert_eq!(
            (reply.header("openai-organization"), reply.header("x-rollbook-project-id")),
            (None, None)
        );
    };
    let nobody = "Use a project key of this server that is neither deleted nor expired.";
    refused("sk-proj-0123456789abcdef", &format!("sk-proj-***cdef. {nobody}")).await;
    let expired =
        place.key_of(&place.user, Terms { expires_at: Some(1), ..Terms::default() }).await;
    refused(&expired, nobody).await;
    refused(&place.api.first.key, "This is an admin key.").await;
    let stranger = place.api.add_user("grace@example.com").await;
    refused(&place.key_of(&stranger, Terms::default()).await, "may not use the project").await;
    place.run("UPDATE project_api_keys SET owner_left_at = 1 WHERE organization_id = $1 AND project_id = $2").await;
    refused(&place.key, "left the organization").await;
    place
        .api
        .post(&format!("/organization/projects/{}/archive", place.project), json!({}))
        .await
        .ok();
    refused(&place.key, "is archived").await;
    let reply = place.api.request("GET", FORWARD).without("authorization").send().await;
    reply.refused(401, (), (), "You didn't provide an API key.");
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn a_key_that_may_not_is_403_and_says_what_it_lacks() {
    let place = Place::new().await;
    let reply = place.forward("?permission=api.management.write", &[]).await;
    let message = "You have insufficient permissions for this operation. Missing scopes: api.management.write.";
    reply.refused(403, (), (), message);
    assert_eq!(reply.header("openai-organization"), Some("first"));
    assert_eq!(reply.header("x-rollbook-project-id"), None);
    let scopes = Terms { scopes: Some("api.files.read"), ..Terms::default() };
    let key = place.key_of(&place.user, scopes).await;
    let ask = |path: &str| place.api.request("GET", &format!("{FORWARD}{path}")).key(&key);
    ask("").send().await.refused(403, (), (), "Missing scopes: api.model.request.");
    ask("?model=gpt-4o").send().await.refused(403, (), (), "Missing scopes: api.model.request.");
    ask("?permission=none").send().await.ok();
    ask("?permission=api.files.read").send().await.ok();
    let both = "?permission=api.files.read&model=gpt-4o";
    ask(both).send().await.refused(403, (), (), "Missing scopes: api.model.request.");
    let neither = "?permission=api.files.write&model=gpt-4o";
    let missing = "Missing scopes: api.model.request, api.files.write.";
    ask(neither).send().await.refused(403, (), (), missing);
}

#[tokio::test]
async fn a_key_stands_in_one_of_three_headers() {
    let place = Place::new().await;
    let ask = || place.api.request("GET", FORWARD).without("authorization");
    ask().header("x-api-key", &place.key).send().await.ok();
    ask().header("api-key", &place.key).send().await.ok();
    ask().header("x-api-key", &place.key).header("api-key", "sk-proj-made-up").send().await.ok();
    ask().header("authorization", "Basic eA==").header("api-key", &place.key).send().await.ok();
    let bearer = ask().key("sk-proj-0123456789abcdef").header("x-api-key", &place.key).send().await;
    bearer.refused(401, "invalid_api_key", (), "Incorrect API key");
}

/// The permission that an answer speaks of, for each way in which a proxy tells what it asks about.
#[tokio::test]
async fn the_permission_is_stated_or_told_from_the_request() {
    let place = Place::new().await;
    let [model, files, batch, responses] =
        ["api.model.request", "api.files.read", "api.batch.write", "api.responses.write"];
    let traefik = [("x-forwarded-uri", "/v1/files?x=1"), ("x-forwarded-method", "GET")];
    let nginx = [("x-original-uri", "/v1/batches"), ("x-original-method", "POST")];
    for (method, path, headers, expected) in [
        ("GET", "", &[][..], json!(model)),
        ("GET", "?permission=none", &traefik[..], json!(null)),
        ("GET", "?permission=api.ours.run", &traefik[..], json!("api.ours.run")),
        ("GET", "", &traefik[..], json!(files)),
        ("GET", "", &nginx[..], json!(batch)),
        // Without its method a request may be any.
        ("GET", "", &nginx[..1], json!(batch)),
        ("GET", "", &nginx[1..], json!(model)),
        ("POST", "", &traefik[..], json!(files)),
        // Below the path, everything is the request's own.
        ("POST", "/v1/responses?permission=none", &traefik[..], json!(responses)),
        ("GET", "/v1/files", &nginx[..], json!(files)),
        ("GET", "/", &nginx[..], json!(model)),
        ("GET", "/?permission=none", &[][..], json!(model)),
        ("PROPFIND", "/v1/batches", &[][..], json!(batch)),
    ] {
        let reply = place.forward_as(method, path, headers).await;
        assert_eq!(reply.ok()["permission"], expected, "{method} {path} {headers:?}");
    }
}

/// A client behind one kind of proxy can send the headers of the other.
#[tokio::test]
async fn what_a_client_adds_can_only_demand_more() {
    let place = Place::new().await;
    let terms = Terms { scopes: Some("api.files.read"), ..Terms::default() };
    let key = place.key_of(&place.user, terms).await;
    let written = [("x-original-uri", "/v1/files"), ("x-original-method", "POST")];
    let added = [("x-forwarded-uri", "/v1/files"), ("x-forwarded-method", "GET")];
    let ask = async |headers: &[(&str, &str)]| {
        let request = place.api.request("GET", FORWARD).key(&key);
        headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, value))
            .send()
            .await
    };
    ask(&added).await.ok();
    ask(&written).await.refused(403, (), (), "Missing scopes: api.files.write.");
    let both = [written, added].concat();
    ask(&both).await.refused(403, (), (), "Missing scopes: api.files.write.");
    // Two that say something else: nobody knows which one the proxy wrote.
    let twice = [
        ("x-original-uri", "/v1/files"),
        ("x-original-uri", "/v1/models"),
        ("x-original-method", "GET"),
    ];
    ask(&twice).await.refused(403, (), (), "can be read in several ways");
}

#[tokio::test]
async fn a_path_that_servers_read_differently_is_refused() {
    let place = Place::new().await;
    for uri in ["/v1/files/../fine_tuning/jobs", "/v1/x/%2e%2e/files", "/v1/files%2fx", "files"] {
        let headers = [("x-original-uri", uri), ("x-original-method", "GET")];
        place.forward("", &headers).await.refused(403, (), (), "can be read in several ways");
    }
    place.forward("/v1/x/%2e%2e/files", &[]).await.refused(
        403,
        (),
        (),
        "can be read in several ways",
    );
}

#[tokio::test]
async fn what_the_operator_wrote_wrongly_is_refused() {
    let place = Place::new().await;
    for (query, code) in [
        ("?permission=model", "invalid_value"),
        ("?permission=", "invalid_value"),
        ("?permission=none&permission=none", "duplicate_parameter"),
    ] {
        place.forward(query, &[]).await.refused(400, code, "permission", "ermission");
    }
    let reply =
        place.api.request("GET", "/rollbook/v1/check/forwards").key(&place.key).send().await;
    reply.refused(404, "unknown_url", (), "Unknown request URL");
}

#[tokio::test]
async fn a_body_is_not_read() {
    let place = Place::new().await;
    let request =
        place.api.request("POST", &format!("{FORWARD}/v1/chat/completions")).key(&place.key);
    let reply = request.header("content-type", "text/plain").body("x".repeat(100_000)).send().await;
    assert_eq!(reply.ok()["permission"], "api.model.request");
}
