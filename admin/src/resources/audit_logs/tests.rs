mod busy;
mod shown;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::access::Operator;
use crate::testing::world::World;
use crate::testing::{Api, Reply, fixture};

const LIST: &str = "/organization/audit_logs";

async fn list(api: &Api, query: &str) -> Reply {
    api.get(&format!("{LIST}?{query}")).await
}

/// Every event on record, newest first.
async fn all(api: &Api) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let page = list(api, &format!("limit=100&after={after}")).await;
        rows.extend(page.ok()["data"].as_array().expect("a page has rows").iter().cloned());
        if page.body["has_more"] == false {
            return rows;
        }
        after = page.body["last_id"].as_str().expect("there is a last row").to_owned();
    }
}

fn operator() -> Operator {
    Operator { user: "ada".to_owned(), organization: None, on_behalf_of: None }
}

/// Rulings 5.19 and 5.25: a key is an actor of its own kind, and an id is `audit_log-` with 24 characters.
#[tokio::test]
async fn an_event_says_what_was_changed_when_where_by_whom_and_from_where() {
    let api = Api::new().await;
    api.clock.set(1_750_000_100);
    let request = api.request("POST", "/organization/projects").header("user-agent", "test/1");
    let project = request.json(&json!({ "name": "Engine" })).send().await.id();
    let page = list(&api, "limit=1").await;
    let id = page.ids().remove(0);
    assert!(id.starts_with("audit_log-") && id.len() == "audit_log-".len() + 24, "{id}");
    let row = json!({
        "id": id,
        "object": "organization.audit_log",
        "type": "project.created",
        "effective_at": 1_750_000_100,
        "project": { "id": project, "name": "Engine" },
        "actor": {
            "type": "api_key",
            "api_key": {
                "id": api.first.key_id,
                "type": "user",
                "user": { "id": api.first.owner_id, "email": "owner@first.example" },
                "user_agent": "test/1",
            },
        },
        "project.created": { "id": project, "data": { "name": "Engine", "title": "Engine" } },
    });
    let expected = json!({
        "object": "list", "data": [row], "first_id": id, "last_id": id, "has_more": true,
    });
    assert_eq!(*page.ok(), expected);
    let renamed = json!({ "name": "New" });
    api.post(&format!("/organization/projects/{project}"), renamed).await.ok();
    let page = list(&api, "limit=2").await;
    assert_eq!(page.ok()["data"][1]["project"]["name"], "New", "as the project is called now");
}

/// Ruling 5.12: where the examples show `data` and the schema says `changes_requested`, the schema wins.
#[tokio::test]
async fn an_update_carries_what_was_requested() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    api.post(&format!("/organization/projects/{project}"), json!({ "name": "New" })).await.ok();
    let page = list(&api, "event_types[]=project.updated").await;
    let payload = json!({ "id": project, "changes_requested": { "title": "New" } });
    assert_eq!(page.ok()["data"][0]["project.updated"], payload);
}

#[tokio::test]
async fn who_acted_without_a_key_is_a_session_and_the_program_is_nobody() {
    let api = Api::new().await;
    let made = api.request("POST", "/organization/groups").operator(operator());
    made.json(&json!({ "name": "Crew" })).send().await.ok();
    let page = list(&api, "limit=1").await;
    let actor = json!({ "type": "session", "session": { "user": { "id": "command_line:ada" } } });
    let row = &page.ok()["data"][0];
    assert_eq!((&row["actor"], row.get("project")), (&actor, None), "and it is in no project");
    assert_eq!(list(&api, "actor_ids[]=command_line:ada").await.ids().len(), 1);
    api.add_user("grace@example.com").await;
    assert_eq!(list(&api, "limit=1").await.ok()["data"][0]["actor"], Value::Null);
}

