//! What the command line does beside serving: one file for each group of commands, and what they share.
//!
//! A command that the API has an operation for sends it, on either road of [`client::Client`]. So a rule holds alike for
//! everybody, and there is one place that knows it.

pub mod admin_key;
pub mod alerts;
pub mod amount;
pub mod api_key;
pub mod audit;
pub mod backup;
pub mod check;
pub mod check_config;
mod client;
mod confirm;
mod exchange;
pub mod export;
pub mod failure;
mod find;
pub mod group;
pub mod hosted_tool;
pub mod import;
pub mod invite;
mod local;
pub mod member;
pub mod model;
pub mod org;
mod output;
mod place;
pub mod price;
pub mod project;
pub mod pull;
mod remote;
pub mod role;
mod server_url;
pub mod service_account;
pub mod shell;
pub mod store;
pub mod table;
pub mod text;
pub mod usage;
pub mod user;
