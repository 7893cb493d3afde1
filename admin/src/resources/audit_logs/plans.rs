//! The plans of the record's list: every filter alone and every two together, both ways, with 200,000 events. `SQLite` has to find
//! them without statistics, which a new store does not have, and with them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use sql::{Arg, Engine, Tx, args};

use crate::app::Settings;
use crate::contract::plans::{Statement, plan, rows, scans, work};
use crate::testing::Api;
use crate::testing::seed::Filling;
use crate::testing::world::World;

const ROWS: usize = 200_000;
/// Where the index of the primary key is meant, whatever the engine calls it.
const KEY: &str = "audit_events_key";
/// What an arm may read for a page of 20 on PostgreSQL, with what it passes over.
const MOST_ROWS: u64 = 42;
/// What may be read to learn that a thing, or what is asked for beside it, is busy.
const MOST_LOOKED_AT: u64 = 2049;
/// What may be read to check what was found beside a thing.
const MOST_CHECKED: u64 = 64;

/// Each filter with values that many events have, and the word for it below.
const FILTERS: [(&str, &str); 6] = [
    // The rows that are filled in have ids of no time at all.
    ("time", "effective_at[gte]=-1"),
    ("project", "project_ids[]=proj_x1&project_ids[]=proj_x2"),
    ("kind", "event_types[]=user.added&event_types[]=project.created"),
    ("actor", "actor_ids[]=user-x1"),
    ("email", "actor_emails[]=1@x"),
    ("resource", "resource_ids[]=res_1&resource_ids[]=res_2"),
];

/// The index along which a page with these filters is read, and the one along which it is looked how much there is beside
/// a thing.
fn indexes(has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let beside = match (has("project"), has("actor") || has("email"), has("kind")) {
        (true, true, _) => "audit_events_of_project_actor",
        (true, ..) => "audit_events_of_project",
        (_, true, _) => "audit_events_of_actor",
        (_, _, true) => "audit_events_of_kind",
        _ => KEY,
    };
    match (has("resource"), beside) {
        (true, KEY) => vec!["audit_events_of_resource"],
        (true, _) => vec!["audit_events_of_resource", beside],
        _ => vec![beside],
    }
}

/// Values that few events have, about as many as are looked for instead of a busy thing.
const RARE: [(&str, &str); 4] = [
    ("project", "project_ids[]=proj_rare"),
    ("kind", "event_types[]=certificate.deleted"),
    ("actor", "actor_ids[]=user-rare"),
    ("email", "actor_emails[]=rare@x"),
];

async fn fill(api: &Api, world: &World) {
    let filling = Filling { world, rows: ROWS, engine: api.app.store.engine() };
    let id = Filling::ID;
    let rare = |number: usize, then: &str, otherwise: &str| {
        format!("CASE i % 100 WHEN {number} THEN '{then}' ELSE {otherwise} END")
    };
    let kind = "CASE i % 4 WHEN 0 THEN 'user.added' WHEN 1 THEN 'project.created' WHEN 2 THEN 'user.deleted' ELSE 'api_key.created' END";
    // Of coprime numbers, so that every two values meet.
    let kind = rare(1, "certificate.deleted", kind);
    let project = rare(2, "proj_rare", "CASE WHEN i % 7 > 0 THEN 'proj_x' || (i % 11) END");
    let actor = rare(3, "actor_rare", "'actor' || (i % 13)");
    let event = format!(
        "$1, 'audit_log-' || {id}, {kind}, 1, {project}, {actor}, 'res_' || (i % 9), '{{}}'"
    );
    let into = "audit_events (organization_id, id, kind, effective_at, project_id, actor, resource_id, payload)";
    let further = format!("$1, 'res_' || (i % 9 + 1), 'audit_log-' || {id}");
    let actor = "$1, 'actor' || (i - 1), 'api_key', 'key_x' || i, 'user-x' || (i % 400), i || '@x', (i % 2000) || '@x'";
    let statements = [
        filling.insert(into, &event),
        filling.insert("audit_resources (organization_id, resource_id, event_id)", &further),
        filling.insert_some(
            4_000,
            "audit_actors (organization_id, actor, kind, actor_id, user_id, email, email_folded)",
            actor,
        ),
        "INSERT INTO audit_actors (organization_id, actor, kind, actor_id, user_id, email, email_folded)
         VALUES ($1, 'actor_rare', 'session', 'user-rare', 'user-rare', 'rare@x', 'rare@x')"
            .to_owned(),
    ];
    for statement in statements {
        let organization = world.tenant.organization.id.clone();
        let fill = move |tx: &mut Tx<'_>| tx.execute(&statement, args![&organization]);
        api.app.store.write::<_, sql::Error>(fill).await.expect("the store can be filled");
    }
}

