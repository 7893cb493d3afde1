//! Merging: of several segments of one time into one that says the same.

use std::collections::BTreeMap;

use sql::{Tx, args};

use super::pieces::{self, Piece, Time};
use super::segment::View;
use super::table::Table;
use super::width::Width;
use super::{Loss, Roller, Shape, Spread};
use crate::domain::id::Ids;
use crate::error::{Error, Result};
use crate::usage::kind::Kind;

/// A segment of a time, with its size.
#[derive(Debug, Clone)]
struct Sized {
    number: String,
    bytes: usize,
}

/// What is merged into one.
#[derive(Debug, Clone)]
struct Merging {
    time: Time,
    numbers: Vec<String>,
    bodies: Vec<Vec<u8>>,
}

/// What is to be written.
#[derive(Clone)]
struct Merged {
    organization: String,
    replaced: Vec<(Time, Vec<String>)>,
    pieces: Vec<Piece>,
}

impl Roller {
    /// Finds out once for each organization which times have several segments: those that an earlier process left. The first time
    /// that is done for all of them, afterwards for those that are new here.
    pub(super) async fn look_at_new(&mut self, waiting: &[String]) -> Result<()> {
        let known: Vec<_> = self.spread.keys().cloned().collect();
        let is_first = known.is_empty();
        let waiting: Vec<_> =
            waiting.iter().filter(|organization| !known.contains(*organization)).cloned().collect();
        if !is_first && waiting.is_empty() {
            return Ok(());
        }
        let read = move |tx: &mut Tx<'_>| {
            let all = if is_first { organizations(tx)? } else { waiting.clone() };
            all.into_iter()
                .map(|organization| Ok((spread(tx, &organization)?, organization)))
                .collect::<Result<Vec<_>>>()
        };
        for (found, organization) in self.app.store.read(read).await? {
            self.unsettled.insert(organization.clone());
            self.spread.insert(organization, found);
        }
        Ok(())
    }

    /// Merges what has to be merged of an organization, as much as goes at once. Answers whether there was something.
    pub(super) async fn merge(&mut self, organization: &str) -> Result<bool, Loss> {
        let (shape, now) = (self.shape, self.app.clock.now_ms());
        let Some(spread) = self.spread.get_mut(organization) else { return Ok(false) };
        // A single segment that has been quiet for long has nothing to be merged with.
        spread.retain(|_, known| known.segments > 1 || known.added_at + shape.quiet > now);
        let is_due = |known: &Spread| {
            known.segments >= shape.factor
                || known.segments > 1 && known.added_at + shape.quiet <= now
        };
        let due: Vec<_> = spread
            .iter()
            .filter(|(_, known)| is_due(known))
            .map(|(time, known)| (*time, *known))
            .collect();
        if due.is_empty() {
            return Ok(false);
        }
        let (name, times) = (organization.to_owned(), due.clone());
        let read = move |tx: &mut Tx<'_>| take(tx, &name, &times, shape, now);
        let (looked_at, merging) = self.app.store.read::<_, Error>(read).await?;
        let (app, name) = (self.app.clone(), organization.to_owned());
        let merged = self.app.aside.run(move || add_up(name, merging, &app.ids)).await??;
        let replaced = merged
            .replaced
            .iter()
            .map(|(time, numbers)| (*time, numbers.len()))
            .collect::<BTreeMap<_, _>>();
        if !replaced.is_empty() {
            self.app.store.write(move |tx| merged.write(tx)).await?;
        }
        let Some(spread) = self.spread.get_mut(organization) else { return Ok(false) };
        for (time, found) in looked_at {
            let merged = replaced.get(&time).map_or(0, |merged| merged - 1);
            let Some(known) = spread.get_mut(&time) else { continue };
            let is_quiet = known.added_at + shape.quiet <= now;
            known.segments = found - merged;
            if merged == 0 && (found >= shape.factor || is_quiet) {
                // They are too large to be merged. Nobody looks at them before another is added.
                spread.remove(&time);
            }
        }
        Ok(true)
    }
}

/// All organizations.
pub(super) fn organizations(tx: &mut Tx<'_>) -> sql::Result<Vec<String>> {
    tx.all("SELECT id FROM organizations ORDER BY id", args![], |row| row.get(0))
}

/// The times of an organization that have several segments.
fn spread(tx: &mut Tx<'_>, organization: &str) -> Result<BTreeMap<Time, Spread>> {
    let mut found = BTreeMap::new();
    let kinds = Kind::OF_EVENTS.into_iter().chain([Kind::Costs]);
    let all = kinds.flat_map(|kind| Width::of(kind).iter().map(move |width| (kind, *width)));
    for (kind, width) in all {
        let sql = "SELECT start, COUNT(*) FROM usage_segments
                   WHERE organization_id = $1 AND kind = $2 AND width = $3 GROUP BY start HAVING COUNT(*) > 1";
        let arguments = args![organization, kind.name(), width.seconds()];
        let several: Vec<(i64, i64)> =
            tx.all(sql, arguments, |row| Ok((row.get(0)?, row.get(1)?)))?;
        found.extend(several.into_iter().map(|(start, segments)| {
            let segments = usize::try_from(segments).unwrap_or_default();
            ((kind, width, start), Spread { segments, added_at: 0 })
        }));
    }
    Ok(found)
}

