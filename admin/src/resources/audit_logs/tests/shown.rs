//! What a row shows, held against the published document, and how its parameters may be spelled.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sql::{Tx, args};

use super::{LIST, all, busy, list, operator};
use crate::audit::KINDS;
use crate::document::tests::{exported, restoration, restore_by};
use crate::document::{Hashes, parse};
use crate::testing::Api;
use crate::testing::document::{REFERENCE, closed, operations};
use crate::testing::world::World;

/// The published schema of a row, if the published document is there.
fn published() -> Option<Value> {
    let reference = REFERENCE.as_ref()?;
    let list = &reference.operations[&("GET".to_owned(), LIST.to_owned())];
    Some(list.responses[&200]["properties"]["data"]["items"].clone())
}

/// The types of all events, each of which is shown as it is published: with one member that is called like the type.
async fn shown(api: &Api, schema: Option<&Value>) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for row in all(api).await {
        let kind = row["type"].as_str().expect("an event has a type").to_owned();
        let dotted: Vec<_> =
            row.as_object().into_iter().flatten().filter(|(name, _)| name.contains('.')).collect();
        assert_eq!(dotted.len(), 1, "{row}");
        assert_eq!(dotted[0].0, &kind);
        if let Some(schema) = schema {
            let faults = |schema: &Value, value: &Value| {
                jsonschema::validate(schema, value)
                    .unwrap_or_else(|error| panic!("{error}: {row}"));
            };
            faults(schema, &row);
            faults(&closed(&schema["properties"][&kind]), &row[&kind]);
        }
        kinds.insert(kind);
    }
    kinds
}

/// Changes that the requests of a world do not make, because what they ask for is there or because they are made elsewhere.
async fn change_the_rest(api: &Api) {
    let world = World::of_first(api).await;
    let certificates = json!({ "certificate_ids": [world.row("certificates", 0)] });
    for (template, body) in [
        ("/organization/certificates/activate", certificates.clone()),
        ("/organization/certificates/deactivate", certificates),
        (
            "/organization/projects/{project_id}/rate_limits/{rate_limit_id}",
            json!({ "max_requests_per_1_minute": 1 }),
        ),
        (
            "/organization/projects/{project_id}/service_accounts/{service_account_id}",
            json!({ "name": "Another name" }),
        ),
        ("/organization/users/{user_id}", json!({ "role": "owner" })),
    ] {
        api.post(&world.path(template), body).await.ok();
    }
    let body = json!({ "email": "ada@example.com", "role": "reader" });
    let id = api.post("/organization/invites", body).await.id();
    let link = api.post(&format!("/rollbook/v1/invites/{id}/link"), Value::Null).await;
    let url = link.ok()["url"].as_str().expect("a link is a text").to_owned();
    let page = url.strip_prefix("http://127.0.0.1:8080").expect("it leads to this server");
    let form = api.request("POST", page).without("authorization");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    form.body("name=Ada".to_owned()).send().await;
    rename_a_key(api).await;
}

/// Only a document changes a key.
async fn rename_a_key(api: &Api) {
    let (store, organization) = (&api.app.store, &api.first.organization.id);
    let text = exported(store, organization, Hashes::Included).await;
    let renamed = text.replace("\"First key\"", "\"Another name\"");
    assert_ne!(renamed, text, "there is a first key");
    let document = parse(&renamed).expect("the document can be read");
    restore_by(store, restoration(document).into_organization(organization))
        .await
        .expect("it fits");
}

/// Every type that is written is shown with the payload that is published for it. Ruling 5.12: the schema wins over examples.
#[tokio::test]
async fn every_type_that_is_written_is_shown_as_it_is_published() {
    let schema = published();
    let mut kinds = BTreeSet::new();
    for (name, operation) in operations().filter(|(name, _)| name.0 != "GET") {
        let api = Api::new().await.unwatched();
        let world = World::of_first(&api).await;
        world.request(&api, name, operation).send().await;
        kinds.extend(shown(&api, schema.as_ref()).await);
    }
    let api = Api::new().await.unwatched();
    change_the_rest(&api).await;
    kinds.extend(shown(&api, schema.as_ref()).await);
    let written: BTreeSet<String> = KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(kinds, written, "all that the program says it writes");
}