type Seen = Arc<Mutex<BTreeSet<Statement>>>;

/// The statements of a page about the record.
async fn statements(api: &Api, seen: &Seen, path: &str) -> Vec<Statement> {
    seen.lock().expect("the observer does not panic").clear();
    assert_eq!(api.get(path).await.ids().len(), 20, "{path} shows a full page");
    let seen = seen.lock().expect("the observer does not panic");
    seen.iter().filter(|one| one.sql.contains("audit_")).cloned().collect()
}

/// What is wrong with a plan, if anything. The arms of a search must run along one of these indexes.
fn fault<'a>(engine: Engine, lines: &'a [String], text: &str, indexes: &[&str]) -> Option<&'a str> {
    let is_check = text.starts_with("SELECT e.id, e.resource_id");
    let is_search = text.starts_with("SELECT id FROM (") || is_check;
    let most = match text.ends_with("a LIMIT $4") {
        true => MOST_LOOKED_AT,
        false if is_check || text.starts_with("SELECT r.event_id") => MOST_CHECKED,
        false => MOST_ROWS,
    };
    let runs_along = |line: &str, around: fn(&str) -> String| {
        indexes.iter().any(|index| match (engine, *index) {
            (Engine::Sqlite, KEY) => line.contains(&around("sqlite_autoindex_audit_events_1")),
            (_, index) => line.contains(&around(index)),
        })
    };
    let arms_run_elsewhere = |line: &str| match engine {
        Engine::Sqlite => {
            let by_key = "INDEX sqlite_autoindex_audit_events_1 (organization_id=? AND id=?)";
            let is_range = line.contains("id>? AND id<?");
            let is_along = is_range && runs_along(line, |index| format!("INDEX {index} "));
            line.starts_with("SEARCH e ") && !line.contains(by_key) && !is_along
        }
        Engine::Postgres => {
            let by_key = is_check && line.contains(" using audit_events_key on ");
            line.contains(" on audit_events")
                && !by_key
                && !runs_along(line, |index| format!(" using {index} on "))
        }
    };
    let reads_much = |line: &str| match engine {
        Engine::Sqlite => {
            (scans(line, lines) && line != "SCAN CONSTANT ROW")
                || line.contains("TEMP B-TREE")
                || line.contains("AUTOMATIC")
        }
        Engine::Postgres => {
            let whole = ["Seq Scan on audit_", "Bitmap", "Sort"];
            whole.iter().any(|word| line.contains(word))
                || (line.contains(" on audit_") && rows(line) > most)
        }
    };
    // What is looked up within an arm is found by its key.
    let is_within = |place: usize| place > 0 && lines[place - 1].contains("SubPlan");
    // The types of things are found from one to the next.
    let is_step = |line: &str| {
        let index = "audit_events_of_resource";
        !line.contains("audit_events") || (line.contains(index) && rows(line) <= most)
    };
    let is_loose = |line: &str| text.starts_with("WITH RECURSIVE t(") && !is_step(line);
    let is_fault = |(place, line): &(usize, &'a str)| {
        reads_much(line)
            || is_loose(line)
            || (is_search && !is_within(*place) && arms_run_elsewhere(line))
    };
    lines.iter().map(String::as_str).enumerate().find(is_fault).map(|(_, line)| line)
}

