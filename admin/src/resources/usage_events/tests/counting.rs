//! What counts, and that it counts once.

use std::sync::Arc;

use super::*;
use crate::app::{App, Parts, Settings};
use crate::testing::SeededRandom;
use crate::usage::event::Event;
use crate::usage::ids::{self, Run, Shape};
use crate::usage::keep::Keep;
use crate::usage::kind::{Dimension, Kind};

#[tokio::test]
async fn what_was_used_counts_and_is_kept_whole() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let reply = report(
        &api,
        &[
            json!({
                "id": "a", "time": NOW + 300, "kind": "completions", "project_id": project, "user_id": "user_a",
                "api_key_id": "key_gone", "model": "gpt-4o", "batch": true, "service_tier": "flex", "input_tokens": 100,
                "input_cached_tokens": 30, "input_cache_write_tokens": 20, "output_tokens": 7, "size": null,
            }),
            json!({ "id": "b", "time": 1_749_000_000, "kind": "vector_stores", "project_id": project, "usage_bytes": 1 }),
            json!({
                "id": "c", "time": NOW, "kind": "web_search_calls", "project_id": project, "api_key_id": "k",
                "context_level": "low",
            }),
            json!({
                "id": "d", "time": NOW, "kind": "completions", "project_id": project, "user_id": "u", "input_tokens": 1,
                "input_cached_tokens": 5, "num_model_requests": 0, "input_uncached_tokens": null,
            }),
        ],
    )
    .await;
    let result = |id: &str| json!({ "id": id, "status": "accepted", "code": null, "message": null, "param": null });
    let expected = json!({
        "object": "rollbook.usage_events", "accepted": 4, "duplicates": 0, "refused": 0,
        "results": [result("a"), result("b"), result("c"), result("d")],
    });
    assert_eq!(*reply.ok(), expected);
    let events = stored(&api).await;
    let text = |value: &str| Some(value.to_owned());
    assert_eq!(
        events[0].series.values,
        [
            text(&project),
            text("user_a"),
            text("key_gone"),
            text("gpt-4o"),
            text("true"),
            text("flex")
        ]
    );
    assert_eq!(events[0].measures, [100, 30, 20, 50, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!((events[0].time, events[0].costs.len()), (NOW + 300, 0));
    assert_eq!((&events[1].series.values, &events[1].measures), (&vec![text(&project)], &vec![1]));
    assert_eq!(events[2].measures, [1, 1]);
    assert_eq!((events[3].measures[3], events[3].measures[14]), (0, 0), "nothing is below nothing");
    assert_eq!(api.events().await.iter().filter(|event| event.0.contains("usage")).count(), 0);
}

#[tokio::test]
async fn each_event_is_refused_for_itself() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let good = event("good", &project);
    let bad = |members: Value| with(event("bad", &project), members);
    let long = "x".repeat(256);
    let cases = [
        (bad(json!({ "id": null })), "invalid_type", json!("id")),
        (bad(json!({ "id": "" })), "empty_string", json!("id")),
        (bad(json!({ "id": long })), "string_above_max_length", json!("id")),
        (bad(json!({ "id": "a\0" })), "invalid_value", json!("id")),
        (bad(json!({ "time": "now" })), "invalid_type", json!("time")),
        (bad(json!({ "time": 1.5 })), "invalid_type", json!("time")),
        (bad(json!({ "time": -1 })), "integer_below_min_value", json!("time")),
        (bad(json!({ "time": NOW + 301 })), "too_new", json!("time")),
        (bad(json!({ "time": NOW - 35 * DAY - 1 })), "too_old", json!("time")),
        (bad(json!({ "kind": "costs" })), "invalid_value", json!("kind")),
        (bad(json!({ "project_id": "proj_none" })), "project_not_found", json!("project_id")),
        (bad(json!({ "project_id": "a\u{1}" })), "project_not_found", json!("project_id")),
        (bad(json!({ "project_id": null })), "missing_required_parameter", json!("project_id")),
        (bad(json!({ "user_id": null })), "missing_required_parameter", json!("api_key_id")),
        (bad(json!({ "input_tokens": -1 })), "integer_below_min_value", json!("input_tokens")),
        (
            bad(json!({ "input_tokens": 1_000_000_000_001_i64 })),
            "integer_above_max_value",
            json!("input_tokens"),
        ),
        (bad(json!({ "input_tokens": "5" })), "invalid_type", json!("input_tokens")),
        (bad(json!({ "output_tokens": 1 })), "unknown_parameter", json!("output_tokens")),
        (bad(json!({ "size": "1x1" })), "unknown_parameter", json!("size")),
        (bad(json!({ "size": 1 })), "invalid_type", json!("size")),
        (bad(json!({ "surprise": 1 })), "unknown_parameter", json!("surprise")),
        (json!(7), "invalid_type", Value::Null),
        (json!({}), "missing_required_parameter", json!("id")),
    ];
    let mut events = vec![good];
    events.extend(cases.iter().map(|(event, ..)| event.clone()));
    let reply = report(&api, &events).await;
    assert_eq!(counts(&reply), [1, 0, cases.len() as u64]);
    let results = reply.body["results"].as_array().expect("there are results");
    for ((sent, code, param), got) in cases.iter().zip(&results[1..]) {
        assert_eq!(
            (&got["status"], &got["code"], &got["param"]),
            (&json!("refused"), &json!(code), param),
            "{sent}"
        );
        assert!(got["message"].as_str().is_some_and(|text| text.len() > 20), "{got}");
        let id = sent["id"].as_str().map_or(Value::Null, |id| json!(id));
        assert_eq!(got["id"], id);
    }
    assert_eq!(stored(&api).await.len(), 1);
    // What was refused has not used its id up.
    assert_eq!(statuses(&report(&api, &[event("bad", &project)]).await), ["accepted"]);
}

