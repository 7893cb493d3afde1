//! What was spent, limits that are reached, and alerts that fire.

use std::sync::Arc;

use super::costs::set_price;
use super::*;
use crate::app::{App, Settings};
use crate::testing::SeededRandom;
use crate::usage::alerts::{self, Fired};
use crate::usage::{money, spend};

/// The first second of July 2025; tests start in June.
const JULY: i64 = 1_751_328_000;
const JUNE_NUMBER: i64 = 202_506;

/// An event that costs so many cents, where an image costs one.
fn cents(id: &str, project: &str, cents: u64, time: i64) -> Value {
    json!({
        "id": id, "time": time, "kind": "images", "project_id": project, "user_id": "u", "model": "m", "images": cents,
    })
}

async fn a_cent_each(api: &Api) {
    set_price(api, ("m", "images"), 0, "0.01", 1).await.expect("it is set");
}

async fn spent(api: &Api, project: Option<&str>, month: i64) -> String {
    let (organization, project) = (api.first.organization.id.clone(), project.map(str::to_owned));
    let read =
        move |tx: &mut sql::Tx<'_>| spend::find(tx, &organization, project.as_deref(), month);
    money::text(api.app.store.read(read).await.expect("it is read"))
}

async fn fired(api: &Api) -> Vec<Fired> {
    let organization = api.first.organization.id.clone();
    let read = move |tx: &mut sql::Tx<'_>| alerts::list(tx, &organization, 100);
    api.app.store.read(read).await.expect("it is read")
}

fn limit_path(project: Option<&str>) -> String {
    level_path(project, "spend_limit")
}

fn level_path(project: Option<&str>, what: &str) -> String {
    project.map_or_else(
        || format!("/organization/{what}"),
        |project| format!("/organization/projects/{project}/{what}"),
    )
}

async fn set_limit(api: &Api, project: Option<&str>, cents: i64) -> Value {
    let body = json!({ "threshold_amount": cents, "currency": "USD", "interval": "month" });
    api.post(&limit_path(project), body).await.ok()["enforcement"]["status"].clone()
}

async fn status(api: &Api, project: Option<&str>) -> Value {
    api.get(&limit_path(project)).await.ok()["enforcement"]["status"].clone()
}

#[tokio::test]
async fn what_is_spent_is_added_up_by_project_and_month() {
    let api = Api::new().await;
    let (one, two) = (api.create_project("One").await, api.create_project("Two").await);
    a_cent_each(&api).await;
    api.clock.advance(u64::try_from(JULY - NOW).expect("it is later"));
    let events = [
        cents("a", &one, 100, JULY - 1),
        cents("b", &one, 25, JULY),
        cents("c", &two, 7, JULY - 1),
        cents("a", &one, 1000, JULY),
    ];
    assert_eq!(counts(&report(&api, &events).await), [3, 1, 0]);
    report(&api, &[cents("d", &two, 1, JULY - 1), cents("a", &one, 1000, JULY)]).await.ok();
    assert_eq!(spent(&api, Some(&one), JUNE_NUMBER).await, "1");
    assert_eq!(spent(&api, Some(&one), JUNE_NUMBER + 1).await, "0.25");
    assert_eq!(spent(&api, Some(&two), JUNE_NUMBER).await, "0.08");
    assert_eq!(spent(&api, Some(&two), JUNE_NUMBER + 1).await, "0");
    assert_eq!(spent(&api, None, JUNE_NUMBER).await, "1.08");
    assert_eq!(spent(&api, None, JUNE_NUMBER + 1).await, "0.25");
}

