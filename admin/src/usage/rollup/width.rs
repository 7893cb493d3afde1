//! How wide the buckets are in which usage is counted.

use crate::usage::kind::Kind;

/// The width of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Width {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day in UTC.
    Day,
}

impl Width {
    /// All of them, from the narrowest.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// Those in which a kind is counted. Costs are only asked for by the day.
    #[must_use]
    pub const fn of(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Costs => &[Self::Day],
            _ => &Self::ALL,
        }
    }

    /// Its length in seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86_400,
        }
    }

    /// How long the time is that one segment is about. A segment of several buckets costs a row where each of them would cost one.
    #[must_use]
    pub const fn span(self) -> i64 {
        match self {
            Self::Minute => 3600,
            Self::Hour => 4 * 3600,
            Self::Day => 86_400,
        }
    }

    /// How many buckets a segment has.
    #[must_use]
    pub const fn buckets(self) -> i64 {
        self.span() / self.seconds()
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::Hour => "1h",
            Self::Day => "1d",
        }
    }

    /// The beginning of the bucket in which this second lies.
    #[must_use]
    pub const fn floor(self, time: i64) -> i64 {
        time.div_euclid(self.seconds()) * self.seconds()
    }

    /// The beginning of the segments in which this second is counted.
    #[must_use]
    pub const fn span_of(self, time: i64) -> i64 {
        time.div_euclid(self.span()) * self.span()
    }
}
