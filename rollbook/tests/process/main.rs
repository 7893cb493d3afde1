//! The program as others meet it: a real process, driven over its sockets, signals, files and streams.
//!
//! `ROLLBOOK_TEST_STORE` chooses the store: a SQLite file of its own for each test (the default, also for `memory` and
//! `file`), or, for `postgres://…`, a database of its own on that server.

mod audit;
mod backup;
mod checks;
mod commands;
mod commands_access;
mod commands_docs;
mod commands_remote;
mod commands_shown;
mod commands_store;
mod configuration;
mod database;
mod deadlines;
mod demo;
mod documents;
mod emulate;
mod first_start;
mod fresh;
mod hosted_tools;
mod import;
mod invites;
mod kill;
mod kill_sealing;
mod mail;
mod models;
mod nginx;
mod openapi;
mod probes;
mod pull;
mod records;
mod server;
mod signals;
mod silent;
mod terminal;
mod tls;
mod usage_commands;
mod usage_kill;
mod usage_limit;
mod wire;
