//! Some certificates, for the tests that walk all operations.

use serde_json::json;

use super::der;
use crate::testing::seed::{Filling, List, Seed};

const LIST: &str = "/organization/certificates";

/// Each is in the lists of both levels, active or not.
pub const SEED: Seed = Seed {
    resource: "certificates",
    parameters: &[("", "certificate_id")],
    lists: &[
        List::cut(LIST, "cert_"),
        List::cut("/organization/projects/{project_id}/certificates", "cert_"),
    ],
    make: |api, world, number| {
        Box::pin(async move {
            let body = json!({ "certificate": der::certificate(&format!("client-{number}")) });
            world.post(api, LIST, body).await.id()
        })
    },
    body: |world, template, member| match (template, member) {
        (_, "certificate") => Some(json!(der::certificate("another"))),
        (_, "certificate_ids") => Some(json!([world.row("certificates", 0)])),
        ("/organization/certificates/{certificate_id}", "name") => Some(json!("Another name")),
        _ => None,
    },
    fill: |filling| {
        let (id, bytes) = (Filling::ID, filling.bytes());
        let active = "certificate_activations (organization_id, project_id, certificate_id)";
        vec![
            filling.insert(
                "certificates (organization_id, id, content, subject, fingerprint, valid_at, expires_at, created_at)",
                &format!("$1, 'cert_' || {id}, 'c', 's', {bytes}, 1, 2, 1"),
            ),
            // All in the project and every second one in the organization, and some elsewhere, so that no index is right by chance.
            filling.insert(active, &format!("$1, $2, 'cert_' || {id}")),
            filling.insert_some(
                filling.rows / 2,
                active,
                "$1, '', 'cert_' || CAST(1000000 + 2 * i AS TEXT)",
            ),
            filling.insert_some(
                2000,
                active,
                &format!("$1, 'proj_' || CAST(1000001 + i % 4 AS TEXT), 'cert_' || {id}"),
            ),
        ]
    },
};
