//! Names from a store, which keeps those of who is gone.

use std::collections::BTreeMap;

use admin::usage::names;
use anyhow::Result;

use crate::commands::local::Local;

/// What these people and service accounts are or were called, as far as the store knows.
pub fn names(local: &Local, ids: &[&str]) -> Result<BTreeMap<String, String>> {
    let ids: Vec<_> = ids.iter().map(|id| (*id).to_owned()).collect();
    local.read(move |tx, organization| {
        let mut found = BTreeMap::new();
        for id in &ids {
            if let Some(name) = names::of_user(tx, organization, id)? {
                found.insert(id.clone(), name);
            }
        }
        Ok(found)
    })
}
