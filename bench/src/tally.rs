//! What one round found.

use anyhow::Result;
use hdrhistogram::Histogram;

use crate::processes::Server;

/// No answer takes so many nanoseconds unless something is broken.
const LONGEST: u64 = 30_000_000_000;

/// What was done in a round, how fast, and what that cost.
pub struct Tally {
    pub answers: u64,
    pub seconds: f64,
    /// Times of answers, in nanoseconds, where each was taken.
    pub times: Option<Histogram<u64>>,
    pub usage: Option<Usage>,
}

/// What a server used.
#[derive(Clone, Copy)]
pub struct Usage {
    pub cpu_micros: f64,
    /// What is resident at the end, files that are mapped included.
    pub resident_mib: f64,
}

/// A quantity of a tally that is shown or compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Rate,
    P50,
    P99,
    Cpu,
}

impl Measure {
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "requests/s",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::Cpu => "server CPU",
        }
    }
}

impl Tally {
    /// Of answers whose times were all taken.
    pub fn timed(times: Histogram<u64>, seconds: f64, usage: Option<Usage>) -> Self {
        Self { answers: times.len(), seconds, times: Some(times), usage }
    }

    /// In answers a second or in microseconds. Nothing if it was not taken.
    pub fn get(&self, measure: Measure) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 answers or nanoseconds")]
        let (answers, micros) = (self.answers as f64, |nanos: u64| nanos as f64 / 1e3);
        let quantile =
            |quantile| self.times.as_ref().map(|times| micros(times.value_at_quantile(quantile)));
        match measure {
            Measure::Rate => Some(answers / self.seconds),
            Measure::P50 => quantile(0.5),
            Measure::P99 => quantile(0.99),
            Measure::Cpu => self.usage.map(|usage| usage.cpu_micros / answers),
        }
    }
}

/// What a server had used before a round.
pub struct Meter<'s> {
    server: &'s Server,
    before: f64,
}

impl<'s> Meter<'s> {
    pub fn start(server: &'s Server) -> Result<Self> {
        Ok(Self { server, before: server.cpu_micros()? })
    }

    pub fn stop(&self) -> Result<Usage> {
        let cpu_micros = self.server.cpu_micros()? - self.before;
        Ok(Usage { cpu_micros, resident_mib: self.server.memory("VmRSS")? })
    }
}

/// An empty one for times of answers, to three digits.
pub fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, LONGEST, 3)?)
}

/// The value in the middle of an odd number, and the smallest and largest one.
pub fn spread(values: impl IntoIterator<Item = f64>) -> Option<[f64; 3]> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    Some([*values.get(values.len() / 2)?, *values.first()?, *values.last()?])
}

/// The quantity of each round of one subject through that of another in the same round, because the two had about the same
/// machine.
pub fn ratios(top: &[Tally], bottom: &[Tally], measure: Measure) -> Vec<f64> {
    let pairs = top.iter().zip(bottom);
    let ratio = |(top, bottom): (&Tally, &Tally)| Some(top.get(measure)? / bottom.get(measure)?);
    pairs.filter_map(ratio).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// So many answers within a second, each taking so many microseconds.
    pub fn tally(answers: u64, micros: u64) -> Tally {
        let mut times = histogram().unwrap();
        times.record_n(micros * 1000, answers).unwrap();
        let usage = Usage { cpu_micros: 5000.0, resident_mib: 30.0 };
        Tally::timed(times, 1.0, Some(usage))
    }

    #[test]
    fn the_median_comes_with_its_spread() {
        assert_eq!(spread([3.0, 1000.0, 2.0]), Some([3.0, 2.0, 1000.0]));
        assert_eq!(spread([]), None);
    }

    #[test]
    fn rounds_are_compared_with_the_same_round() {
        let (top, bottom) = ([tally(100, 4), tally(300, 9)], [tally(200, 2), tally(300, 3)]);
        assert_eq!(ratios(&top, &bottom, Measure::Rate), [0.5, 1.0]);
        let quantiles = ratios(&top, &bottom, Measure::P99);
        assert!((quantiles[0] - 2.0).abs() < 0.01 && (quantiles[1] - 3.0).abs() < 0.01);
    }

    #[test]
    fn what_was_not_taken_has_no_value() {
        let bare = Tally { answers: 10, seconds: 2.0, times: None, usage: None };
        assert_eq!(bare.get(Measure::Rate), Some(5.0));
        assert_eq!(bare.get(Measure::P99), None);
        assert!(ratios(&[bare], &[tally(1, 1)], Measure::Cpu).is_empty());
        assert_eq!(tally(100, 1).get(Measure::Cpu), Some(50.0));
    }
}
