use serde_json::{Value, json};
use sql::args;

use crate::domain::role::BuiltIn;
use crate::domain::secret::KeyHash;
use crate::holdings::{self, Kind};
use crate::resources::project_api_keys::store::{Holder, HolderOwner, find_holder};
use crate::testing::{Api, Reply};

const NAMES: [&str; 5] = ["", "/x", "/x/api_keys", "?limit=1", "?limit=0"];

/// A project and the path of its service accounts.
async fn project(api: &Api) -> (String, String) {
    let project = api.create_project("Engine").await;
    (format!("/organization/projects/{project}/service_accounts"), project)
}

/// What a key opens, as a check finds it.
async fn holder(api: &Api, secret: &str) -> Option<Holder> {
    let hash = KeyHash::of(secret);
    let found = api.app.store.read(move |tx| find_holder(tx, &hash)).await;
    found.expect("the store can be read")
}

/// Gives somebody a role by a row of its own.
async fn assign(api: &Api, project: &str, principal: &str, role: &str) {
    let organization = api.first.organization.id.clone();
    let [project, principal, role] = [project, principal, role].map(str::to_owned);
    let write = move |tx: &mut sql::Tx<'_>| {
        holdings::insert(tx, &organization, &project, Kind::User, &principal, &role, 1)
    };
    assert!(api.app.store.write(write).await.expect("the role can be assigned"));
}

fn secret(reply: &Reply) -> String {
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply.ok()["api_key"]["value"].as_str().expect("the secret").to_owned()
}

/// An admin key with these scopes.
async fn narrow(api: &Api, scopes: &[&str]) -> String {
    let body = json!({ "name": "narrow", "scopes": scopes });
    let made = api.post("/organization/admin_api_keys", body).await;
    made.ok()["value"].as_str().expect("the secret").to_owned()
}

#[tokio::test]
async fn an_account_is_made_with_a_key_listed_shown_changed_and_deleted() {
    let api = Api::new().await;
    let (accounts, project) = project(&api).await;
    let made = api.post(&accounts, json!({ "name": "Robot" })).await;
    let (id, value) = (made.id(), secret(&made));
    assert!(id.starts_with("svc_acct_") && id.len() == 33, "{id}");
    assert!(value.starts_with("sk-svcacct-") && value.len() == 60);
    assert!(crate::domain::secret::has_valid_checksum(&value));
    let mut account = json!({
        "object": "organization.project.service_account", "id": id, "name": "Robot", "role": "member",
        "created_at": 1_750_000_000,
    });
    let mut shown = account.clone();
    shown["api_key"] = json!({
        "object": "organization.project.service_account.api_key", "id": made.ok()["api_key"]["id"], "name": "Secret Key",
        "created_at": 1_750_000_000, "value": value,
    });
    assert_eq!(*made.ok(), shown);
    assert_eq!(*api.get(&format!("{accounts}/{id}")).await.ok(), account);
    let page = json!({ "object": "list", "data": [account], "first_id": id, "last_id": id, "has_more": false });
    assert_eq!(*api.get(&accounts).await.ok(), page);

    let changed = json!({ "name": "Robot II", "role": "owner" });
    account["name"] = json!("Robot II");
    account["role"] = json!("owner");
    assert_eq!(*api.post(&format!("{accounts}/{id}"), changed.clone()).await.ok(), account);
    assert_eq!(*api.post(&format!("{accounts}/{id}"), changed).await.ok(), account);
    assert_eq!(*api.post(&format!("{accounts}/{id}"), json!({})).await.ok(), account);
    let deleted = json!({ "object": "organization.project.service_account.deleted", "id": id, "deleted": true });
    assert_eq!(*api.delete(&format!("{accounts}/{id}")).await.ok(), deleted);
    for gone in
        [api.get(&format!("{accounts}/{id}")).await, api.delete(&format!("{accounts}/{id}")).await]
    {
        gone.refused(404, "not_found", (), "Service account with id");
    }
    assert!(holder(&api, &value).await.is_none());

    let key = made.ok()["api_key"]["id"].clone();
    let in_project = Some(project);
    let events = api.events().await;
    let expected = [
        ("service_account.created", json!({ "id": id, "data": { "role": "member" } })),
        ("api_key.created", json!({ "id": key, "data": { "scopes": [] } })),
        ("service_account.updated", json!({ "id": id, "changes_requested": { "role": "owner" } })),
        ("service_account.deleted", json!({ "id": id })),
    ];
    let expected = expected.map(|(kind, payload)| (kind.to_owned(), in_project.clone(), payload));
    assert_eq!(events[events.len() - 4..], expected);
}