/// What a row is found by: project, type, actors, addresses and what it is about.
fn is_asked_for(row: &Value, filters: &[(&str, Vec<String>)]) -> bool {
    let kind = row["type"].as_str().unwrap_or_default();
    let (key, session) = (&row["actor"]["api_key"], &row["actor"]["session"]);
    let texts = |values: &[&Value]| -> Vec<String> {
        values.iter().filter_map(|value| value.as_str()).map(str::to_owned).collect()
    };
    filters.iter().all(|(name, wanted)| {
        let has = match *name {
            "project_ids" => texts(&[&row["project"]["id"]]),
            "event_types" => texts(&[&row["type"]]),
            "actor_ids" => texts(&[&key["id"], &key["user"]["id"], &session["user"]["id"]]),
            "actor_emails" => texts(&[&key["user"]["email"], &session["user"]["email"]]),
            _ => texts(&[&row[kind]["id"]]),
        };
        has.iter().any(|value| wanted.contains(value))
    })
}

fn query(filters: &[(&str, Vec<String>)]) -> String {
    let one = |(name, values): &(&str, Vec<String>)| {
        let arguments = values.iter().map(|value| format!("&{name}[]={value}"));
        arguments.collect::<Vec<_>>().concat()
    };
    filters.iter().map(one).collect()
}

/// Values of a filter as the rows have them: of the first, of several, and one that nothing has.
fn choices(rows: &[Value], name: &'static str) -> Vec<(&'static str, Vec<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let values: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| match name {
            "project_ids" => text(&row["project"]["id"]),
            "event_types" => text(&row["type"]),
            "actor_ids" => text(&row["actor"]["api_key"]["id"])
                .or(text(&row["actor"]["session"]["user"]["id"])),
            "actor_emails" => text(&row["actor"]["api_key"]["user"]["email"]),
            _ => text(&row[row["type"].as_str().unwrap_or_default()]["id"]),
        })
        .collect();
    let values: Vec<String> = values.into_iter().collect();
    let nothing = if name == "event_types" { "login.failed" } else { "nothing" };
    let mut several: Vec<_> = values.iter().take(7).cloned().collect();
    several.push(nothing.to_owned());
    let last = values[values.len() - 1].clone();
    vec![(name, vec![last]), (name, several), (name, vec![nothing.to_owned()])]
}

/// A store with events of several actors in several projects.
async fn busy(api: &Api) {
    let mut world = World::of_first(api).await;
    world.grow(api, 3).await;
    let key = fixture::add_key(&api.app, &api.first.organization, &api.first.owner_id).await;
    for number in 0..6 {
        let body = json!({ "name": format!("Side {number}") });
        let made = api.request("POST", "/organization/projects").key(&key).json(&body).send().await;
        let path = format!("/organization/projects/{}/archive", made.id());
        api.request("POST", &path).operator(operator()).send().await.ok();
        api.clock.advance(1);
    }
}

/// Filters are read naively from the rows of the whole list, alone, in pairs and in threes, and the pages of both directions.
#[tokio::test]
async fn filters_let_pass_exactly_what_they_say() {
    let api = Api::new().await.unwatched();
    busy(&api).await;
    let rows = all(&api).await;
    let names = ["project_ids", "event_types", "actor_ids", "actor_emails", "resource_ids"];
    let choices: Vec<_> = names.iter().map(|name| choices(&rows, name)).collect();
    let mut combinations: Vec<Vec<(&str, Vec<String>)>> = vec![Vec::new()];
    for choices in &choices {
        for combination in combinations.clone().into_iter().filter(|some| some.len() < 3) {
            for choice in choices {
                combinations.push(combination.iter().chain([choice]).cloned().collect());
            }
        }
    }
    let (mut shown, mut id) = (0, String::new());
    for filters in combinations {
        let expected: Vec<String> = rows
            .iter()
            .filter(|row| is_asked_for(row, &filters))
            .map(|row| row["id"].as_str().expect("rows have ids").to_owned())
            .collect();
        let query = query(&filters);
        let page = list(&api, &format!("limit=100{query}")).await;
        let first = &expected[..expected.len().min(100)];
        assert_eq!(page.ids(), first, "{query}");
        assert_eq!(page.ok()["has_more"], expected.len() > 100, "{query}");
        if let Some(middle) = expected.get(3) {
            let page = list(&api, &format!("limit=2{query}&before={middle}")).await;
            assert_eq!(page.ids(), expected[1..3], "before {middle}: {query}");
            assert_eq!(page.ok()["has_more"], true, "there is one more before: {query}");
            let page = list(&api, &format!("limit=2{query}&after={}", expected[1])).await;
            assert_eq!(page.ids(), expected[2..expected.len().min(4)], "after: {query}");
            id.clone_from(middle);
        }
        shown += usize::from(expected.len() > 3);
    }
    assert!(shown > 20 && !id.is_empty(), "{shown} filters let something pass");
}

