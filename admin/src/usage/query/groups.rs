//! Which series are in the answer, and in which row.

use std::collections::HashMap;
use std::sync::Arc;

use super::Question;
use crate::usage::kind::Dimension;
use crate::usage::rollup::dictionary::Dictionary;

/// A series that is not in the answer.
pub const NOWHERE: u32 = u32::MAX;
/// A series that was not looked at yet.
const UNKNOWN: u32 = u32::MAX - 1;

/// What a dimension is where nothing was said of it: what is not said to be a batch job is none.
fn default(dimension: Dimension) -> Option<&'static str> {
    (dimension == Dimension::Batch).then_some("false")
}

/// The values of a row.
type Values = Arc<[Option<Arc<str>>]>;

/// The groups of an answer, numbered as they come up.
pub struct Groups<'q> {
    question: &'q Question,
    numbers: HashMap<Values, u32>,
    values: Vec<Values>,
    /// The groups of the series, by the numbers that these have in the store.
    of_series: Vec<u32>,
    /// The places of the groups in the order of their values.
    ranks: Vec<u32>,
}

impl<'q> Groups<'q> {
    pub fn new(question: &'q Question) -> Self {
        let (numbers, values) = (HashMap::new(), Vec::new());
        Self { question, numbers, values, of_series: Vec::new(), ranks: Vec::new() }
    }

    /// The group of a series of the store.
    pub fn of_number(&mut self, dictionary: &Dictionary, number: u32) -> u32 {
        // What has number 0 is the total.
        if number == 0 {
            return self.of(|_| None);
        }
        let place = number as usize;
        if place >= self.of_series.len() {
            self.of_series.resize(place.max(dictionary.last() as usize) + 1, UNKNOWN);
        }
        if self.of_series[place] == UNKNOWN {
            self.of_series[place] =
                self.of(|dimension| dictionary.value(number, dimension).map(|value| &**value));
        }
        self.of_series[place]
    }

    /// The group of a series with these values.
    pub fn of<'v>(&mut self, known: impl Fn(Dimension) -> Option<&'v str>) -> u32 {
        let value = |dimension| known(dimension).or(default(dimension));
        let is_meant = self.question.filters.iter().all(|(dimension, wanted)| {
            value(*dimension).is_some_and(|value| wanted.contains(value))
        });
        if !is_meant {
            return NOWHERE;
        }
        let values: Values =
            self.question.groups.iter().map(|group| value(*group).map(Arc::from)).collect();
        let next = u32::try_from(self.values.len()).unwrap_or(NOWHERE);
        let number = *self.numbers.entry(Arc::clone(&values)).or_insert(next);
        if number == next {
            self.values.push(values);
        }
        number
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The values of a group.
    pub fn values(&self, group: u32) -> &[Option<Arc<str>>] {
        &self.values[group as usize]
    }

    /// Sorts groups by their values; none comes before any.
    pub fn sort(&mut self, groups: &mut [u32]) {
        if self.ranks.len() != self.values.len() {
            let mut order: Vec<_> = (0..self.values.len()).collect();
            order.sort_unstable_by_key(|group| &self.values[*group]);
            self.ranks = vec![0; order.len()];
            for (rank, group) in order.into_iter().enumerate() {
                self.ranks[group] = u32::try_from(rank).unwrap_or(u32::MAX);
            }
        }
        groups.sort_unstable_by_key(|group| self.ranks[*group as usize]);
    }
}