/// The steps that `SQLite` takes for a page, each statement of which has the plan that it should.
async fn steps(api: &Api, seen: &Seen, query: &str, indexes: &[&str]) -> u64 {
    let path = format!("/organization/audit_logs?limit=20{query}");
    let mut steps = 0;
    for statement in statements(api, seen, &path).await {
        let lines = plan(api, statement.clone()).await;
        let fault = fault(api.app.store.engine(), &lines, &statement.sql, indexes);
        assert_eq!(fault, None, "{path}, {indexes:?}\n{}\n{lines:#?}", statement.sql);
        steps += work(api, statement).await.1.unwrap_or_default();
    }
    steps
}

/// What is rare is looked for along its own index, and then whether it is about a thing.
async fn look_for_what_is_rare(api: &Api, seen: &Seen) {
    for (name, text) in RARE {
        let query = format!("&resource_ids[]=res_1&resource_ids[]=res_2&{text}");
        for position in ["", "&before=audit_log-1000010"] {
            let indexes = indexes(|known| known == name || known == "resource");
            steps(api, seen, &format!("{query}{position}"), &indexes).await;
            let seen = seen.lock().expect("the observer does not panic");
            let is_looked_for = |one: &Statement| one.sql.starts_with("SELECT e.id, e.resource_id");
            assert!(
                seen.iter().any(is_looked_for),
                "{query}: all that is about the things is read"
            );
        }
    }
}

/// Every filter alone and every two together, as the beginning of a query, each with the indexes that serve it.
fn combinations() -> Vec<(String, Vec<&'static str>)> {
    let mut combinations: Vec<Vec<(&str, &str)>> = vec![Vec::new()];
    for (number, filter) in FILTERS.iter().enumerate() {
        combinations.push(vec![*filter]);
        combinations.extend(FILTERS[..number].iter().map(|other| vec![*other, *filter]));
    }
    assert_eq!(combinations.len(), 1 + 6 + 15);
    let query = |filters: Vec<(&str, &str)>| {
        let indexes = indexes(|name| filters.iter().any(|(known, _)| *known == name));
        let texts: Vec<&str> = filters.iter().map(|(_, text)| *text).collect();
        (format!("&{}", texts.join("&")), indexes)
    };
    combinations.into_iter().map(query).collect()
}

/// Pages near both ends and in both directions cost the same.
async fn compare(api: &Api, seen: &Seen, query: &str, indexes: &[&str]) {
    let mut works = Vec::new();
    for position in [
        "after=audit_log-1199990",
        "after=audit_log-1060000",
        "before=audit_log-1140000",
        "before=audit_log-1000010",
    ] {
        works.push(steps(api, seen, &format!("{query}&{position}"), indexes).await);
    }
    let (least, most) = (works.iter().min(), works.iter().max());
    let is_alike = most <= least.map(|least| least + least / 20).as_ref();
    assert!(is_alike, "{query}: {works:?} steps at different depths");
}

async fn analyze(api: &Api) {
    let analyze = |tx: &mut Tx<'_>| tx.execute("ANALYZE", args![]);
    api.app.store.write::<_, sql::Error>(analyze).await.expect("statistics can be made");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_and_every_two_are_ranges_of_one_index_at_any_depth() {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let observer = move |sql: &str, arguments: &[Arg<'_>]| {
        log.lock().expect("the observer does not panic").insert(Statement::of(sql, arguments));
    };
    let api = Api::with(Settings::default(), Some(Arc::new(observer))).await.unwatched();
    let world = World::of_first(&api).await;
    fill(&api, &world).await;
    if api.app.store.engine() == Engine::Sqlite {
        for (query, indexes) in combinations() {
            compare(&api, &seen, &query, &indexes).await;
        }
        look_for_what_is_rare(&api, &seen).await;
    }
    analyze(&api).await;
    for (query, indexes) in combinations() {
        compare(&api, &seen, &query, &indexes).await;
    }
    look_for_what_is_rare(&api, &seen).await;
}
