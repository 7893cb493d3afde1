//! A fresh store for one test.

use sql::testing::TestDatabase;
use sql::{Observer, Options, Store};

/// A migrated store, gone when this is dropped.
pub struct TestStore {
    /// The store.
    pub store: Store,
    _database: TestDatabase,
}

impl TestStore {
    /// A store of the kind that the run selects. Opening and migrating block, so they have a thread of their own.
    pub async fn new(observer: Option<Observer>) -> Self {
        let open = || {
            let texts: Vec<_> = crate::migrations().iter().map(|one| one.text).collect();
            Self::open(TestDatabase::filled(texts, migrate), observer)
        };
        tokio::task::spawn_blocking(open).await.expect("a store can be made")
    }

    /// A store in this database.
    pub async fn of(database: TestDatabase) -> Self {
        let open = || Self::open(database, None);
        tokio::task::spawn_blocking(open).await.expect("a store can be made")
    }

    fn open(database: TestDatabase, observer: Option<Observer>) -> Self {
        let deadline = std::time::Duration::from_mins(2);
        let options = Options {
            connections: 2,
            readers: 2,
            deadline,
            observer,
            ..Options::new(database.url())
        };
        let store = Store::open(options).expect("the store opens");
        store.migrate(&crate::migrations()).expect("the schema can be applied");
        Self { store, _database: database }
    }
}

/// Brings the tables of a database up to date. What a memory holds ends with the store, so it waits for its own.
fn migrate(url: &str) {
    if url == "sqlite::memory:" {
        return;
    }
    let store = Store::open(Options::new(url)).expect("the store opens");
    store.migrate(&crate::migrations()).expect("the schema can be applied");
    store.close();
}
