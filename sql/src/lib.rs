//! Two SQL engines behind one synchronous transaction.
//!
//! A [`Store`] runs closures over a [`Tx`] on threads of its own. A closure sees one consistent
//! state, and what it wrote is kept as a whole or not at all. It **may run more than once**
//! (`PostgreSQL` asks for it when two writers collide), so it holds no clock, randomness or I/O.
//!
//! ```
//! use rollbook_sql::{Error, Migration, Options, Store, args};
//!
//! let store = Store::open(Options::new("sqlite::memory:"))?;
//! store.migrate(&[Migration {
//!     number: 1,
//!     name: "users",
//!     text: "CREATE TABLE users (id KEYTEXT PRIMARY KEY, name TEXT NOT NULL) CLUSTERED;",
//! }])?;
//! store.write_blocking(|tx| tx.execute("INSERT INTO users VALUES ($1, $2)", args!["u1", "Ann"]))?;
//! let name: Option<String> = store.read_blocking(|tx| {
//!     tx.one("SELECT name FROM users WHERE id = $1", args!["u1"], |row| row.get(0))
//! })?;
//! assert_eq!(name.as_deref(), Some("Ann"));
//! # Ok::<(), Error>(())
//! ```

pub mod backup;
mod behind;
mod error;
mod image;
mod indexes;
mod insert;
mod job;
mod list;
mod migrate;
mod options;
mod postgres;
mod sqlite;
mod stamp;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod tx;
mod value;

pub use behind::behind;
pub use error::{Error, Result};
pub use image::Image;
pub use indexes::Indexes;
pub use list::list;
pub use migrate::Migration;
pub use options::{Engine, Observer, Options};
pub use stamp::Stamp;
pub use store::Store;
pub use tx::Tx;
pub use value::{Arg, Column, Row};

/// Builds the argument list of a statement, so that call sites read like the SQL they fill in.
///
/// The first argument is `$1`. Whatever has an `Arg::from` fits.
#[macro_export]
macro_rules! args {
    () => { &[] as &[$crate::Arg<'_>] };
    ($($value:expr),+ $(,)?) => { &[$($crate::Arg::from($value)),+] };
}
