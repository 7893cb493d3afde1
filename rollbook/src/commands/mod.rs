//! What the command line does beside serving: one file for each group of commands.

pub mod backup;
pub mod import;
