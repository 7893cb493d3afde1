//! Which events a request asks for.

use super::types::{self, EVENT_TYPES};
use crate::audit::PREFIX;
use crate::domain::id::{is_possible_id, position_at};
use crate::error::{Error, Result};
use crate::http::query::Query;
use crate::resources::users::store::fold;

/// How many values a filter may have, each of which costs something.
const MOST_VALUES: usize = 100;

/// What an event has to be. Of several values of a filter it needs one, of several filters all.
#[derive(Debug, Default)]
pub struct Filters {
    /// It was made behind this position.
    pub above: Option<String>,
    /// It was made before this position.
    pub below: Option<String>,
    /// The project that it happened in.
    pub projects: Option<Vec<String>>,
    /// Its type.
    pub kinds: Option<Vec<String>>,
    /// The key, person or whatever else acted.
    pub actor_ids: Option<Vec<String>>,
    /// The folded address of whoever acted.
    pub actor_emails: Option<Vec<String>>,
    /// What it is about.
    pub resources: Option<Vec<String>>,
    /// It happened to a tenant.
    pub is_of_tenants: bool,
}

impl Filters {
    /// Reads the filters of a query.
    pub fn read(query: &Query) -> Result<Self> {
        let is_of_tenants = query.boolean("tenant_only")?.unwrap_or(false);
        let (above, below) = times(query)?;
        Ok(Self {
            above,
            below,
            projects: ids(query, "project_ids")?,
            kinds: kinds(query, is_of_tenants)?,
            actor_ids: ids(query, "actor_ids")?,
            actor_emails: emails(query)?,
            resources: ids(query, "resource_ids")?,
            is_of_tenants,
        })
    }
}

/// The bounds of the time as positions, because an event's time is the time in its id. All bounds that are given hold.
fn times(query: &Query) -> Result<(Option<String>, Option<String>)> {
    match query.text("effective_at")? {
        None | Some("" | "{}") => {}
        Some(_) => {
            let message = "Invalid type for 'effective_at': expected an object, but got a string instead. Send its members, for example 'effective_at[gte]=1750000000'.";
            return Err(Error::invalid("invalid_type", message).param("effective_at"));
        }
    }
    let second = |name: &str| query.integer(name, i64::MIN..=i64::MAX);
    let at = |second: i64| position_at(PREFIX, second);
    let after = |second: i64| position_at(PREFIX, second.saturating_add(1));
    let least = [second("effective_at[gt]")?.map(after), second("effective_at[gte]")?.map(at)];
    let most = [second("effective_at[lt]")?.map(at), second("effective_at[lte]")?.map(after)];
    Ok((least.into_iter().flatten().max(), most.into_iter().flatten().min()))
}

/// The values of a list; none if it is absent or has no values.
fn values<'q>(query: &'q Query, name: &str, most: usize) -> Result<Option<Vec<&'q str>>> {
    let values = query.bounded_list(name, most)?.unwrap_or_default();
    Ok(Some(values.into_iter().filter(|value| !value.is_empty()).collect::<Vec<_>>())
        .filter(|values| !values.is_empty()))
}

/// Sorted, and each once.
fn set(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Ids, without those that nothing can have: if no others are left, no event is asked for.
fn ids(query: &Query, name: &str) -> Result<Option<Vec<String>>> {
    let possible = |values: Vec<&str>| {
        set(values.into_iter().filter(|id| is_possible_id(id)).map(str::to_owned))
    };
    Ok(values(query, name, MOST_VALUES)?.map(possible))
}

fn emails(query: &Query) -> Result<Option<Vec<String>>> {
    let possible =
        |values: Vec<&str>| set(values.into_iter().filter(|email| is_possible_id(email)).map(fold));
    Ok(values(query, "actor_emails", MOST_VALUES)?.map(possible))
}

/// Types, without those of tenants unless they alone are asked for.
fn kinds(query: &Query, is_of_tenants: bool) -> Result<Option<Vec<String>>> {
    let name = "event_types";
    let Some(values) = values(query, name, EVENT_TYPES.len())? else { return Ok(None) };
    for value in &values {
        let Some(kind) = types::known(value) else {
            let message = format!(
                "Invalid value for '{name}': '{value}'. Use types that the description of the audit log lists."
            );
            return Err(Error::invalid("invalid_value", message).param(name));
        };
        if is_of_tenants && !types::is_of_tenants(kind) {
            let message = format!(
                "Invalid value for '{name}': '{value}' does not happen to tenants. Leave it out, or do not ask for 'tenant_only'."
            );
            return Err(Error::invalid("invalid_value", message).param(name));
        }
    }
    Ok(Some(set(values.into_iter().map(str::to_owned))))
}
