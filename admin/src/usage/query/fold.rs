//! Adding up one bucket.

use std::collections::BTreeMap;

use super::groups::{Groups, NOWHERE};
use super::{Bucket, Question, Row};
use crate::usage::event::Amount;
use crate::usage::rollup::dictionary::Dictionary;
use crate::usage::rollup::segment::View;
use crate::usage::rollup::tail::Counted;
use crate::usage::rollup::width::Width;

/// What is needed to add up buckets, one after another. It grows with the largest bucket.
pub struct Fold<'q> {
    question: &'q Question,
    groups: Groups<'q>,
    /// The rows of groups in this bucket, by their groups.
    rows: Vec<u32>,
    /// The groups in this bucket.
    present: Vec<u32>,
    sums: Vec<Amount>,
    /// The rows to which those of a segment go.
    targets: Vec<u32>,
    /// What the batches come to that are in no segment yet, by bucket and group.
    tail: BTreeMap<i64, BTreeMap<u32, Vec<Amount>>>,
}

impl<'q> Fold<'q> {
    pub fn new(question: &'q Question) -> Self {
        Self {
            question,
            groups: Groups::new(question),
            rows: Vec::new(),
            present: Vec::new(),
            sums: Vec::new(),
            targets: Vec::new(),
            tail: BTreeMap::new(),
        }
    }

    /// Takes up what a batch says of the time from one second to before another.
    pub fn add_batch(&mut self, counted: &Counted, from: i64, to: i64) {
        let Question { kind, width, .. } = *self.question;
        for part in counted.parts().iter().filter(|part| part.kind == kind) {
            let keys = part.table.keys();
            let begin = keys.partition_point(|(time, _)| *time < from);
            let end = keys.partition_point(|(time, _)| *time < to);
            for (row, (time, series)) in keys.iter().enumerate().take(end).skip(begin) {
                let series = &part.series[*series as usize];
                let group = self.groups.of(|dimension| series.value(dimension));
                if group == NOWHERE {
                    continue;
                }
                let bucket = self.tail.entry(width.floor(*time)).or_default();
                let sums = bucket.entry(group).or_insert_with(|| vec![0; part.table.measures()]);
                for (measure, sum) in sums.iter_mut().enumerate() {
                    *sum += part.table.sum(row, measure);
                }
            }
        }
    }

    /// Whether a batch says something of the segments that begin here.
    pub fn has_tail(&self, start: i64, width: Width) -> bool {
        self.tail.range(start..start + width.span()).next().is_some()
    }

    /// Adds up a bucket, of segments that begin at `start`, and hands it over.
    pub fn bucket<T>(
        &mut self,
        dictionary: &Dictionary,
        segments: &[View<'_>],
        start: i64,
        time: i64,
        draw: impl FnOnce(&Bucket<'_>) -> T,
    ) -> T {
        let width = self.question.width;
        let place = usize::try_from((time - start) / width.seconds()).unwrap_or_default();
        for segment in segments {
            self.add_rows(dictionary, segment, place);
        }
        if let Some(bucket) = self.tail.remove(&time) {
            let measures = self.question.kind.measures().len();
            for (group, more) in bucket {
                let row = self.row(group) as usize;
                let sums = &mut self.sums[row * measures..][..measures];
                sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            }
        }
        self.finish(time, draw)
    }

    fn add_rows(&mut self, dictionary: &Dictionary, segment: &View<'_>, place: usize) {
        let rows = segment.rows(place);
        if rows.is_empty() {
            return;
        }
        let mut targets = std::mem::take(&mut self.targets);
        targets.clear();
        segment.series().each(rows.clone(), |_, series| {
            let number = u32::try_from(series).unwrap_or(u32::MAX);
            let group = self.groups.of_number(dictionary, number);
            targets.push(if group == NOWHERE { NOWHERE } else { self.row(group) });
        });
        let measures = self.question.kind.measures().len();
        let columns = segment.measures().iter().enumerate().filter(|(_, column)| !column.is_zero());
        for (measure, column) in columns {
            column.each(rows.clone(), |place, number| {
                if targets[place] != NOWHERE {
                    self.sums[targets[place] as usize * measures + measure] += number;
                }
            });
        }
        self.targets = targets;
    }

    /// The row of a group in this bucket.
    fn row(&mut self, group: u32) -> u32 {
        if self.rows.len() < self.groups.len() {
            self.rows.resize(self.groups.len(), NOWHERE);
        }
        let row = &mut self.rows[group as usize];
        if *row == NOWHERE {
            *row = u32::try_from(self.present.len()).unwrap_or(NOWHERE);
            self.present.push(group);
            self.sums.extend(std::iter::repeat_n(0, self.question.kind.measures().len()));
        }
        *row
    }

    fn finish<T>(&mut self, start: i64, draw: impl FnOnce(&Bucket<'_>) -> T) -> T {
        let (width, measures) = (self.question.width, self.question.kind.measures().len());
        let mut present = std::mem::take(&mut self.present);
        self.groups.sort(&mut present);
        let rows = present.iter().map(|group| {
            let row = self.rows[*group as usize] as usize;
            Row {
                values: self.groups.values(*group),
                sums: &self.sums[row * measures..][..measures],
            }
        });
        let bucket = Bucket { start, end: start + width.seconds(), rows: rows.collect() };
        let drawn = draw(&bucket);
        for group in &present {
            self.rows[*group as usize] = NOWHERE;
        }
        present.clear();
        self.present = present;
        self.sums.clear();
        drawn
    }
}
