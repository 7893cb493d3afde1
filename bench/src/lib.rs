//! The benchmark: the program beside a bare server that sends the same bytes, measured in turns.
//!
//! `make bench` runs it. What it found, and what it does not show, is in `docs/performance.md`.

pub mod answer;
mod databases;
mod fill;
mod load;
mod processes;
mod progress;
mod report;
pub mod run;
mod traffic;
