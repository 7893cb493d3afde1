//! Values that no single resource owns. Nothing here knows SQL or HTTP.

pub mod clock;
pub mod decision;
pub mod email;
pub mod id;
pub mod level;
pub mod page;
pub mod patch;
pub mod permission;
pub mod role;
pub mod scope;
pub mod secret;
