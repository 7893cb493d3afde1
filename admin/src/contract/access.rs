//! Who may do what, for every operation.

use serde_json::{Value, json};

use crate::access::Operator;
use crate::testing::document::{Operation, OperationName, operations};
use crate::testing::world::{World, parameters};
use crate::testing::{Api, Reply, fixture};

async fn make_key(api: &Api, body: Value) -> (String, String) {
    let reply = api.post("/organization/admin_api_keys", body).await;
    (reply.id(), reply.ok()["value"].as_str().expect("a new key shows its secret").to_owned())
}

/// The scope that an operation asks for.
fn scope(name: &OperationName) -> &'static str {
    match (name.0.as_str(), name.1.as_str()) {
        ("GET", "/organization/costs") => "api.usage.read",
        ("GET", path) if path.starts_with("/organization/usage/") => "api.usage.read",
        ("GET", _) => "api.management.read",
        _ => "api.management.write",
    }
}

async fn every<F: AsyncFn(&OperationName) -> Reply>(
    send: F,
    check: impl Fn(&Reply, &OperationName),
) {
    for (name, _) in operations() {
        check(&send(name).await, name);
    }
}

fn is_read(name: &OperationName) -> bool {
    name.0 == "GET"
}

#[tokio::test]
async fn no_key_is_refused_with_an_explanation() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    for (name, operation) in operations() {
        let request = || world.request(&api, name, operation).without("authorization");
        request().send().await.refused(401, (), (), "You didn't provide an API key");
        for header in ["Basic b3duZXI6a2V5", "Bearer", "Bearer ", "sk-admin-0123456789"] {
            request().header("authorization", header).send().await.refused(
                401,
                (),
                (),
                "You didn't provide an API key",
            );
        }
    }
}

#[tokio::test]
async fn keys_that_do_not_hold_are_refused_and_masked() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let (deleted_id, deleted) = make_key(&api, json!({ "name": "deleted" })).await;
    api.delete(&format!("/organization/admin_api_keys/{deleted_id}")).await.ok();
    let (_, expired) = make_key(&api, json!({ "name": "expired", "expires_in_seconds": 60 })).await;
    api.clock.advance(60);
    let unknown = "sk-admin-0123456789abcdefghijklmnopqrstuvwxyz";
    for (name, operation) in operations() {
        for key in [&deleted, &expired, unknown] {
            let reply = world.request(&api, name, operation).key(key).send().await;
            let tail = &key[key.len() - 4..];
            reply.refused(
                401,
                "invalid_api_key",
                (),
                &format!("Incorrect API key provided: sk-admin-***{tail}"),
            );
            assert!(!reply.body.to_string().contains(&key[12..20]), "{name:?}: the key is masked");
        }
        let reply = world.request(&api, name, operation).key("short").send().await;
        reply.refused(401, "invalid_api_key", (), "provided: ***.");
    }
}

#[tokio::test]
async fn a_key_holds_until_the_second_of_its_end() {
    let api = Api::new().await;
    let (_, key) = make_key(&api, json!({ "name": "short", "expires_in_seconds": 60 })).await;
    api.clock.advance(59);
    api.request("GET", "/organization/users").key(&key).send().await.ok();
    api.clock.advance(1);
    let reply = api.request("GET", "/organization/users").key(&key).send().await;
    reply.refused(401, "invalid_api_key", (), "neither deleted nor expired");
}

#[tokio::test]
async fn a_key_without_the_scope_is_refused_by_name() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let (_, reader) =
        make_key(&api, json!({ "name": "r", "scopes": ["api.management.read"] })).await;
    let (_, accountant) =
        make_key(&api, json!({ "name": "u", "scopes": ["api.usage.read"] })).await;
    let (_, writer) =
        make_key(&api, json!({ "name": "w", "scopes": ["api.management.write"] })).await;
    for (name, operation) in operations() {
        let missing = scope(name);
        let fragment =
            format!("insufficient permissions for this operation. Missing scopes: {missing}.");
        let keys = [
            ("api.management.read", &reader),
            ("api.usage.read", &accountant),
            ("api.management.write", &writer),
        ];
        for (held, key) in keys {
            let request = world.request(&api, name, operation).key(key);
            if held != missing {
                request.send().await.refused(403, (), (), &fragment);
            } else if is_read(name) {
                request.send().await.ok();
            }
        }
    }
}

