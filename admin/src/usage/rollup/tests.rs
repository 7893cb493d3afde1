//! What the roller leaves in the store.

use sql::args;

use super::{Roller, Shape};
use crate::app::Settings;
use crate::testing::Api;
use crate::testing::usage::{event, report};
use crate::usage::keep::Keep;
use crate::usage::kind::{Dimension, Kind};

/// In the past of the tests' clock, at the beginning of a day.
const MONDAY: i64 = 1_749_427_200;

async fn put(api: &Api, times: &[i64]) {
    let values = [(Dimension::ProjectId, "proj_a")];
    let events = times.iter().map(|time| event(Kind::VectorStores, *time, &values, &[1])).collect();
    report(&api.app, &api.first.organization.id, events).await;
}

async fn count(api: &Api, what: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {what}");
    let read = move |tx: &mut sql::Tx<'_>| tx.one(&sql, args![], |row| row.get(0));
    api.app
        .store
        .read::<Option<i64>, sql::Error>(read)
        .await
        .expect("it is counted")
        .expect("a number")
}

#[tokio::test]
async fn a_roll_moves_batches_from_the_tail_into_segments_and_their_ids_into_a_run() {
    let api = Api::new().await;
    put(&api, &[MONDAY, MONDAY + 3599]).await;
    put(&api, &[MONDAY + 7200]).await;
    Roller::new(api.app.clone()).roll_all().await.expect("it is rolled up");
    assert_eq!(count(&api, "usage_tail").await, 0);
    assert_eq!(count(&api, "usage_series").await, 1);
    // Two hours by the minute, one time of four hours, one day.
    assert_eq!(count(&api, "usage_segments").await, 4);
    assert_eq!(count(&api, "usage_id_runs").await, 1);
    assert_eq!(count(&api, "usage_batches").await, 2, "the events themselves stay");
}

#[tokio::test]
async fn a_batch_waits_for_others_but_not_for_long() {
    let api = Api::new().await;
    let mut roller = Roller::new(api.app.clone());
    put(&api, &[MONDAY]).await;
    assert_eq!(roller.pass(false).await.expect("it passes").rolled, 0);
    api.clock.advance(2);
    assert_eq!(roller.pass(false).await.expect("it passes").rolled, 1);
}

#[tokio::test]
async fn many_segments_of_one_time_become_one_and_few_do_when_it_is_quiet() {
    let api = Api::new().await;
    let shape = Shape { factor: 4, quiet: 60_000, largest: 1 << 20 };
    let mut roller = Roller::shaped(api.app.clone(), shape);
    let days = "usage_segments WHERE width = 86400";
    for round in 1..=3 {
        put(&api, &[MONDAY + round]).await;
        roller.roll_all().await.expect("it is rolled up");
    }
    roller.pass(false).await.expect("it passes");
    assert_eq!(count(&api, days).await, 3, "too few to be merged");
    put(&api, &[MONDAY]).await;
    roller.roll_all().await.expect("it is rolled up");
    roller.pass(false).await.expect("it passes");
    assert_eq!(count(&api, days).await, 1);
    put(&api, &[MONDAY]).await;
    roller.roll_all().await.expect("it is rolled up");
    roller.pass(false).await.expect("it passes");
    assert_eq!(count(&api, days).await, 2);
    api.clock.advance(61);
    roller.pass(false).await.expect("it passes");
    assert_eq!(count(&api, days).await, 1, "nothing came for a minute");
}

#[tokio::test]
async fn what_is_too_old_goes_from_one_width_and_stays_in_the_others() {
    let keep = Keep { events: 3, minutes: 1, hours: 2, days: 0 };
    let api = Api::with(Settings { usage_keep: keep, ..Settings::default() }, None).await;
    let now = api.app.clock.now();
    put(&api, &[now - 3600]).await;
    let mut roller = Roller::new(api.app.clone());
    roller.roll_all().await.expect("it is rolled up");
    let left = async || {
        let width = |width: i64| format!("usage_segments WHERE width = {width}");
        [
            count(&api, &width(60)).await,
            count(&api, &width(3600)).await,
            count(&api, &width(86_400)).await,
        ]
    };
    for (days, expected, batches) in
        [(0, [1, 1, 1], 1), (1, [0, 1, 1], 1), (1, [0, 0, 1], 1), (2, [0, 0, 1], 0)]
    {
        api.clock.advance(days * 86_400 + 7200);
        roller.pass(false).await.expect("it passes");
        assert_eq!(left().await, expected);
        assert_eq!(count(&api, "usage_batches").await, batches);
        assert_eq!(count(&api, "usage_id_runs").await, batches);
    }
}
