//! The resources, one folder each: `mod.rs` (routes and handlers), `wire.rs` (shapes), `store.rs` (rules and rows), `tests.rs`
//! (behaviour), `seed.rs` (rows for the tests that walk all operations). A file beside the folders is shared by several. To add a
//! resource, add its folder and its line here.

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

pub mod admin_api_keys;
pub mod audit_logs;
pub mod certificates;
pub mod check;
pub mod costs;
pub mod data_retention;
pub mod group_users;
pub mod groups;
pub mod hosted_tool_permissions;
pub mod invites;
pub mod level;
pub mod model_permissions;
pub mod permissions;
pub mod principals;
pub mod project_api_keys;
pub mod project_groups;
pub mod project_users;
pub mod projects;
pub mod rate_limits;
pub mod role_assignments;
pub mod roles;
pub mod service_accounts;
pub mod spend_alerts;
pub mod spend_limits;
pub mod usage;
pub mod usage_events;
pub mod users;

/// Every operation of the published API that is built, with its description.
#[must_use]
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(admin_api_keys::routes())
        .merge(audit_logs::routes())
        .merge(certificates::routes())
        .merge(costs::routes())
        .merge(data_retention::routes())
        .merge(group_users::routes())
        .merge(groups::routes())
        .merge(hosted_tool_permissions::routes())
        .merge(invites::routes())
        .merge(model_permissions::routes())
        .merge(project_api_keys::routes())
        .merge(project_groups::routes())
        .merge(project_users::routes())
        .merge(projects::routes())
        .merge(rate_limits::routes())
        .merge(role_assignments::routes())
        .merge(roles::routes())
        .merge(service_accounts::routes())
        .merge(spend_alerts::routes())
        .merge(spend_limits::routes())
        .merge(usage::routes())
        .merge(users::routes())
}

/// The operations that only this server has, with their whole paths.
#[must_use]
pub fn own_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(check::routes())
        .merge(invites::own_routes())
        .merge(project_api_keys::own_routes())
        .merge(usage_events::own_routes())
}