/// A key of a project, made for a member who is in it, with the seconds that it has.
async fn make_project_key(api: &Api, world: &World, seconds: Option<i64>) -> String {
    let mut body = json!({ "name": "p", "user_id": world.id("", "user_id") });
    if let Some(seconds) = seconds {
        body["expires_in_seconds"] = json!(seconds);
    }
    let made = world.post(api, "/rollbook/v1/projects/{project_id}/api_keys", body).await;
    made.ok()["value"].as_str().expect("a new key shows its secret").to_owned()
}

async fn make_account_key(api: &Api, world: &World) -> String {
    let body = json!({ "name": "owner of the project", "create_service_account_only": false });
    let template = "/organization/projects/{project_id}/service_accounts";
    let made = world.post(api, template, body).await;
    let path = format!("{}/{}", world.path(template), made.id());
    api.post(&path, json!({ "role": "owner" })).await.ok();
    made.ok()["api_key"]["value"].as_str().expect("a new key shows its secret").to_owned()
}

/// Whether a key of a project opens an operation: whoever uses something may report it.
fn takes_project_keys(name: &OperationName) -> bool {
    name.1 == "/rollbook/v1/usage_events"
}

/// A key of a project reports what the project uses, and another one is told so for each event.
#[tokio::test]
async fn a_key_of_a_project_opens_what_is_meant_for_it() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let keys = [make_project_key(&api, &world, None).await, make_account_key(&api, &world).await];
    let meant: Vec<_> = operations().filter(|(name, _)| takes_project_keys(name)).collect();
    assert_eq!(meant.len(), 1);
    for (name, operation) in meant {
        for key in &keys {
            let reply = world.request(&api, name, operation).key(key).send().await;
            assert_eq!(reply.ok()["refused"], 0, "{name:?}");
        }
        let (theirs, body) = (
            World::of(&api, api.found("other").await).await,
            world.sample_body(&name.1, operation),
        );
        let request =
            api.request(&name.0, &name.1).key(&make_project_key(&api, &theirs, None).await);
        let reply = request.json(&operation.whole_body(body)).send().await;
        assert_eq!(reply.ok()["results"][0]["code"], "mismatched_project");
    }
}

/// Ruling 5.1: a key of a project is known, so it is refused for want of a scope; never with 401, and never with what exists.
#[tokio::test]
async fn a_key_of_a_project_opens_nothing_here() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let keys = [make_project_key(&api, &world, None).await, make_account_key(&api, &world).await];
    for (name, operation) in operations().filter(|(name, _)| !takes_project_keys(name)) {
        let missing = scope(name);
        let fragment =
            format!("insufficient permissions for this operation. Missing scopes: {missing}.");
        for key in &keys {
            let reply = world.request(&api, name, operation).key(key).send().await;
            reply.refused(403, (), (), &fragment);
            assert!(reply.body["error"].is_object(), "{name:?}");
            let nowhere = name.1.replace(['{', '}'], "");
            let request = api.request(&name.0, &nowhere).key(key).body("{");
            request.send().await.refused(403, (), (), &fragment);
        }
    }
}

#[tokio::test]
async fn a_key_of_a_project_that_does_not_hold_is_refused_like_any_other() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let expired = make_project_key(&api, &world, Some(60)).await;
    let of_machine = make_account_key(&api, &world).await;
    let of_person = make_project_key(&api, &world, None).await;
    api.clock.advance(60);
    let refuse = async |key: &str| {
        for (name, operation) in operations() {
            let reply = world.request(&api, name, operation).key(key).send().await;
            reply.refused(401, "invalid_api_key", (), "Incorrect API key provided: sk-");
            assert!(!reply.body.to_string().contains(&key[12..20]), "{name:?}: it is masked");
        }
    };
    refuse(&expired).await;
    refuse("sk-proj-0123456789abcdefghijklmnopqrstuvwxyz").await;
    refuse("sk-svcacct-0123456789abcdefghijklmnopqrstuvwxyz").await;
    api.delete(&world.path("/organization/users/{user_id}")).await.ok();
    refuse(&of_person).await;
    api.post(&world.path("/organization/projects/{project_id}/archive"), Value::Null).await.ok();
    refuse(&of_machine).await;
}

/// Asserts that somebody was let in and succeeded. The one sample body that no schema can complete names nobody.
fn assert_done(name: &OperationName, reply: &Reply) {
    if (name.0.as_str(), name.1.as_str()) == ("POST", "/organization/projects/{project_id}/users") {
        reply.refused(400, "missing_required_parameter", "user_id", "'user_id'");
    } else {
        reply.ok();
    }
}

