use serde_json::{Value, json};

use crate::testing::Api;

const INVITES: &str = "/organization/invites";
const WEEK: u64 = 7 * 24 * 60 * 60;

async fn invite(api: &Api, email: &str) -> String {
    api.post(INVITES, json!({ "email": email, "role": "reader" })).await.id()
}

/// Makes a link and opens nothing: the path of its page.
async fn link(api: &Api, invite: &str) -> String {
    let reply = api.post(&format!("/rollbook/v1/invites/{invite}/link"), Value::Null).await;
    let url = reply.ok()["url"].as_str().expect("a link is a text").to_owned();
    url.strip_prefix("http://127.0.0.1:8080").expect("it leads to this server").to_owned()
}

async fn accept(api: &Api, page: &str) {
    let form = api.request("POST", page).without("authorization");
    let form = form.header("content-type", "application/x-www-form-urlencoded").body("");
    assert_eq!(form.send().await.status.as_u16(), 200);
}

#[tokio::test]
async fn somebody_is_invited_shown_listed_and_uninvited() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let default = &api.first.organization.default_project_id;
    let projects = json!([{ "id": project, "role": "owner" }, { "id": default, "role": "member" }]);
    let body = json!({ "email": "Ada@Example.com", "role": "owner", "projects": projects });
    let reply = api.post(INVITES, body).await;
    let id = reply.id();
    assert!(id.starts_with("invite-") && id.len() == 31, "{id}");
    let invite = json!({
        "object": "organization.invite", "id": id, "email": "Ada@Example.com", "role": "owner",
        "status": "pending", "created_at": 1_750_000_000, "expires_at": 1_750_000_000 + WEEK,
        "accepted_at": null, "projects": projects,
    });
    assert_eq!(*reply.ok(), invite);
    assert_eq!(*api.get(&format!("{INVITES}/{id}")).await.ok(), invite);
    let page = json!({ "object": "list", "data": [invite], "first_id": id, "last_id": id, "has_more": false });
    assert_eq!(*api.get(INVITES).await.ok(), page);
    let deleted = json!({ "object": "organization.invite.deleted", "id": id, "deleted": true });
    assert_eq!(*api.delete(&format!("{INVITES}/{id}")).await.ok(), deleted);
    assert_eq!(api.get(INVITES).await.ids(), Vec::<String>::new());
}

#[tokio::test]
async fn without_projects_it_is_the_default_project_and_an_empty_list_is_none() {
    let api = Api::new().await;
    let default = &api.first.organization.default_project_id;
    let left_out = api.post(INVITES, json!({ "email": "a@x", "role": "reader" })).await;
    assert_eq!(left_out.ok()["projects"], json!([{ "id": default, "role": "member" }]));
    let none = json!({ "email": "b@x", "role": "reader", "projects": [] });
    assert_eq!(api.post(INVITES, none).await.ok()["projects"], json!([]));
}

/// Ruling 5.16: the status follows from the clock, and what was accepted stays.
#[tokio::test]
async fn an_invitation_is_pending_then_accepted_or_expired() {
    let api = Api::new().await;
    let (used, unused) = (invite(&api, "used@x").await, invite(&api, "unused@x").await);
    api.clock.advance(10);
    accept(&api, &link(&api, &used).await).await;
    let status = async |id: &str| api.get(&format!("{INVITES}/{id}")).await.ok()["status"].clone();
    api.clock.advance(WEEK - 11);
    assert_eq!((status(&used).await, status(&unused).await), (json!("accepted"), json!("pending")));
    // Nothing is written in between: the second alone makes the difference.
    api.clock.advance(1);
    assert_eq!((status(&used).await, status(&unused).await), (json!("accepted"), json!("expired")));
    let listed = api.get(INVITES).await;
    let row = |id: &str| {
        let rows = listed.ok()["data"].as_array().expect("a page has rows");
        rows.iter()
            .find(|row| row["id"] == id)
            .expect("accepted and expired ones are listed")
            .clone()
    };
    assert_eq!(row(&used)["accepted_at"], 1_750_000_010);
    assert_eq!(row(&unused)["status"], "expired");

    let fragment = format!("Invite '{used}' was already accepted and cannot be deleted.");
    api.delete(&format!("{INVITES}/{used}")).await.refused(400, (), (), &fragment);
    api.delete(&format!("{INVITES}/{unused}")).await.ok();
}

