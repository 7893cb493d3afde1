//! Where certificates are active: several at once, all of them or none.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};
use sql::{Arg, Tx, args};

use super::store::{Certificate, Placed, not_found};
use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::error::{Error, Result};
use crate::resources::level::Level;

/// What is to become of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// They are to be active.
    On,
    /// They are not to be.
    Off,
}

/// Makes certificates active at a level, or ends that. What is so already stays so. Answers each once, in the order of the request.
pub fn turn(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    ids: &[String],
    turn: Turn,
) -> Result<Vec<Placed>> {
    let mut rows = all_of(tx, level, ids)?;
    if turn == Turn::On {
        refuse_expired(by, ids, &rows)?;
    }
    let mut seen = HashSet::new();
    rows.retain(|row| seen.insert(row.certificate.id.clone()));
    let is_active = turn == Turn::On;
    let mut changed = Vec::new();
    for row in rows.iter_mut().filter(|row| row.is_active != is_active) {
        row.is_active = is_active;
        changed.push(&row.certificate);
    }
    write(tx, level, &changed, turn)?;
    append(tx, by, level, &changed, turn)?;
    Ok(rows)
}

/// The certificate of each of these ids, or 404 for the first that is none.
fn all_of(tx: &mut Tx<'_>, level: &Level, ids: &[String]) -> Result<Vec<Placed>> {
    let found = find_several(tx, level, ids)?;
    let one = |(place, id): (usize, &String)| {
        let unknown = || not_found(id).param(format!("certificate_ids[{place}]"));
        found.get(id).cloned().ok_or_else(unknown)
    };
    ids.iter().enumerate().map(one).collect()
}

fn refuse_expired(by: &Author, ids: &[String], rows: &[Placed]) -> Result<()> {
    match rows.iter().position(|row| row.certificate.expires_at <= by.now) {
        None => Ok(()),
        Some(place) => {
            let message = format!(
                "Certificate '{}' has expired and cannot be activated. Upload its successor and activate that.",
                ids[place]
            );
            let param = format!("certificate_ids[{place}]");
            Err(Error::invalid("certificate_expired", message).param(param))
        }
    }
}

/// Those of these certificates that there are, with whether they are active at this level.
fn find_several(
    tx: &mut Tx<'_>,
    level: &Level,
    ids: &[String],
) -> Result<BTreeMap<String, Placed>> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).filter(|id| is_possible_id(id)).collect();
    let Some((places, arguments)) = several(level, &ids) else { return Ok(BTreeMap::new()) };
    let sql = format!(
        "SELECT c.id, c.name, c.subject, c.fingerprint, c.valid_at, c.expires_at, c.created_at, a.certificate_id
         FROM certificates c
         LEFT JOIN certificate_activations a
             ON a.organization_id = $1 AND a.project_id = $2 AND a.certificate_id = c.id
         WHERE c.organization_id = $1 AND c.id IN ({places})"
    );
    let rows = tx.all(&sql, &arguments, Placed::from_row)?;
    Ok(rows.into_iter().map(|row| (row.certificate.id.clone(), row)).collect())
}

fn write(tx: &mut Tx<'_>, level: &Level, changed: &[&Certificate], turn: Turn) -> Result<()> {
    let ids: Vec<&str> = changed.iter().map(|certificate| certificate.id.as_str()).collect();
    let Some((places, arguments)) = several(level, &ids) else { return Ok(()) };
    let sql = match turn {
        Turn::On => format!(
            "INSERT INTO certificate_activations (organization_id, project_id, certificate_id)
             SELECT $1, $2, id FROM certificates WHERE organization_id = $1 AND id IN ({places})
             ON CONFLICT DO NOTHING"
        ),
        Turn::Off => format!(
            "DELETE FROM certificate_activations
             WHERE organization_id = $1 AND project_id = $2 AND certificate_id IN ({places})"
        ),
    };
    tx.execute(&sql, &arguments)?;
    Ok(())
}

/// The arguments of a statement about some certificates at a level, which are the third and those behind it, and their places in the
/// text.
fn several<'a>(level: &'a Level, ids: &[&'a str]) -> Option<(String, Vec<Arg<'a>>)> {
    let mut arguments = args![&level.organization, level.project_key()].to_vec();
    let places = sql::list(&mut arguments, ids.iter().copied());
    (!ids.is_empty()).then_some((places, arguments))
}

/// One event for all that changed, and none for nothing.
fn append(
    tx: &mut Tx<'_>,
    by: &Author,
    level: &Level,
    changed: &[&Certificate],
    turn: Turn,
) -> Result<()> {
    let Some(first) = changed.first() else { return Ok(()) };
    let kind = match turn {
        Turn::On => "certificates.activated",
        Turn::Off => "certificates.deactivated",
    };
    let told: Vec<Value> = changed.iter().map(|certificate| certificate.told()).collect();
    let payload = json!({ "certificates": told });
    let others: Vec<&str> =
        changed[1..].iter().map(|certificate| certificate.id.as_str()).collect();
    let event = Event::new(kind, &first.id, payload).about(&others);
    audit::append(tx, by, &level.place(event))
}
