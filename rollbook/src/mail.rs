//! Mail: fired alerts on their way to people.

mod courier;
mod message;
mod server;

pub use courier::{Post, deliver};
pub use server::MailServer;
