use serde_json::{Value, json};
use sql::args;

use super::store::{Holder, HolderOwner, find_holder};
use crate::access::Operator;
use crate::domain::decision::{Reason, Wish, decide};
use crate::domain::role::BuiltIn;
use crate::domain::secret::KeyHash;
use crate::holdings::{self, Kind};
use crate::testing::Api;

/// A project with one member.
struct Place {
    api: Api,
    project: String,
    user: String,
}

impl Place {
    async fn new() -> Self {
        let api = Api::new().await;
        let (user, project) =
            (api.add_user("ada@example.com").await, api.create_project("Engine").await);
        api.add_member(&project, &user).await;
        Self { api, project, user }
    }

    fn keys(&self) -> String {
        format!("/organization/projects/{}/api_keys", self.project)
    }

    fn own(&self) -> String {
        format!("/rollbook/v1/projects/{}/api_keys", self.project)
    }

    /// A new key of this person: id and secret.
    async fn key_of(&self, user: &str) -> (String, String) {
        let made = self.api.post(&self.own(), json!({ "name": "laptop", "user_id": user })).await;
        (made.id(), made.ok()["value"].as_str().expect("the secret").to_owned())
    }

    /// A new service account: its id, and its key's.
    async fn account(&self) -> (String, String) {
        let path = format!("/organization/projects/{}/service_accounts", self.project);
        let made = self.api.post(&path, json!({ "name": "Robot" })).await;
        (made.id(), made.ok()["api_key"]["id"].as_str().expect("it has a key").to_owned())
    }

    async fn listed(&self, access: &str) -> Vec<String> {
        self.api.get(&format!("{}?owner_project_access={access}", self.keys())).await.ids()
    }

    async fn holder(&self, secret: &str) -> Holder {
        let hash = KeyHash::of(secret);
        let found = self.api.app.store.read(move |tx| find_holder(tx, &hash)).await;
        found.expect("the store can be read").expect("the key is there")
    }

    /// What is answered to the use of a model with this key.
    async fn decision(&self, secret: &str) -> Reason {
        let holder = self.holder(secret).await;
        let wish = Wish { model: Some("m"), permission: None };
        decide(&holder.standing(1_750_000_000), &wish)
    }

    async fn execute(&self, sql: &'static str, arguments: [&str; 2]) {
        let organization = self.api.first.organization.id.clone();
        let [one, two] = arguments.map(str::to_owned);
        let write = move |tx: &mut sql::Tx<'_>| tx.execute(sql, args![&organization, &one, &two]);
        self.api.app.store.write(write).await.expect("the store can be written");
    }

    async fn assign(&self, project: &str, kind: Kind, principal: &str, role: &str) {
        let organization = self.api.first.organization.id.clone();
        let [project, principal, role] = [project, principal, role].map(str::to_owned);
        let write = move |tx: &mut sql::Tx<'_>| {
            holdings::insert(tx, &organization, &project, kind, &principal, &role, 1)
        };
        assert!(self.api.app.store.write(write).await.expect("the role can be assigned"));
    }
}