#[tokio::test]
async fn nobody_is_invited_twice_or_into_where_they_are() {
    let api = Api::new().await;
    api.add_user("Ada@example.com").await;
    let first = invite(&api, "Grace@example.com").await;
    let again =
        async |email: &str| api.post(INVITES, json!({ "email": email, "role": "reader" })).await;
    let pending = "An invite for grace@EXAMPLE.com is already pending.";
    again("grace@EXAMPLE.com").await.refused(400, "already_exists", "email", pending);
    let member = "A user with the e-mail address ada@example.com already exists";
    again("ada@example.com").await.refused(400, "already_exists", "email", member);
    // One that is over is in nobody's way.
    api.clock.advance(WEEK);
    let second = again("grace@example.com").await.id();
    assert_eq!(api.get(INVITES).await.ids(), [first, second.clone()]);
    api.delete(&format!("{INVITES}/{second}")).await.ok();
    again("grace@example.com").await.ok();
}

#[tokio::test]
async fn an_address_is_told_from_a_mistake() {
    let api = Api::new().await;
    let long = format!("{}@example.com", "x".repeat(320));
    let refused = [
        ("ada", "invalid_value"),
        ("a da@example.com", "invalid_value"),
        ("", "empty_string"),
        (long.as_str(), "string_above_max_length"),
    ];
    for (email, code) in refused {
        let body = json!({ "email": email, "role": "reader" });
        api.post(INVITES, body).await.refused(400, code, "email", "'email'");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_project_is_told_with_its_place() {
    let api = Api::new().await;
    let archived = api.create_project("Old").await;
    api.post(&format!("/organization/projects/{archived}/archive"), Value::Null).await.ok();
    let default = api.first.organization.default_project_id.clone();
    let good = json!({ "id": default, "role": "member" });
    let send = async |second: Value| {
        let body = json!({ "email": "a@x", "role": "reader", "projects": [good, second] });
        api.post(INVITES, body).await
    };
    let project = |id: &str| json!({ "id": id, "role": "member" });
    let other = api.found("second").await.organization.default_project_id;
    for id in ["proj_none", &other] {
        let fragment = format!("Project with id '{id}' not found");
        send(project(id)).await.refused(404, "project_not_found", "projects[1].id", &fragment);
    }
    let fragment = format!("Project '{archived}' is archived.");
    send(project(&archived)).await.refused(400, "project_archived", "projects[1].id", &fragment);
    let fragment = "stands in the list already";
    send(project(&default)).await.refused(400, "invalid_value", "projects[1].id", fragment);
    let faults = [
        (json!({ "id": "p", "role": "viewer" }), "invalid_value", "projects[1].role"),
        (json!({ "id": "p" }), "missing_required_parameter", "projects[1].role"),
        (json!({ "role": "member" }), "missing_required_parameter", "projects[1].id"),
        (json!({ "id": 7, "role": "member" }), "invalid_type", "projects[1].id"),
        (json!({ "id": "p", "role": "member", "x": 1 }), "unknown_parameter", "projects[1].x"),
        (json!("p"), "invalid_type", "projects[1]"),
    ];
    for (second, code, param) in faults {
        send(second).await.refused(400, code, param, param);
    }
}

#[tokio::test]
async fn projects_are_a_list_of_at_most_100() {
    let api = Api::new().await;
    let send = async |projects: Value| {
        api.post(INVITES, json!({ "email": "a@x", "role": "reader", "projects": projects })).await
    };
    send(Value::Null).await.refused(400, "invalid_type", "projects", "'projects'");
    send(json!({})).await.refused(400, "invalid_type", "projects", "'projects'");
    let many: Vec<_> = (0..101).map(|i| json!({ "id": i.to_string(), "role": "member" })).collect();
    let fragment = "at most 100";
    send(json!(many)).await.refused(400, "array_above_max_length", "projects", fragment);
}

#[tokio::test]
async fn nobody_invites_somebody_to_more_than_they_hold() {
    let api = Api::new().await;
    let key = async |scopes: Value| {
        let body = json!({ "name": "k", "scopes": scopes });
        let reply = api.post("/organization/admin_api_keys", body).await;
        reply.ok()["value"].as_str().expect("a new key shows its secret").to_owned()
    };
    let writer = key(json!(["api.management.write"])).await;
    let both = key(json!(["api.management.read", "api.management.write"])).await;
    let full = key(json!(["api.management.read", "api.management.write", "api.usage.read"])).await;
    let send = async |key: &str, body: Value| {
        api.request("POST", INVITES).key(key).json(&body).send().await
    };
    let reader = json!({ "email": "a@x", "role": "reader" });
    send(&writer, reader.clone()).await.refused(
        403,
        (),
        (),
        "Missing scopes: api.management.read.",
    );
    send(&both, reader).await.ok();
    let owner = json!({ "email": "b@x", "role": "owner", "projects": [] });
    send(&both, owner.clone()).await.refused(403, (), (), "Missing scopes: api.usage.read.");
    let id = send(&full, owner).await.id();
    // A link is as good as what it leads to.
    let path = format!("/rollbook/v1/invites/{id}/link");
    let link = api.request("POST", &path).key(&both).send().await;
    link.refused(403, (), (), "Missing scopes: api.usage.read.");
    // What does not exist is told before what may not be granted.
    let nowhere = json!([{ "id": "proj_none", "role": "owner" }]);
    let body = json!({ "email": "c@x", "role": "owner", "projects": nowhere });
    let reply = send(&both, body).await;
    reply.refused(404, "project_not_found", "projects[0].id", "not found");
}

#[tokio::test]
async fn an_unknown_invitation_is_404_for_every_verb() {
    let api = Api::new().await;
    let fragment = "Invite with id 'invite-none' not found.";
    let path = format!("{INVITES}/invite-none");
    api.get(&path).await.refused(404, "not_found", (), fragment);
    api.delete(&path).await.refused(404, "not_found", (), fragment);
    let link = api.post("/rollbook/v1/invites/invite-none/link", json!({ "surprise": 1 })).await;
    link.refused(404, "not_found", (), fragment);
}

#[tokio::test]
async fn a_link_is_shown_once_and_ends_the_one_before() {
    let api = Api::new().await;
    let id = invite(&api, "a@x").await;
    let path = format!("/rollbook/v1/invites/{id}/link");
    let reply = api.request("POST", &path).send().await;
    let url = reply.ok()["url"].as_str().expect("a link is a text").to_owned();
    let expected = json!({
        "object": "rollbook.invite.link", "invite_id": id, "url": url,
        "expires_at": 1_750_000_000 + WEEK,
    });
    assert_eq!(*reply.ok(), expected);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let token = url.strip_prefix("http://127.0.0.1:8080/invite/").expect("it leads to this server");
    assert_eq!(token.len(), 49);
    let first = format!("/invite/{token}");
    let second = link(&api, &id).await;
    let status = async |page: &str| api.get(page).await.status.as_u16();
    assert_eq!((status(&first).await, status(&second).await), (404, 200));
    let rows = api.snapshot().await.join("\n");
    assert!(!rows.contains(token), "the store has a hash of it only");
    api.post(&path, json!({ "surprise": 1 })).await.refused(
        400,
        "unknown_parameter",
        "surprise",
        "surprise",
    );
}

#[tokio::test]
async fn an_invitation_that_is_over_gets_no_link() {
    let api = Api::new().await;
    let (used, late) = (invite(&api, "used@x").await, invite(&api, "late@x").await);
    accept(&api, &link(&api, &used).await).await;
    api.clock.advance(WEEK);
    let ask = async |id: &str| {
        api.post(&format!("/rollbook/v1/invites/{id}/link"), json!({ "surprise": 1 })).await
    };
    ask(&used).await.refused(400, (), (), &format!("Invite '{used}' was already accepted."));
    ask(&late).await.refused(400, "invite_expired", (), &format!("Invite '{late}' has expired."));
}

#[tokio::test]
async fn the_lifetime_and_the_address_of_links_are_settings() {
    let settings = crate::Settings {
        public_url: "https://rollbook.example/people".to_owned(),
        invite_lifetime: 60,
        ..crate::Settings::default()
    };
    let api = Api::with(settings, None).await;
    let id = invite(&api, "a@x").await;
    assert_eq!(api.get(&format!("{INVITES}/{id}")).await.ok()["expires_at"], 1_750_000_060);
    let reply = api.post(&format!("/rollbook/v1/invites/{id}/link"), Value::Null).await;
    let url = reply.ok()["url"].as_str().expect("a link is a text");
    assert!(url.starts_with("https://rollbook.example/people/invite/"), "{url}");
}

#[tokio::test]
async fn what_happens_to_an_invitation_is_on_record() {
    let api = Api::new().await;
    let before = api.events().await.len();
    let id = invite(&api, "Ada@x").await;
    link(&api, &id).await;
    api.delete(&format!("{INVITES}/{id}")).await.ok();
    let event = |kind: &str, payload: Value| (kind.to_owned(), None, payload);
    let sent = json!({ "id": id, "data": { "email": "Ada@x", "role": "reader" } });
    let expected = [
        event("invite.sent", sent.clone()),
        event("invite.sent", sent),
        event("invite.deleted", json!({ "id": id })),
    ];
    assert_eq!(api.events().await[before..], expected);
}
