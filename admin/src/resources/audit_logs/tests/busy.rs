//! Pages about a thing that a lot happened to, together with something that is rare: they are read from what is rare.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use sql::{Arg, Tx, args};

use super::list;
use crate::app::Settings;
use crate::testing::Api;
use crate::testing::seed::Filling;
use crate::testing::world::World;

/// So many events of one thing.
const ROWS: usize = 5_000;
/// One in so many is rare.
const RARITY: usize = 500;

/// Fills in events that are all about `busy`, half of them beside another thing.
async fn fill(api: &Api, world: &World) {
    let filling = Filling { world, rows: ROWS, engine: api.app.store.engine() };
    let id = Filling::ID;
    let rare = |number: usize, then: &str, otherwise: &str| {
        format!("CASE i % {RARITY} WHEN {number} THEN '{then}' ELSE '{otherwise}' END")
    };
    let (kind, project) =
        (rare(1, "user.deleted", "user.added"), rare(2, "proj_rare", "proj_busy"));
    let actor = rare(3, "actor_rare", "actor_busy");
    let event = format!(
        "$1, 'audit_log-' || {id}, {kind}, 1, {project}, {actor},
         CASE i % 2 WHEN 1 THEN 'busy' ELSE 'other' END, '{{}}'"
    );
    let into = "audit_events (organization_id, id, kind, effective_at, project_id, actor, resource_id, payload)";
    let statements = [
        filling.insert(into, &event),
        filling.insert(
            "audit_resources (organization_id, resource_id, event_id)",
            &format!("$1, 'busy', 'audit_log-' || {id}"),
        ),
        "INSERT INTO audit_actors (organization_id, actor, kind, actor_id, email, email_folded)
         VALUES ($1, 'actor_rare', 'session', 'user-rare', 'rare@x', 'rare@x')"
            .to_owned(),
        // One more of each rarity, which is about something else.
        "INSERT INTO audit_events (organization_id, id, kind, effective_at, project_id, actor, resource_id, payload)
         VALUES ($1, 'audit_log-1999999', 'user.deleted', 1, 'proj_rare', 'actor_rare', 'else', '{}')"
            .to_owned(),
        "INSERT INTO audit_resources (organization_id, resource_id, event_id) VALUES ($1, 'other', 'audit_log-1999999')"
            .to_owned(),
    ];
    for statement in statements {
        let organization = world.tenant.organization.id.clone();
        let fill = move |tx: &mut Tx<'_>| tx.execute(&statement, args![&organization]);
        api.app.store.write::<_, sql::Error>(fill).await.expect("the store can be filled");
    }
}

/// The ids of the rare events with this remainder, newest first.
fn rare(number: usize) -> Vec<String> {
    let numbers = (1..=ROWS).filter(|i| i % RARITY == number).rev();
    numbers.map(|i| format!("audit_log-{}", 1_000_000 + i)).collect()
}

#[tokio::test]
async fn a_busy_thing_with_something_rare_is_read_from_what_is_rare() {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let log = Arc::clone(&seen);
    let observer = move |sql: &str, _: &[Arg<'_>]| {
        log.lock().expect("the observer does not panic").insert(sql.to_owned());
    };
    let api = Api::with(Settings::default(), Some(Arc::new(observer))).await.unwatched();
    let world = World::of_first(&api).await;
    fill(&api, &world).await;
    for (filter, number) in [
        ("event_types[]=user.deleted", 1),
        ("project_ids[]=proj_rare", 2),
        ("actor_ids[]=user-rare", 3),
        ("actor_emails[]=rare@x", 3),
    ] {
        let expected = rare(number);
        for thing in ["resource_ids[]=busy", "resource_ids[]=busy&resource_ids[]=nothing"] {
            let query = format!("{thing}&{filter}");
            for (position, expected) in [
                (String::new(), &expected[..]),
                (format!("&limit=3&after={}", expected[2]), &expected[3..6]),
                (format!("&limit=3&before={}", expected[5]), &expected[2..5]),
            ] {
                seen.lock().expect("the observer does not panic").clear();
                let query = format!("{query}{position}");
                assert_eq!(list(&api, &query).await.ids(), expected, "{query}");
                let seen = seen.lock().expect("the observer does not panic");
                // What is about a thing is checked where everything else is what was looked for.
                let is_check = |text: &String| text.starts_with("SELECT e.id, e.resource_id");
                assert!(seen.iter().any(is_check), "{query} reads all that is about a thing");
            }
        }
    }
    for query in ["resource_ids[]=busy&project_ids[]=proj_busy", "resource_ids[]=busy"] {
        let page = list(&api, &format!("limit=3&{query}")).await;
        assert_eq!(page.ids(), ["audit_log-1005000", "audit_log-1004999", "audit_log-1004998"]);
    }
    // What is rare in a project is about the other thing, too; the last of it beside another.
    let query = "resource_ids[]=other&project_ids[]=proj_rare";
    let expected: Vec<_> = ["audit_log-1999999".to_owned()].into_iter().chain(rare(2)).collect();
    assert_eq!(list(&api, query).await.ids(), expected, "{query}");
    let query = "resource_ids[]=other&project_ids[]=proj_rare&event_types[]=user.added&actor_ids[]=user-rare";
    assert!(list(&api, query).await.ids().is_empty(), "{query}");
    let both = "resource_ids[]=else&project_ids[]=proj_rare";
    assert_eq!(list(&api, both).await.ids(), ["audit_log-1999999"]);
}