/// Ruling 5.26: the name of an owner is never null, because it falls back to the address.
#[tokio::test]
async fn a_key_is_made_shown_once_listed_and_deleted() {
    let place = Place::new().await;
    let api = &place.api;
    let body = json!({ "name": "laptop", "user_id": place.user, "expires_in_seconds": 60, "scopes": ["api.model.read"] });
    let made = api.post(&place.own(), body).await;
    let (id, value) = (made.id(), made.ok()["value"].as_str().expect("the secret").to_owned());
    assert!(value.starts_with("sk-proj-") && value.len() == 57);
    assert!(crate::domain::secret::has_valid_checksum(&value));
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let mut key = json!({
        "object": "organization.project.api_key", "id": id, "name": "laptop",
        "redacted_value": format!("sk-proj-***{}", &value[53..]), "created_at": 1_750_000_000, "last_used_at": null,
        "owner_project_access": "active", "expires_at": 1_750_000_060, "value": value,
        "owner": {
            "type": "user",
            "user": {
                "id": place.user, "email": "ada@example.com", "name": "ada@example.com", "created_at": 1_750_000_000,
                "role": "member",
            },
        },
    });
    assert_eq!(*made.ok(), key);
    for shown_once in ["expires_at", "value"] {
        key.as_object_mut().expect("it is an object").remove(shown_once);
    }
    assert_eq!(*api.get(&format!("{}/{id}", place.keys())).await.ok(), key);
    let page = json!({ "object": "list", "data": [key], "first_id": id, "last_id": id, "has_more": false });
    assert_eq!(*api.get(&place.keys()).await.ok(), page);
    let holder = place.holder(&value).await;
    assert_eq!(
        (holder.key_id, holder.key_name, holder.project_name),
        (id.clone(), "laptop".to_owned(), "Engine".to_owned())
    );
    assert_eq!(holder.organization, api.first.organization);
    let rows = api.snapshot().await;
    assert!(rows.iter().all(|row| !row.contains(&value[8..53])), "the store holds the secret");

    let one = format!("{}/{id}", place.keys());
    let deleted =
        json!({ "object": "organization.project.api_key.deleted", "id": id, "deleted": true });
    assert_eq!(*api.delete(&one).await.ok(), deleted);
    api.get(&one).await.refused(404, "not_found", (), "API key with id");
    api.delete(&one).await.refused(404, "not_found", (), "API key with id");
    let hash = KeyHash::of(&value);
    let gone = api.app.store.read(move |tx| find_holder(tx, &hash)).await;
    assert!(gone.expect("the store can be read").is_none());

    let events = api.events().await;
    let expected = [
        ("api_key.created", json!({ "id": id, "data": { "scopes": ["api.model.read"] } })),
        ("api_key.deleted", json!({ "id": id })),
    ];
    let expected =
        expected.map(|(kind, payload)| (kind.to_owned(), Some(place.project.clone()), payload));
    assert_eq!(events[events.len() - 2..], expected);
}

#[tokio::test]
async fn a_service_accounts_key_is_shown_and_not_deleted() {
    let place = Place::new().await;
    let (account, key) = place.account().await;
    let one = format!("{}/{key}", place.keys());
    let owner = json!({
        "type": "service_account",
        "service_account": { "id": account, "name": "Robot", "created_at": 1_750_000_000, "role": "member" },
    });
    let shown = place.api.get(&one).await;
    assert_eq!(
        (&shown.ok()["owner"], &shown.ok()["owner_project_access"]),
        (&owner, &json!("active"))
    );
    let refused = place.api.delete(&one).await;
    refused.refused(
        400,
        (),
        (),
        "API keys of service accounts cannot be deleted. Delete the service account instead.",
    );
    let path = format!("/organization/projects/{}/service_accounts/{account}", place.project);
    place.api.delete(&path).await.ok();
    place.api.get(&one).await.refused(404, "not_found", (), "API key with id");
}

#[tokio::test]
async fn a_key_is_of_whom_the_request_names_or_who_calls() {
    let place = Place::new().await;
    let api = &place.api;
    let owner = |reply: &crate::testing::Reply| reply.ok()["owner"]["user"]["id"].clone();
    let mine = api.post(&place.own(), json!({ "name": "k" })).await;
    assert_eq!(owner(&mine), json!(api.first.owner_id));
    assert_eq!(
        mine.ok()["owner"]["user"]["role"],
        "owner",
        "an owner of the organization is one of each project"
    );
    let by_mail = api.post(&place.own(), json!({ "name": "k", "email": "ADA@example.com" })).await;
    assert_eq!(owner(&by_mail), json!(place.user));
    let both = json!({ "name": "k", "email": "ada@example.com", "user_id": place.user });
    api.post(&place.own(), both).await.refused(400, "invalid_value", "email", "not both");
    let unknown = json!({ "name": "k", "user_id": "user-x" });
    api.post(&place.own(), unknown).await.refused(404, "user_not_found", "user_id", "not found");
    let unknown = json!({ "name": "k", "email": "x@example.com" });
    api.post(&place.own(), unknown).await.refused(400, "user_not_found", "email", "not found");
    let outside = json!({ "name": "k", "user_id": api.add_user("bob@example.com").await });
    api.post(&place.own(), outside).await.refused(
        404,
        "not_found",
        "user_id",
        "is not a member of",
    );

    let by_hand = |on_behalf_of: Option<&str>| {
        let on_behalf_of = on_behalf_of.map(str::to_owned);
        let operator = Operator { user: "root".to_owned(), organization: None, on_behalf_of };
        api.request("POST", &place.own()).operator(operator).json(&json!({ "name": "k" }))
    };
    assert_eq!(owner(&by_hand(None).send().await), json!(api.first.owner_id), "the only owner");
    by_hand(Some("ada@example.com")).send().await.refused(404, "not_found", (), "Owner with id");
}

