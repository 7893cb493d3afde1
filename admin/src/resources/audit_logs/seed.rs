//! The record of a world, for the tests that walk all operations.

use crate::testing::seed::{List, Seed, no_body};

const LIST: &str = "/organization/audit_logs";

/// Everything that is made in a world is on record, so it needs no rows of its own.
pub const SEED: Seed = Seed {
    resource: "audit_logs",
    parameters: &[],
    lists: &[List::record(LIST)],
    make: |api, world, _| {
        Box::pin(async move {
            let newest = api.request("GET", &format!("{LIST}?limit=1")).key(&world.tenant.key);
            newest.send().await.ids().remove(0)
        })
    },
    body: no_body,
    fill: |_| Vec::new(),
};
