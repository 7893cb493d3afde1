//! A fresh store for one test.

use sql::{Observer, Options, Store};

/// A migrated store that is gone when this is dropped.
pub struct TestStore {
    /// The store.
    pub store: Store,
    _folder: Option<tempfile::TempDir>,
}

impl TestStore {
    /// A store of the kind that the run selects. Opening and migrating block, so they have a thread of their own.
    pub async fn new(observer: Option<Observer>) -> Self {
        tokio::task::spawn_blocking(|| Self::open(observer)).await.expect("a store can be made")
    }

    fn open(observer: Option<Observer>) -> Self {
        let kind = std::env::var("ROLLBOOK_TEST_STORE").unwrap_or_else(|_| "memory".to_owned());
        let (url, folder) = match kind.as_str() {
            "memory" => ("sqlite::memory:".to_owned(), None),
            _ => {
                let folder = tempfile::tempdir().unwrap();
                (format!("sqlite:{}", folder.path().join("t.db").display()), Some(folder))
            }
        };
        let mut options = Options::new(url);
        options.observer = observer;
        let store = Store::open(options).unwrap();
        store.migrate(&crate::migrations()).unwrap();
        Self { store, _folder: folder }
    }
}
