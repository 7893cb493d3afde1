//! How long events and roll-ups are kept.

/// For so many days each is kept; 0 is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Events, and with them the memory of their ids: what is older is refused, because nobody could tell whether it was counted.
    pub events: u32,
    /// What is counted by the minute.
    pub minutes: u32,
    /// What is counted by the hour.
    pub hours: u32,
    /// What is counted by the day.
    pub days: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { events: 35, minutes: 35, hours: 400, days: 0 }
    }
}

/// Ids are remembered for so many seconds longer than events are taken, which is longer than any request lasts.
pub const GRACE: i64 = 3600;

const DAY: i64 = 86_400;

/// The second before which something that is kept for so many days is not kept any more at this time.
#[must_use]
pub fn before(days: u32, now: i64) -> Option<i64> {
    (days > 0).then(|| now - i64::from(days) * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_that_is_kept_for_ever() {
        assert_eq!(before(0, 100 * DAY), None);
        assert_eq!(before(35, 100 * DAY), Some(65 * DAY));
    }
}