/// A limit that is reached is shown as one at both levels, in the check too, and no longer when the month is over.
#[tokio::test]
async fn a_limit_that_is_reached_is_enforced_until_the_month_ends() {
    let api = Api::new().await;
    let (one, two) = (api.create_project("One").await, api.create_project("Two").await);
    a_cent_each(&api).await;
    let user = api.add_user("ada@example.com").await;
    api.add_member(&one, &user).await;
    let (_, key) = project_key(&api, &one, &user).await;
    let check = async || {
        let reply = api.post("/rollbook/v1/check", json!({ "key": key })).await;
        let proxy =
            api.request("GET", "/rollbook/v1/check/forward?permission=none").key(&key).send().await;
        let header = proxy.header("x-rollbook-spend-limit-reached").map(str::to_owned);
        assert_eq!(reply.ok()["allowed"], true);
        assert_eq!(proxy.ok()["spend_limit"], reply.body["spend_limit"]);
        (reply.body["spend_limit"].clone(), header)
    };
    assert_eq!(check().await, (Value::Null, None));
    assert_eq!(set_limit(&api, Some(&one), 100).await, "inactive");
    assert_eq!(set_limit(&api, None, 150).await, "inactive");
    let level = |threshold: i64, spent: i64| json!({ "threshold_amount": threshold, "reached": spent >= threshold });
    let shown = |project: i64, organization: i64| {
        json!({
            "reached": project >= 100 || organization >= 150,
            "project": level(100, project), "organization": level(150, organization),
        })
    };
    let say = |reached: bool| Some(reached.to_string());
    assert_eq!(check().await, (shown(0, 0), say(false)));
    report(&api, &[cents("a", &one, 99, NOW)]).await.ok();
    assert_eq!(
        (status(&api, Some(&one)).await, status(&api, None).await),
        (json!("inactive"), json!("inactive"))
    );
    assert_eq!(check().await, (shown(99, 99), say(false)));
    report(&api, &[cents("b", &one, 1, NOW)]).await.ok();
    assert_eq!(
        (status(&api, Some(&one)).await, status(&api, None).await),
        (json!("enforcing"), json!("inactive"))
    );
    assert_eq!(check().await, (shown(100, 100), say(true)));
    report(&api, &[cents("c", &two, 50, NOW)]).await.ok();
    assert_eq!(status(&api, None).await, "enforcing");
    assert_eq!(check().await, (shown(100, 150), say(true)));
    // What a higher limit allows again.
    assert_eq!(set_limit(&api, Some(&one), 101).await, "inactive");
    assert_eq!(set_limit(&api, Some(&one), 100).await, "enforcing");
    api.clock.advance(u64::try_from(JULY - NOW - 1).expect("it is later"));
    assert_eq!(check().await, (shown(100, 150), say(true)));
    api.clock.advance(1);
    assert_eq!(
        check().await,
        (shown(0, 0), say(false)),
        "a new month begins without a change of the store"
    );
    assert_eq!(
        (status(&api, Some(&one)).await, status(&api, None).await),
        (json!("inactive"), json!("inactive"))
    );
    api.delete(&limit_path(Some(&one))).await.ok();
    let only = json!({ "reached": false, "project": null, "organization": level(150, 0) });
    assert_eq!(check().await, (only, say(false)));
}

async fn add_alert(api: &Api, project: Option<&str>, cents: i64) -> String {
    let body = json!({
        "threshold_amount": cents, "currency": "USD", "interval": "month",
        "notification_channel": { "type": "email", "recipients": ["a@example.com", "b@example.com"], "subject_prefix": "Uh" },
    });
    api.post(&level_path(project, "spend_alerts"), body).await.id()
}

