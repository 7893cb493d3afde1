//! The record as it is read: from filters to the ranges of an index, and from ids to rows.

use std::collections::BTreeSet;

use sql::{Row, Tx, args};

use super::arms::{Bounds, Search, Way, each, pairs, texts};
use super::filters::Filters;
use super::things;
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
    let above = filters.above.clone().unwrap_or_default().max(page.above.clone());
    let below = filters.below.iter().chain([&page.below]).min().cloned().unwrap_or_default();
    let bounds = Bounds { organization, above, below, order: page.order, fetch: page.fetch() };
    let is_possible = !filters.is_of_tenants && bounds.above < bounds.below;
    let ids =
        if is_possible { search(tx, filters, actors.as_deref(), bounds)? } else { Vec::new() };
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
    let mut arguments = args![organization].to_vec();
    let places = sql::list(&mut arguments, values);
    let by = |column: &&str| {
        format!(
            "SELECT actor FROM audit_actors WHERE organization_id = $1 AND {column} IN ({places})"
        )
    };
    let sql = columns.iter().map(by).collect::<Vec<_>>().join(" UNION ALL ");
    Ok(tx.all(&sql, &arguments, |row| row.get(0))?.into_iter().collect())
}

/// The ids of a page.
fn search(
    tx: &mut Tx<'_>,
    filters: &Filters,
    actors: Option<&[String]>,
    bounds: Bounds<'_>,
) -> Result<Vec<String>> {
    let others = of_others(filters, actors);
    match &filters.resources {
        Some(things) => things::page(tx, filters, things, actors, &others, &bounds),
        None => others.ids(tx, bounds),
    }
}

/// The index that covers most of what is asked beside things, with an arm for each combination of values. What it does not
/// cover is the rest.
fn of_others<'a>(filters: &'a Filters, actors: Option<&'a [String]>) -> Search<'a> {
    let (projects, kinds) = (filters.projects.as_deref(), filters.kinds.as_deref());
    // Types that nothing here writes need not be looked for.
    let written =
        |kind: &&&str| kinds.is_none_or(|kinds| kinds.iter().any(|asked| asked == **kind));
    let ranges: Vec<&str> = KINDS.iter().filter(written).copied().collect();
    match (projects, actors) {
        (Some(projects), Some(actors)) => Search::of(
            Way::ProjectActor,
            pairs(&texts(projects), &texts(actors)),
            [("kind", kinds)],
        ),
        (Some(projects), None) => {
            let ranges: Vec<_> =
                ranges.into_iter().filter(|kind| !NEVER_IN_PROJECTS.contains(kind)).collect();
            Search::of(Way::Project, pairs(&texts(projects), &ranges), [])
        }
        (None, Some(actors)) => Search::of(Way::Actor, pairs(&texts(actors), &ranges), []),
        _ if kinds.is_some() => Search::of(Way::Kind, each(&ranges), []),
        _ => Search::of(Way::All, vec![vec![]], []),
    }
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
    let mut arguments = args![organization].to_vec();
    let places = sql::list(&mut arguments, ids);
    let sql = format!(
        "SELECT e.id, e.kind, e.effective_at, e.project_id, p.name, e.ip_address, e.user_agent, e.payload,
             a.kind, a.actor_id, a.user_id, a.email
         FROM audit_events e
         LEFT JOIN audit_actors a ON a.organization_id = e.organization_id AND a.actor = e.actor
         LEFT JOIN projects p ON p.organization_id = e.organization_id AND p.id = e.project_id
         WHERE e.organization_id = $1 AND e.id IN ({places})"
    );
    let mut rows = tx.all(&sql, &arguments, Entry::from_row)?;
    rows.sort_unstable_by(|a, b| match order {
        Order::Ascending => a.id.cmp(&b.id),
        Order::Descending => b.id.cmp(&a.id),
    });
    Ok(rows)
}