/// How many segments each time has.
type LookedAt = Vec<(Time, usize)>;

/// Reads what is merged together, of as many times as goes at once, and how many segments each time has that was looked at.
fn take(
    tx: &mut Tx<'_>,
    organization: &str,
    due: &[(Time, Spread)],
    shape: Shape,
    now: u64,
) -> Result<(LookedAt, Vec<Merging>)> {
    let (mut looked_at, mut taken, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (time, known) in due {
        if bytes >= shape.largest {
            break;
        }
        let found = sizes(tx, organization, *time)?;
        looked_at.push((*time, found.len()));
        let is_quiet = known.added_at + shape.quiet <= now;
        if found.len() < shape.factor && !is_quiet {
            continue;
        }
        let chosen = choose(found, shape, is_quiet);
        if chosen.len() < 2 {
            continue;
        }
        bytes += chosen.iter().map(|one| one.bytes).sum::<usize>();
        let numbers: Vec<_> = chosen.into_iter().map(|one| one.number).collect();
        let bodies = bodies(tx, organization, *time, &numbers)?;
        taken.push(Merging { time: *time, numbers, bodies });
    }
    Ok((looked_at, taken))
}

/// Which segments of a time are merged: the smallest, up to those that are larger than all of these together. So a large one is not
/// written again for each small one, and few are left. Where it has been quiet all go together that fit.
fn choose(mut found: Vec<Sized>, shape: Shape, is_quiet: bool) -> Vec<Sized> {
    found.sort_unstable_by_key(|one| one.bytes);
    let (mut sum, mut count) = (0, 0);
    for one in &found {
        let is_small = is_quiet || count < 2 || one.bytes <= 2 * sum;
        if sum + one.bytes > shape.largest || !is_small {
            break;
        }
        sum += one.bytes;
        count += 1;
    }
    found.truncate(count);
    found
}

fn sizes(tx: &mut Tx<'_>, organization: &str, (kind, width, start): Time) -> Result<Vec<Sized>> {
    let sql = "SELECT number, CAST(LENGTH(body) AS BIGINT) FROM usage_segments
               WHERE organization_id = $1 AND kind = $2 AND width = $3 AND start = $4 ORDER BY number";
    let arguments = args![organization, kind.name(), width.seconds(), start];
    let read = tx.all(sql, arguments, |row| Ok((row.get(0)?, row.get::<i64>(1)?)))?;
    let size =
        |(number, bytes)| Sized { number, bytes: usize::try_from(bytes).unwrap_or_default() };
    Ok(read.into_iter().map(size).collect())
}

fn bodies(
    tx: &mut Tx<'_>,
    organization: &str,
    time: Time,
    numbers: &[String],
) -> Result<Vec<Vec<u8>>> {
    let (kind, width, start) = time;
    let mut arguments = args![organization, kind.name(), width.seconds(), start].to_vec();
    let places = sql::list(&mut arguments, numbers);
    let sql = format!(
        "SELECT body FROM usage_segments
         WHERE organization_id = $1 AND kind = $2 AND width = $3 AND start = $4 AND number IN ({places})"
    );
    let bodies: Vec<_> = tx.all(&sql, &arguments, |row| row.get(0))?;
    if bodies.len() == numbers.len() {
        Ok(bodies)
    } else {
        Err(Error::internal("a segment of usage was read twice"))
    }
}

fn add_up(organization: String, merging: Vec<Merging>, ids: &Ids) -> Result<Merged> {
    let mut merged = Merged { organization, replaced: Vec::new(), pieces: Vec::new() };
    for Merging { time: (kind, width, start), numbers, bodies } in merging {
        let mut table = Table::new(kind.measures().len());
        for body in &bodies {
            View::read(body)?.add_to(&mut table, start, width);
        }
        merged.pieces.extend(pieces::pieces(kind, width, &table.summed(), ids));
        merged.replaced.push(((kind, width, start), numbers));
    }
    Ok(merged)
}

impl Merged {
    fn write(&self, tx: &mut Tx<'_>) -> Result<(), Loss> {
        for (time, numbers) in &self.replaced {
            pieces::remove(tx, &self.organization, *time, numbers)?;
        }
        pieces::write(tx, &self.organization, &self.pieces)?;
        Ok(())
    }
}
