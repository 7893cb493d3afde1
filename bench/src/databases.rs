//! Where the stores of a run are; all of it is gone afterwards.

use anyhow::{Context, Result};
use postgres::{Client, NoTls};
use tempfile::TempDir;

/// The server on which a run may create databases. `scripts/with-postgres` sets it.
pub const POSTGRES: &str = "ROLLBOOK_TEST_POSTGRES";

/// An empty database.
pub enum Database {
    /// A file.
    Sqlite(TempDir),
    /// A database on somebody's server.
    Postgres {
        /// A database of it that exists.
        server: String,
        /// The new one.
        name: String,
    },
}

impl Database {
    /// A file on the disk that holds temporary files.
    pub fn sqlite() -> Result<Self> {
        Ok(Self::Sqlite(tempfile::tempdir()?))
    }

    /// A database on this server.
    pub fn postgres(server: &str, number: usize) -> Result<Self> {
        let name = format!("rollbook_bench_{}_{number}", std::process::id());
        administer(server, &format!("CREATE DATABASE {name}"))?;
        Ok(Self::Postgres { server: server.to_owned(), name })
    }

    /// What the program takes.
    pub fn url(&self) -> Result<String> {
        match self {
            Self::Sqlite(folder) => {
                Ok(format!("sqlite:{}", folder.path().join("rollbook.db").display()))
            }
            Self::Postgres { server, name } => {
                let (base, query) = server.split_once('?').unwrap_or((server, ""));
                let (host, _) = base.rsplit_once('/').context("the URL ends with a database")?;
                Ok(format!("{host}/{name}?{query}").trim_end_matches('?').to_owned())
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { server, name } = self {
            // What is left then is on a server for tests.
            let _ = administer(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn administer(server: &str, sql: &str) -> Result<()> {
    Client::connect(server, NoTls)
        .and_then(|mut client| client.batch_execute(sql))
        .with_context(|| format!("the server that {POSTGRES} names refuses: {sql}"))
}
