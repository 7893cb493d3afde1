//! Long answers to those who take them compressed.

use super::{COMPLETIONS, MONDAY, in_project, put, roll};
use crate::testing::Api;

/// A day with many projects, and one with an event in each of many minutes.
async fn busy(api: &Api) {
    let by_project = |n: u64| in_project(MONDAY, &format!("proj_{n:03}"), "m", n);
    let minutes = 0..200_i64;
    let by_minute = minutes.map(|n| in_project(MONDAY + 86_400 + n * 60, "proj_a", "m", 1));
    put(api, (1..=100).map(by_project).chain(by_minute).collect()).await;
}

/// What is in no segment yet, what is drawn for the first time, and what is kept: whoever takes it compressed reads the same.
#[tokio::test]
async fn who_takes_gzip_reads_the_same() {
    let api = Api::new().await;
    busy(&api).await;
    let queries = [
        format!("start_time={MONDAY}&limit=3&group_by=project_id"),
        format!("start_time={MONDAY}&limit=1&group_by=project_id"),
        format!("start_time={}&limit=300&bucket_width=1m&group_by=model", MONDAY + 86_400),
    ];
    for round in 0..3 {
        for query in &queries {
            let path = format!("{COMPLETIONS}?{query}");
            let plain = api.get(&path).await;
            let packed = api.request("GET", &path).header("accept-encoding", "gzip, deflate");
            let packed = packed.send().await;
            assert_eq!(packed.ok(), plain.ok(), "round {round}: {query}");
            assert_eq!(packed.text, plain.text, "to the byte");
            assert_eq!(plain.header("content-encoding"), None);
            assert_eq!(packed.header("content-encoding"), Some("gzip"));
            for reply in [&plain, &packed] {
                assert_eq!(reply.header("vary"), Some("accept-encoding"), "caches must know");
            }
            let length = |reply: &crate::testing::Reply| {
                let length = reply.header("content-length").expect("it says how long it is");
                length.parse::<usize>().expect("it is a number")
            };
            assert_eq!(length(&plain), plain.text.len());
            let (short, long) = (length(&packed), plain.text.len());
            assert!(short * 10 < long, "{short} instead of {long}");
        }
        if round == 0 {
            roll(&api).await;
        }
    }
}

#[tokio::test]
async fn short_answers_are_not_compressed_and_nothing_is_for_those_who_do_not_take_it() {
    let api = Api::new().await;
    busy(&api).await;
    for (query, coding) in [("limit=1", "gzip"), ("limit=1&group_by=project_id", "gzip;q=0, br")] {
        let path = format!("{COMPLETIONS}?start_time={MONDAY}&{query}");
        let reply = api.request("GET", &path).header("accept-encoding", coding).send().await;
        assert_eq!((reply.ok(), reply.header("content-encoding")), (&reply.body, None), "{query}");
    }
}
