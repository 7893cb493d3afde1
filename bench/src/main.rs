//! `rollbook-bench`: the flags of a run.

use clap::Parser;
use rollbook_bench::run::{Plan, run};

// The load generator has the cores of the server, so it must not waste them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    run(Plan::parse())
}
