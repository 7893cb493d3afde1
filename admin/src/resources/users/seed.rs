//! Some people, for the tests that walk all operations.

use crate::testing::fixture;
use crate::testing::seed::{Filling, List, Seed, no_body};

/// People of the organization.
pub const SEED: Seed = Seed {
    resource: "users",
    parameters: &[("", "user_id")],
    lists: &[List::cut("/organization/users", "user-")],
    make: |api, world, number| {
        Box::pin(async move {
            let email = format!("someone{number}@example.com");
            fixture::add_user(&api.app, &world.tenant.organization, &email).await
        })
    },
    body: no_body,
    fill: |filling| {
        let id = Filling::ID;
        vec![filling.insert(
            "users (organization_id, id, email, email_folded, role, added_at)",
            &format!("$1, 'user-' || {id}, {id} || '@x', {id} || '@x', 'reader', 1"),
        )]
    },
};