/// Where a request came from stands with the actor, a key or a session. Ruling 5.19.
#[tokio::test]
async fn the_address_and_the_client_stand_with_the_actor() {
    let api = Api::new().await;
    let made = api.request("POST", "/organization/groups").operator(operator());
    made.header("user-agent", "cli/1").json(&json!({ "name": "Crew" })).send().await.ok();
    let made = api.request("POST", "/organization/groups").header("user-agent", "test/1");
    made.json(&json!({ "name": "Other" })).send().await.ok();
    // Requests of tests come from nowhere.
    let place = |tx: &mut Tx<'_>| {
        tx.execute("UPDATE audit_events SET ip_address = $1", args!["2001:db8::7"])
    };
    api.app.store.write::<_, sql::Error>(place).await.expect("the store can be written");
    let page = list(&api, "limit=2&event_types=group.created").await;
    let rows = &page.ok()["data"];
    let (key, session) = (&rows[0]["actor"]["api_key"], &rows[1]["actor"]["session"]);
    for actor in [key, session] {
        assert_eq!(actor["ip_address"], "2001:db8::7", "{actor}");
    }
    assert_eq!(
        (&key["user_agent"], &rows[0]["actor"]["type"]),
        (&json!("test/1"), &json!("api_key"))
    );
    assert_eq!(rows[1]["actor"]["type"], "session");
}

/// Lists may be sent with brackets, without, and in one text: clients spell them in all three ways.
#[tokio::test]
async fn lists_are_understood_in_all_spellings() {
    let api = Api::new().await.unwatched();
    busy(&api).await;
    let rows = all(&api).await;
    let at = |row: &Value, pointer: &str| row.pointer(pointer)?.as_str().map(str::to_owned);
    for (name, pointer) in [
        ("project_ids", "/project/id"),
        ("event_types", "/type"),
        ("actor_ids", "/actor/api_key/id"),
        ("actor_emails", "/actor/api_key/user/email"),
        ("resource_ids", "/project.created/id"),
    ] {
        let values: BTreeSet<String> = rows.iter().filter_map(|row| at(row, pointer)).collect();
        let two: Vec<_> = values.into_iter().take(2).collect();
        let one_each =
            |prefix: &str| -> String { format!("&{prefix}={}", two.join(&format!("&{prefix}="))) };
        let brackets =
            list(&api, &format!("limit=100{}", one_each(&format!("{name}[]")))).await.ids();
        let encoded =
            list(&api, &format!("limit=100{}", one_each(&format!("{name}%5B%5D")))).await.ids();
        let bare = list(&api, &format!("limit=100{}", one_each(name))).await.ids();
        let joined = list(&api, &format!("limit=100&{name}={}", two.join(","))).await.ids();
        assert!(!brackets.is_empty(), "{name}");
        assert_eq!((&encoded, &bare, &joined), (&brackets, &brackets, &brackets), "{name}");
    }
}

/// An event about several things is found by each of them, beside other filters too, and is shown once however many are named.
#[tokio::test]
async fn an_event_about_several_things_is_found_by_each() {
    let api = Api::new().await.unwatched();
    let mut world = World::of_first(&api).await;
    world.grow(&api, 3).await;
    let ids: Vec<_> = (0..3).map(|number| world.row("certificates", number).to_owned()).collect();
    let body = json!({ "certificate_ids": ids });
    api.post("/organization/certificates/activate", body).await.ok();
    let newest = list(&api, "limit=1").await.ids();
    for id in &ids {
        for more in ["", "&event_types=certificates.activated", "&actor_emails=owner@first.example"]
        {
            let found = list(&api, &format!("resource_ids[]={id}{more}")).await.ids();
            assert_eq!(found[..1], newest, "{id}{more}");
        }
        let none = format!("resource_ids[]={id}&event_types=certificates.deactivated");
        assert!(list(&api, &none).await.ids().is_empty());
    }
    let all_ids = format!("&resource_ids[]={}", ids.join("&resource_ids[]="));
    let found = list(&api, &format!("event_types=certificates.activated{all_ids}")).await;
    assert_eq!((found.ids(), &found.ok()["has_more"]), (newest, &json!(false)));
}

/// Rulings 5.23 and 5.3: behind the last row there is an empty page, and a page is never larger than the document says.
#[tokio::test]
async fn behind_the_last_event_there_is_an_empty_page() {
    let api = Api::new().await;
    let rows = all(&api).await;
    let last = rows[rows.len() - 1]["id"].as_str().expect("events have ids");
    let empty = json!({
        "object": "list", "data": [], "first_id": null, "last_id": null, "has_more": false,
    });
    assert_eq!(*list(&api, &format!("after={last}")).await.ok(), empty);
    assert_eq!(*list(&api, &format!("after={last}&resource_ids=nothing")).await.ok(), empty);
    for limit in ["0", "101"] {
        assert_eq!(list(&api, &format!("limit={limit}")).await.status.as_u16(), 400, "{limit}");
    }
}
