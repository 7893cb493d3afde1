use std::path::Path;

use serde_json::json;
use sql::{Tx, args};

use super::actor::ActorRow;
use super::record::{Record, hash};
use super::{Actor, Author, Event, KINDS, NEVER_IN_PROJECTS, Origin, append};
use crate::resources::audit_logs::types::EVENT_TYPES;
use crate::testing::Api;

fn ada() -> ActorRow {
    ActorRow::of(&Actor::ApiKey {
        key_id: "key_1".to_owned(),
        user_id: "user-1".to_owned(),
        email: "Ada@Example.com".to_owned(),
    })
}

fn record<'a>(actor: &'a str, actor_row: &'a ActorRow, others: &'a [String]) -> Record<'a> {
    Record {
        organization_id: "org-1",
        id: "audit_log-0123456789ABCDEFGHIJKLMN",
        kind: "user.added",
        effective_at: 1_750_000_000,
        project_id: Some("proj_1"),
        ip_address: Some("192.0.2.1"),
        user_agent: None,
        resource_id: "user-2",
        payload: r#"{"id":"user-2"}"#,
        actor,
        actor_row,
        others,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.concat()
}

/// What was sealed once must be found unchanged by every later version, so neither form may change.
#[test]
fn hashes_are_what_they_always_were() {
    let actor = ada();
    assert_eq!(actor.key(), "2SdQnBtQSPyxHTouC23Xgz");
    let others = ["cert_2".to_owned()];
    assert_eq!(
        hexadecimal(&hash(&record(&actor.key(), &actor, &others))),
        "ff953e1dd5ed53b812e2132f1504e496d54c1ff7c13088bdb3ea7fb3ecb7b8b8"
    );
}

#[test]
fn every_field_and_every_boundary_changes_the_hash() {
    let (actor, key, no_others) = (ada(), ada().key(), Vec::new());
    let (other, renamed) = (["a".to_owned()], ActorRow { email: None, ..ada() });
    let base = || record(&key, &actor, &no_others);
    let records = [
        base(),
        Record { organization_id: "org-2", ..base() },
        Record { id: "audit_log-0123456789ABCDEFGHIJKLMO", ..base() },
        Record { kind: "user.deleted", ..base() },
        Record { effective_at: 1_750_000_001, ..base() },
        Record { project_id: None, ..base() },
        Record { project_id: Some(""), ..base() },
        Record { ip_address: None, user_agent: Some("192.0.2.1"), ..base() },
        Record { ip_address: Some("192.0.2.1"), user_agent: Some(""), ..base() },
        Record { resource_id: "user-2{", payload: r#""id":"user-2"}"#, ..base() },
        Record { payload: "{}", ..base() },
        Record { actor: "", ..base() },
        Record { actor_row: &renamed, ..base() },
        Record { others: &other, ..base() },
    ];
    let mut hashes: Vec<_> = records.iter().map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), records.len());
}

#[test]
fn an_actor_who_is_called_something_else_is_another_row() {
    let others = [
        Actor::System,
        Actor::CommandLine { user: "ada".to_owned() },
        Actor::CommandLine { user: "bob".to_owned() },
        Actor::Session { user_id: "user-1".to_owned(), email: "ada@example.com".to_owned() },
        Actor::Session { user_id: "user-1".to_owned(), email: "Ada@example.com".to_owned() },
    ];
    let mut keys: Vec<_> = others.iter().map(|actor| ActorRow::of(actor).key()).collect();
    keys.push(ada().key());
    assert!(keys.iter().all(|key| key.len() == 22));
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 6);
    assert_eq!(ActorRow::of(&others[1]).actor_id, "command_line:ada");
    assert_eq!(ada().email_folded.as_deref(), Some("ada@example.com"));
}

