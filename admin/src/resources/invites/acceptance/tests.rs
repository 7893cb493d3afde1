use serde_json::{Value, json};

use crate::testing::{Api, Reply, fixture};

const INVITES: &str = "/organization/invites";
const WEEK: u64 = 7 * 24 * 60 * 60;

/// Invites somebody with this body: the id, and the path of the page.
async fn invite(api: &Api, body: Value) -> (String, String) {
    let id = api.post(INVITES, body).await.id();
    let reply = api.post(&format!("/rollbook/v1/invites/{id}/link"), Value::Null).await;
    let url = reply.ok()["url"].as_str().expect("a link is a text").to_owned();
    let page = url.strip_prefix("http://127.0.0.1:8080").expect("it leads to this server");
    (id, page.to_owned())
}

async fn reader(api: &Api, email: &str) -> (String, String) {
    invite(api, json!({ "email": email, "role": "reader" })).await
}

async fn open(api: &Api, page: &str) -> Reply {
    api.request("GET", page).without("authorization").send().await
}

async fn send_form(api: &Api, page: &str, form: &str) -> Reply {
    let request = api.request("POST", page).without("authorization");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(form.to_owned()).send().await
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.text.clone()).expect("pages are text")
}

#[track_caller]
fn shows(reply: &Reply, status: u16, fragment: &str) {
    let text = text(reply);
    assert_eq!(reply.status.as_u16(), status, "{text}");
    assert!(text.contains(fragment), "'{fragment}' is not in {text}");
}

const NOT_VALID: &str = "This link is not valid any more";

#[tokio::test]
async fn a_page_says_who_is_invited_to_what_and_until_when() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let projects = json!([{ "id": project, "role": "owner" }]);
    let body = json!({ "email": "ada@example.com", "role": "owner", "projects": projects });
    let (_, page) = invite(&api, body).await;
    let reply = open(&api, &page).await;
    let fragments = [
        "<h1>Join <bdi>first</bdi></h1>",
        "<strong><bdi>ada@example.com</bdi></strong>",
        "As owner of the organization you will manage everything in it.",
        "<li><bdi>Engine</bdi>, as owner</li>",
        "<form method=\"post\">",
        "<label for=\"name\">",
        "<time datetime=\"2025-06-22T15:06:40Z\">22 June 2025, 15:06 UTC</time>",
    ];
    for fragment in fragments {
        shows(&reply, 200, fragment);
    }
}

#[tokio::test]
async fn pages_are_kept_nowhere_and_load_and_run_nothing() {
    let api = Api::new().await;
    let (_, page) = reader(&api, "ada@example.com").await;
    let shown = open(&api, &page).await;
    let accepted = send_form(&api, &page, "name=Ada").await;
    let gone = open(&api, &page).await;
    for reply in [&shown, &accepted, &gone] {
        let expected = [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-robots-tag", "noindex"),
        ];
        for (name, value) in expected {
            assert_eq!(reply.header(name), Some(value), "{name}");
        }
        let policy = reply.header("content-security-policy").expect("there is a policy");
        let fixed = "; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.ends_with(fixed), "{policy}");
        assert!(is_style_allowed(policy, &text(reply)), "{policy}");
        for word in ["<script", "src=", "href=", "@import", "url("] {
            assert!(!text(reply).contains(word), "{word}");
        }
    }
}

/// Whether the hash in the policy is that of the style in the page, as a browser would see it.
fn is_style_allowed(policy: &str, page: &str) -> bool {
    use base64::Engine;
    use sha2::{Digest, Sha256};
    let style = page.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next());
    let hash = Sha256::digest(style.expect("there is a style"));
    policy.contains(&base64::prelude::BASE64_STANDARD.encode(hash))
}

#[tokio::test]
async fn what_somebody_typed_is_text_and_no_markup() {
    let api = Api::new().await;
    let project = api.create_project("<script>alert('x')</script>").await;
    let projects = json!([{ "id": project, "role": "member" }]);
    let body = json!({ "email": "\"<b>&ada@example.com", "role": "reader", "projects": projects });
    let (_, page) = invite(&api, body).await;
    let reply = open(&api, &page).await;
    assert!(!text(&reply).contains("<script") && !text(&reply).contains("<b>"));
    let reply = send_form(&api, &page, "name=%3Ci%3E").await;
    assert!(!text(&reply).contains("<i>") && !text(&reply).contains("<b>"));
}

