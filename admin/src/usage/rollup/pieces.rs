//! Segments in the store.

use sql::{Tx, args};

use super::Loss;
use super::segment::{Segment, cut};
use super::table::Table;
use super::width::Width;
use crate::domain::id::Ids;
use crate::usage::kind::Kind;

/// What segments are about: a kind, a width, and the beginning of their time.
pub(super) type Time = (Kind, Width, i64);

/// A segment with its place in the store.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub time: Time,
    pub number: String,
    pub segment: Segment,
}

/// Cuts a table of a kind and a width into pieces.
pub(super) fn pieces(kind: Kind, width: Width, table: &Table, ids: &Ids) -> Vec<Piece> {
    let piece = |segment: Segment| Piece {
        time: (kind, width, segment.start),
        number: ids.make(""),
        segment,
    };
    cut(table, width).into_iter().map(piece).collect()
}

/// Writes pieces.
pub(super) fn write(tx: &mut Tx<'_>, organization: &str, pieces: &[Piece]) -> sql::Result<()> {
    let sql =
        "INSERT INTO usage_segments (organization_id, kind, width, start, number, totals, body)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    for Piece { time: (kind, width, start), number, segment } in pieces {
        let Segment { totals, body, .. } = segment;
        tx.execute(
            sql,
            args![organization, kind.name(), width.seconds(), *start, number, totals, body],
        )?;
    }
    Ok(())
}

/// Removes exactly these segments of a time. Whoever finds that some are gone comes too late.
pub(super) fn remove(
    tx: &mut Tx<'_>,
    organization: &str,
    time: Time,
    numbers: &[String],
) -> Result<(), Loss> {
    let (kind, width, start) = time;
    let mut arguments = args![organization, kind.name(), width.seconds(), start].to_vec();
    let places = sql::list(&mut arguments, numbers);
    let sql = format!(
        "DELETE FROM usage_segments
         WHERE organization_id = $1 AND kind = $2 AND width = $3 AND start = $4 AND number IN ({places})"
    );
    let removed = tx.execute(&sql, &arguments)?;
    if removed == numbers.len() as u64 { Ok(()) } else { Err(Loss::Lost) }
}
