//! The administration API: resources, rules and wire shapes on a [`sql::Store`].
//!
//! [`router`] is the whole API as a service; [`openapi`] and [`own_openapi`] describe it; [`founding::Founding`] makes the first tenant.

pub mod access;
pub mod app;
pub mod aside;
pub mod audit;
#[cfg(test)]
mod contract;
pub mod document;
pub mod domain;
pub mod error;
pub mod founding;
pub mod holdings;
pub mod http;
pub mod import;
pub mod kept;
pub mod not_built;
pub mod organization;
pub mod piece;
pub mod resources;
pub mod router;
pub mod sealing;
#[cfg(test)]
mod testing;
pub mod usage;
pub mod uses;

pub use app::{App, Settings};
pub use http::recall::Recall;
pub use router::{Operations, openapi, own_openapi, router};

use include_dir::{Dir, include_dir};

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../migrations");

/// The schema's history, in order. The number is the leading digits of each file's name.
#[must_use]
pub fn migrations() -> Vec<sql::Migration<'static>> {
    let read = |file: &'static include_dir::File<'static>| {
        let name = file.path().file_stem()?.to_str()?;
        let number = name.split('_').next()?.parse().ok()?;
        Some(sql::Migration { number, name, text: file.contents_utf8()? })
    };
    let mut all: Vec<_> = MIGRATIONS.files().filter_map(read).collect();
    all.sort_by_key(|migration| migration.number);
    all
}
