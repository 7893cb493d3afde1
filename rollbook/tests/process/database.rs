//! A fresh store for each test, and a folder beside it.

use std::path::{Path, PathBuf};

use sql::testing::TestDatabase;
use tempfile::{TempDir, tempdir};

/// An empty store that is gone when this is dropped.
pub struct Database {
    /// Where it is.
    pub url: String,
    store: TestDatabase,
    beside: TempDir,
}

impl Database {
    /// On the engine that the run selects.
    pub fn fresh() -> Self {
        Self::of(TestDatabase::shared())
    }

    /// In a file, whatever the run selects.
    pub fn in_file() -> Self {
        Self::of(TestDatabase::file())
    }

    fn of(store: TestDatabase) -> Self {
        Self { url: store.url().to_owned(), store, beside: tempdir().unwrap() }
    }

    /// The working directory of the servers, which for a file is its own folder.
    pub fn folder(&self) -> PathBuf {
        let file = self.store.path();
        let folder = file.as_deref().and_then(Path::parent).unwrap_or(self.beside.path());
        folder.to_owned()
    }
}