#[tokio::test]
async fn a_new_name_alone_is_a_change_without_a_role() {
    let api = Api::new().await;
    let (accounts, _) = project(&api).await;
    let id = api.post(&accounts, json!({ "name": "Robot" })).await.id();
    api.post(&format!("{accounts}/{id}"), json!({ "name": "Other" })).await.ok();
    let events = api.events().await;
    let (kind, _, payload) = events.last().expect("there is one");
    assert_eq!(
        (kind.as_str(), payload),
        ("service_account.updated", &json!({ "id": id, "changes_requested": {} }))
    );
}

#[tokio::test]
async fn a_role_that_is_set_is_told_to_end_those_that_were_assigned() {
    let api = Api::new().await;
    let (accounts, project) = project(&api).await;
    let id = api.post(&accounts, json!({ "name": "Robot" })).await.id();
    let viewer = json!({ "role_id": "role-api-project-viewer" });
    api.post(&format!("/projects/{project}/users/{id}/roles"), viewer).await.ok();
    let before = api.events().await.len();
    api.post(&format!("{accounts}/{id}"), json!({ "role": "member" })).await.ok();
    let kinds: Vec<_> =
        api.events().await.split_off(before).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["service_account.updated", "role.assignment.deleted"]);
}

/// Ruling 5.17: an account has no role only because it was made alone, and no change takes its role away.
#[tokio::test]
async fn ruling_5_17_no_role_is_for_accounts_that_are_made_alone() {
    let api = Api::new().await;
    let (accounts, _) = project(&api).await;
    let body = json!({ "name": "Robot", "create_service_account_only": true });
    let made = api.post(&accounts, body).await;
    let id = made.id();
    assert_eq!((&made.ok()["role"], &made.ok()["api_key"]), (&json!("none"), &Value::Null));
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let account = format!("{accounts}/{id}");
    assert_eq!(api.get(&account).await.ok()["role"], "none");
    for word in ["none", "viewer", ""] {
        let refused = api.post(&account, json!({ "role": word })).await;
        refused.refused(400, "invalid_value", "role", "'owner' and 'member'");
    }
    api.post(&account, json!({ "name": "Other" })).await.ok();
    assert_eq!(api.post(&account, json!({ "role": "member" })).await.ok()["role"], "member");
    for both in [false, true] {
        let only = if both { Value::Null } else { json!(false) };
        let body = json!({ "name": "Robot", "create_service_account_only": only });
        assert_eq!(api.post(&accounts, body).await.ok()["role"], "member");
    }
    let pointless =
        json!({ "name": "Robot", "create_service_account_only": true, "expires_in_seconds": 60 });
    api.post(&accounts, pointless).await.refused(
        400,
        "invalid_value",
        "expires_in_seconds",
        "no key is made",
    );
}

