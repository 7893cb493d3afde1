//! Limits of models over the wire, and the models themselves by the functions of the command line and the settings.

use serde_json::{Value, json};

use super::limits::{Limits, UNLIMITED};
use super::models::{self, Model, NewModel};
use crate::audit::{Actor, Author, EVENTS_PER_CHANGE, Origin};
use crate::error::Result;
use crate::testing::{Api, fixture};

fn model(id: &str, limits: [Option<i64>; 6]) -> NewModel {
    NewModel { id: id.to_owned(), limits: Limits(limits) }
}

/// A project, and the path of its limits.
async fn project(api: &Api) -> (String, String) {
    let project = api.create_project("Search").await;
    let limits = format!("/organization/projects/{project}/rate_limits");
    (project, limits)
}

/// Adds a model to the first organization.
async fn add(api: &Api, id: &str, limits: [Option<i64>; 6]) {
    fixture::add_model_with(&api.app, &api.first.organization, model(id, limits)).await;
}

/// Does something to the models as the operator.
async fn operate<T: Send + 'static>(
    api: &Api,
    f: impl Fn(&mut sql::Tx<'_>, &Author) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (organization, ids) =
        (api.first.organization.clone(), api.app.ids.block(EVENTS_PER_CHANGE));
    let now = api.app.clock.now();
    let write = move |tx: &mut sql::Tx<'_>| {
        let (organization, ids) = (organization.clone(), ids.clone());
        f(tx, &Author::new(organization, Actor::System, Origin::default(), now, ids))
    };
    api.app.store.write(write).await
}

async fn all(api: &Api) -> Vec<Model> {
    operate(api, |tx, by| models::list(tx, by.organization_id())).await.expect("models can be read")
}

const CHAT: [Option<i64>; 6] = [Some(500), Some(30_000), None, None, None, Some(90_000)];

#[tokio::test]
async fn every_model_has_limits_in_every_project_by_name() {
    let api = Api::new().await;
    add(&api, "tts-1", [Some(50), None, None, Some(7), Some(9), None]).await;
    let (_, limits) = project(&api).await;
    add(&api, "gpt-4o", CHAT).await;
    add(&api, "dall-e", [Some(5), Some(6), Some(8), None, None, None]).await;
    let rows = json!([
        {
            "object": "project.rate_limit", "id": "rl-dall-e", "model": "dall-e",
            "max_requests_per_1_minute": 5, "max_tokens_per_1_minute": 6, "max_images_per_1_minute": 8,
        },
        {
            "object": "project.rate_limit", "id": "rl-gpt-4o", "model": "gpt-4o",
            "max_requests_per_1_minute": 500, "max_tokens_per_1_minute": 30_000, "batch_1_day_max_input_tokens": 90_000,
        },
        {
            "object": "project.rate_limit", "id": "rl-tts-1", "model": "tts-1",
            "max_requests_per_1_minute": 50, "max_tokens_per_1_minute": UNLIMITED,
            "max_audio_megabytes_per_1_minute": 7, "max_requests_per_1_day": 9,
        },
    ]);
    let page = json!({
        "object": "list", "data": rows, "first_id": "rl-dall-e", "last_id": "rl-tts-1", "has_more": false,
    });
    assert_eq!(*api.get(&limits).await.ok(), page);
    let empty = json!({ "object": "list", "data": [], "first_id": null, "last_id": null, "has_more": false });
    let second = api.found("second").await;
    let project = &second.organization.default_project_id;
    let theirs = format!("/organization/projects/{project}/rate_limits");
    assert_eq!(*api.request("GET", &theirs).key(&second.key).send().await.ok(), empty);
}

/// Ruling 5.3 has this one exception: a page may have a thousand rows, because the Terraform provider asks for so many (T4.1).
#[tokio::test]
async fn a_page_may_have_a_thousand_rows() {
    let api = Api::new().await.unwatched();
    let (_, limits) = project(&api).await;
    let news: Vec<_> = (0..1001).map(|n| model(&format!("m-{n:04}"), CHAT)).collect();
    operate(&api, move |tx, by| models::synchronize(tx, by, &news)).await.unwrap();
    let page = api.get(&format!("{limits}?limit=1000")).await;
    assert_eq!((page.ids().len(), &page.ok()["has_more"]), (1000, &json!(true)));
    let rest = api.get(&format!("{limits}?limit=1000&after={}", page.ids()[999])).await;
    assert_eq!((rest.ids(), &rest.ok()["has_more"]), (vec!["rl-m-1000".to_owned()], &json!(false)));
    assert_eq!(api.get(&limits).await.ids().len(), 100);
    for limit in [0, 1001] {
        let code = if limit == 0 { "integer_below_min_value" } else { "integer_above_max_value" };
        api.get(&format!("{limits}?limit={limit}")).await.refused(400, code, "limit", "limit");
    }
}

