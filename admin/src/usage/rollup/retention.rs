//! Removing what is not kept any more, in portions that hold up nobody.

use sql::{Tx, args};

use super::merge::organizations;
use super::width::Width;
use super::{Loss, Roller};
use crate::error::{Error, Result};
use crate::usage::ids;
use crate::usage::keep::{GRACE, Keep, before};
use crate::usage::kind::Kind;

/// How often it is looked for what is too old, in milliseconds.
const EVERY: u64 = 60_000;
/// So many segments are removed at once.
const SEGMENTS: i64 = 200;
/// So many batches are removed at once; they are larger.
const BATCHES: i64 = 16;

impl Roller {
    /// Removes what is too old, if it was not looked for lately. What is removed at one width changes none of the others.
    pub(super) async fn remove_old(&mut self) -> Result<()> {
        let now_ms = self.app.clock.now_ms();
        if self.removed_at.is_some_and(|at| at + EVERY > now_ms) {
            return Ok(());
        }
        self.removed_at = Some(now_ms);
        let (now, keep) = (self.app.clock.now(), self.app.settings.usage_keep);
        for organization in self.app.store.read(organizations).await? {
            while self.remove_some(&organization, now, keep).await? {}
        }
        Ok(())
    }

    /// Removes a portion, and answers whether there was something.
    async fn remove_some(&self, organization: &str, now: i64, keep: Keep) -> Result<bool> {
        let organization = organization.to_owned();
        let name = organization.clone();
        let read = move |tx: &mut Tx<'_>| is_old(tx, &name, now, keep);
        if !self.app.store.read::<_, Error>(read).await? {
            return Ok(false);
        }
        let remove = move |tx: &mut Tx<'_>| remove(tx, &organization, now, keep);
        match self.app.store.write(remove).await {
            Ok(found) => Ok(found),
            // Somebody else does it.
            Err(Loss::Lost) => Ok(false),
            Err(Loss::Failed(error)) => Err(error),
        }
    }
}

/// Since when a width is kept.
fn kept_from(width: Width, now: i64, keep: Keep) -> Option<i64> {
    let days = match width {
        Width::Minute => keep.minutes,
        Width::Hour => keep.hours,
        Width::Day => keep.days,
    };
    before(days, now)
}

/// All kinds with their widths that end, and the last beginning of a segment that lies before that as a whole.
fn ends(now: i64, keep: Keep) -> impl Iterator<Item = (Kind, Width, i64)> {
    let kinds = Kind::OF_EVENTS.into_iter().chain([Kind::Costs]);
    let all = kinds.flat_map(|kind| Width::of(kind).iter().map(move |width| (kind, *width)));
    all.filter_map(move |(kind, width)| {
        Some((kind, width, kept_from(width, now, keep)? - width.span()))
    })
}

fn is_old(tx: &mut Tx<'_>, organization: &str, now: i64, keep: Keep) -> Result<bool> {
    for (kind, width, last) in ends(now, keep) {
        if !old_segments(tx, organization, (kind, width, last), 1)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(!old_batches(tx, organization, now, keep, 1)?.is_empty()
        || forgettable(tx, organization, now, keep)?)
}

/// Removes a portion of one thing.
fn remove(tx: &mut Tx<'_>, organization: &str, now: i64, keep: Keep) -> Result<bool, Loss> {
    for (kind, width, last) in ends(now, keep) {
        let found = old_segments(tx, organization, (kind, width, last), SEGMENTS)?;
        let Some((start, number)) = found.last() else { continue };
        tx.execute(
            "DELETE FROM usage_segments
             WHERE organization_id = $1 AND kind = $2 AND width = $3 AND (start, number) <= ($4, $5)",
            args![organization, kind.name(), width.seconds(), *start, number],
        )?;
        return Ok(true);
    }
    let batches = old_batches(tx, organization, now, keep, BATCHES)?;
    if !batches.is_empty() {
        let mut arguments = args![organization].to_vec();
        let places = sql::list(&mut arguments, &batches);
        let sql =
            format!("DELETE FROM usage_batches WHERE organization_id = $1 AND id IN ({places})");
        tx.execute(&sql, &arguments)?;
        return Ok(true);
    }
    match before(keep.events, now) {
        Some(before) => Ok(ids::forget(tx, organization, before - GRACE)?),
        None => Ok(false),
    }
}

/// The first segments that begin no later than this.
fn old_segments(
    tx: &mut Tx<'_>,
    organization: &str,
    (kind, width, last): (Kind, Width, i64),
    most: i64,
) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT start, number FROM usage_segments
               WHERE organization_id = $1 AND kind = $2 AND width = $3 AND start <= $4 ORDER BY start, number LIMIT $5";
    let arguments = args![organization, kind.name(), width.seconds(), last, most];
    Ok(tx.all(sql, arguments, |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// The first batches that are rolled up and neither came in nor end since events are kept.
fn old_batches(
    tx: &mut Tx<'_>,
    organization: &str,
    now: i64,
    keep: Keep,
    most: i64,
) -> Result<Vec<String>> {
    let Some(before) = before(keep.events, now) else { return Ok(Vec::new()) };
    let sql = "SELECT id, received_at, last_time FROM usage_batches b WHERE organization_id = $1
               AND NOT EXISTS (SELECT 1 FROM usage_tail t WHERE t.organization_id = $1 AND t.batch_id = b.id)
               ORDER BY id LIMIT $2";
    let found: Vec<(String, i64, i64)> =
        tx.all(sql, args![organization, most], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let old =
        found.into_iter().take_while(|(_, received, last)| *received.max(last) < before - GRACE);
    Ok(old.map(|(id, ..)| id).collect())
}

/// Whether a run of ids is old enough to be forgotten.
fn forgettable(tx: &mut Tx<'_>, organization: &str, now: i64, keep: Keep) -> Result<bool> {
    let Some(before) = before(keep.events, now) else { return Ok(false) };
    let sql = "SELECT last_time FROM usage_id_runs WHERE organization_id = $1 ORDER BY id";
    let times: Vec<i64> = tx.all(sql, args![organization], |row| row.get(0))?;
    Ok(times.into_iter().any(|last| last < before - GRACE))
}
