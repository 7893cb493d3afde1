//! Segments: a table packed into bytes that are read where they lie.
//!
//! A version, how many rows, measures and buckets there are, and then columns: how many rows each bucket has, the rows' series, and a
//! column for each measure. Rows stand by bucket, then by series.

use std::ops::Range;

use super::column::{self, Column};
use super::table::Table;
use super::width::Width;
use crate::error::{Error, Result};
use crate::usage::event::Amount;

/// How segments are packed today.
const VERSION: u8 = 1;
/// What stands before the columns: the version, the rows (4 bytes), the measures, the buckets.
const HEAD: usize = 7;

/// A segment to be written.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The beginning of its time.
    pub start: i64,
    /// The sums of its buckets over all series, packed like a body with one series.
    pub totals: Vec<u8>,
    /// The sums of its buckets by series.
    pub body: Vec<u8>,
}

impl Segment {
    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.totals.len() + self.body.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Cuts a summed table into segments.
#[must_use]
pub fn cut(table: &Table, width: Width) -> Vec<Segment> {
    let keys = table.keys();
    let (mut segments, mut from) = (Vec::new(), 0);
    while from < keys.len() {
        let start = width.span_of(keys[from].0);
        let to = from + keys[from..].partition_point(|(time, _)| *time < start + width.span());
        let part = table.part(from, to);
        let totals = pack(&part.totals(), start, width);
        segments.push(Segment { start, totals, body: pack(&part, start, width) });
        from = to;
    }
    segments
}

fn pack(table: &Table, start: i64, width: Width) -> Vec<u8> {
    let (rows, measures) = (table.keys().len(), table.measures());
    let buckets = usize::try_from(width.buckets()).unwrap_or_default();
    let mut counts = vec![0; buckets];
    for (time, _) in table.keys() {
        let place = usize::try_from((time - start) / width.seconds()).unwrap_or_default();
        counts[place] += 1;
    }
    let mut out = Vec::with_capacity(HEAD + rows * (4 + 2 * measures));
    out.push(VERSION);
    out.extend_from_slice(&u32::try_from(rows).unwrap_or(u32::MAX).to_le_bytes());
    out.extend([measures, buckets].map(|count| count.to_le_bytes()[0]));
    column::write(&mut out, counts.into_iter());
    column::write(&mut out, table.keys().iter().map(|(_, series)| Amount::from(*series)));
    for measure in 0..measures {
        column::write(&mut out, (0..rows).map(|row| table.sum(row, measure)));
    }
    out
}

/// A segment as it lies in the store.
#[derive(Debug)]
pub struct View<'a> {
    /// Behind the last row of each bucket.
    ends: Vec<usize>,
    series: Column<'a>,
    measures: Vec<Column<'a>>,
}

impl<'a> View<'a> {
    /// Looks at the bytes of a body or of totals.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        Self::parse(bytes).ok_or_else(|| {
            Error::internal("a segment of usage cannot be read: it is broken, or of another version of this program")
        })
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let [VERSION, a, b, c, d, measures, buckets] = *head else { return None };
        let rows = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
        let (counts, rest) = Column::split(rest, buckets.into())?;
        let (series, mut rest) = Column::split(rest, rows)?;
        let (mut ends, mut end) = (Vec::with_capacity(buckets.into()), 0_usize);
        counts.each(0..buckets.into(), |_, count| {
            end = end.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
            ends.push(end);
        });
        let mut columns = Vec::with_capacity(measures.into());
        for _ in 0..measures {
            let (column, behind) = Column::split(rest, rows)?;
            columns.push(column);
            rest = behind;
        }
        (end == rows && rest.is_empty()).then_some(Self { ends, series, measures: columns })
    }

    /// The rows of a bucket, by its place in the segment.
    #[must_use]
    pub fn rows(&self, bucket: usize) -> Range<usize> {
        let end = |bucket: usize| self.ends.get(bucket).copied();
        let from = bucket.checked_sub(1).and_then(end).unwrap_or_default();
        from..end(bucket).unwrap_or(from)
    }

    /// The numbers of the rows' series.
    #[must_use]
    pub fn series(&self) -> Column<'a> {
        self.series
    }

    /// The columns of the measures.
    #[must_use]
    pub fn measures(&self) -> &[Column<'a>] {
        &self.measures
    }

    /// Adds its rows to a table.
    pub fn add_to(&self, table: &mut Table, start: i64, width: Width) {
        let mut time = start;
        for bucket in 0..self.ends.len() {
            let rows = self.rows(bucket);
            let mut first = None;
            self.series.each(rows.clone(), |_, series| {
                let place = table.push_zeros((time, u32::try_from(series).unwrap_or(u32::MAX)));
                first.get_or_insert(place);
            });
            let (first, stride) = (first.unwrap_or_default(), table.measures());
            for (measure, column) in
                self.measures.iter().enumerate().filter(|(_, column)| !column.is_zero())
            {
                let sums = table.sums_mut();
                column.each(rows.clone(), |place, number| {
                    sums[first + place * stride + measure] = number
                });
            }
            time += width.seconds();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[((i64, u32), [Amount; 2])]) -> Table {
        let mut table = Table::new(2);
        for (key, sums) in rows {
            table.push(*key, *sums);
        }
        table.summed()
    }

    #[test]
    fn what_is_cut_adds_up_to_the_whole() {
        for width in Width::ALL {
            let rows: Vec<_> = (0..500_i64)
                .map(|number| {
                    let time = width.floor(number * 977 - 90_000);
                    (
                        (time, u32::try_from(number * 7 % 300).unwrap()),
                        [number.into(), 1 << (number % 100)],
                    )
                })
                .collect();
            let whole = table(&rows);
            let segments = cut(&whole, width);
            assert!(
                segments.len() > 1 && segments.is_sorted_by(|one, next| one.start < next.start)
            );
            let mut again = Table::new(2);
            let mut totals = Table::new(2);
            for segment in &segments {
                assert_eq!(segment.start, width.span_of(segment.start));
                View::read(&segment.body).unwrap().add_to(&mut again, segment.start, width);
                View::read(&segment.totals).unwrap().add_to(&mut totals, segment.start, width);
            }
            assert_eq!((again, totals), (whole.clone(), whole.totals()));
        }
    }

    #[test]
    fn a_broken_segment_is_refused() {
        let whole = table(&[((60, 1), [2, 3]), ((120, 4), [500, 6])]);
        let body = cut(&whole, Width::Minute).remove(0).body;
        for length in 0..body.len() {
            assert!(View::read(&body[..length]).is_err());
        }
        let mut longer = body.clone();
        longer.push(0);
        assert!(View::read(&longer).is_err());
        let mut other = body;
        other[0] = VERSION + 1;
        assert!(View::read(&other).is_err());
    }
}