#[tokio::test]
async fn a_position_need_not_look_like_an_id_and_the_list_goes_both_ways() {
    let api = Api::new().await;
    let (_, limits) = project(&api).await;
    for id in ["a", "b", "c", "d"] {
        add(&api, id, CHAT).await;
    }
    for (query, expected, has_more) in [
        ("after=a", "abcd", false),
        ("after=rl-", "abcd", false),
        ("after=rl-b", "cd", false),
        ("after=rl-bb&limit=1", "c", true),
        ("after=rl.", "", false),
        ("after=rl", "abcd", false),
        ("after=rm", "", false),
        ("before=rl-d&limit=2", "bc", true),
        ("before=rl-b&limit=2", "a", false),
        ("before=rl-", "", false),
        ("before=a", "", false),
        ("before=z", "abcd", false),
        ("before=z&limit=1", "d", true),
    ] {
        let page = api.get(&format!("{limits}?{query}")).await;
        let ids: Vec<_> = expected.chars().map(|id| format!("rl-{id}")).collect();
        assert_eq!((page.ids(), &page.ok()["has_more"]), (ids, &json!(has_more)), "{query}");
    }
    let both = api.get(&format!("{limits}?after=rl-a&before=rl-d")).await;
    both.refused(400, "invalid_value", "before", "Only one of 'after' and 'before'");
}

/// Ruling 5.12: the answer has what was asked for, unlike the example of the documentation.
#[tokio::test]
async fn a_project_may_use_less_of_a_model() {
    let api = Api::new().await;
    let (project, limits) = project(&api).await;
    add(&api, "gpt-4o", CHAT).await;
    let one = format!("{limits}/rl-gpt-4o");
    let mut row = json!({
        "object": "project.rate_limit", "id": "rl-gpt-4o", "model": "gpt-4o",
        "max_requests_per_1_minute": 400, "max_tokens_per_1_minute": 30_000, "batch_1_day_max_input_tokens": 90_000,
    });
    let count = api.events().await.len();
    assert_eq!(*api.post(&one, json!({ "max_requests_per_1_minute": 400 })).await.ok(), row);
    row["max_tokens_per_1_minute"] = json!(0);
    let again = json!({ "max_requests_per_1_minute": 400, "max_tokens_per_1_minute": 0 });
    assert_eq!(*api.post(&one, again.clone()).await.ok(), row);
    for nothing in [again, json!({})] {
        assert_eq!(*api.post(&one, nothing).await.ok(), row);
    }
    assert_eq!(api.get(&limits).await.ok()["data"], json!([row]));
    let told = |requested: Value| {
        let payload = json!({ "id": "rl-gpt-4o", "changes_requested": requested });
        ("rate_limit.updated".to_owned(), Some(project.clone()), payload)
    };
    let expected = [
        told(json!({ "max_requests_per_1_minute": 400 })),
        told(json!({ "max_tokens_per_1_minute": 0 })),
    ];
    assert_eq!(api.events().await[count..], expected);
}

#[tokio::test]
async fn what_was_set_stays_when_the_model_has_more_and_gives_way_when_it_has_less() {
    let api = Api::new().await;
    let (_, limits) = project(&api).await;
    add(&api, "m", CHAT).await;
    let one = format!("{limits}/rl-m");
    api.post(&one, json!({ "max_requests_per_1_minute": 500 })).await.ok();
    let shown = async |requests: i64, tokens: i64| {
        let page = api.get(&limits).await;
        let row = &page.ok()["data"][0];
        let now = (&row["max_requests_per_1_minute"], &row["max_tokens_per_1_minute"]);
        assert_eq!(now, (&json!(requests), &json!(tokens)));
    };
    let give = |requests, tokens| {
        let limits = Limits([Some(requests), Some(tokens), None, None, None, None]);
        operate(&api, move |tx, by| models::update(tx, by, "m", limits))
    };
    give(900, 80_000).await.unwrap();
    shown(500, 80_000).await;
    give(100, 80_000).await.unwrap();
    shown(100, 80_000).await;
    give(700, 80_000).await.unwrap();
    shown(500, 80_000).await;
}

