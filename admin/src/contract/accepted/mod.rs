//! Differences from the published document that are meant. Each line is "where: what" with `*` for any operation, and why. The
//! lists may only shrink, and a line that no longer applies fails the test.

mod assignments;
mod audit_logs;
mod base;
mod certificates;
mod groups;
mod invites;
mod models;
mod project_api_keys;
mod project_groups;
mod roles;
mod service_accounts;
mod spend;
mod usage;

/// A difference, and why it is meant.
pub type Difference = (&'static str, &'static str);

/// All of them.
pub fn accepted() -> impl Iterator<Item = &'static Difference> {
    [
        base::ACCEPTED,
        certificates::ACCEPTED,
        groups::ACCEPTED,
        roles::ACCEPTED,
        assignments::ACCEPTED,
        project_groups::ACCEPTED,
        service_accounts::ACCEPTED,
        project_api_keys::ACCEPTED,
        invites::ACCEPTED,
        spend::ACCEPTED,
        models::ACCEPTED,
        audit_logs::ACCEPTED,
        usage::ACCEPTED,
    ]
    .into_iter()
    .flatten()
}