/// Rulings 5.13 and 5.14: an archived project refuses the list and every change, and has no account that could be shown or deleted.
#[tokio::test]
async fn rulings_5_13_and_5_14_nothing_lives_in_an_archived_project() {
    let api = Api::new().await;
    let (accounts, project) = project(&api).await;
    let made = api.post(&accounts, json!({ "name": "Robot" })).await;
    let (id, value) = (made.id(), secret(&made));
    api.post(&format!("/organization/projects/{project}/archive"), json!({})).await.ok();
    let one = format!("{accounts}/{id}");
    for path in [accounts.clone(), format!("{accounts}?limit=0")] {
        api.get(&path).await.refused(400, "project_archived", (), "is archived");
    }
    for path in [accounts.clone(), one.clone(), format!("{one}/api_keys"), format!("{accounts}/x")]
    {
        // The state of the project comes before the faults of the body.
        api.post(&path, json!({ "x": 1 })).await.refused(
            400,
            "project_archived",
            (),
            "is archived",
        );
    }
    api.get(&one).await.refused(404, "not_found", (), "Service account with id");
    api.delete(&one).await.refused(404, "not_found", (), "Service account with id");
    assert!(holder(&api, &value).await.expect("the key is there").is_archived);
}

#[tokio::test]
async fn an_unknown_project_comes_before_everything_else() {
    let api = Api::new().await;
    for rest in NAMES {
        let path = format!("/organization/projects/proj_x/service_accounts{rest}");
        if !rest.starts_with('?') {
            api.post(&path, json!([])).await.refused(
                404,
                "project_not_found",
                (),
                "Project with id",
            );
        }
        if !rest.ends_with("api_keys") {
            api.get(&path).await.refused(404, "project_not_found", (), "Project with id");
        }
    }
}

#[tokio::test]
async fn accounts_of_another_project_are_not_there() {
    let api = Api::new().await;
    let (accounts, _) = project(&api).await;
    let id = api.post(&accounts, json!({ "name": "Robot" })).await.id();
    let (others, _) = project(&api).await;
    let one = format!("{others}/{id}");
    api.get(&one).await.refused(404, "not_found", (), "Service account");
    api.delete(&one).await.refused(404, "not_found", (), "Service account");
    // The account comes before the faults of the body.
    api.post(&one, json!({ "name": 1 })).await.refused(404, "not_found", (), "Service account");
    let keys = format!("{one}/api_keys");
    api.post(&keys, json!({ "name": 1 })).await.refused(404, "not_found", (), "Service account");
    assert_eq!(api.get(&others).await.ids(), Vec::<String>::new());
}

#[tokio::test]
async fn bodies_are_refused_member_by_member() {
    let api = Api::new().await;
    let (accounts, _) = project(&api).await;
    let id = api.post(&accounts, json!({ "name": "Robot" })).await.id();
    let create = async |body: Value| api.post(&accounts, body).await;
    create(json!({})).await.refused(400, "missing_required_parameter", "name", "'name'");
    create(json!({ "name": "" })).await.refused(400, "empty_string", "name", "empty");
    create(json!({ "name": "x".repeat(256) })).await.refused(
        400,
        "string_above_max_length",
        "name",
        "255",
    );
    let body = json!({ "name": "x", "expires_in_seconds": 0 });
    create(body).await.refused(400, "integer_below_min_value", "expires_in_seconds", ">= 1");
    let body = json!({ "name": "x", "expires_in_seconds": 31_536_001 });
    create(body).await.refused(400, "integer_above_max_value", "expires_in_seconds", "31536000");
    create(json!({ "name": "x", "role": "owner" })).await.refused(
        400,
        "unknown_parameter",
        "role",
        "'role'",
    );
    let update = async |body: Value| api.post(&format!("{accounts}/{id}"), body).await;
    update(json!({ "name": null })).await.refused(400, "invalid_type", "name", "null");
    update(json!({ "role": null })).await.refused(400, "invalid_type", "role", "null");
    let key = async |body: Value| api.post(&format!("{accounts}/{id}/api_keys"), body).await;
    key(json!({ "scopes": [] })).await.refused(400, "array_below_min_length", "scopes", "empty");
    key(json!({ "scopes": null })).await.refused(400, "invalid_type", "scopes", "null");
    let wrong = json!({ "scopes": ["api.model.read", "*"] });
    key(wrong).await.refused(400, "invalid_value", "scopes[1]", "'*' is not a permission");
    key(json!({ "name": null })).await.refused(400, "invalid_type", "name", "null");
    key(json!({ "expires_at": 1 })).await.refused(
        400,
        "unknown_parameter",
        "expires_at",
        "expires_at",
    );
}

