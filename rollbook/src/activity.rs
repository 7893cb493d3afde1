//! Whether anything happens on a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The requests of one connection.
pub struct Activity {
    opened: Instant,
    begun: AtomicBool,
    under_way: AtomicU32,
    /// When the last one ended, in milliseconds since the connection was opened.
    ended: AtomicU64,
}

impl Activity {
    /// Of a connection that was opened just now.
    pub fn new() -> Self {
        Self {
            opened: Instant::now(),
            begun: AtomicBool::new(false),
            under_way: AtomicU32::new(0),
            ended: AtomicU64::new(0),
        }
    }

    /// Whether there ever was a request.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// How much is left of a deadline that began when the last request ended; all of it while one is under way.
    pub fn left(&self, deadline: Duration) -> Duration {
        if self.under_way.load(Ordering::Acquire) > 0 {
            return deadline;
        }
        let ended = Duration::from_millis(self.ended.load(Ordering::Relaxed));
        (ended + deadline).saturating_sub(self.opened.elapsed())
    }
}

/// One request, under way as long as this lives, also when its client hangs up on it.
pub struct UnderWay(Arc<Activity>);

impl UnderWay {
    /// A request begins.
    pub fn begin(activity: &Arc<Activity>) -> Self {
        activity.begun.store(true, Ordering::Relaxed);
        activity.under_way.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(activity))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.ended.store(now, Ordering::Relaxed);
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}
