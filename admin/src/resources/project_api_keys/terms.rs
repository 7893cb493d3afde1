//! What a new key is limited to, as requests for any kind of project key say it.

use crate::domain::permission::Permissions;
use crate::error::{Error, Result};
use crate::http::fields::Fields;
use crate::resources::permissions;

/// The longest life that a request can ask for in seconds: a year.
const LONGEST_LIFE: i64 = 31_536_000;

/// The limits of a key, as they were asked for.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// What the key may do, in the order in which it was told; without this, whatever its owner may.
    pub scopes: Option<Vec<String>>,
    /// After how many seconds it stops.
    pub expires_in_seconds: Option<i64>,
    /// When it stops instead, in seconds.
    pub expires_at: Option<i64>,
}

/// Reads after how many seconds a key stops.
pub fn life(fields: &mut Fields) -> Result<Option<i64>> {
    fields.integer("expires_in_seconds", 1..=LONGEST_LIFE)
}

/// Reads what a key may do: each permission once.
pub fn scopes(fields: &mut Fields) -> Result<Option<Vec<String>>> {
    fields.present_texts("scopes")?.map(valid_scopes).transpose()
}

impl Terms {
    /// When the key stops, for a request made now.
    pub fn end(&self, now: i64) -> Result<Option<i64>> {
        let wrong = |message: String| Error::invalid("invalid_value", message).param("expires_at");
        match (self.expires_in_seconds, self.expires_at) {
            (Some(_), Some(_)) => {
                Err(wrong("Send either 'expires_in_seconds' or 'expires_at', not both.".to_owned()))
            }
            (_, Some(end)) if end <= now => {
                Err(wrong(format!("Invalid value for 'expires_at': {end} is not in the future.")))
            }
            (seconds, end) => Ok(seconds.map(|seconds| now + seconds).or(end)),
        }
    }

    /// What of these permissions the key gets.
    #[must_use]
    pub fn limit(&self, held: Permissions) -> Permissions {
        match &self.scopes {
            Some(scopes) => held.within(&scopes.iter().map(String::as_str).collect()),
            None => held,
        }
    }
}

fn valid_scopes(told: Vec<String>) -> Result<Vec<String>> {
    if told.is_empty() {
        let message =
            "Invalid 'scopes': empty array. Name at least one permission, or leave it out.";
        return Err(Error::invalid("array_below_min_length", message).param("scopes"));
    }
    permissions::told("scopes", told)
}
