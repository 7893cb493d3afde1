//! What opening checks, and what it says to somebody who got it wrong.

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use rollbook_sql::{Engine, Error, Options, Store, args};

use crate::harness::{Fixture, block_on, count, insert};

fn failure(url: &str) -> String {
    match Store::open(Options::new(url)) {
        Err(Error::Unavailable(text)) => text,
        Err(other) => panic!("{url}: {other:?}"),
        Ok(_) => panic!("{url} was opened"),
    }
}

#[test]
fn errors_of_opening_name_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    std::fs::write(folder.path().join("text"), "This is no database. ".repeat(100)).unwrap();
    for (url, remedy) in [
        ("mysql://root:hunter2@localhost/x".to_owned(), "write sqlite:PATH"),
        ("store.db".to_owned(), "write sqlite:PATH"),
        ("sqlite:".to_owned(), "write sqlite:PATH"),
        ("sqlite://store.db".to_owned(), "write sqlite:PATH"),
        (inside("no/such/folder/store.db"), "folder"),
        (inside(""), "must be a rollbook store"),
        (inside("text"), "must be a rollbook store"),
        ("postgres://ann:hunter2@127.0.0.1:1/x".to_owned(), "check the host and port"),
        ("postgres://ann:hunter2@127.0.0.1:1/x?sslmode=verify-full".to_owned(), "check the host"),
        ("postgres://ann:hunter2@127.0.0.1:1/x?sslmode=maybe".to_owned(), "URL is wrong"),
    ] {
        let text = failure(&url);
        assert!(text.contains(remedy), "{url}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_wrong_database_is_named() {
    let fixture = Fixture::new();
    if fixture.store.engine() == Engine::Sqlite {
        return;
    }
    let (base, _) = fixture.url.rsplit_once('/').unwrap();
    let text = failure(&format!("{base}/no_such_database"));
    assert!(text.contains("createdb"), "{text}");
}

#[test]
fn options_do_not_show_the_password() {
    for url in [
        "postgres://ann:hunter2@db.example/rollbook",
        "postgres://ann:hunt@er2@db.example/rollbook?sslmode=require",
        "postgres://ann:hunt?er2@db.example/rollbook",
        "postgres://ann@db.example/rollbook?sslmode=require&password=hunter2",
    ] {
        let shown = format!("{:?}", Options::new(url));
        assert!(!shown.contains("er2"), "{shown}");
        assert!(shown.contains("ann") && shown.contains("db.example/rollbook"), "{shown}");
    }
}

#[test]
fn files_belong_to_their_user_only() {
    let fixture = Fixture::new();
    let Some(path) = fixture.path() else { return };
    fixture.store.write_blocking(|tx| insert(tx, "a", 1)).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(format!("{path}{suffix}")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[test]
fn files_are_opened_safely() {
    let fixture = Fixture::new();
    if !fixture.is_file() {
        return;
    }
    let pragma = |name: &'static str| {
        fixture.store.write_blocking(move |tx| {
            let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
            tx.one(&sql, args![], |row| row.get::<String>(0))
        })
    };
    assert_eq!(pragma("journal_mode"), Ok(Some("wal".into())));
    assert_eq!(pragma("synchronous"), Ok(Some("2".into())), "FULL");
    assert_eq!(pragma("foreign_keys"), Ok(Some("1".into())));
}

#[test]
fn many_processes_may_open_a_new_store_at_once() {
    let fixture = Fixture::empty(|_| ());
    let Some(path) = fixture.path() else { return };
    for round in 0..10 {
        let url = format!("sqlite:{path}-{round}");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let url = url.clone();
                scope.spawn(move || {
                    let store = Store::open(Options::new(url)).unwrap();
                    store.read_blocking(|tx| tx.all("SELECT 1", args![], |_| Ok(()))).unwrap();
                    store.close();
                });
            }
        });
    }
}

#[test]
fn the_observer_sees_statements_and_arguments() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let fixture = Fixture::with(move |options| {
        options.observer = Some(Arc::new(move |sql, args| {
            sink.lock().unwrap().push(format!("{sql} {args:?}"));
        }));
    });
    seen.lock().unwrap().clear();
    block_on(async {
        fixture.store.write(|tx| insert(tx, "a", 5)).await.unwrap();
        fixture.store.read(count).await.unwrap();
    });
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[0].ends_with(r#"[Text("a"), Text("o"), Int(5)]"#), "{seen:?}");
    assert_eq!(seen[1], "SELECT COUNT(*) FROM items []");
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_unavailable_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://rollbook:secret@127.0.0.1:{port}/rollbook?connect_timeout=1");
    let error = Store::open(Options::new(url)).err().expect("nobody answers");
    let text = error.to_string();
    assert!(matches!(error, Error::Unavailable(_)), "{text}");
    assert!(text.contains("does not answer") && !text.contains("secret"), "{text}");
}