#[tokio::test]
async fn an_id_counts_once_in_a_report_and_across_reports() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let (a, b) = (event("a", &project), event("b", &project));
    let wrong = with(a.clone(), json!({ "surprise": 1 }));
    let reply = report(&api, &[wrong, a.clone(), b.clone(), a.clone()]).await;
    assert_eq!(statuses(&reply), ["refused", "accepted", "accepted", "duplicate"]);
    assert_eq!(counts(&reply), [2, 1, 1]);
    let c = event("c", &project);
    let other = with(a.clone(), json!({ "input_tokens": 9, "time": NOW - 5 }));
    let reply = report(&api, &[other, c, b.clone()]).await;
    assert_eq!(statuses(&reply), ["duplicate", "accepted", "duplicate"]);
    let before = api.snapshot().await;
    assert_eq!(statuses(&report(&api, &[a, b]).await), ["duplicate", "duplicate"]);
    assert_eq!(api.snapshot().await, before, "duplicates write nothing");
    assert_eq!(counts(&report(&api, &[]).await), [0, 0, 0]);
    let ids: Vec<_> = stored(&api).await.into_iter().map(|event| event.id).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    // Another organization has ids of its own.
    let second = api.found("second").await;
    let request = api.request("POST", "/organization/projects").key(&second.key);
    let theirs = request.json(&json!({ "name": "Theirs" })).send().await.id();
    let request = api.request("POST", PATH).key(&second.key).json(&json!([event("a", &theirs)]));
    assert_eq!(statuses(&request.send().await), ["accepted"]);
    let request = api.request("POST", PATH).key(&second.key).json(&json!([event("x", &project)]));
    assert_eq!(results(&request.send().await)[0].1.as_deref(), Some("project_not_found"));
}