#[tokio::test]
async fn a_limit_beyond_the_model_is_refused_by_name() {
    let api = Api::new().await;
    let (_, limits) = project(&api).await;
    add(&api, "m", CHAT).await;
    let one = format!("{limits}/rl-m");
    for (body, code, param, fragment) in [
        (
            json!({ "max_tokens_per_1_minute": 1, "max_requests_per_1_minute": 501 }),
            "integer_above_max_value",
            "max_requests_per_1_minute",
            "Expected a value <= 500, but got 501 instead.",
        ),
        (
            json!({ "max_requests_per_1_minute": 2_147_483_648_i64 }),
            "integer_above_max_value",
            "max_requests_per_1_minute",
            "Expected a value <= 2147483647, but got 2147483648 instead.",
        ),
        (
            json!({ "max_requests_per_1_minute": -1 }),
            "integer_below_min_value",
            "max_requests_per_1_minute",
            "Expected a value >= 0",
        ),
        (
            json!({ "max_images_per_1_minute": 1 }),
            "invalid_value",
            "max_images_per_1_minute",
            "Invalid value for 'max_images_per_1_minute': the model 'm' has no such limit.",
        ),
        (
            json!({ "max_requests_per_1_day": null }),
            "invalid_type",
            "max_requests_per_1_day",
            "expected an integer, but got null",
        ),
        (json!({ "model": "m" }), "unknown_parameter", "model", "Unknown parameter: 'model'."),
    ] {
        api.post(&one, body).await.refused(400, code, param, fragment);
    }
}

/// Ruling 5.13: an archived project shows its limits and takes no new ones.
#[tokio::test]
async fn an_archived_project_shows_its_limits_only() {
    let api = Api::new().await;
    let (project, limits) = project(&api).await;
    add(&api, "m", CHAT).await;
    api.post(&format!("/organization/projects/{project}/archive"), Value::Null).await.ok();
    assert_eq!(api.get(&limits).await.ids(), ["rl-m"]);
    let reply = api.post(&format!("{limits}/rl-x"), json!({ "surprise": 1 })).await;
    reply.refused(400, "project_archived", (), "is archived");
}

#[tokio::test]
async fn what_is_not_there_is_404_before_the_body_is_looked_at() {
    let api = Api::new().await;
    let (_, limits) = project(&api).await;
    add(&api, "m", CHAT).await;
    for id in ["rl-x", "m", "rl-", "rl-%00", "RL-m"] {
        let reply = api.post(&format!("{limits}/{id}"), json!({ "surprise": 1 })).await;
        reply.refused(404, "not_found", (), "Rate limit with id");
    }
    let nowhere = "/organization/projects/proj_x/rate_limits";
    api.get(&format!("{nowhere}?limit=0")).await.refused(404, "project_not_found", (), "not found");
    let reply = api.post(&format!("{nowhere}/rl-m"), json!({ "surprise": 1 })).await;
    reply.refused(404, "project_not_found", (), "not found");
}

#[tokio::test]
async fn a_name_may_have_colons_and_slashes() {
    let api = Api::new().await;
    let (_, limits) = project(&api).await;
    for (name, path) in [
        ("ft:gpt-4o:acme::7p4lURel", "rl-ft:gpt-4o:acme::7p4lURel"),
        ("ft:gpt-4o:acme::8", "rl-ft%3Agpt-4o%3Aacme%3A%3A8"),
        ("meta-llama/Llama-3", "rl-meta-llama%2FLlama-3"),
    ] {
        add(&api, name, CHAT).await;
        let body = json!({ "max_requests_per_1_minute": 3 });
        let reply = api.post(&format!("{limits}/{path}"), body).await;
        assert_eq!(reply.ok()["model"], name);
    }
}