/// Ruling 5.15: each success is 200, also of what creates something.
#[tokio::test]
async fn a_key_with_the_scopes_may_do_everything() {
    each_world(async |api, world, operations| {
        let scopes = json!(["api.management.write", "api.management.read", "api.usage.read"]);
        let (_, key) = make_key(api, json!({ "name": "rw", "scopes": scopes })).await;
        for (name, operation) in operations {
            assert_done(name, &world.request(api, name, operation).key(&key).send().await);
        }
    })
    .await;
}

type Named = (&'static OperationName, &'static Operation);

/// Every operation: those that read in one world, and each other in one of its own, because it may delete what others need.
async fn each_world(send: impl AsyncFn(&Api, &World, &[Named])) {
    let (reads, changes): (Vec<_>, Vec<_>) = operations().partition(|(name, _)| is_read(name));
    for operations in std::iter::once(&reads[..]).chain(changes.chunks(1)) {
        let api = Api::new().await;
        let world = World::of_first(&api).await;
        send(&api, &world, operations).await;
    }
}

#[tokio::test]
async fn a_refusal_for_want_of_a_scope_still_names_the_organization() {
    let api = Api::new().await;
    let (_, key) = make_key(&api, json!({ "name": "r", "scopes": ["api.management.read"] })).await;
    let request = api.request("POST", "/organization/projects").key(&key);
    let reply = request.json(&json!({ "name": "n" })).send().await;
    reply.refused(403, (), (), "Missing scopes");
    assert_eq!(reply.header("openai-organization"), Some("first"));
}