/// Takes what is in the tail out of it, as the roller does: into one run for each batch.
async fn leave_tail(api: &Api) {
    let organization = api.first.organization.id.clone();
    let batches = api.app.store.read(move |tx| {
        let sql = "SELECT t.batch_id, b.body FROM usage_tail t
            JOIN usage_batches b ON b.organization_id = t.organization_id AND b.id = t.batch_id
            WHERE t.organization_id = $1";
        tx.all(sql, args![&organization], |row| Ok((row.get(0)?, row.get(1)?)))
    });
    let batches: Vec<(String, Vec<u8>)> =
        batches.await.map_err(|error: sql::Error| error).expect("the tail can be read");
    for (batch, body) in batches {
        let events = crate::usage::batch::unpack(&body).expect("it was packed");
        let hashes = events.iter().map(|event: &Event| ids::hash(&event.id)).collect();
        let run = Run::of(hashes, NOW).expect("it is made");
        let (organization, id) = (api.first.organization.id.clone(), api.app.ids.make("idrun_"));
        let leave = api.app.store.write(move |tx| {
            let sql = "DELETE FROM usage_tail WHERE organization_id = $1 AND batch_id = $2";
            tx.execute(sql, args![&organization, &batch])?;
            ids::leave(tx, &organization, &id, &run)
        });
        leave.await.expect("it leaves");
    }
}

#[tokio::test]
async fn an_id_counts_once_whether_its_batch_left_the_tail_or_was_merged() {
    let api = Api::new().await.unwatched();
    let project = api.create_project("Engine").await;
    let send = async |from: usize, to: usize| {
        let events: Vec<_> = (from..to).map(|n| event(&format!("e{n}"), &project)).collect();
        counts(&report(&api, &events).await)
    };
    for batch in 0..9 {
        assert_eq!(
            send(batch * 10, batch * 10 + 11).await,
            [11 - u64::from(batch > 0), u64::from(batch > 0), 0]
        );
        if batch % 2 == 0 {
            leave_tail(&api).await;
        }
    }
    assert_eq!(send(0, 91).await, [0, 91, 0]);
    leave_tail(&api).await;
    assert_eq!(send(0, 91).await, [0, 91, 0]);
    let shape = Shape { chunk: 4, factor: 3, largest: 60 };
    let organization = api.first.organization.id.as_str();
    let merge = async || {
        let Parts { store, aside, usage_ids, ids, .. } = &*api.app;
        let merged = ids::maintain_in(shape, store, aside, organization, usage_ids, ids);
        merged.await.expect("runs are merged")
    };
    assert!(merge().await, "some were merged");
    assert_eq!(send(0, 92).await, [1, 91, 0]);
    leave_tail(&api).await;
    while merge().await {}
    assert_eq!(send(0, 92).await, [0, 92, 0]);
    // A process that starts knows nothing and finds the same.
    let started = App::new(
        api.app.store.clone(),
        api.clock.clone(),
        Arc::new(SeededRandom::new(2)),
        Settings::default(),
    );
    let restarted = api.serving(crate::router(started));
    let events: Vec<_> = (85..95).map(|n| event(&format!("e{n}"), &project)).collect();
    assert_eq!(counts(&report(&restarted, &events).await), [3, 7, 0]);
}

/// Two who report the same at once: one of them counts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_who_report_the_same_count_it_once() {
    let api = Arc::new(Api::new().await.unwatched());
    let project = api.create_project("Engine").await;
    // Each has a process of its own, but for the store: no gate and nothing known is shared.
    let routers: Vec<_> = (0..16)
        .map(|seed| {
            let random = Arc::new(SeededRandom::new(100 + seed));
            let settings = Settings::default();
            App::new(api.app.store.clone(), api.clock.clone(), random, settings)
        })
        .collect();
    let mut tasks = Vec::new();
    for (number, app) in routers.into_iter().enumerate() {
        let (key, project) = (api.first.key.clone(), project.clone());
        tasks.push(tokio::spawn(async move {
            let mut accepted = Vec::new();
            for round in 0..6 {
                // Neighbours share half of what they report.
                let first = round * 100 + (number % 4) * 5;
                let events: Vec<_> =
                    (first..first + 10).map(|n| event(&format!("e{n}"), &project)).collect();
                let request = http::Request::post(PATH)
                    .header("authorization", format!("Bearer {key}"))
                    .body(axum::body::Body::from(json!(events).to_string()))
                    .expect("it is a request");
                let router = crate::router(app.clone());
                let response =
                    tower::ServiceExt::oneshot(router, request).await.expect("it answers");
                let body = http_body_util::BodyExt::collect(response.into_body()).await;
                let bytes = body.expect("it is in memory").to_bytes();
                let body: Value = serde_json::from_slice(&bytes).expect("it is JSON");
                for result in body["results"].as_array().unwrap_or_else(|| panic!("{body}")) {
                    if result["status"] == "accepted" {
                        accepted.push(result["id"].as_str().expect("it has an id").to_owned());
                    }
                }
            }
            accepted
        }));
    }
    let mut accepted = Vec::new();
    for task in tasks {
        accepted.extend(task.await.expect("it ends"));
    }
    accepted.sort();
    let mut expected: Vec<_> =
        (0..6).flat_map(|r| (0..25).map(move |n| format!("e{}", r * 100 + n))).collect();
    expected.sort();
    assert_eq!(accepted, expected, "each was acknowledged once");
    let mut kept: Vec<_> = stored(&api).await.into_iter().map(|event| event.id).collect();
    kept.sort();
    assert_eq!(kept, expected, "and is in the store once");
}