#[tokio::test]
async fn a_page_before_a_position_ends_there() {
    let api = Api::new().await.unwatched();
    busy(&api).await;
    let ids = list(&api, "limit=10").await.ids();
    let before = list(&api, &format!("limit=3&before={}", ids[3])).await;
    assert_eq!((before.ids(), &before.ok()["has_more"]), (ids[..3].to_vec(), &json!(false)));
    let before = list(&api, &format!("limit=3&before={}", ids[5])).await;
    assert_eq!((before.ids(), &before.ok()["has_more"]), (ids[2..5].to_vec(), &json!(true)));
    assert!(list(&api, &format!("before={}", ids[0])).await.ids().is_empty());
    assert_eq!(list(&api, "limit=10&before=").await.ids(), ids, "no position is the beginning");
    let both = list(&api, &format!("before={}&after={}", ids[3], ids[3])).await;
    both.refused(400, "invalid_value", "before", "Only one of 'after' and 'before'");
}

/// The bounds of the time are those of its seconds, in every direction, and all that are given hold.
#[tokio::test]
async fn the_time_is_bounded_by_four_operators() {
    let api = Api::new().await.unwatched();
    let mut made = Vec::new();
    for at in [1_750_000_010, 1_750_000_011, 1_750_000_011, 1_750_000_020] {
        api.clock.set(at);
        api.create_project("Engine").await;
        made.insert(0, (list(&api, "limit=1").await.ids().remove(0), at));
    }
    for at in [1_750_000_009, 1_750_000_010, 1_750_000_011, 1_750_000_012, 1_750_000_020] {
        let expect = async |operator: &str, is_in: &dyn Fn(u64) -> bool| {
            let query = format!("event_types=project.created&effective_at[{operator}]={at}");
            let mut ids = list(&api, &query).await.ids();
            // The default project was made before.
            ids.retain(|id| made.iter().any(|(known, _)| known == id));
            let expected: Vec<_> =
                made.iter().filter(|(_, at)| is_in(*at)).map(|(id, _)| id.clone()).collect();
            assert_eq!(ids, expected, "{operator} {at}");
        };
        expect("gt", &|made| made > at).await;
        expect("gte", &|made| made >= at).await;
        expect("lt", &|made| made < at).await;
        expect("lte", &|made| made <= at).await;
    }
    let within = "effective_at[gt]=1750000010&effective_at[gte]=1&effective_at[lt]=1750000020";
    let both = list(&api, within).await.ids();
    assert_eq!(both, [made[1].0.as_str(), made[2].0.as_str()]);
    let encoded = list(&api, "effective_at%5Bgte%5D=1750000020").await;
    assert_eq!(encoded.ids(), [made[0].0.as_str()], "as client libraries spell it");
    for (query, is_empty) in [
        ("effective_at[gte]=-9223372036854775808", false),
        ("effective_at[lte]=99999999999999999999", false),
        ("effective_at[gt]=9223372036854775807", true),
        ("effective_at[lt]=-1", true),
        ("effective_at[gt]=1750000011&effective_at[lt]=1750000011", true),
    ] {
        assert_eq!(list(&api, query).await.ids().is_empty(), is_empty, "{query}");
    }
    let wrong = list(&api, "effective_at[gte]=yesterday").await;
    wrong.refused(400, "invalid_type", "effective_at[gte]", "expected an integer");
    let wrong = list(&api, "effective_at=1750000000").await;
    wrong.refused(400, "invalid_type", "effective_at", "'effective_at[gte]=1750000000'");
}

