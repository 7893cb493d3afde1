//! Some invitations, for the tests that walk all operations.

use serde_json::json;

use crate::testing::seed::{Filling, List, Seed};

const LIST: &str = "/organization/invites";

/// Invitations that nobody has accepted.
pub const SEED: Seed = Seed {
    resource: "invites",
    parameters: &[("", "invite_id")],
    lists: &[List::cut(LIST, "invite-")],
    make: |api, world, number| {
        Box::pin(async move {
            let email = format!("guest{number}@example.com");
            world.post(api, LIST, json!({ "email": email, "role": "reader" })).await.id()
        })
    },
    body: |_, template, member| {
        (template == LIST && member == "email").then(|| json!("newcomer@example.com"))
    },
    fill: |filling| {
        let id = Filling::ID;
        let into = "invites (organization_id, id, email, email_folded, role, projects, created_at, expires_at)";
        vec![filling.insert(
            into,
            &format!("$1, 'invite-' || {id}, {id} || '@y', {id} || '@y', 'reader', '[]', 1, 9"),
        )]
    },
};
