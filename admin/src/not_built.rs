//! Operations that the API has and this version does not. The list may only shrink: building one removes its line.
//!
//! They answer 501 instead of 404, because clients that keep state take a 404 for "this object is gone".

use http::Method;

/// Operations of the published document that are not built yet.
pub const NOT_BUILT: &[(Method, &str)] = &[
    // The record.
    // Usage and costs.
    (Method::GET, "/organization/costs"),
    (Method::GET, "/organization/usage/audio_speeches"),
    (Method::GET, "/organization/usage/audio_transcriptions"),
    (Method::GET, "/organization/usage/code_interpreter_sessions"),
    (Method::GET, "/organization/usage/completions"),
    (Method::GET, "/organization/usage/embeddings"),
    (Method::GET, "/organization/usage/file_search_calls"),
    (Method::GET, "/organization/usage/images"),
    (Method::GET, "/organization/usage/moderations"),
    (Method::GET, "/organization/usage/vector_stores"),
    (Method::GET, "/organization/usage/web_search_calls"),
];

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