#[tokio::test]
async fn more_keys_are_made_with_and_without_a_body() {
    let api = Api::new().await;
    let (accounts, project) = project(&api).await;
    let id = api.post(&accounts, json!({ "name": "Robot" })).await.id();
    let keys = format!("{accounts}/{id}/api_keys");
    let bare = api.request("POST", &keys).send().await;
    assert_eq!(bare.ok()["name"], "Secret Key");
    assert_eq!(bare.header("cache-control"), Some("no-store"));
    assert_eq!(api.post(&keys, Value::Null).await.ok()["name"], "Secret Key");
    assert_eq!(api.post(&keys, json!({ "name": "" })).await.ok()["name"], "");
    let body = json!({
        "name": "CI", "scopes": ["api.model.request", "api.ours", "api.model.request"], "expires_in_seconds": 60,
    });
    let made = api.post(&keys, body).await;
    let value = made.ok()["value"].as_str().expect("the secret").to_owned();
    let shown = json!({
        "object": "organization.project.service_account.api_key", "id": made.id(), "name": "CI",
        "created_at": 1_750_000_000, "value": value,
    });
    assert_eq!(*made.ok(), shown);
    let events = api.events().await;
    let payload =
        json!({ "id": made.id(), "data": { "scopes": ["api.model.request", "api.ours"] } });
    assert_eq!(events.last(), Some(&("api_key.created".to_owned(), Some(project), payload)));
    let holder = holder(&api, &value).await.expect("the key is there");
    assert_eq!(holder.expires_at, Some(1_750_000_060));
    let scopes = holder.scopes.expect("they were told");
    assert!(
        scopes.has("api.model.request") && scopes.has("api.ours") && !scopes.has("api.model.read")
    );
}

#[tokio::test]
async fn the_secret_is_nowhere_in_the_store() {
    let api = Api::new().await;
    let (accounts, _) = project(&api).await;
    let value = secret(&api.post(&accounts, json!({ "name": "Robot" })).await);
    let rest = value.strip_prefix("sk-svcacct-").expect("the prefix");
    let rows = api.snapshot().await;
    assert!(rows.iter().all(|row| !row.contains(&rest[..45])), "the store holds the secret");
    assert!(rows.iter().any(|row| row.contains(&format!("sk-svcacct-***{}", &value[56..]))));
}

#[tokio::test]
async fn a_key_holds_what_its_account_holds_now() {
    let api = Api::new().await;
    let (accounts, project) = project(&api).await;
    let made = api.post(&accounts, json!({ "name": "Robot" })).await;
    let (id, value) = (made.id(), secret(&made));
    let found = holder(&api, &value).await.expect("the key is there");
    assert!(found.reaches && found.effective.has("api.model.request"));
    assert!(!found.effective.has("api.roles.write"));
    let name = "Robot".to_owned();
    let role = Some(crate::domain::role::ProjectRole::Member);
    assert_eq!(found.owner, HolderOwner::Account { id: id.clone(), name, role });
    api.post(&format!("{accounts}/{id}"), json!({ "role": "owner" })).await.ok();
    assert!(holder(&api, &value).await.expect("it is there").effective.has("api.roles.write"));

    let body = json!({ "name": "Bare", "create_service_account_only": true });
    let bare = api.post(&accounts, body).await.id();
    let key = api.post(&format!("{accounts}/{bare}/api_keys"), json!({})).await;
    let value = key.ok()["value"].as_str().expect("the secret").to_owned();
    let found = holder(&api, &value).await.expect("the key is there");
    assert!(found.reaches && found.effective.is_empty(), "it is known, and may do nothing");
    assign(&api, &project, &bare, BuiltIn::ProjectViewer.alias()).await;
    let found = holder(&api, &value).await.expect("the key is there");
    assert!(found.effective.has("api.model.read") && !found.effective.has("api.model.request"));
    // A built-in role takes the place of all others.
    api.post(&format!("{accounts}/{bare}"), json!({ "role": "member" })).await.ok();
    assert!(api.snapshot().await.iter().all(|row| !row.starts_with("role_assignments")));
    assert!(holder(&api, &value).await.expect("it is there").effective.has("api.model.request"));
}

