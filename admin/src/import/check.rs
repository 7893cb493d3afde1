//! The first pass: reads the whole file and the store, and writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use sql::{Store, Tx, args};

use super::BATCH;
use super::consistency::{Consistency, Count};
use super::row::{Fault, Row, Rows};
use crate::domain::role::OrganizationRole;
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
    /// What the good rows are about.
    pub count: Count,
    /// The first faults, by line.
    pub faults: Vec<Fault>,
    /// How many faults there are in all.
    pub fault_count: u64,
    /// The lines that cannot be applied.
    pub bad_lines: BTreeSet<u64>,
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
}

/// Reads everything. `Err` is trouble with the store or a fault of the whole file; faults of rows are in the answer.
/// `progress` is told how many rows were read.
pub fn check(
    store: &Store,
    organization: &str,
    source: impl Read,
    mut progress: impl FnMut(u64),
) -> Result<Result<Check, Fault>> {
    let mut rows = match Rows::new(source) {
        Ok(rows) => rows,
        Err(fault) => return Ok(Err(fault)),
    };
    let (mut check, mut consistency) = (Check::default(), Consistency::default());
    let mut clear = BTreeSet::new();
    loop {
        let batch: Vec<_> = rows.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        check.rows += batch.len() as u64;
        let mut good = Vec::new();
        for row in batch {
            match row {
                Ok(row) => good.push(row),
                Err(fault) => check.fault(fault),
            }
        }
        let ambiguous = ambiguous_projects(store, organization, &good, &mut clear)?;
        for row in good {
            match row.membership.as_ref().and_then(|(project, _)| ambiguous.get(project)) {
                Some(ids) => {
                    let project = row.membership.as_ref().map_or("", |(project, _)| project);
                    let reason = format!(
                        "names more than one active project: {}; rename or archive some",
                        ids.join(", ")
                    );
                    check.fault(Fault::of(row.line, "project", project, reason));
                }
                None => consistency.add(&row),
            }
        }
        progress(check.rows);
    }
    let (count, contradictions) = consistency.finish();
    check.count = count;
    for fault in contradictions {
        check.fault(fault);
    }
    owners(store, organization, &consistency, &mut check)?;
    check.faults.sort_by_key(|fault| fault.line);
    Ok(Ok(check))
}

/// The names of these rows that more than one active project has, with their ids.
fn ambiguous_projects(
    store: &Store,
    organization: &str,
    rows: &[Row],
    clear: &mut BTreeSet<String>,
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

/// Who loses the owner role, and whether anybody keeps it.
fn owners(
    store: &Store,
    organization: &str,
    consistency: &Consistency,
    check: &mut Check,
) -> Result<()> {
    let organization = organization.to_owned();
    let sql = "SELECT email FROM users WHERE organization_id = $1 AND role = 'owner' ORDER BY id";
    let owners: Vec<String> = store.read_blocking(move |tx| {
        Ok::<_, Error>(tx.all(sql, args![&organization], |row| row.get(0))?)
    })?;
    let (demoted, kept): (Vec<_>, Vec<_>) =
        owners.into_iter().partition(|owner| consistency.says(owner, OrganizationRole::Reader));
    check.demoted = demoted;
    if kept.is_empty() && !consistency.has_owner() {
        let reason = format!(
            "the file would leave the organization without an owner: it makes {} a reader",
            check.demoted.join(", ")
        );
        check.fault(Fault::of_line(1, reason));
    }
    Ok(())
}
