//! Operations that clients know and this version does not have. The list may only shrink: building one removes its line. Every operation
//! of the published document is built.
//!
//! They answer 501 instead of 404, because clients that keep state take a 404 for "this object is gone".

use http::Method;

/// Operations that newer clients call and the published document does not have.
pub const NEWER_THAN_THE_DOCUMENT: &[(Method, &str)] = &[
    (Method::GET, "/organization/external_keys"),
    (Method::POST, "/organization/external_keys"),
    (Method::DELETE, "/organization/external_keys/{id}"),
    (Method::GET, "/organization/external_keys/{id}"),
    (Method::POST, "/organization/external_keys/{id}/validate"),
    (Method::GET, "/organization/external_storage"),
    (Method::POST, "/organization/external_storage"),
    (Method::DELETE, "/organization/external_storage/{id}"),
    (Method::GET, "/organization/external_storage/{id}"),
    (Method::POST, "/organization/external_storage/{id}/validate"),
    (Method::POST, "/organization/projects/{project_id}/api_keys/{api_key_id}"),
    (Method::GET, "/organization/projects/{project_id}/service_tier_settings"),
    (Method::POST, "/organization/projects/{project_id}/service_tier_settings"),
    (Method::GET, "/organization/usage/decisions"),
    (Method::GET, "/organization/workload_identity_providers"),
    (Method::POST, "/organization/workload_identity_providers"),
    (Method::DELETE, "/organization/workload_identity_providers/{id}"),
    (Method::GET, "/organization/workload_identity_providers/{id}"),
    (Method::POST, "/organization/workload_identity_providers/{id}"),
    (Method::GET, "/organization/workload_identity_providers/{id}/federation_rules"),
    (Method::POST, "/organization/workload_identity_providers/{id}/federation_rules"),
    (Method::DELETE, "/organization/workload_identity_providers/{id}/federation_rules/{rule_id}"),
    (Method::GET, "/organization/workload_identity_providers/{id}/federation_rules/{rule_id}"),
    (Method::POST, "/organization/workload_identity_providers/{id}/federation_rules/{rule_id}"),
];