#[tokio::test]
async fn opening_a_page_changes_nothing_however_often() {
    let api = Api::new().await;
    let (_, page) = reader(&api, "ada@example.com").await;
    let before = api.snapshot().await;
    for method in ["GET", "HEAD", "GET"] {
        let reply = api.request(method, &page).without("authorization").send().await;
        assert_eq!(reply.status.as_u16(), 200, "{method}");
    }
    assert_eq!(api.snapshot().await, before);
}

#[tokio::test]
async fn accepting_makes_the_person_their_memberships_and_the_events_at_once() {
    let api = Api::new().await;
    let (search, engine) = (api.create_project("Search").await, api.create_project("Engine").await);
    let projects = json!([{ "id": search, "role": "owner" }, { "id": engine, "role": "member" }]);
    let body = json!({ "email": "Ada@Example.com", "role": "owner", "projects": projects });
    let (id, page) = invite(&api, body).await;
    let before = api.events().await.len();
    api.clock.advance(10);
    shows(&send_form(&api, &page, "name=Ada+Lovelace").await, 200, "You are in first");

    let found = api.get("/organization/users?emails=ada@example.com").await;
    let user = found.ids().pop().expect("the person is there");
    let row = &found.ok()["data"][0];
    assert_eq!((&row["name"], &row["role"]), (&json!("Ada Lovelace"), &json!("owner")));
    for (project, role) in [(&search, "owner"), (&engine, "member")] {
        let path = format!("/organization/projects/{project}/users/{user}");
        assert_eq!(api.get(&path).await.ok()["role"], role);
    }
    let invite = api.get(&format!("{INVITES}/{id}")).await;
    assert_eq!(
        (&invite.ok()["status"], &invite.ok()["accepted_at"]),
        (&json!("accepted"), &json!(1_750_000_010))
    );
    let added = |project: Option<&String>, role: &str| {
        let payload = json!({ "id": user, "data": { "role": role } });
        ("user.added".to_owned(), project.cloned(), payload)
    };
    let expected = [
        added(None, "owner"),
        added(Some(&search), "owner"),
        added(Some(&engine), "member"),
        ("invite.accepted".to_owned(), None, json!({ "id": id })),
    ];
    assert_eq!(api.events().await[before..], expected);
    let accepted = ("invite.accepted".to_owned(), "session".to_owned(), user);
    let actors = fixture::actors_of(&api.app, &id).await;
    assert_eq!(actors.last(), Some(&accepted), "the person accepts for themselves");
}

#[tokio::test]
async fn a_name_is_optional() {
    let api = Api::new().await;
    for (number, form) in ["", "name=", "name=+++", "other=x"].iter().enumerate() {
        let email = format!("guest{number}@example.com");
        let (_, page) = reader(&api, &email).await;
        shows(&send_form(&api, &page, form).await, 200, "You are in first");
        let found = api.get(&format!("/organization/users?emails={email}")).await;
        assert_eq!(found.ok()["data"][0]["name"], json!(email), "nobody has no name");
    }
}

#[tokio::test]
async fn a_link_works_once() {
    let api = Api::new().await;
    let (_, page) = reader(&api, "ada@example.com").await;
    shows(&send_form(&api, &page, "name=Ada").await, 200, "You are in first");
    let after = api.snapshot().await;
    shows(&send_form(&api, &page, "name=Eve").await, 404, NOT_VALID);
    shows(&open(&api, &page).await, 404, NOT_VALID);
    assert_eq!(api.snapshot().await, after);
}

#[tokio::test]
async fn of_those_who_accept_at_the_same_time_one_wins() {
    let api = Api::new().await.unwatched();
    let (_, page) = reader(&api, "ada@example.com").await;
    let before = api.events().await.len();
    let replies = tokio::join!(
        send_form(&api, &page, "name=One"),
        send_form(&api, &page, "name=Two"),
        send_form(&api, &page, "name=Three"),
        send_form(&api, &page, "name=Four"),
    );
    let replies = [replies.0, replies.1, replies.2, replies.3];
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404, 404, 404]);
    assert_eq!(api.get("/organization/users?emails=ada@example.com").await.ids().len(), 1);
    assert_eq!(api.events().await.len() - before, 3, "two additions and one acceptance");
}

