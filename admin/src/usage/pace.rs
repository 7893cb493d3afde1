//! Slows reports down that come in faster than they are rolled up. What waits for that is counted anew by each question, and asked for each id,
//! so a long tail makes everything slow.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// With so many events in the tail a report waits. It is some times what the roller takes at once.
const LONG: usize = 65_536;
/// But no longer than this, because another process may have rolled up, and the tail of another organization may be meant.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between whoever reports and whoever rolls up in this process.
#[derive(Debug, Default)]
pub struct Pace {
    rollers: AtomicUsize,
    rolled: Notify,
}

/// Somebody who rolls up as long as this lives.
#[derive(Debug)]
pub struct Rolling<'p>(&'p Pace);

impl Pace {
    /// Tells that somebody rolls up from now on.
    pub fn rolling(&self) -> Rolling<'_> {
        self.rollers.fetch_add(1, Ordering::Relaxed);
        Rolling(self)
    }

    /// Tells that the tail is shorter now.
    pub fn rolled(&self) {
        self.rolled.notify_waiters();
    }

    /// Waits until something was rolled up if a tail of so many events is long and somebody in this process rolls up.
    pub async fn keep(&self, events: usize) {
        if events >= LONG && self.rollers.load(Ordering::Relaxed) > 0 {
            let _ = timeout(PATIENCE, self.rolled.notified()).await;
        }
    }
}

impl Drop for Rolling<'_> {
    fn drop(&mut self) {
        self.0.rollers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::{Context, Waker};

    use super::*;

    fn is_over(waiting: Pin<&mut impl Future<Output = ()>>) -> bool {
        waiting.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test]
    async fn a_report_waits_while_the_tail_is_long_and_somebody_rolls_up() {
        let pace = Pace::default();
        assert!(is_over(pin!(pace.keep(LONG))), "nobody rolls up");
        let rolling = pace.rolling();
        assert!(is_over(pin!(pace.keep(LONG - 1))), "the tail is short");
        let mut waiting = pin!(pace.keep(LONG));
        assert!(!is_over(waiting.as_mut()));
        pace.rolled();
        assert!(is_over(waiting));
        drop(rolling);
        assert!(is_over(pin!(pace.keep(LONG))), "nobody rolls up any more");
    }
}