#[tokio::test]
async fn an_alert_fires_once_for_each_threshold_and_month() {
    let api = Api::new().await;
    let project = api.create_project("One").await;
    a_cent_each(&api).await;
    let (low, high) =
        (add_alert(&api, Some(&project), 10).await, add_alert(&api, Some(&project), 100).await);
    let all = add_alert(&api, None, 50).await;
    report(&api, &[cents("a", &project, 9, NOW)]).await.ok();
    assert_eq!(fired(&api).await, []);
    report(&api, &[cents("b", &project, 1, NOW)]).await.ok();
    let first = Fired {
        organization_id: api.first.organization.id.clone(),
        project_id: Some(project.clone()),
        alert_id: low.clone(),
        month: JUNE_NUMBER,
        threshold_amount: 10,
        spent: "0.1".to_owned(),
        recipients: vec!["a@example.com".to_owned(), "b@example.com".to_owned()],
        subject_prefix: Some("Uh".to_owned()),
        fired_at: NOW,
        delivered_at: None,
    };
    assert_eq!(fired(&api).await, [first.clone()]);
    let told = |fired: &[Fired]| {
        let mut told: Vec<_> =
            fired.iter().map(|one| (one.alert_id.clone(), one.month, one.spent.clone())).collect();
        told.sort();
        told
    };
    let expected = |mut told: Vec<(&String, i64, &str)>| {
        told.sort();
        told.into_iter()
            .map(|(id, month, spent)| (id.clone(), month, spent.to_owned()))
            .collect::<Vec<_>>()
    };
    for (id, amount) in [("c", 40), ("d", 1), ("e", 200), ("f", 1)] {
        report(&api, &[cents(id, &project, amount, NOW)]).await.ok();
    }
    let june =
        [(&low, JUNE_NUMBER, "0.1"), (&all, JUNE_NUMBER, "0.5"), (&high, JUNE_NUMBER, "2.51")];
    assert_eq!(told(&fired(&api).await), expected(june.to_vec()));
    // Somebody is told once.
    let organization = api.first.organization.id.clone();
    let undelivered = move |tx: &mut sql::Tx<'_>| alerts::undelivered(tx, &organization, 10);
    assert_eq!(api.app.store.read(undelivered.clone()).await.expect("it is read").len(), 3);
    for is_news in [true, false] {
        let first = first.clone();
        let deliver = api.app.store.write(move |tx| alerts::delivered(tx, &first, NOW + 1));
        assert_eq!(deliver.await.expect("it is noted"), is_news);
    }
    let left = api.app.store.read(undelivered).await.expect("it is read");
    assert!(left.len() == 2 && left.iter().all(|one| one.alert_id != low));
    // The next month begins anew; a late event still tells of the last one, and older ones of nothing.
    api.clock.advance(u64::try_from(JULY - NOW).expect("it is later"));
    let late = add_alert(&api, Some(&project), 200).await;
    report(&api, &[cents("g", &project, 1, JULY), cents("h", &project, 1, JULY - 1)]).await.ok();
    report(&api, &[cents("i", &project, 20, JULY)]).await.ok();
    let july = [(&low, JUNE_NUMBER + 1, "0.21"), (&late, JUNE_NUMBER, "2.53")];
    assert_eq!(told(&fired(&api).await), expected([&june[..], &july[..]].concat()));
    // What was changed is another threshold.
    let body = json!({
        "threshold_amount": 15, "currency": "USD", "interval": "month",
        "notification_channel": { "type": "email", "recipients": ["a@example.com"] },
    });
    api.post(&format!("{}/{low}", level_path(Some(&project), "spend_alerts")), body).await.ok();
    report(&api, &[cents("j", &project, 1, JULY)]).await.ok();
    assert_eq!(fired(&api).await.len(), 6);
}

/// A month that reaches its limit under sixteen reporters, each of a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_reporters_spend_exactly_and_each_alert_fires_once() {
    let api = Arc::new(Api::new().await.unwatched());
    let project = api.create_project("One").await;
    a_cent_each(&api).await;
    set_limit(&api, Some(&project), 160).await;
    for threshold in [10, 80, 160, 161] {
        add_alert(&api, Some(&project), threshold).await;
        add_alert(&api, None, threshold).await;
    }
    let mut tasks = Vec::new();
    for number in 0..16 {
        let app = App::new(
            api.app.store.clone(),
            api.clock.clone(),
            Arc::new(SeededRandom::new(200 + number)),
            Settings::default(),
        );
        let (key, project) = (api.first.key.clone(), project.clone());
        tasks.push(tokio::spawn(async move {
            for round in 0..10 {
                let events = json!([cents(&format!("{number}-{round}"), &project, 1, NOW)]);
                let request = http::Request::post(PATH)
                    .header("authorization", format!("Bearer {key}"))
                    .body(axum::body::Body::from(events.to_string()))
                    .expect("it is a request");
                let router = crate::router(app.clone());
                let response =
                    tower::ServiceExt::oneshot(router, request).await.expect("it answers");
                assert!(response.status().is_success());
            }
        }));
    }
    for task in tasks {
        task.await.expect("it ends");
    }
    assert_eq!(
        (spent(&api, Some(&project), JUNE_NUMBER).await, spent(&api, None, JUNE_NUMBER).await),
        ("1.6".into(), "1.6".into())
    );
    assert_eq!(status(&api, Some(&project)).await, "enforcing");
    let mut thresholds: Vec<_> = fired(&api).await.iter().map(|one| one.threshold_amount).collect();
    thresholds.sort_unstable();
    assert_eq!(thresholds, [10, 10, 80, 80, 160, 160]);
}