#[tokio::test]
async fn bodies_are_refused_member_by_member() {
    let place = Place::new().await;
    let make = async |body: Value| place.api.post(&place.own(), body).await;
    make(json!({})).await.refused(400, "missing_required_parameter", "name", "'name'");
    make(json!({ "name": "" })).await.refused(400, "empty_string", "name", "empty");
    make(json!({ "name": "k", "x": 1 })).await.refused(400, "unknown_parameter", "x", "'x'");
    let body = json!({ "name": "k", "expires_at": 1_750_000_000 });
    make(body).await.refused(400, "invalid_value", "expires_at", "not in the future");
    let body = json!({ "name": "k", "expires_at": 1_750_000_001, "expires_in_seconds": 1 });
    make(body).await.refused(400, "invalid_value", "expires_at", "not both");
    make(json!({ "name": "k", "scopes": [] })).await.refused(
        400,
        "array_below_min_length",
        "scopes",
        "empty",
    );
    let body = json!({ "name": "k", "scopes": ["api.model.read", "model.read"] });
    make(body).await.refused(400, "invalid_value", "scopes[1]", "is not a permission");
    let path = place.own().replace(&place.project, "proj_x");
    place.api.post(&path, json!([])).await.refused(404, "project_not_found", (), "Project with id");
    let body = json!({ "name": "k", "expires_at": 1_750_000_001, "scopes": null, "user_id": null });
    make(body).await.refused(400, "invalid_type", "scopes", "null");
}

/// Rulings 5.13 and 5.14: the list of an archived project is empty, its keys are not found one by one, and none can be added.
#[tokio::test]
async fn rulings_5_13_and_5_14_an_archived_project_shows_no_keys() {
    let place = Place::new().await;
    let (id, secret) = place.key_of(&place.user).await;
    place
        .api
        .post(&format!("/organization/projects/{}/archive", place.project), json!({}))
        .await
        .ok();
    for access in ["active", "inactive", "any"] {
        assert_eq!(place.listed(access).await, Vec::<String>::new());
    }
    let page = json!({ "object": "list", "data": [], "first_id": null, "last_id": null, "has_more": false });
    assert_eq!(*place.api.get(&place.keys()).await.ok(), page);
    let path = format!("{}?owner_project_access=all", place.keys());
    let refused = place.api.get(&path).await;
    refused.refused(400, "invalid_value", "owner_project_access", "'active', 'any' and 'inactive'");
    let one = format!("{}/{id}", place.keys());
    place.api.get(&one).await.refused(404, "not_found", (), "API key with id");
    place.api.delete(&one).await.refused(404, "not_found", (), "API key with id");
    place.api.post(&place.own(), json!([])).await.refused(
        400,
        "project_archived",
        (),
        "is archived",
    );
    assert_eq!(place.decision(&secret).await, Reason::ProjectArchived);
}