#[tokio::test]
async fn a_key_of_a_project_reports_for_its_project() {
    let api = Api::new().await;
    let (project, other) = (api.create_project("Engine").await, api.create_project("Other").await);
    let user = api.add_user("ada@example.com").await;
    api.add_member(&project, &user).await;
    let (id, key) = project_key(&api, &project, &user).await;
    let nameless =
        |id: &str| json!({ "id": id, "time": NOW, "kind": "moderations", "input_tokens": 1 });
    let events = [
        nameless("a"),
        with(nameless("b"), json!({ "project_id": project, "user_id": "somebody" })),
        with(nameless("c"), json!({ "project_id": other })),
        with(nameless("d"), json!({ "api_key_id": id })),
        with(nameless("e"), json!({ "api_key_id": "key_unknown" })),
    ];
    let reply = api.request("POST", PATH).key(&key).json(&json!(events)).send().await;
    assert_eq!(statuses(&reply), ["accepted", "accepted", "refused", "accepted", "accepted"]);
    assert_eq!(results(&reply)[2].1.as_deref(), Some("mismatched_project"));
    assert_eq!(reply.header("openai-organization"), Some("first"));
    let whose = |event: &Event| {
        let value = |dimension| event.series.value(dimension).map(str::to_owned);
        (value(Dimension::ProjectId), value(Dimension::ApiKeyId), value(Dimension::UserId))
    };
    let some = |text: &str| Some(text.to_owned());
    let expected = [
        (some(&project), some(&id), some(&user)),
        (some(&project), None, some("somebody")),
        (some(&project), some(&id), some(&user)),
        (some(&project), some("key_unknown"), None),
    ];
    assert_eq!(stored(&api).await.iter().map(whose).collect::<Vec<_>>(), expected);
    // An admin key finds the owner too, and once known, also when the key is gone.
    for name in ["f", "g"] {
        let events = [with(nameless(name), json!({ "project_id": project, "api_key_id": id }))];
        assert_eq!(statuses(&report(&api, &events).await), ["accepted"]);
        let path = format!("/organization/projects/{project}/api_keys/{id}");
        api.delete(&path).await;
    }
    let last = stored(&api).await.pop().expect("there are events");
    assert_eq!(whose(&last), (some(&project), some(&id), some(&user)));
    api.request("POST", PATH).key(&key).json(&json!([])).send().await.refused(
        401,
        "invalid_api_key",
        (),
        "Incorrect API key",
    );
}

#[tokio::test]
async fn archived_projects_are_reported_by_whoever_may_write() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let user = api.add_user("ada@example.com").await;
    api.add_member(&project, &user).await;
    let (_, key) = project_key(&api, &project, &user).await;
    api.post(&format!("/organization/projects/{project}/archive"), Value::Null).await.ok();
    assert_eq!(statuses(&report(&api, &[event("a", &project)]).await), ["accepted"]);
    let request = api.request("POST", PATH).key(&key).json(&json!([event("b", &project)]));
    request.send().await.refused(401, "invalid_api_key", (), "Incorrect API key");
}

