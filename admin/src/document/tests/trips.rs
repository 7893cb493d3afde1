//! There and back: an organization that was exported and restored is exported as the same bytes, on both engines and across them.

use sql::Store;
use sql::testing::TestDatabase;

use super::{exported, fresh, restore, rows};
use crate::document::{Hashes, parse};
use crate::testing::world::World;
use crate::testing::{Api, TestStore};

/// Exports an organization, restores it elsewhere, exports it again, and compares bytes and rows.
pub async fn assert_round_trip(store: &Store, organization: &str) {
    let text = exported(store, organization, Hashes::Included).await;
    super::coverage::assert_valid(&text);
    let elsewhere = fresh().await;
    restore(&elsewhere.store, parse(&text).expect("it can be read")).await;
    let again = exported(&elsewhere.store, organization, Hashes::Included).await;
    assert_eq!(again, text);
    if store.engine() != elsewhere.store.engine() {
        // Each engine writes a truth as text in its own way.
        return;
    }
    let of_this = |row: &String| row.contains(organization);
    let expected: Vec<_> = rows(store).await.into_iter().filter(of_this).collect();
    assert_eq!(rows(&elsewhere.store).await, expected);
}

#[tokio::test]
async fn an_organization_comes_back_as_it_went() {
    let api = Api::new().await;
    let mut world = World::of_first(&api).await;
    world.grow(&api, 3).await;
    let body = serde_json::json!({ "certificate_ids": [world.row("certificates", 1)] });
    for template in ["/organization", "/organization/projects/{project_id}"] {
        world.post(&api, &format!("{template}/certificates/activate"), body.clone()).await.ok();
    }
    assert_round_trip(&api.app.store, &api.first.organization.id).await;
}

/// From the engine of this run to SQLite and back.
#[tokio::test]
async fn an_organization_crosses_engines() {
    let api = Api::new().await;
    World::of_first(&api).await.grow(&api, 2).await;
    let organization = api.first.organization.id.clone();
    let text = exported(&api.app.store, &organization, Hashes::Included).await;
    let file = TestStore::of(TestDatabase::file()).await;
    restore(&file.store, parse(&text).expect("it can be read")).await;
    assert_eq!(exported(&file.store, &organization, Hashes::Included).await, text);
    assert_round_trip(&file.store, &organization).await;
}