/// Every way in which somebody gets into a project, and the keys of whom each list shows.
#[tokio::test]
async fn lists_show_keys_by_what_their_owners_may_do_now() {
    let place = Place::new().await;
    let api = &place.api;
    let (_, account_key) = place.account().await;
    let (member_key, member_secret) = place.key_of(&place.user).await;
    let (owner_key, owner_secret) = place.key_of(&api.first.owner_id).await;
    let other = api.add_user("bob@example.com").await;
    api.add_member(&place.project, &other).await;
    let (other_key, other_secret) = place.key_of(&other).await;
    let all = vec![account_key.clone(), member_key.clone(), owner_key.clone(), other_key.clone()];
    assert_eq!(place.listed("any").await, all);
    assert_eq!(place.listed("active").await, all);
    assert_eq!(place.listed("inactive").await, Vec::<String>::new());
    let direct = vec![account_key.clone(), member_key.clone(), other_key.clone()];
    assert_eq!(
        api.get(&place.keys()).await.ids(),
        direct,
        "an owner of the organization is no member"
    );
    assert_eq!(place.decision(&owner_secret).await, Reason::Allowed);

    api.delete(&format!("/organization/projects/{}/users/{other}", place.project)).await.ok();
    let active = vec![account_key.clone(), member_key.clone(), owner_key.clone()];
    assert_eq!(place.listed("active").await, active);
    assert_eq!(place.listed("inactive").await, vec![other_key.clone()]);
    assert_eq!(place.listed("any").await, all);
    assert_eq!(place.decision(&other_secret).await, Reason::OwnerWithoutAccess);
    let one = format!("{}/{other_key}", place.keys());
    assert_eq!(api.get(&one).await.ok()["owner_project_access"], "inactive");

    // A role of the organization that is not about projects does not help; a group with a role here does.
    place.assign("", Kind::User, &other, BuiltIn::OrganizationReader.alias()).await;
    assert_eq!(place.listed("inactive").await, vec![other_key.clone()]);
    place
        .execute(
            "INSERT INTO groups (organization_id, id, name, created_at) VALUES ($1, $2, $3, 1)",
            ["g", "g"],
        )
        .await;
    let sql = "INSERT INTO group_members (organization_id, group_id, user_id, added_at) VALUES ($1, $2, $3, 1)";
    place.execute(sql, ["g", &other]).await;
    place.assign("", Kind::Group, "g", BuiltIn::OrganizationOwner.alias()).await;
    assert_eq!(place.listed("inactive").await, Vec::<String>::new());
    assert_eq!(place.decision(&other_secret).await, Reason::Allowed);
    let shown = api.get(&one).await;
    assert_eq!(
        shown.ok()["owner"]["user"]["role"],
        "member",
        "who gets in by a group is shown as a member"
    );
    assert_eq!(api.get(&place.keys()).await.ids(), [account_key, member_key]);
    assert_eq!(place.decision(&member_secret).await, Reason::Allowed);
}

/// Keys of a person who left stay, dead, with what is remembered of that person.
#[tokio::test]
async fn keys_of_somebody_who_left_are_inactive_and_dead() {
    let place = Place::new().await;
    let (id, secret) = place.key_of(&place.user).await;
    let sql = "UPDATE project_api_keys SET owner_left_at = 2, owner_email = $2, owner_name = NULL, owner_added_at = 1
        WHERE organization_id = $1 AND owner_id = $3";
    place.execute(sql, ["ada@example.com", &place.user]).await;
    place.api.delete(&format!("/organization/users/{}", place.user)).await.ok();
    assert_eq!(place.listed("inactive").await, vec![id.clone()]);
    assert_eq!(place.listed("any").await, vec![id.clone()]);
    assert_eq!(place.listed("active").await, Vec::<String>::new());
    assert_eq!(place.api.get(&place.keys()).await.ids(), Vec::<String>::new());
    let shown = place.api.get(&format!("{}/{id}", place.keys())).await;
    assert_eq!(shown.ok()["owner_project_access"], "inactive");
    let user = &shown.ok()["owner"]["user"];
    assert_eq!(
        (&user["email"], &user["name"], &user["role"]),
        (&json!("ada@example.com"), &json!("ada@example.com"), &json!("member"))
    );
    assert_eq!(place.decision(&secret).await, Reason::OwnerLeft);
    let holder = place.holder(&secret).await;
    assert!(
        matches!(holder.owner, HolderOwner::Left { ref email, .. } if email == "ada@example.com")
    );
    assert!(holder.effective.is_empty() && !holder.reaches);
    place.api.delete(&format!("{}/{id}", place.keys())).await.ok();
}

