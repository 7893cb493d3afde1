//! Names instead of ids, of those too who are gone.

use std::collections::BTreeMap;

use anyhow::Result;

use super::query::{Answer, By};
use crate::commands::client::{Client, segment};
use crate::commands::find::text;

/// What a key is called; a key without a name is called by itself.
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Looks the names of these keys up: among what is there now, then among what was, then in the answer itself.
    pub fn of(client: &Client, by: By, keys: &[&str], answer: &Answer) -> Result<Self> {
        let (path, member) = match by {
            By::Day | By::Model => return Ok(Self(BTreeMap::new())),
            By::Project => ("/organization/projects", "name"),
            By::User => ("/organization/users", "email"),
        };
        let mut names = match client {
            Client::Local(local) if by == By::User => super::former::names(local, keys)?,
            _ => BTreeMap::new(),
        };
        for key in keys {
            if names.contains_key(*key) {
                continue;
            }
            if let Some(email) = answer.emails.get(*key) {
                names.insert((*key).to_owned(), email.clone());
            } else if let Some(found) = client.find(&format!("{path}/{}", segment(key)))? {
                names.insert((*key).to_owned(), text(&found, member));
            }
        }
        Ok(Self(names))
    }

    /// The name of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}