/// What `append` leaves behind: the hash in the tail, and what the event's row and its actor's row give.
#[tokio::test]
async fn an_event_is_written_with_its_hash_its_actor_and_all_that_it_is_about() {
    let api = Api::new().await;
    api.clock.set(1_750_000_123);
    let (organization, ids) = (api.first.organization.clone(), api.app.ids.block(2));
    let write = move |tx: &mut Tx<'_>| {
        let actor = Actor::CommandLine { user: "ada".to_owned() };
        let by = Author::new(organization.clone(), actor, Origin::default(), 7, ids.clone());
        let payload = json!({ "certificates": [{ "id": "cert_1" }, { "id": "cert_2" }] });
        let event = Event::new("certificates.activated", "cert_1", payload.clone());
        append(tx, &by, &event.about(&["cert_2", "cert_1", "cert_2"]))?;
        append(tx, &by, &Event::new("certificate.deleted", "cert_1", json!({ "id": "cert_1" })))
    };
    api.app.store.write(write).await.expect("events can be written");
    let organization = api.first.organization.id.clone();
    let read = move |tx: &mut Tx<'_>| {
        let text = |row: &sql::Row<'_>| row.get::<String>(0);
        let others = tx.all("SELECT resource_id FROM audit_resources", args![], text)?;
        let actors = "SELECT actor FROM audit_actors WHERE kind = 'command_line'";
        let actors = tx.all(actors, args![], text)?;
        let sql = "SELECT e.id, e.effective_at, e.payload, e.actor, t.hash FROM audit_events e
                   JOIN audit_tail t ON t.organization_id = e.organization_id AND t.id = e.id
                   WHERE e.organization_id = $1 AND e.kind = 'certificates.activated'";
        let event = tx.one(sql, args![&organization], |row| {
            let texts = (row.get::<String>(0)?, row.get::<String>(2)?, row.get::<String>(3)?);
            Ok((texts, row.get::<i64>(1)?, row.get::<Vec<u8>>(4)?))
        })?;
        let waiting = "SELECT t.id FROM audit_tail t JOIN audit_events e
                       ON e.organization_id = t.organization_id AND e.id = t.id";
        Ok::<_, sql::Error>((others, actors, event, tx.all(waiting, args![], text)?.len()))
    };
    let (others, actors, event, waiting) = api.app.store.read(read).await.expect("it can be read");
    let ((id, payload, actor), effective_at, hashed) = event.expect("the event is there");
    assert_eq!(others, ["cert_2"]);
    assert_eq!(actors, [actor.as_str()], "the actor is written once");
    assert_eq!(effective_at, 1_750_000_123, "the time in the id, not the author's");
    assert_eq!(waiting, api.events().await.len(), "every event waits for its seal");
    let actor_row = ActorRow::of(&Actor::CommandLine { user: "ada".to_owned() });
    let expected = Record {
        organization_id: &api.first.organization.id,
        id: &id,
        kind: "certificates.activated",
        effective_at,
        project_id: None,
        ip_address: None,
        user_agent: None,
        resource_id: "cert_1",
        payload: &payload,
        actor: &actor,
        actor_row: &actor_row,
        others: &others,
    };
    assert_eq!(hashed, hash(&expected));
    for (filters, is_found) in [
        ("", true),
        ("&event_types[]=certificates.activated&actor_ids[]=command_line:ada", true),
        ("&event_types[]=user.added", false),
        ("&project_ids[]=proj_1", false),
    ] {
        let path = format!("/organization/audit_logs?resource_ids[]=cert_2{filters}");
        let expected: &[&str] = if is_found { &[&id] } else { &[] };
        assert_eq!(api.get(&path).await.ids(), expected, "{path}");
    }
}

/// Every published type that the sources name is one of the listed ones, so that the list of events finds it.
#[test]
fn no_type_of_event_is_written_that_is_not_listed() {
    assert!(KINDS.is_sorted() && NEVER_IN_PROJECTS.is_sorted());
    assert!(NEVER_IN_PROJECTS.iter().all(|kind| KINDS.contains(kind)));
    assert!(KINDS.iter().all(|kind| EVENT_TYPES.contains(kind)), "types are published ones");
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut named = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the sources are there") {
            let path = entry.expect("entries can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["tests", "contract", "testing"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !["tests.rs", "types.rs"].contains(&name.as_str())
            {
                let text = std::fs::read_to_string(&path).expect("sources are text");
                for kind in EVENT_TYPES.iter().filter(|kind| text.contains(&format!("\"{kind}\"")))
                {
                    assert!(KINDS.contains(kind), "{kind} in {}", path.display());
                    named += 1;
                }
            }
        }
    }
    assert!(named > KINDS.len(), "the sources were read");
}