#[tokio::test]
async fn another_organizations_key_finds_nothing_of_ours() {
    let api = Api::new().await;
    let ours = World::of_first(&api).await;
    let theirs = World::of(&api, api.found("second").await).await;
    let before = api.snapshot().await;
    for (name, operation) in operations() {
        let reply = ours.request(&api, name, operation).key(&theirs.tenant.key).send().await;
        if parameters(&name.1).is_empty() {
            continue;
        }
        assert_eq!(
            (reply.status.as_u16(), reply.body["error"]["param"].clone()),
            (404, Value::Null),
            "{name:?}"
        );
    }
    let touched = |line: &String| line.contains(&ours.tenant.organization.id);
    let now = api.snapshot().await;
    assert_eq!(
        before.iter().filter(|line| touched(line)).collect::<Vec<_>>(),
        now.iter().filter(|line| touched(line)).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn lists_of_another_organization_show_its_own_rows_only() {
    let api = Api::new().await;
    let ours = World::of_first(&api).await;
    let theirs = World::of(&api, api.found("second").await).await;
    for (name, operation) in operations()
        .filter(|(name, operation)| operation.is_list() && parameters(&name.1).is_empty())
    {
        let mine = ours.request(&api, name, operation).send().await.ids();
        let other = ours.request(&api, name, operation).key(&theirs.tenant.key).send().await.ids();
        assert!(!mine.is_empty() && !other.is_empty(), "{name:?}");
        assert!(other.iter().all(|id| !mine.contains(id)), "{name:?}");
    }
}

#[tokio::test]
async fn one_id_may_exist_in_two_organizations() {
    let api = Api::new().await;
    let second = api.found("second").await;
    let same = "user_abc";
    fixture::add_user_as(&api.app, &api.first.organization, same, "first@example.com").await;
    fixture::add_user_as(&api.app, &second.organization, same, "second@example.com").await;
    let path = format!("/organization/users/{same}");
    assert_eq!(api.get(&path).await.ok()["email"], "first@example.com");
    assert_eq!(
        api.request("GET", &path).key(&second.key).send().await.ok()["email"],
        "second@example.com"
    );
    api.delete(&path).await.ok();
    api.request("GET", &path).key(&second.key).send().await.ok();
}

#[tokio::test]
async fn the_organization_header_must_name_the_keys_organization() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let other = api.found("second").await.organization;
    for (name, operation) in operations() {
        for id in [other.id.as_str(), &other.slug, "org-unknown"] {
            let request = world.request(&api, name, operation).header("openai-organization", id);
            request.send().await.refused(401, "mismatched_organization", (), "OpenAI-Organization");
        }
    }
    let own = &api.first.organization;
    for id in [own.id.as_str(), &own.slug, ""] {
        api.request("GET", "/organization/users")
            .header("openai-organization", id)
            .send()
            .await
            .ok();
    }
    api.request("GET", "/organization/users")
        .header("openai-project", "proj_unknown")
        .send()
        .await
        .ok();
}

#[tokio::test]
async fn refusals_come_in_the_promised_order() {
    let api = Api::new().await;
    let world = World::of_first(&api).await;
    let (_, accountant) =
        make_key(&api, json!({ "name": "u", "scopes": ["api.usage.read"] })).await;
    let (_, reader) =
        make_key(&api, json!({ "name": "r", "scopes": ["api.management.read"] })).await;
    let nothing = |template: &str| {
        template
            .split('/')
            .map(|segment| if segment.starts_with('{') { "none" } else { segment })
            .collect::<Vec<_>>()
            .join("/")
    };
    every(
        async |name| {
            let path = nothing(&name.1) + "?limit=wrong";
            api.request(&name.0, &path).key("sk-admin-wrong-wrong-wrong").body("{").send().await
        },
        |reply, _| _ = reply.refused(401, "invalid_api_key", (), "Incorrect API key"),
    )
    .await;
    every(
        async |name| {
            api.request(&name.0, &(nothing(&name.1) + "?limit=wrong"))
                .key(if scope(name) == "api.usage.read" { &reader } else { &accountant })
                .body("{")
                .send()
                .await
        },
        |reply, _| _ = reply.refused(403, (), (), "Missing scopes"),
    )
    .await;
    for (name, operation) in operations().filter(|(name, _)| !parameters(&name.1).is_empty()) {
        let mut request = api.request(&name.0, &(nothing(&name.1) + "?limit=wrong"));
        if operation.body.is_some() {
            request = request.body("{");
        }
        assert_eq!(
            request.send().await.status.as_u16(),
            404,
            "{name:?}: unknown parents come before syntax"
        );
    }
    drop(world);
}

fn operator(organization: Option<&str>) -> Operator {
    let organization = organization.map(str::to_owned);
    Operator { user: "root".to_owned(), organization, on_behalf_of: None }
}

#[tokio::test]
async fn the_operator_of_the_store_acts_under_the_same_rules_and_on_record() {
    each_world(async |api, world, operations| {
        for (name, operation) in operations {
            let request = world.request(api, name, operation).operator(operator(None));
            assert_done(name, &request.send().await);
        }
    })
    .await;
    let api = Api::new().await;
    let made = api.request("POST", "/organization/admin_api_keys").operator(operator(None));
    let made = made.json(&json!({ "name": "by hand" })).send().await;
    assert_eq!(made.ok()["owner"]["id"], api.first.owner_id, "the only owner");
    let actors = fixture::actors_of(&api.app, &made.id()).await;
    let created = ["api_key.created", "command_line", "command_line:root"].map(str::to_owned);
    assert_eq!(actors, [created.into()]);
}

#[tokio::test]
async fn the_operator_names_an_organization_where_there_are_several() {
    let api = Api::new().await;
    let second = api.found("second").await;
    let users = async |named: Option<&str>| {
        api.request("GET", "/organization/users").operator(operator(named)).send().await
    };
    users(None).await.refused(400, "ambiguous", "organization", "'first' and 'second'");
    users(Some("third")).await.refused(
        404,
        "not_found",
        (),
        "Organization with id 'third' not found",
    );
    assert_eq!(users(Some("second")).await.ids(), vec![second.owner_id.clone()]);
    assert_eq!(users(Some(&second.organization.id)).await.ids(), [second.owner_id]);
}

#[tokio::test]
async fn a_key_is_made_on_behalf_of_the_owner_who_is_named() {
    let api = Api::new().await;
    let other = api.add_user("other@example.com").await;
    api.post(&format!("/organization/users/{other}"), json!({ "role": "owner" })).await.ok();
    api.add_user("reader@example.com").await;
    let make = async |email: Option<&str>| {
        let operator = Operator { on_behalf_of: email.map(str::to_owned), ..operator(None) };
        let request = api.request("POST", "/organization/admin_api_keys").operator(operator);
        request.json(&json!({ "name": "by hand" })).send().await
    };
    make(None).await.refused(
        400,
        "ambiguous",
        "owner",
        "'owner@first.example' and 'other@example.com'",
    );
    make(Some("reader@example.com")).await.refused(
        404,
        "not_found",
        (),
        "Owner with id 'reader@example.com' not found",
    );
    assert_eq!(make(Some("OTHER@example.com")).await.ok()["owner"]["id"], other);
}
