//! The load of an open loop: requests come when they come, whether or not the ones before are answered.
//!
//! A time is taken from when its request was due, so a server that stalls is charged with everybody who waits meanwhile, also with
//! those whose request could not even be sent.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use fastrand::Rng;
use flume::{Receiver, Sender, unbounded};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::load::{Client, Window, connect, together};
use crate::processes::Server;
use crate::tally::{Tally, histogram};
use crate::traffic::Traffic;

/// When requests are due: at random and independently of each other, so many a second on average (a Poisson process). The same
/// for everybody who is measured.
struct Arrivals {
    random: Rng,
    rate: f64,
    at: Duration,
}

impl Arrivals {
    fn new(rate: f64) -> Self {
        Self { random: Rng::with_seed(0), rate, at: Duration::ZERO }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let gap = -(1.0 - self.random.f64()).ln() / self.rate;
        self.at += Duration::from_secs_f64(gap);
        Some(self.at)
    }
}

/// Asks so many times a second. Whoever of the connections is free takes the next request.
pub async fn round(
    server: &Server,
    traffic: &Arc<Traffic>,
    connections: u64,
    length: Duration,
    bytes: usize,
    rate: f64,
) -> Result<Tally> {
    let clients = connect(traffic, connections).await?;
    let (due, requests) = unbounded();
    let (start, window) = (Instant::now(), Window::of(length));
    let mut asking = JoinSet::new();
    for (seed, client) in clients {
        let (traffic, random) = (Arc::clone(traffic), Rng::with_seed(seed));
        asking.spawn(ask(client, traffic, random, window, bytes, requests.clone()));
    }
    drop(requests);
    let clock = thread::spawn(move || keep_time(start, window.end, rate, &due));
    let usage = window.usage(server).await?;
    let times = together(asking).await?;
    clock.join().map_err(|_| anyhow!("the clock of the load broke"))??;
    Ok(Tally::timed(times, length.as_secs_f64(), Some(usage)))
}

/// Hands out requests when they are due. A thread of its own, because the runtime's timers count in milliseconds.
fn keep_time(start: Instant, end: Instant, rate: f64, due: &Sender<Instant>) -> Result<()> {
    sleep_exactly()?;
    for at in Arrivals::new(rate).map(|after| start + after).take_while(|at| *at < end) {
        #[expect(clippy::disallowed_methods, reason = "it is the time that is waited for")]
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if due.send(at).is_err() {
            break;
        }
    }
    Ok(())
}

/// By default Linux lets a thread sleep 50 µs longer, to wake several at once.
fn sleep_exactly() -> Result<()> {
    #[cfg(target_os = "linux")]
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    Ok(())
}

/// One connection: the times of all answers to requests that were due within the window, also of late ones.
async fn ask(
    mut client: Client,
    traffic: Arc<Traffic>,
    mut random: Rng,
    window: Window,
    bytes: usize,
    requests: Receiver<Instant>,
) -> Result<Histogram<u64>> {
    let mut times = histogram()?;
    while let Ok(at) = requests.recv_async().await {
        client.exchange(traffic.request(&mut random)?, bytes).await?;
        if window.holds(at) {
            times.saturating_record(u64::try_from(at.elapsed().as_nanos())?);
        }
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_at_the_rate_and_in_order() {
        let second = Duration::from_secs(1);
        let times: Vec<_> = Arrivals::new(10_000.0).take_while(|at| *at < 10 * second).collect();
        assert!(times.is_sorted());
        assert!((99_000..101_000).contains(&times.len()), "{} in ten seconds", times.len());
        // Of gaps that are exponentially distributed, one in e is longer than the mean.
        let long = times.windows(2).filter(|pair| pair[1] > pair[0] + second / 10_000).count();
        assert!((35_000..38_500).contains(&long), "{long} long gaps");
    }

    #[test]
    fn everybody_gets_the_same_requests() {
        assert!(Arrivals::new(50.0).take(100).eq(Arrivals::new(50.0).take(100)));
    }

    #[test]
    fn the_clock_does_not_wait_for_anybody() {
        let (due, requests) = unbounded();
        let start = Instant::now();
        keep_time(start, start + Duration::from_millis(50), 10_000.0, &due).unwrap();
        assert!(requests.len() > 400, "{} in 50 ms", requests.len());
    }
}
