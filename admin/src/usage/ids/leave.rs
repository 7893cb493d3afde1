//! Ids on their way from a batch into a run, and out of memory.

use sql::{Tx, args};

use super::run::{Hash, Run, pack};
use crate::error::Result;

/// So many hashes are in a portion: what is read when a filter says that one may be in there.
pub const CHUNK: usize = 4096;

/// Writes the run of what leaves the tail, in the transaction in which it leaves. The run is made before.
pub fn leave(tx: &mut Tx<'_>, organization: &str, run_id: &str, run: &Run) -> Result<()> {
    write_chunks(tx, organization, run_id, run.hashes(), CHUNK)?;
    write_run(tx, organization, run_id, run)
}

/// Writes hashes, sorted, as portions of a run.
pub(super) fn write_chunks(
    tx: &mut Tx<'_>,
    organization: &str,
    run_id: &str,
    hashes: &[Hash],
    chunk: usize,
) -> Result<()> {
    let sql = "INSERT INTO usage_id_chunks (organization_id, run_id, first, hashes) VALUES ($1, $2, $3, $4)";
    for hashes in hashes.chunks(chunk) {
        tx.execute(sql, args![organization, run_id, &hashes[0], &pack(hashes)])?;
    }
    Ok(())
}

/// Writes the row without which the portions of a run do not count.
pub(super) fn write_run(
    tx: &mut Tx<'_>,
    organization: &str,
    run_id: &str,
    run: &Run,
) -> Result<()> {
    let ids = i64::try_from(run.hashes().len()).unwrap_or(i64::MAX);
    tx.execute(
        "INSERT INTO usage_id_runs (organization_id, id, ids, last_time, filter) VALUES ($1, $2, $3, $4, $5)",
        args![organization, run_id, ids, run.last_time(), &run.filter().bytes()],
    )?;
    Ok(())
}

/// Forgets one run of which every event is older than this, and answers whether there was one. Its portions go with the next
/// passes of [`super::maintain`], a few at a time.
pub fn forget(tx: &mut Tx<'_>, organization: &str, before: i64) -> Result<bool> {
    let sql = "SELECT id, last_time FROM usage_id_runs WHERE organization_id = $1 ORDER BY id";
    let runs = tx.all(sql, args![organization], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let old = runs.into_iter().find(|(_, last): &(String, i64)| *last < before);
    let Some((id, _)) = old else { return Ok(false) };
    tx.execute(
        "DELETE FROM usage_id_runs WHERE organization_id = $1 AND id = $2",
        args![organization, &id],
    )?;
    Ok(true)
}
