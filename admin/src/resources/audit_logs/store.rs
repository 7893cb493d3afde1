//! The record as it is read: from filters to the ranges of an index, and from ids to rows.

use std::collections::BTreeSet;

use sql::{Arg, Row, Tx};

use super::arms::{Bounds, Search, Way, padded};
use super::filters::Filters;
use crate::audit::{KINDS, NEVER_IN_PROJECTS};
use crate::domain::page::{Order, PageRequest, Slice};
use crate::error::Result;

/// An event as it is shown.
#[derive(Debug)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Its time, in seconds.
    pub effective_at: i64,
    /// The project that it happened in, with what that is called now.
    pub project: Option<(String, Option<String>)>,
    /// From where the request came.
    pub ip_address: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// What it says, as text.
    pub payload: String,
    /// What kind of actor it was.
    pub actor_kind: String,
    /// The actor's id.
    pub actor_id: String,
    /// The person who acted.
    pub user_id: Option<String>,
    /// The address of the person at that time.
    pub email: Option<String>,
}

impl Entry {
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let project: Option<String> = row.get(3)?;
        let name: Option<String> = row.get(4)?;
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            effective_at: row.get(2)?,
            project: project.map(|id| (id, name)),
            ip_address: row.get(5)?,
            user_agent: row.get(6)?,
            payload: row.get(7)?,
            actor_kind: row.get::<Option<String>>(8)?.unwrap_or_default(),
            actor_id: row.get::<Option<String>>(9)?.unwrap_or_default(),
            user_id: row.get(10)?,
            email: row.get(11)?,
        })
    }
}

/// A page of the events that pass the filters.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    filters: &Filters,
    page: &PageRequest,
) -> Result<Slice<Entry>> {
    let actors = actors(tx, organization, filters)?;
    let search = search(filters, actors.as_deref());
    let above = filters.above.clone().unwrap_or_default().max(page.above.clone());
    let below = filters.below.iter().chain([&page.below]).min().cloned().unwrap_or_default();
    let bounds = Bounds { organization, above, below, order: page.order, fetch: page.fetch() };
    let is_possible = !filters.is_of_tenants && bounds.above < bounds.below;
    let ids = if is_possible { search.ids(tx, bounds)? } else { Vec::new() };
    Ok(page.cut(entries(tx, organization, &ids, page.order)?))
}

/// The rows of the actors that are asked for, if any are: a person is asked for with all their keys, and under every address.
fn actors(tx: &mut Tx<'_>, organization: &str, filters: &Filters) -> Result<Option<Vec<String>>> {
    let mut found: Option<BTreeSet<String>> = None;
    let asked = [
        (&filters.actor_ids, &["actor_id", "user_id"][..]),
        (&filters.actor_emails, &["email_folded"][..]),
    ];
    for (values, columns) in asked {
        let Some(values) = values else { continue };
        let these = actors_by(tx, organization, columns, values)?;
        found = Some(match found {
            Some(before) => before.intersection(&these).cloned().collect(),
            None => these,
        });
    }
    Ok(found.map(|actors| actors.into_iter().collect()))
}

/// The actors that have one of these values in one of these columns.
fn actors_by(
    tx: &mut Tx<'_>,
    organization: &str,
    columns: &[&str],
    values: &[String],
) -> Result<BTreeSet<String>> {
    if values.is_empty() {
        return Ok(BTreeSet::new());
    }
    let places: Vec<_> =
        (2..2 + values.len().next_power_of_two()).map(|place| format!("${place}")).collect();
    let places = places.join(", ");
    let by = |column: &&str| {
        format!(
            "SELECT actor FROM audit_actors WHERE organization_id = $1 AND {column} IN ({places})"
        )
    };
    let sql = columns.iter().map(by).collect::<Vec<_>>().join(" UNION ALL ");
    let mut arguments = vec![Arg::from(organization)];
    arguments.extend(padded(values));
    Ok(tx.all(&sql, &arguments, |row| row.get(0))?.into_iter().collect())
}

/// The index that covers most of what is asked, with an arm for each combination of values. What it does not cover is the rest.
fn search<'a>(filters: &'a Filters, actors: Option<&'a [String]>) -> Search<'a> {
    let texts = |values: &'a [String]| values.iter().map(String::as_str).collect::<Vec<_>>();
    // Types that nothing here writes need not be looked for.
    let kinds = filters.kinds.as_deref();
    let written =
        |kind: &&&str| kinds.is_none_or(|kinds| kinds.iter().any(|asked| asked == **kind));
    let ranges: Vec<&str> = KINDS.iter().filter(written).copied().collect();
    let (projects, kinds) = (filters.projects.as_deref(), filters.kinds.as_deref());
    let rest = |columns: [(&'static str, Option<&'a [String]>); 3]| -> Vec<_> {
        columns.into_iter().filter_map(|(column, values)| Some((column, values?))).collect()
    };
    let none = ("", None);
    let (way, arms, rest) = match (filters.resources.as_deref(), projects, actors) {
        (Some(resources), ..) => {
            let rest = rest([("project_id", projects), ("actor", actors), ("kind", kinds)]);
            (Way::Resource, each(&texts(resources)), rest)
        }
        (_, Some(projects), Some(actors)) => {
            let arms = pairs(&texts(projects), &texts(actors));
            (Way::ProjectActor, arms, rest([("kind", kinds), none, none]))
        }
        (_, Some(projects), None) => {
            let ranges: Vec<_> =
                ranges.into_iter().filter(|kind| !NEVER_IN_PROJECTS.contains(kind)).collect();
            (Way::Project, pairs(&texts(projects), &ranges), vec![])
        }
        (_, None, Some(actors)) => (Way::Actor, pairs(&texts(actors), &ranges), vec![]),
        _ if kinds.is_some() => (Way::Kind, each(&ranges), vec![]),
        _ => (Way::All, vec![vec![]], vec![]),
    };
    // A filter without a possible value lets nothing pass.
    let is_hopeless = rest.iter().any(|(_, values)| values.is_empty());
    Search { way, arms: if is_hopeless { vec![] } else { arms }, rest }
}

fn each<'a>(values: &[&'a str]) -> Vec<Vec<&'a str>> {
    values.iter().map(|value| vec![*value]).collect()
}

fn pairs<'a>(first: &[&'a str], second: &[&'a str]) -> Vec<Vec<&'a str>> {
    first.iter().flat_map(|a| second.iter().map(|b| vec![*a, *b])).collect()
}

/// The rows of these ids, in the order of the page.
fn entries(
    tx: &mut Tx<'_>,
    organization: &str,
    ids: &[String],
    order: Order,
) -> Result<Vec<Entry>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<_> =
        (2..2 + ids.len().next_power_of_two()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT e.id, e.kind, e.effective_at, e.project_id, p.name, e.ip_address, e.user_agent, e.payload,
             a.kind, a.actor_id, a.user_id, a.email
         FROM audit_events e
         LEFT JOIN audit_actors a ON a.organization_id = e.organization_id AND a.actor = e.actor
         LEFT JOIN projects p ON p.organization_id = e.organization_id AND p.id = e.project_id
         WHERE e.organization_id = $1 AND e.id IN ({})",
        places.join(", ")
    );
    let mut arguments = vec![Arg::from(organization)];
    arguments.extend(padded(ids));
    let mut rows = tx.all(&sql, &arguments, Entry::from_row)?;
    rows.sort_unstable_by(|a, b| match order {
        Order::Ascending => a.id.cmp(&b.id),
        Order::Descending => b.id.cmp(&a.id),
    });
    Ok(rows)
}
