//! Permissions as requests tell them: for roles, and as the limits of keys.

use std::collections::HashSet;

use crate::domain::permission;
use crate::error::{Error, Result};

/// What was told in this member, in its order and each once, or the first of it that cannot be a permission.
pub fn told(name: &str, tokens: Vec<String>) -> Result<Vec<String>> {
    let mut seen = HashSet::new();
    let mut kept = Vec::with_capacity(tokens.len());
    for (place, token) in tokens.into_iter().enumerate() {
        if let Some(fault) = permission::fault(&token) {
            let param = format!("{name}[{place}]");
            let message = format!("Invalid value for '{param}': '{token}' {fault}.");
            return Err(Error::invalid("invalid_value", message).param(param));
        }
        if seen.insert(token.clone()) {
            kept.push(token);
        }
    }
    Ok(kept)
}
