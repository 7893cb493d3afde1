pub mod fixture;

mod groups;
mod ladder;
mod plans;
mod rules;
mod users;
