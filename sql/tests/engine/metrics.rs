//! What an operator can watch.

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use rollbook_sql::{Error, Result};

use crate::harness::{Fixture, count, insert};

/// Counters and gauges by value, histograms by how many values they hold.
fn values(snapshotter: &Snapshotter) -> BTreeMap<String, u64> {
    let snapshot = snapshotter.snapshot().into_vec().into_iter();
    let named = snapshot.map(|(key, _, _, value)| {
        let labels = key.key().labels().map(::metrics::Label::value);
        let name = [key.key().name()].into_iter().chain(labels).collect::<Vec<_>>().join(" ");
        let value = match value {
            DebugValue::Counter(n) => n,
            DebugValue::Gauge(n) => n.into_inner().to_bits(),
            DebugValue::Histogram(values) => values.len().try_into().unwrap(),
        };
        (name, value)
    });
    named.collect()
}

#[test]
fn jobs_are_counted_by_kind_and_result() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let fixture = ::metrics::with_local_recorder(&recorder, || Fixture::empty(|_| ()));
    let store = &fixture.store;
    store.migrate(crate::harness::SCHEMA).unwrap();
    store.write_blocking(|tx| insert(tx, "a", 1)).unwrap();
    store.read_blocking(count).unwrap();
    store.write_blocking(|_| Err::<(), _>(Error::Duplicate)).unwrap_err();
    store.read_blocking(|_| -> Result<()> { panic!("a panic the test wants") }).unwrap_err();
    store.close();
    store.read_blocking(count).unwrap_err();
    let values = values(&snapshotter);
    for (name, expected) in [
        ("rollbook_store_jobs_total read ok", 1),
        ("rollbook_store_jobs_total read panicked", 1),
        ("rollbook_store_jobs_total read failed", 1),
        // Two of them are the migration's.
        ("rollbook_store_jobs_total write ok", 3),
        ("rollbook_store_jobs_total write refused", 1),
        ("rollbook_store_queue read", 0.0_f64.to_bits()),
        ("rollbook_store_queue write", 0.0_f64.to_bits()),
        ("rollbook_store_seconds read", 2),
        ("rollbook_store_seconds write", 4),
    ] {
        assert_eq!(values.get(name), Some(&expected), "{name} in {values:?}");
    }
    if !fixture.is_postgres() {
        assert_eq!(values.get("rollbook_store_commit_jobs"), Some(&4), "{values:?}");
    }
}
