//! The six things that can be limited about a model, in one order everywhere: in rows, on the wire, in settings.

use sql::{Arg, Row};

/// What they are called on the wire.
pub const MEMBERS: [&str; 6] = [
    "max_requests_per_1_minute",
    "max_tokens_per_1_minute",
    "max_images_per_1_minute",
    "max_audio_megabytes_per_1_minute",
    "max_requests_per_1_day",
    "batch_1_day_max_input_tokens",
];

/// The highest limit there is, which means none.
pub const UNLIMITED: i64 = 2_147_483_647;

/// A number for each of them, where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits(pub [Option<i64>; 6]);

impl Limits {
    /// Reads them from the columns that begin here.
    pub fn from_row(row: &Row<'_>, first: usize) -> sql::Result<Self> {
        let mut limits = Self::default();
        for (place, limit) in limits.0.iter_mut().enumerate() {
            *limit = row.get(first + place)?;
        }
        Ok(limits)
    }

    /// What a model has: requests and tokens are limited always, if only by the highest number.
    #[must_use]
    pub fn of_model(mut self) -> Self {
        for limit in &mut self.0[..2] {
            *limit = limit.or(Some(UNLIMITED));
        }
        self
    }

    /// What holds for a project with these limits of its own, where a model has those. What a model does not have, nobody can limit.
    #[must_use]
    pub fn within(&self, model: &Self) -> Self {
        let mut limits = *model;
        for (limit, own) in limits.0.iter_mut().zip(self.0) {
            *limit = limit.map(|ceiling| own.unwrap_or(ceiling).min(ceiling));
        }
        limits
    }

    /// These, and where there is none the others.
    #[must_use]
    pub fn or(mut self, others: &Self) -> Self {
        for (limit, other) in self.0.iter_mut().zip(others.0) {
            *limit = limit.or(other);
        }
        self
    }

    /// Those that differ from the others.
    #[must_use]
    pub fn that_differ_from(mut self, others: &Self) -> Self {
        for (limit, other) in self.0.iter_mut().zip(others.0) {
            *limit = limit.filter(|_| *limit != other);
        }
        self
    }

    /// Whether there is no number at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// As the arguments of a statement.
    #[must_use]
    pub fn arguments(&self) -> [Arg<'static>; 6] {
        self.0.map(Arg::from)
    }
}
