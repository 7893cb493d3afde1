//! Time as tests want it: stopped at a moment, or the machine's, and moved on when told.

use std::sync::{Mutex, MutexGuard, PoisonError};

use admin::domain::clock::{Clock, SystemClock};
use jiff::Timestamp;

/// A clock that can be stopped, moved and put back.
pub struct MovableClock {
    start: Time,
    time: Mutex<Time>,
}

/// What a clock shows, in milliseconds.
#[derive(Debug, Clone, Copy)]
enum Time {
    Stopped(u64),
    Running { ahead: u64 },
}

impl MovableClock {
    /// A clock that stands at this moment; without one it runs with the machine's.
    pub fn new(start: Option<Timestamp>) -> Self {
        let start = start.map_or(Time::Running { ahead: 0 }, |at| Time::Stopped(milliseconds(at)));
        Self { start, time: Mutex::new(start) }
    }

    /// Puts the clock back to where it was when it was made.
    pub fn restart(&self) {
        *self.time() = self.start;
    }

    /// Stops the clock at this moment.
    pub fn stop_at(&self, moment: Timestamp) {
        *self.time() = Time::Stopped(milliseconds(moment));
    }

    /// Moves the clock on, or answers false if there is no such moment.
    pub fn advance(&self, seconds: u64) -> bool {
        let Some(by) = seconds.checked_mul(1000) else { return false };
        let is_moment = self.now_ms().checked_add(by).is_some_and(|ms| moment(ms).is_some());
        if is_moment {
            let mut time = self.time();
            *time = match *time {
                Time::Stopped(at) => Time::Stopped(at + by),
                Time::Running { ahead } => Time::Running { ahead: ahead + by },
            };
        }
        is_moment
    }

    /// What it shows.
    pub fn moment(&self) -> Timestamp {
        moment(self.now_ms()).unwrap_or(Timestamp::MAX)
    }

    /// Whether it stands still.
    pub fn is_stopped(&self) -> bool {
        matches!(*self.time(), Time::Stopped(_))
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for MovableClock {
    fn now_ms(&self) -> u64 {
        match *self.time() {
            Time::Stopped(at) => at,
            Time::Running { ahead } => SystemClock.now_ms() + ahead,
        }
    }
}

/// A clock a second behind another one: what a seed brings along was there before anything that happens later.
pub struct SecondBefore<'c>(pub &'c MovableClock);

impl SecondBefore<'_> {
    /// The moment, as a clock that stands there.
    pub fn stopped(&self) -> MovableClock {
        let at = self.0.now_ms().saturating_sub(1000);
        MovableClock::new(Some(moment(at).unwrap_or(Timestamp::UNIX_EPOCH)))
    }
}

fn milliseconds(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_millisecond()).unwrap_or_default()
}

fn moment(milliseconds: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(milliseconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_stopped_clock_moves_when_told_and_goes_back() {
        let clock = MovableClock::new(Some(at("2026-01-01T00:00:00Z")));
        assert_eq!((clock.now(), clock.is_stopped()), (1_767_225_600, true));
        assert!(clock.advance(60));
        assert_eq!(clock.now(), 1_767_225_660);
        clock.stop_at(at("2030-01-01T00:00:00Z"));
        assert_eq!(clock.moment(), at("2030-01-01T00:00:00Z"));
        assert!(!clock.advance(u64::MAX) && !clock.advance(1 << 40), "there is no such moment");
        assert_eq!(clock.moment(), at("2030-01-01T00:00:00Z"));
        clock.restart();
        assert_eq!(clock.now(), 1_767_225_600);
        assert_eq!(SecondBefore(&clock).stopped().now(), 1_767_225_599);
    }

    #[test]
    fn a_running_clock_can_be_moved_and_stopped() {
        let clock = MovableClock::new(None);
        assert!(!clock.is_stopped());
        let before = clock.now();
        assert!(clock.advance(1000) && clock.now() >= before + 1000 && !clock.is_stopped());
        clock.stop_at(at("2026-01-01T00:00:00Z"));
        assert_eq!((clock.now(), clock.is_stopped()), (1_767_225_600, true));
        clock.restart();
        assert!(clock.now() < before + 1000 && !clock.is_stopped());
    }
}
