//! The first pass: reads the whole file and the store, and writes nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{Read, Seek};

use sql::{Store, Tx};

use super::consistency::{Consistency, Count};
use super::fault::Fault;
use super::row::{Row, Rows};
use super::{LOOKED_AT, lookup};
use crate::error::{Error, Result};
use crate::resources::projects::store as projects;

/// More faults than anybody reads are counted, not kept.
const KEPT_FAULTS: usize = 1000;
/// So many names of projects are remembered as clear before they are asked for again.
const REMEMBERED: usize = 10_000;

/// What the first pass found.
#[derive(Debug, Default)]
pub struct Check {
    /// Rows of the file, without its header.
    pub rows: u64,
    /// What the rows without fault are about.
    pub count: Count,
    /// The first faults, by line.
    pub faults: Vec<Fault>,
    /// How many faults there are in all.
    pub fault_count: u64,
    /// The lines on which the rows begin that cannot be applied.
    pub bad_lines: BTreeSet<u64>,
    /// Whether a fault is one of the whole file, which leaving lines out does not mend.
    pub is_hopeless: bool,
    /// Owners whom the file makes readers, by address.
    pub demoted: Vec<String>,
}

impl Check {
    fn fault(&mut self, fault: Fault) {
        self.fault_count += 1;
        self.bad_lines.insert(fault.line);
        if self.faults.len() < KEPT_FAULTS {
            self.faults.push(fault);
        }
    }

    fn hopeless(mut self, fault: Fault) -> Self {
        self.fault(fault);
        self.is_hopeless = true;
        self
    }
}

/// Reads everything. `Err` is trouble with the store; what is wrong with the file is in the answer.
pub fn check(store: &Store, organization: &str, source: &mut (impl Read + Seek)) -> Result<Check> {
    let unseekable = |error| Fault::of_line(1, format!("the file cannot be read: {error}"));
    let begun = source.rewind().map_err(unseekable).and_then(|()| Rows::new(source.by_ref()));
    let mut rows = match begun {
        Ok(rows) => rows,
        Err(fault) => return Ok(Check::default().hopeless(fault)),
    };
    let (mut check, mut consistency) = (Check::default(), Consistency::default());
    let mut clear = HashSet::new();
    loop {
        let portion: Vec<_> = rows.by_ref().take(LOOKED_AT).collect();
        if portion.is_empty() {
            break;
        }
        check.rows += portion.len() as u64;
        let good = sorted_out(portion, &mut check);
        let ambiguous = ambiguous_projects(store, organization, &good, &mut clear)?;
        for row in &good {
            match ambiguity(row, &ambiguous) {
                Some(fault) => check.fault(fault),
                None => consistency.add(row),
            }
        }
    }
    check.is_hopeless = rows.is_unreadable();
    for fault in consistency.finish() {
        check.fault(fault);
    }
    name_values(source, &mut check.faults);
    check.count = consistency.count();
    let mut check = owners(store, organization, &consistency, check)?;
    check.faults.sort_by_key(|fault| fault.line);
    Ok(check)
}

fn sorted_out(portion: Vec<Result<Row, Fault>>, check: &mut Check) -> Vec<Row> {
    let mut good = Vec::with_capacity(portion.len());
    for row in portion {
        match row {
            Ok(row) => good.push(row),
            Err(fault) => check.fault(fault),
        }
    }
    good
}

fn ambiguity(row: &Row, ambiguous: &BTreeMap<String, Vec<String>>) -> Option<Fault> {
    let (project, _) = row.membership.as_ref()?;
    let ids = ambiguous.get(project)?.join(", ");
    let reason =
        format!("names more than one active project: {ids}; rename or archive all but one");
    Some(Fault::of(row.line, "project", project, reason))
}

/// The names of these rows that more than one active project has, with their ids.
fn ambiguous_projects(
    store: &Store,
    organization: &str,
    rows: &[Row],
    clear: &mut HashSet<String>,
) -> Result<BTreeMap<String, Vec<String>>> {
    let names = rows.iter().filter_map(|row| row.membership.as_ref().map(|(project, _)| project));
    let names: BTreeSet<_> = names.filter(|name| !clear.contains(*name)).cloned().collect();
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (organization, asked) = (organization.to_owned(), names.clone());
    let look_up = move |tx: &mut Tx<'_>| {
        let mut ambiguous = BTreeMap::new();
        for name in &asked {
            let found = projects::find_by_name(tx, &organization, name)?;
            if found.len() > 1 {
                let ids = found.into_iter().map(|project| project.id).collect::<Vec<_>>();
                ambiguous.insert(name.clone(), ids);
            }
        }
        Ok::<_, Error>(ambiguous)
    };
    let ambiguous = store.read_blocking(look_up)?;
    if clear.len() > REMEMBERED {
        clear.clear();
    }
    clear.extend(names.into_iter().filter(|name| !ambiguous.contains_key(name)));
    Ok(ambiguous)
}

/// Puts the names into the faults that contradict one: only hashes of them were kept, so the file is read once more.
fn name_values(source: &mut (impl Read + Seek), faults: &mut [Fault]) {
    let is_open = |fault: &Fault| fault.column == Some("name") && fault.value.is_empty();
    if !faults.iter().any(is_open) || source.rewind().is_err() {
        return;
    }
    let open = faults.iter_mut().filter(|fault| is_open(fault));
    let mut open: BTreeMap<_, _> = open.map(|fault| (fault.line, fault)).collect();
    for row in Rows::new(source).into_iter().flatten().flatten() {
        if let (Some(fault), Some(name)) = (open.remove(&row.line), row.name) {
            *fault = Fault::of(row.line, "name", &name, std::mem::take(&mut fault.reason));
        }
        if open.is_empty() {
            return;
        }
    }
}

/// Who loses the owner role, and whether anybody keeps it.
fn owners(
    store: &Store,
    organization: &str,
    consistency: &Consistency,
    mut check: Check,
) -> Result<Check> {
    let organization = organization.to_owned();
    let owners = store.read_blocking(move |tx| lookup::owners(tx, &organization))?;
    let all = owners.len();
    let demoting = |owner: String| consistency.makes_reader(&owner).map(|line| (line, owner));
    let demoted: Vec<_> = owners.into_iter().filter_map(demoting).collect();
    let is_last = demoted.len() == all && !consistency.has_owner();
    let first = demoted.iter().min().cloned();
    check.demoted = demoted.into_iter().map(|(_, owner)| owner).collect();
    Ok(match first.filter(|_| is_last) {
        Some((line, owner)) => {
            let reason = format!(
                "would leave the organization without an owner: {owner} is the last; let the file make somebody an owner"
            );
            check.hopeless(Fault::of(line, "role", "reader", reason))
        }
        None => check,
    })
}
