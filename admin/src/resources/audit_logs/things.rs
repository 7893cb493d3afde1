//! Pages of what is about certain things. A thing's history is short as a rule. A page about one that is busy, together with
//! something that is rare, would be all of its history: then what is rare is read, and checked. What has more than [`BUSY`] events
//! on both sides and hardly any in common is still read through, on the side of the things.

use std::collections::{BTreeSet, HashSet};

use sql::{Row, Tx, args};

use super::arms::{Bounds, Search, Way, each, padded, sort, texts};
use super::filters::Filters;
use crate::error::Result;

/// If more events are about the things, within the bounds of the page, then something else that is asked for may have less.
const BUSY: usize = 2048;
/// So many values go into a statement.
const AT_ONCE: usize = 64;

/// The ids of a page about these things. `others` is the search for everything else that is asked for.
pub fn page(
    tx: &mut Tx<'_>,
    filters: &Filters,
    things: &[String],
    actors: Option<&[String]>,
    others: &Search<'_>,
    bounds: &Bounds<'_>,
) -> Result<Vec<String>> {
    let types = types_of(tx, bounds.organization, things, filters.kinds.as_deref())?;
    let (projects, kinds) = (filters.projects.as_deref(), filters.kinds.as_deref());
    let rest = [("project_id", projects), ("actor", actors)];
    let arms = types.iter().map(|(thing, kind)| vec![thing.as_str(), kind.as_str()]).collect();
    let own = Search::of(Way::Resource, arms, rest);
    let [project, actor] = rest;
    let further = Search::of(Way::Further, each(&texts(things)), [project, actor, ("kind", kinds)]);
    if others.way != Way::All {
        let (ids_of_own, ids_of_further) =
            (own.few(tx, bounds, BUSY)?, further.few(tx, bounds, BUSY)?);
        let is_busy = ids_of_own.is_none() || ids_of_further.is_none();
        if is_busy && let Some(few) = others.few(tx, bounds, BUSY)? {
            let further = match ids_of_further {
                Some(further) => further.into_iter().collect(),
                None => beside(tx, bounds.organization, &few, things)?,
            };
            let ids = about(tx, bounds.organization, &few, things, &further, kinds)?;
            return Ok(cut(ids, bounds));
        }
    }
    let mut ids = own.ids(tx, bounds.clone())?;
    ids.extend(further.ids(tx, bounds.clone())?);
    Ok(cut(ids, bounds))
}

fn cut(mut ids: Vec<String>, bounds: &Bounds<'_>) -> Vec<String> {
    sort(&mut ids, bounds.order);
    ids.truncate(usize::try_from(bounds.fetch).unwrap_or(usize::MAX));
    ids
}

/// The types of the events of these things, each with its thing, as far as they are asked for. From one type to the next is a
/// single look into the index.
fn types_of(
    tx: &mut Tx<'_>,
    organization: &str,
    things: &[String],
    kinds: Option<&[String]>,
) -> Result<BTreeSet<(String, String)>> {
    let mut found = BTreeSet::new();
    for things in things.chunks(AT_ONCE) {
        let next = |thing: &str, behind: &str| {
            format!(
                "(SELECT MIN(e.kind) FROM audit_events e
                     WHERE e.organization_id = $1 AND e.resource_id = {thing}{behind})"
            )
        };
        let first = |place| {
            let thing = format!("${place}");
            format!("SELECT CAST({thing} AS TEXT), {} UNION ALL ", next(&thing, ""))
        };
        let first: String = (2..2 + things.len().next_power_of_two()).map(first).collect();
        let sql = format!(
            "WITH RECURSIVE t(thing, kind) AS ({first}SELECT t.thing, {} FROM t WHERE t.kind IS NOT NULL)
             SELECT t.thing, t.kind FROM t WHERE t.kind IS NOT NULL",
            next("t.thing", " AND e.kind > t.kind")
        );
        let mut arguments = args![organization].to_vec();
        arguments.extend(padded(things));
        found.extend(tx.all(&sql, &arguments, |row| Ok((row.get(0)?, row.get(1)?)))?);
    }
    found.retain(|(_, kind)| kinds.is_none_or(|kinds| kinds.contains(kind)));
    Ok(found)
}

/// Those of the events that are about one of the things beside another.
fn beside(
    tx: &mut Tx<'_>,
    organization: &str,
    events: &[String],
    things: &[String],
) -> Result<HashSet<String>> {
    let select = "SELECT r.event_id, r.resource_id FROM audit_resources r WHERE r.organization_id = $1 AND r.event_id";
    let rows: Vec<(String, String)> =
        of_events(tx, organization, events, select, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let about = rows.into_iter().filter(|(_, thing)| things.contains(thing));
    Ok(about.map(|(event, _)| event).collect())
}

/// Those of the events that are about one of the things, also beside another, and of one of the types.
fn about(
    tx: &mut Tx<'_>,
    organization: &str,
    events: &[String],
    things: &[String],
    further: &HashSet<String>,
    kinds: Option<&[String]>,
) -> Result<Vec<String>> {
    // The time is in no index, and without it SQLite reads the whole index of things.
    let select = "SELECT e.id, e.resource_id, e.kind, e.effective_at FROM audit_events e WHERE e.organization_id = $1 AND e.id";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let rows: Vec<(String, String, String)> = of_events(tx, organization, events, select, row)?;
    let is_meant = |(id, thing, kind): &(String, String, String)| {
        (things.contains(thing) || further.contains(id))
            && kinds.is_none_or(|kinds| kinds.contains(kind))
    };
    Ok(rows.into_iter().filter(is_meant).map(|(id, ..)| id).collect())
}

/// What a selection that ends with the id of an event finds of these events.
fn of_events<T>(
    tx: &mut Tx<'_>,
    organization: &str,
    events: &[String],
    select: &str,
    row: impl Fn(&Row<'_>) -> sql::Result<T>,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    for events in events.chunks(AT_ONCE) {
        let mut arguments = args![organization].to_vec();
        let places = sql::list(&mut arguments, events);
        found.extend(tx.all(&format!("{select} IN ({places})"), &arguments, &row)?);
    }
    Ok(found)
}
