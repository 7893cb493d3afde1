//! The promises that hold for every operation. These tests walk the OpenAPI document, so that an operation is tested by
//! being registered; knowledge of one operation belongs into its folder's `tests.rs`.

mod accepted;
mod access;
pub mod audit;
mod bad_input;
mod coverage;
mod edge;
mod granting;
pub mod layering;
mod model;
mod paging;
pub mod plans;
mod provider_settings;
mod providers;
mod record;
mod rulings;
mod schema;
mod shapes;
mod walks;
