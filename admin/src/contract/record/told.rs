//! What the record says of each operation: appendix A of the contract, in the order of its lines.

/// What an operation tells when it changes something. What it does not change it never tells.
#[derive(Debug, Clone, Copy)]
pub enum Told {
    /// Nothing, though something changed: the record has no type of event for it.
    Nothing,
    /// One event.
    One(&'static str),
    /// One event, and one for the key if one was made.
    AndKey(&'static str),
    /// One event, and one for each role that somebody has now or has no more.
    AndRoles(&'static str),
    /// One event, and one for each role that was taken away beside the one that an account shows.
    AndOtherRoles(&'static str),
    /// One event for each role that somebody has now or has no more.
    Roles,
    /// One event for the certificates whose state changed, with each of them in it.
    Certificates(&'static str),
    /// One event whenever it succeeds: what it changes is a secret.
    Always(&'static str),
}

use Told::{
    Always, AndKey, AndOtherRoles, AndRoles, Certificates, Nothing, One, Roles as RolesOnly,
};

/// Line, method and path of each operation that can change something, with what it tells. Our own operations have no line.
pub const LINES: &[(&str, &str, &str, Told)] = &[
    ("2", "POST", "/organization/admin_api_keys", One("api_key.created")),
    ("4", "DELETE", "/organization/admin_api_keys/{key_id}", One("api_key.deleted")),
    ("7", "POST", "/organization/certificates", One("certificate.created")),
    ("8", "POST", "/organization/certificates/activate", Certificates("certificates.activated")),
    (
        "9",
        "POST",
        "/organization/certificates/deactivate",
        Certificates("certificates.deactivated"),
    ),
    ("11", "POST", "/organization/certificates/{certificate_id}", One("certificate.updated")),
    ("12", "DELETE", "/organization/certificates/{certificate_id}", One("certificate.deleted")),
    ("15†", "POST", "/organization/data_retention", One("organization.updated")),
    ("17", "POST", "/organization/groups", One("group.created")),
    ("19", "POST", "/organization/groups/{group_id}", One("group.updated")),
    ("20", "DELETE", "/organization/groups/{group_id}", One("group.deleted")),
    ("22", "POST", "/organization/groups/{group_id}/roles", RolesOnly),
    ("24", "DELETE", "/organization/groups/{group_id}/roles/{role_id}", RolesOnly),
    ("26†", "POST", "/organization/groups/{group_id}/users", Nothing),
    ("28†", "DELETE", "/organization/groups/{group_id}/users/{user_id}", Nothing),
    ("30", "POST", "/organization/invites", One("invite.sent")),
    ("32", "DELETE", "/organization/invites/{invite_id}", One("invite.deleted")),
    ("34", "POST", "/organization/projects", One("project.created")),
    ("36", "POST", "/organization/projects/{project_id}", One("project.updated")),
    (
        "39",
        "DELETE",
        "/organization/projects/{project_id}/api_keys/{api_key_id}",
        One("api_key.deleted"),
    ),
    ("40", "POST", "/organization/projects/{project_id}/archive", One("project.archived")),
    (
        "42",
        "POST",
        "/organization/projects/{project_id}/certificates/activate",
        Certificates("certificates.activated"),
    ),
    (
        "43",
        "POST",
        "/organization/projects/{project_id}/certificates/deactivate",
        Certificates("certificates.deactivated"),
    ),
    ("45†", "POST", "/organization/projects/{project_id}/data_retention", One("project.updated")),
    ("47†", "POST", "/organization/projects/{project_id}/groups", RolesOnly),
    ("49†", "DELETE", "/organization/projects/{project_id}/groups/{group_id}", RolesOnly),
    (
        "51†",
        "POST",
        "/organization/projects/{project_id}/hosted_tool_permissions",
        One("project.updated"),
    ),
    (
        "53†",
        "POST",
        "/organization/projects/{project_id}/model_permissions",
        One("project.updated"),
    ),
    (
        "54†",
        "DELETE",
        "/organization/projects/{project_id}/model_permissions",
        One("project.updated"),
    ),
    (
        "56",
        "POST",
        "/organization/projects/{project_id}/rate_limits/{rate_limit_id}",
        One("rate_limit.updated"),
    ),
    (
        "58",
        "POST",
        "/organization/projects/{project_id}/service_accounts",
        AndKey("service_account.created"),
    ),
    (
        "60",
        "POST",
        "/organization/projects/{project_id}/service_accounts/{service_account_id}",
        AndOtherRoles("service_account.updated"),
    ),
    (
        "61",
        "DELETE",
        "/organization/projects/{project_id}/service_accounts/{service_account_id}",
        One("service_account.deleted"),
    ),
    (
        "62",
        "POST",
        "/organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys",
        One("api_key.created"),
    ),
    ("64†", "POST", "/organization/projects/{project_id}/spend_alerts", One("project.updated")),
    (
        "66†",
        "POST",
        "/organization/projects/{project_id}/spend_alerts/{alert_id}",
        One("project.updated"),
    ),
    (
        "67†",
        "DELETE",
        "/organization/projects/{project_id}/spend_alerts/{alert_id}",
        One("project.updated"),
    ),
    ("69†", "POST", "/organization/projects/{project_id}/spend_limit", One("project.updated")),
    ("70†", "DELETE", "/organization/projects/{project_id}/spend_limit", One("project.updated")),
    ("72†", "POST", "/organization/projects/{project_id}/users", One("user.added")),
    (
        "74†",
        "POST",
        "/organization/projects/{project_id}/users/{user_id}",
        AndRoles("user.updated"),
    ),
    ("75†", "DELETE", "/organization/projects/{project_id}/users/{user_id}", One("user.deleted")),
    ("77", "POST", "/organization/roles", One("role.created")),
    ("79", "POST", "/organization/roles/{role_id}", One("role.updated")),
    ("80", "DELETE", "/organization/roles/{role_id}", One("role.deleted")),
    ("82†", "POST", "/organization/spend_alerts", One("organization.updated")),
    ("84†", "POST", "/organization/spend_alerts/{alert_id}", One("organization.updated")),
    ("85†", "DELETE", "/organization/spend_alerts/{alert_id}", One("organization.updated")),
    ("87†", "POST", "/organization/spend_limit", One("organization.updated")),
    ("88†", "DELETE", "/organization/spend_limit", One("organization.updated")),
    ("101", "POST", "/organization/users/{user_id}", AndRoles("user.updated")),
    ("102", "DELETE", "/organization/users/{user_id}", One("user.deleted")),
    ("104", "POST", "/organization/users/{user_id}/roles", RolesOnly),
    ("106", "DELETE", "/organization/users/{user_id}/roles/{role_id}", RolesOnly),
    ("108", "POST", "/projects/{project_id}/groups/{group_id}/roles", RolesOnly),
    ("110", "DELETE", "/projects/{project_id}/groups/{group_id}/roles/{role_id}", RolesOnly),
    ("112", "POST", "/projects/{project_id}/roles", One("role.created")),
    ("114", "POST", "/projects/{project_id}/roles/{role_id}", One("role.updated")),
    ("115", "DELETE", "/projects/{project_id}/roles/{role_id}", One("role.deleted")),
    ("117", "POST", "/projects/{project_id}/users/{user_id}/roles", RolesOnly),
    ("119", "DELETE", "/projects/{project_id}/users/{user_id}/roles/{role_id}", RolesOnly),
    ("ours", "POST", "/rollbook/v1/invites/{invite_id}/link", Always("invite.sent")),
    ("ours", "POST", "/rollbook/v1/projects/{project_id}/api_keys", One("api_key.created")),
    ("ours", "POST", "/rollbook/v1/usage_events", Nothing),
];

/// What an operation tells; none for one that only reads.
pub fn of(method: &str, template: &str) -> Option<Told> {
    let is_it = |line: &&(&str, &str, &str, Told)| (line.1, line.2) == (method, template);
    LINES.iter().find(is_it).map(|line| line.3)
}
