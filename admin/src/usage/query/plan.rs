//! Which segments are read, and which buckets are known already.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use sha2::{Digest, Sha256};
use sql::{Tx, args};

use super::fold::Fold;
use super::{Draw, Drawn, MOST, Period, Question};
use crate::error::Result;
use crate::piece::Piece;
use crate::usage::memory::Memory;
use crate::usage::rollup::dictionary::{Dictionary, Shared};
use crate::usage::rollup::segment::View;

/// The segments of so many times are read at once, and no more are in memory.
const AT_ONCE: i64 = 4;

/// What is to be done for an answer.
pub struct Plan<'q> {
    memory: &'q Memory,
    organization: &'q str,
    question: &'q Question,
    period: Period,
    dictionary: Shared,
    fold: Fold<'q>,
    /// The numbers of the segments, by the time at which these begin.
    segments: BTreeMap<i64, Vec<String>>,
    /// What the question and the form in which its answer is sent hash to.
    digest: Sha256,
    drawn: Vec<Drawn>,
    weight: u64,
}

impl<'q> Plan<'q> {
    /// Looks at what there is in the snapshot, but for the segments themselves.
    pub fn of(
        tx: &mut Tx<'_>,
        memory: &'q Memory,
        organization: &'q str,
        question: &'q Question,
        period: Period,
        packs: bool,
    ) -> Result<Self> {
        let dictionary = memory.dictionaries.current(tx, organization)?;
        let mut plan = Self {
            memory,
            organization,
            question,
            period,
            dictionary,
            fold: Fold::new(question),
            segments: BTreeMap::new(),
            digest: question.digest(organization).chain_update([u8::from(packs)]),
            drawn: Vec::new(),
            weight: 0,
        };
        let visible = Period { first: plan.visible_from(), ..period };
        if visible.first >= period.end {
            return Ok(plan);
        }
        let fold = &mut plan.fold;
        memory.tails.each(tx, organization, |counted| {
            fold.add_batch(counted, visible.first, visible.end);
            Ok(())
        })?;
        let sql = "SELECT start, number FROM usage_segments
                   WHERE organization_id = $1 AND kind = $2 AND width = $3 AND start >= $4 AND start < $5
                   ORDER BY start, number";
        let width = question.width;
        let arguments = args![
            organization,
            question.kind.name(),
            width.seconds(),
            width.span_of(visible.first),
            visible.end
        ];
        for (start, number) in tx.all(sql, arguments, |row| Ok((row.get(0)?, row.get(1)?)))? {
            plan.segments.entry(start).or_default().push(number);
        }
        Ok(plan)
    }

    /// The beginning of the first bucket that is kept.
    fn visible_from(&self) -> i64 {
        self.period.kept_from.map_or(self.period.first, |from| from.max(self.period.first))
    }

    /// Draws the buckets.
    pub fn run(mut self, tx: &mut Tx<'_>, draw: Draw<'_>) -> Result<Vec<Drawn>> {
        let shared = self.dictionary.clone();
        let dictionary = shared.read().unwrap_or_else(PoisonError::into_inner);
        let (span, mut start) =
            (self.question.width.span(), self.question.width.span_of(self.period.first));
        while start < self.period.end && !self.is_full() {
            if let Some(buckets) = self.known(start) {
                self.weight += buckets.iter().map(Piece::len).sum::<u64>();
                self.drawn.extend(buckets.into_iter().map(|piece| Drawn { piece, place: None }));
                start += span;
                continue;
            }
            let mut end = start + span;
            while end < (start + AT_ONCE * span).min(self.period.end) && self.known(end).is_none() {
                end += span;
            }
            let mut read = self.read(tx, start, end)?;
            while start < end && !self.is_full() {
                let bodies = read.remove(&start).unwrap_or_default();
                self.draw(tx, &dictionary, start, &bodies, draw)?;
                start += span;
            }
        }
        Ok(self.drawn)
    }

    fn is_full(&self) -> bool {
        self.weight > MOST
    }

    /// The bytes of the segments from one time to before another.
    fn read(&self, tx: &mut Tx<'_>, from: i64, to: i64) -> Result<BTreeMap<i64, Vec<Vec<u8>>>> {
        if self.segments.range(from..to).next().is_none() {
            return Ok(BTreeMap::new());
        }
        let sql = if self.question.is_total() {
            "SELECT start, totals FROM usage_segments
             WHERE organization_id = $1 AND kind = $2 AND width = $3 AND start >= $4 AND start < $5 ORDER BY start, number"
        } else {
            "SELECT start, body FROM usage_segments
             WHERE organization_id = $1 AND kind = $2 AND width = $3 AND start >= $4 AND start < $5 ORDER BY start, number"
        };
        let Question { kind, width, .. } = *self.question;
        let arguments = args![self.organization, kind.name(), width.seconds(), from, to];
        let mut read: BTreeMap<i64, Vec<Vec<u8>>> = BTreeMap::new();
        for (start, bytes) in tx.all(sql, arguments, |row| Ok((row.get(0)?, row.get(1)?)))? {
            read.entry(start).or_default().push(bytes);
        }
        Ok(read)
    }

    /// The buckets of the segments that begin here, if all of them are kept.
    fn known(&self, start: i64) -> Option<Vec<Piece>> {
        let hash = self.hash(start)?;
        self.buckets(start).map(|time| self.memory.drawn.get(&(hash, time))).collect()
    }

    /// Under what the buckets of these segments are kept, if they may be.
    fn hash(&self, start: i64) -> Option<[u8; 32]> {
        let question = self.question;
        let numbers = self.segments.get(&start)?;
        let is_kept = question.is_kept
            && !question.is_total()
            && self.period.kept_from.is_none_or(|from| start >= from)
            && !self.fold.has_tail(start, question.width);
        if !is_kept {
            return None;
        }
        let mut hash = self.digest.clone();
        for number in numbers {
            hash.update((number.len() as u64).to_le_bytes());
            hash.update(number);
        }
        Some(hash.finalize().into())
    }

    /// The buckets of the segments that begin here, as far as they are asked for.
    fn buckets(&self, start: i64) -> impl Iterator<Item = i64> + use<> {
        let (width, period) = (self.question.width, self.period);
        (0..width.buckets())
            .map(move |place| start + place * width.seconds())
            .filter(move |time| *time >= period.first && *time < period.end)
    }

    /// Draws the buckets of the segments that begin here.
    fn draw(
        &mut self,
        tx: &mut Tx<'_>,
        dictionary: &Dictionary,
        start: i64,
        bodies: &[Vec<u8>],
        draw: Draw<'_>,
    ) -> Result<()> {
        let (hash, visible) = (self.hash(start), self.visible_from());
        let views = bodies.iter().map(|body| View::read(body)).collect::<Result<Vec<_>>>()?;
        for time in self.buckets(start) {
            let segments = if time < visible { &[] } else { &*views };
            let bucket =
                self.fold.bucket(dictionary, segments, start, time, |bucket| draw(tx, bucket))?;
            self.weight += bucket.len() as u64;
            let place = hash.map(|hash| (hash, time));
            self.drawn.push(Drawn { piece: Piece::Plain(bucket), place });
        }
        Ok(())
    }
}
