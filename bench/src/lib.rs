//! The benchmark: the program beside a bare server that sends the same bytes, measured in turns.
//!
//! `make bench` runs it. What it found, and what it does not show, is in `docs/performance.md`.
//!
//! `groups` says what is measured. `run` goes through it, with the servers of `subjects` and the stores of `stores`; a round of
//! load is one of `load`, `open_loop`, `refresh`, `disk` and `pgbench`, and each finds a `tally`.

pub mod answer;
mod audit;
mod databases;
mod disk;
mod document;
mod fill;
mod groups;
mod load;
mod open_loop;
mod pgbench;
mod plot;
mod processes;
mod progress;
mod refresh;
mod report;
pub mod run;
mod startup;
mod stores;
mod subjects;
mod tally;
mod traffic;
mod usage;