#[tokio::test]
async fn keys_of_another_project_are_not_there() {
    let place = Place::new().await;
    let (id, _) = place.key_of(&place.user).await;
    let other = place.api.create_project("Other").await;
    let one = format!("/organization/projects/{other}/api_keys/{id}");
    place.api.get(&one).await.refused(404, "not_found", (), "API key with id");
    place.api.delete(&one).await.refused(404, "not_found", (), "API key with id");
    let path = format!("/organization/projects/{other}/api_keys?owner_project_access=any");
    assert_eq!(place.api.get(&path).await.ids(), Vec::<String>::new());
}

/// Nobody makes a key that may do more than the calling key.
#[tokio::test]
async fn nobody_grants_more_than_they_hold() {
    let place = Place::new().await;
    let body =
        json!({ "name": "narrow", "scopes": ["api.management.read", "api.management.write"] });
    let narrow = place.api.post("/organization/admin_api_keys", body).await;
    let narrow = narrow.ok()["value"].as_str().expect("the secret").to_owned();
    let make = |body: Value| place.api.request("POST", &place.own()).key(&narrow).json(&body);
    make(json!({ "name": "k", "user_id": place.user })).send().await.ok();
    let mine = make(json!({ "name": "k" })).send().await;
    mine.refused(403, (), (), "Missing scopes: api.usage.read");
    make(json!({ "name": "k", "scopes": ["api.model.request"] })).send().await.ok();
}

/// A check is a use, also one that finds that something is not permitted; of a key that opens nothing, nothing is noted.
#[tokio::test]
async fn a_check_is_a_use_of_a_key() {
    let place = Place::new().await;
    let (id, secret) = place.key_of(&place.user).await;
    let last = async || {
        let shown = place.api.get(&format!("{}/{id}", place.keys())).await;
        shown.ok()["last_used_at"].clone()
    };
    place.api.clock.advance(10);
    let check = json!({ "key": secret, "permission": "api.roles.write" });
    place.api.post("/rollbook/v1/check", check).await.ok();
    assert_eq!(last().await, 1_750_000_010);
    place.api.clock.advance(1000);
    let path = format!("/organization/projects/{}/users/{}", place.project, place.user);
    place.api.delete(&path).await.ok();
    place.api.post("/rollbook/v1/check", json!({ "key": secret })).await.ok();
    assert_eq!(last().await, 1_750_000_010);
}

#[tokio::test]
async fn uses_of_keys_are_noted_together_and_seldom() {
    let place = Place::new().await;
    let (first, second) = (place.key_of(&place.user).await, place.key_of(&place.user).await);
    let used = async |secret: &str, now: i64| {
        let holder = place.holder(secret).await;
        place.api.app.record_project_use(&holder, now);
        place.api.get("/organization/projects").await.ok();
    };
    let last = async |id: &str| {
        place.api.get(&format!("{}/{id}", place.keys())).await.ok()["last_used_at"].clone()
    };
    used(&first.1, 1_750_000_010).await;
    assert_eq!(last(&first.0).await, 1_750_000_010);
    used(&second.1, 1_750_000_020).await;
    used(&second.1, 1_750_000_030).await;
    assert_eq!(last(&second.0).await, Value::Null, "it is not time");
    used(&first.1, 1_750_000_070).await;
    assert_eq!(last(&second.0).await, 1_750_000_030);
    assert_eq!(last(&first.0).await, 1_750_000_010, "that is near enough");
    used(&second.1, 1_750_000_400).await;
    assert_eq!(last(&second.0).await, 1_750_000_400);
}