#[tokio::test]
async fn events_may_be_lines() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let lines = format!("{}\r\n\n  {}\n", event("a", &project), event("b", &project));
    for (kind, status) in
        [("application/x-ndjson; charset=utf-8", "accepted"), ("application/jsonl", "duplicate")]
    {
        let request = api.request("POST", PATH).header("content-type", kind).body(lines.clone());
        assert_eq!(statuses(&request.send().await), [status, status]);
    }
    let lines = |text: String| {
        api.request("POST", PATH).header("content-type", "application/x-ndjson").body(text).send()
    };
    let broken = format!("{}\n{{\"id\":", event("c", &project));
    lines(broken).await.refused(400, (), (), "could not be parsed as JSON: line 2: ");
    assert_eq!(results(&lines("7\n[]".into()).await)[0].1.as_deref(), Some("invalid_type"));
    assert_eq!(counts(&lines(String::new()).await), [0, 0, 0]);
    let many = "{}\n".repeat(1001);
    lines(many).await.refused(
        400,
        "array_above_max_length",
        (),
        "at most 1000 items, but got 1001",
    );
    let request = api.request("POST", PATH).header("content-type", "text/csv").body("a,b");
    request.send().await.refused(415, "unsupported_media_type", (), "application/x-ndjson");
}

#[tokio::test]
async fn a_report_has_a_cap_of_its_own() {
    let api = Api::new().await.unwatched();
    let project = api.create_project("Engine").await;
    let long = |n: usize| {
        with(
            event(&format!("{n}{}", "x".repeat(240)), &project),
            json!({ "model": "m".repeat(200) }),
        )
    };
    let events: Vec<_> = (0..1000).map(long).collect();
    let padded = format!("{}{}", " ".repeat(2 << 20), json!(events));
    let reply = api.request("POST", PATH).body(padded).send().await;
    assert_eq!(counts(&reply), [1000, 0, 0]);
    let reply = report(&api, &(0..1001).map(long).collect::<Vec<_>>()).await;
    reply.refused(400, "array_above_max_length", (), "1000 items");
    let reply = api.request("POST", PATH).body(vec![b' '; (8 << 20) + 1]).send().await;
    reply.refused(413, "request_too_large", (), "8388608 bytes");
    assert_eq!(stored(&api).await.len(), 1000);
}

#[tokio::test]
async fn what_is_older_than_events_are_kept_is_refused() {
    for (events, oldest) in [(35, NOW - 35 * DAY), (1, NOW - DAY), (0, 0)] {
        let keep = Keep { events, ..Keep::default() };
        let settings = Settings { usage_keep: keep, ..Settings::default() };
        let api = Api::with(settings, None).await;
        let project = api.create_project("Engine").await;
        let at = |id: &str, time: i64| with(event(id, &project), json!({ "time": time }));
        assert_eq!(statuses(&report(&api, &[at("a", oldest)]).await), ["accepted"]);
        let code = if events == 0 { "integer_below_min_value" } else { "too_old" };
        let reply = report(&api, &[at("b", oldest - 1)]).await;
        assert_eq!(results(&reply)[0].1.as_deref(), Some(code));
    }
}

#[test]
fn every_kind_of_the_document_is_read() {
    let document = serde_json::to_value(crate::own_openapi()).expect("the document is JSON");
    let kinds = &document["components"]["schemas"]["UsageKind"]["enum"];
    let mut names: Vec<_> = Kind::OF_EVENTS.map(Kind::name).to_vec();
    names.sort_unstable();
    assert_eq!(*kinds, json!(names));
    let members = &document["components"]["schemas"]["UsageEvent"]["properties"];
    for kind in Kind::OF_EVENTS {
        for name in
            kind.dimensions().iter().map(|one| one.name()).chain(kind.measures().iter().copied())
        {
            assert!(members[name].is_object(), "{name}");
        }
    }
}