/// Whoever tries links must not learn which of these it was.
#[tokio::test]
async fn every_link_that_leads_nowhere_gives_the_same_page() {
    let api = Api::new().await;
    let (used, gone, late) =
        (reader(&api, "used@x").await, reader(&api, "gone@x").await, reader(&api, "late@x").await);
    let renewed = reader(&api, "renewed@x").await;
    api.post(&format!("/rollbook/v1/invites/{}/link", renewed.0), Value::Null).await.ok();
    send_form(&api, &used.1, "").await;
    api.delete(&format!("{INVITES}/{}", gone.0)).await.ok();
    api.clock.advance(WEEK);
    let unknown = "/invite/none".to_owned();
    let mut seen = Vec::new();
    for page in [&unknown, &used.1, &gone.1, &late.1, &renewed.1] {
        for reply in [open(&api, page).await, send_form(&api, page, "name=Eve").await] {
            shows(&reply, 404, NOT_VALID);
            seen.push(text(&reply));
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn a_link_ends_in_the_second_in_which_the_invitation_does() {
    let api = Api::new().await;
    let (_, page) = reader(&api, "ada@example.com").await;
    api.clock.advance(WEEK - 1);
    shows(&open(&api, &page).await, 200, "Join <bdi>first</bdi>");
    api.clock.advance(1);
    shows(&send_form(&api, &page, "").await, 404, NOT_VALID);
}

#[tokio::test]
async fn projects_that_were_archived_since_are_left_out() {
    let api = Api::new().await;
    let (old, new) = (api.create_project("Old").await, api.create_project("New").await);
    let projects = json!([{ "id": old, "role": "member" }, { "id": new, "role": "member" }]);
    let body = json!({ "email": "ada@example.com", "role": "reader", "projects": projects });
    let (id, page) = invite(&api, body).await;
    api.post(&format!("/organization/projects/{old}/archive"), Value::Null).await.ok();
    let shown = open(&api, &page).await;
    assert!(text(&shown).contains("New") && !text(&shown).contains("Old"));
    shows(&send_form(&api, &page, "").await, 200, "You are in first");
    let rows = api.snapshot().await;
    let joined = |project: &str| {
        let is_row = |row: &&String| row.starts_with("project_members") && row.contains(project);
        rows.iter().filter(is_row).count()
    };
    assert_eq!((joined(&old), joined(&new)), (0, 1));
    // The invitation still says what was asked for.
    assert_eq!(api.get(&format!("{INVITES}/{id}")).await.ok()["projects"], projects);
}

#[tokio::test]
async fn who_came_in_by_another_way_keeps_what_they_have_and_gets_the_rest() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let projects = json!([{ "id": project, "role": "owner" }]);
    let body = json!({ "email": "ada@example.com", "role": "owner", "projects": projects });
    let (_, page) = invite(&api, body).await;
    let user = api.add_user("Ada@example.com").await;
    api.add_member(&project, &user).await;
    shows(&send_form(&api, &page, "name=Eve").await, 200, "You are in first");
    let shown = api.get(&format!("/organization/users/{user}")).await;
    assert_eq!(
        (&shown.ok()["role"], &shown.ok()["name"]),
        (&json!("owner"), &json!("Ada@example.com"))
    );
    let member = api.get(&format!("/organization/projects/{project}/users/{user}")).await;
    assert_eq!(member.ok()["role"], "member");
}

#[tokio::test]
async fn a_form_that_cannot_be_read_changes_nothing() {
    let api = Api::new().await;
    let (_, page) = reader(&api, "ada@example.com").await;
    let long = format!("name={}", "x".repeat(256));
    shows(&send_form(&api, &page, &long).await, 400, "A name has at most 255 characters");
    shows(&send_form(&api, &page, "name=a%00b").await, 400, "A name has at most 255 characters");
    shows(&send_form(&api, &page, "name=a&name=b").await, 400, "Duplicate parameter");
    let huge = format!("name={}", "x".repeat(5000));
    shows(&send_form(&api, &page, &huge).await, 413, "At most 4096 bytes");
    let json = api.request("POST", &page).without("authorization").json(&json!({ "name": "Ada" }));
    shows(&json.send().await, 415, "not a form");
    let bare = api.request("POST", &page).without("authorization").send().await;
    shows(&bare, 415, "not a form");
    shows(&send_form(&api, &page, "").await, 200, "You are in first");
}

#[tokio::test]
async fn a_page_has_no_other_methods() {
    let api = Api::new().await;
    let (_, page) = reader(&api, "ada@example.com").await;
    for method in ["DELETE", "PUT", "PATCH"] {
        let reply = api.request(method, &page).send().await;
        reply.refused(405, "method_not_supported", (), method);
        assert_eq!(reply.header("allow"), Some("GET,HEAD,POST"));
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_gives_a_page_too() {
    let api = Api::new().await;
    let (_, page) = reader(&api, "ada@example.com").await;
    let api = api.unwatched();
    let store = api.app.store.clone();
    tokio::task::spawn_blocking(move || store.close()).await.expect("a store can be closed");
    for reply in [open(&api, &page).await, send_form(&api, &page, "").await] {
        shows(&reply, 503, "The server cannot answer in this moment");
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
}