/// What goes with an account: its keys, its groups, and its roles at both levels; and nothing of anybody else.
#[tokio::test]
async fn an_account_goes_with_everything_it_has() {
    let api = Api::new().await;
    let (accounts, project) = project(&api).await;
    let (id, other) = (
        api.post(&accounts, json!({ "name": "Robot" })).await.id(),
        api.post(&accounts, json!({ "name": "Other" })).await.id(),
    );
    for account in [&id, &other] {
        api.post(&format!("{accounts}/{account}/api_keys"), json!({})).await.ok();
        assign(&api, &project, account, BuiltIn::ProjectViewer.alias()).await;
        assign(&api, "", account, BuiltIn::OrganizationReader.alias()).await;
    }
    let (organization, both) = (api.first.organization.id.clone(), [id.clone(), other.clone()]);
    let join = move |tx: &mut sql::Tx<'_>| {
        let sql =
            "INSERT INTO groups (organization_id, id, name, created_at) VALUES ($1, 'g', 'g', 1)";
        tx.execute(sql, args![&organization])?;
        for account in &both {
            let sql = "INSERT INTO group_members (organization_id, group_id, user_id, added_at) VALUES ($1, 'g', $2, 1)";
            tx.execute(sql, args![&organization, account])?;
        }
        Ok::<_, sql::Error>(())
    };
    api.app.store.write(join).await.expect("the group can be made");
    let of = |rows: &[String], id: &str| {
        let row = |row: &&String| row.contains(id) && !row.starts_with("audit_");
        rows.iter().filter(row).cloned().collect::<Vec<_>>()
    };
    let before = api.snapshot().await;
    assert_eq!((of(&before, &id).len(), of(&before, &other).len()), (6, 6));
    api.delete(&format!("{accounts}/{id}")).await.ok();
    let after = api.snapshot().await;
    let left = of(&after, &id);
    assert!(left.len() == 1 && left[0].starts_with("former_names"), "{left:?}");
    assert_eq!(of(&after, &other), of(&before, &other));
}

/// Nobody makes an account or a key that may do more than the calling key.
#[tokio::test]
async fn nobody_grants_more_than_they_hold() {
    let api = Api::new().await;
    let (accounts, project) = project(&api).await;
    let body = json!({ "name": "Bare", "create_service_account_only": true });
    let bare = api.post(&accounts, body.clone()).await.id();
    let writes = narrow(&api, &["api.management.write"]).await;
    let post = async |path: String, body: &Value| {
        api.request("POST", &path).key(&writes).json(body).send().await
    };
    let one = format!("{accounts}/{bare}");
    // Members use projects, which whoever may change everything may do; owners see things too.
    post(accounts.clone(), &json!({ "name": "Robot" })).await.ok();
    post(one.clone(), &json!({ "role": "owner" })).await.refused(
        403,
        (),
        (),
        "Missing scopes: api.management.read",
    );
    post(one.clone(), &json!({ "role": "member" })).await.ok();
    post(format!("{one}/api_keys"), &json!({})).await.ok();
    assign(&api, "", &bare, BuiltIn::OrganizationReader.alias()).await;
    let keys = format!("{one}/api_keys");
    post(keys.clone(), &json!({})).await.refused(
        403,
        (),
        (),
        "Missing scopes: api.management.read",
    );
    post(keys, &json!({ "scopes": ["api.model.request"] })).await.ok();
    assert_eq!(
        api.get(&format!("/organization/projects/{project}")).await.ok()["id"],
        json!(project)
    );

    // To an account alone nothing is granted, and neither is a role that it has.
    api.post(&one, json!({ "role": "owner" })).await.ok();
    post(one, &json!({ "role": "owner", "name": "Same" })).await.ok();
    post(accounts, &body).await.ok();
}
