//! An import asks for one thing at a time, so no statement of it may walk a whole table.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sql::{Arg, Engine};

use super::{import, with_import};
use crate::app::Settings;
use crate::testing::Api;

#[tokio::test]
async fn every_look_up_is_one_of_an_index() {
    let seen = Arc::<Mutex<BTreeMap<String, usize>>>::default();
    let collected = Arc::clone(&seen);
    let observer = Arc::new(move |sql: &str, arguments: &[Arg<'_>]| {
        collected.lock().unwrap().insert(sql.to_owned(), arguments.len());
    });
    let api = Api::with(Settings::default(), Some(observer)).await;
    if api.app.store.engine() == Engine::Postgres {
        // Its plans are asserted where there are rows to plan for: in `contract::plans`.
        return;
    }
    seen.lock().unwrap().clear();
    import(&api, "ada@x.example,Ada,owner,P,member\nowner@first.example,,reader,P,owner\n");
    import(&api, "ada@x.example,Ann,owner,P,owner\n");
    let statements = std::mem::take(&mut *seen.lock().unwrap());
    let is_look_up = |sql: &&String| sql.contains("WHERE");
    assert!(statements.keys().filter(is_look_up).count() >= 7, "{statements:#?}");
    for (sql, count) in statements.iter().filter(|(sql, _)| is_look_up(sql)) {
        let (explain, arguments) = (format!("EXPLAIN QUERY PLAN {sql}"), vec![Arg::Null; *count]);
        let plan = with_import(&api, &api.first.organization, |import| {
            import
                .store
                .write_blocking(move |tx| tx.all(&explain, &arguments, |row| row.get::<String>(3)))
        });
        for step in plan.unwrap() {
            // Nothing but the organization, or a mere direction, behind an index's first column.
            let is_walk = step.starts_with("SCAN")
                || step.ends_with("(organization_id=?)")
                || step.ends_with("PRIMARY KEY (organization_id=? AND id>?)");
            assert!(!is_walk, "{step} in {sql}");
        }
    }
}