#[tokio::test]
async fn types_are_published_ones_and_those_of_tenants_are_asked_for_alone() {
    let api = Api::new().await;
    let param = "event_types";
    let unknown = list(&api, "event_types[]=project.created&event_types[]=project.exploded").await;
    unknown.refused(400, "invalid_value", param, "'project.exploded'");
    let mixed = "tenant_only=true&event_types[]=tenant.user.added&event_types[]=project.created";
    list(&api, mixed).await.refused(400, "invalid_value", param, "'project.created'");
    for query in [
        "tenant_only=true",
        "tenant_only=true&event_types[]=tenant.user.added&event_types[]=role.bound_to_resource",
        "event_types[]=tenant.user.added",
        "event_types[]=role.unbound_from_resource",
        "event_types[]=login.succeeded",
    ] {
        let empty = json!({
            "object": "list", "data": [], "first_id": null, "last_id": null, "has_more": false,
        });
        assert_eq!(*list(&api, query).await.ok(), empty, "{query}");
    }
    let mixed = "tenant_only=false&event_types[]=tenant.user.added&event_types[]=project.created";
    assert_eq!(list(&api, mixed).await.ids().len(), 1);
}

#[tokio::test]
async fn a_filter_without_values_is_none_and_one_without_possible_values_lets_nothing_pass() {
    let api = Api::new().await;
    let rows = all(&api).await.len();
    for name in ["project_ids", "event_types", "actor_ids", "actor_emails", "resource_ids"] {
        for query in [format!("{name}[]="), format!("{name}="), format!("{name}[]=&{name}[]=")] {
            assert_eq!(list(&api, &query).await.ids().len(), rows, "{query}");
        }
        let many = |count| format!("{name}[]=user.added&").repeat(count);
        let most = if name == "event_types" { 145 } else { 100 };
        list(&api, &many(most)).await.ok();
        let fragment = format!("at most {most} values");
        list(&api, &many(most + 1)).await.refused(400, "array_above_max_length", name, &fragment);
        if name == "event_types" {
            continue;
        }
        let long = "x".repeat(257);
        for value in [long.as_str(), "%00", "a%0Ab"] {
            let query = format!("{name}[]={value}&event_types[]=user.added");
            assert!(list(&api, &query).await.ids().is_empty(), "{query}");
        }
    }
}

/// An address is found in any spelling, and a person with every key of theirs.
#[tokio::test]
async fn a_person_is_found_by_address_and_by_id_whatever_key_was_used() {
    let api = Api::new().await;
    let key = fixture::add_key(&api.app, &api.first.organization, &api.first.owner_id).await;
    for key in [&api.first.key, &key] {
        let body = json!({ "name": "Engine" });
        api.request("POST", "/organization/projects").key(key).json(&body).send().await.ok();
    }
    let id = &api.first.owner_id;
    for query in [format!("actor_ids={id}"), "actor_emails[]=OWNER@First.example".to_owned()] {
        assert_eq!(list(&api, &query).await.ids().len(), 2, "{query}");
    }
    let query = format!("actor_ids[]={}", api.first.key_id);
    assert_eq!(list(&api, &query).await.ids().len(), 1, "{query}");
    let query = format!("actor_ids[]={id}&actor_emails[]=somebody@else.example");
    assert!(list(&api, &query).await.ids().is_empty(), "filters hold together");
}

#[tokio::test]
async fn an_organization_sees_its_own_record_only() {
    let api = Api::new().await;
    let second = api.found("second").await;
    let mine = all(&api).await;
    let theirs = api.request("GET", LIST).key(&second.key).send().await.ids();
    assert_eq!((mine.len(), theirs.len()), (4, 4));
    assert!(mine.iter().all(|row| !theirs.iter().any(|id| row["id"] == json!(id))));
    let query = format!("{LIST}?resource_ids[]={}", second.owner_id);
    assert!(api.get(&query).await.ids().is_empty());
}
