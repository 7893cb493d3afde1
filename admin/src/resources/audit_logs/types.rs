//! The published types of events. They are data: the list grows often, and the program writes only a few of them.

use std::sync::LazyLock;

/// Every published type, sorted.
pub static EVENT_TYPES: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("event_types.txt").lines().collect());

/// The published type of this name.
#[must_use]
pub fn known(name: &str) -> Option<&'static str> {
    EVENT_TYPES.iter().copied().find(|kind| *kind == name)
}

/// Whether events of this type happen to a tenant, which has organizations. Nothing here writes any.
#[must_use]
pub fn is_of_tenants(kind: &str) -> bool {
    kind.starts_with("tenant.")
        || ["role.bound_to_resource", "role.unbound_from_resource"].contains(&kind)
}
