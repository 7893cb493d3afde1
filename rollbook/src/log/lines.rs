//! Lines on their way to standard error. Those of a busy server are written many at a time; whoever ends by a signal that cannot be
//! caught loses at most the last moment of them. Warnings and errors are written at once, with all before them.

use std::io::{Write, stderr};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long lines are collected, but for the first after a silence.
const MOMENT: Duration = Duration::from_millis(20);
/// So many bytes are written at once, however short the moment was.
const MOST: usize = 64 * 1024;

static WAITING: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static SOME: Condvar = Condvar::new();
/// Held while lines are taken and written, so that they stay in order.
static WRITING: Mutex<()> = Mutex::new(());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the thread that writes. Without it, lines are written when they are many, and in the end.
pub fn start() {
    // A log that cannot be written must not take the server down with it.
    let _ = thread::Builder::new().name("log".to_owned()).spawn(write_for_ever);
}

/// Adds a line, and writes everything if it is urgent.
pub fn add(line: &[u8], is_urgent: bool) {
    let mut waiting = lock(&WAITING);
    let was_empty = waiting.is_empty();
    waiting.extend_from_slice(line);
    let is_much = waiting.len() >= MOST;
    drop(waiting);
    if is_urgent || is_much {
        finish();
    } else if was_empty {
        SOME.notify_one();
    }
}

/// Writes what waits.
pub fn finish() {
    let _in_order = lock(&WRITING);
    let lines = std::mem::take(&mut *lock(&WAITING));
    let _ = stderr().write_all(&lines);
}

#[expect(clippy::disallowed_methods, reason = "more lines are better written together")]
fn write_for_ever() {
    loop {
        let some = SOME.wait_while(lock(&WAITING), |waiting| waiting.is_empty());
        drop(some.unwrap_or_else(PoisonError::into_inner));
        finish();
        thread::sleep(MOMENT);
    }
}
