pub mod fixture;

mod groups;
mod ladder;
mod rules;
mod users;