#[tokio::test]
async fn models_are_added_changed_and_removed_by_hand() {
    let api = Api::new().await;
    let (_, limits) = project(&api).await;
    let count = api.events().await.len();
    add(&api, "m", [None; 6]).await;
    let made = &all(&api).await[0];
    assert_eq!(made.limits.0[..3], [Some(UNLIMITED), Some(UNLIMITED), None]);
    assert!(!made.is_configured && made.created_at == 1_750_000_000);
    let twice = operate(&api, |tx, by| models::add(tx, by, &model("m", CHAT))).await;
    assert_eq!(twice.unwrap_err().code, Some("already_exists"));
    for name in ["", "a b", "a,b", "a\tb", &"x".repeat(201)] {
        let new = model(name, CHAT);
        let wrong = operate(&api, move |tx, by| models::add(tx, by, &new)).await;
        assert_eq!(wrong.unwrap_err().code, Some("invalid_value"), "{name}");
    }
    for _ in 0..2 {
        operate(&api, |tx, by| models::update(tx, by, "m", Limits(CHAT))).await.unwrap();
    }
    api.post(&format!("{limits}/rl-m"), json!({ "max_requests_per_1_minute": 3 })).await.ok();
    operate(&api, |tx, by| models::remove(tx, by, "m")).await.unwrap();
    assert!(api.get(&limits).await.ids().is_empty());
    assert!(!api.snapshot().await.iter().any(|row| row.starts_with("rate_limits ")));
    for gone in [
        operate(&api, |tx, by| models::remove(tx, by, "m")).await.unwrap_err(),
        operate(&api, |tx, by| models::update(tx, by, "m", Limits(CHAT))).await.unwrap_err(),
    ] {
        assert_eq!(
            (gone.code, gone.message.as_str()),
            (Some("not_found"), "Model with id 'm' not found.")
        );
    }
    let kinds: Vec<_> = api.events().await[count..].iter().map(|event| event.0.clone()).collect();
    let of_organization = "organization.updated";
    assert_eq!(kinds, [of_organization, of_organization, "rate_limit.updated", of_organization]);
}

#[tokio::test]
async fn the_settings_keep_their_own_models_and_leave_others_alone() {
    let api = Api::new().await;
    let (_, limits) = project(&api).await;
    for name in ["by-hand", "taken-over"] {
        add(&api, name, CHAT).await;
    }
    let start =
        |wanted: Vec<NewModel>| operate(&api, move |tx, by| models::synchronize(tx, by, &wanted));
    let found = async || {
        let all = all(&api).await.into_iter();
        all.map(|model| (model.id, model.is_configured)).collect::<Vec<_>>()
    };
    let named = |names: &[(&str, bool)]| {
        names
            .iter()
            .map(|(id, is_configured)| ((*id).to_owned(), *is_configured))
            .collect::<Vec<_>>()
    };
    assert!(!start(Vec::new()).await.unwrap());
    let wanted = vec![model("configured", [None; 6]), model("taken-over", CHAT)];
    let count = api.events().await.len();
    assert!(start(wanted.clone()).await.unwrap());
    let expected = [("by-hand", false), ("configured", true), ("taken-over", true)];
    assert_eq!(found().await, named(&expected));
    assert!(!start(wanted).await.unwrap(), "nothing changed");
    api.post(&format!("{limits}/rl-configured"), json!({ "max_requests_per_1_minute": 3 }))
        .await
        .ok();
    for refused in [
        operate(&api, |tx, by| models::remove(tx, by, "configured")).await.unwrap_err(),
        operate(&api, |tx, by| models::update(tx, by, "configured", Limits(CHAT)))
            .await
            .unwrap_err(),
    ] {
        assert_eq!(refused.code, Some("configured_model"));
    }
    assert!(start(vec![model("taken-over", [Some(1); 6])]).await.unwrap());
    assert_eq!(found().await, named(&[("by-hand", false), ("taken-over", true)]));
    assert_eq!(all(&api).await[1].limits, Limits([Some(1); 6]));
    assert!(start(Vec::new()).await.unwrap());
    assert_eq!(found().await, named(&[("by-hand", false)]));
    let organization = &api.first.organization.id;
    let events = api.events().await.split_off(count);
    let events: Vec<_> = events.iter().filter(|event| event.0 != "rate_limit.updated").collect();
    assert_eq!(events.len(), 3);
    for (kind, project, payload) in events {
        assert_eq!((kind.as_str(), project), ("organization.updated", &None));
        assert_eq!(*payload, json!({ "id": organization }));
    }
}
