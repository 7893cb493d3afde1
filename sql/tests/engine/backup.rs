//! A copy of a store in use: whole, of one moment, and without anybody waiting for it. Only files can be copied this way, so
//! these tests bring their own, whatever the run selects.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use rollbook_sql::backup::{Claim, check, companions, copy, file};
use rollbook_sql::testing::TestDatabase;
use rollbook_sql::{Error, Options, Store, args};
use tempfile::{NamedTempFile, TempDir, tempdir};

use crate::harness::{SCHEMA, gate, insert, number};

/// So many commits must pass before and beside a copy.
const COMMITS: i64 = 100;

/// A store in a file.
struct Place {
    store: Store,
    path: PathBuf,
    folder: TempDir,
    _database: TestDatabase,
}

impl Place {
    fn new() -> Self {
        let database = TestDatabase::file();
        let store = Store::open(Options::new(database.url())).unwrap();
        store.migrate(SCHEMA).unwrap();
        let path = database.path().unwrap();
        Self { store, path, folder: tempdir().unwrap(), _database: database }
    }

    fn insert(&self, n: i64) {
        self.store.write_blocking(move |tx| insert(tx, &format!("{n:09}"), n)).unwrap();
    }

    fn copied(&self) -> NamedTempFile {
        let target = NamedTempFile::new_in(self.folder.path()).unwrap();
        copy(&self.path, target.path()).unwrap();
        target
    }
}

fn rows(path: &Path) -> Vec<i64> {
    let store = Store::open(Options::new(format!("sqlite:{}", path.display()))).unwrap();
    let rows = store.read_blocking(|tx| tx.all("SELECT n FROM items ORDER BY n", args![], number));
    store.close();
    rows.unwrap()
}

fn leave_in_log(place: &Place) {
    assert!(std::fs::metadata(&companions(&place.path)[0]).unwrap().len() > 0, "nothing is in it");
}

#[test]
fn a_copy_taken_under_commits_holds_a_prefix_with_all_acknowledged_before() {
    let place = Place::new();
    let (acknowledged, stop) = (AtomicI64::new(0), AtomicBool::new(false));
    let (progress, reached) = mpsc::channel();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 1.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                place.insert(n);
                acknowledged.store(n, Ordering::SeqCst);
                if n % COMMITS == 0 && progress.send(()).is_err() {
                    return;
                }
            }
        });
        let wait = || reached.recv_timeout(Duration::from_mins(1)).expect("the writer goes on");
        wait();
        let mut copies = Vec::new();
        for _ in 0..5 {
            let before = acknowledged.load(Ordering::SeqCst);
            copies.push((before, place.copied()));
            wait();
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        for (before, copy) in copies {
            let rows = rows(copy.path());
            let last = i64::try_from(rows.len()).unwrap();
            assert_eq!(rows, (1..=last).collect::<Vec<_>>(), "it has no holes");
            assert!(last >= before, "{before} were acknowledged and {last} are there");
        }
    });
}

#[test]
fn a_copy_waits_for_no_writer_and_shows_nothing_uncommitted() {
    let place = Place::new();
    place.insert(1);
    let (gate, hold) = gate();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            place.store.write_blocking(move |tx| {
                insert(tx, "uncommitted", 2)?;
                hold.wait();
                Ok::<_, Error>(())
            })
        });
        gate.entered();
        let copy = place.copied();
        gate.open();
        writer.join().unwrap().unwrap();
        assert_eq!(rows(copy.path()), [1]);
    });
    assert_eq!(rows(&place.path), [1, 2]);
}

#[test]
fn a_copy_holds_what_is_only_in_the_log() {
    let place = Place::new();
    place.insert(1);
    leave_in_log(&place);
    let copy = place.copied();
    assert!(companions(copy.path()).iter().all(|beside| !beside.exists()));
    assert_eq!(rows(copy.path()), [1]);
}

#[test]
fn what_is_no_store_is_not_copied() {
    let folder = tempdir().unwrap();
    let [missing, text, target] =
        ["missing", "text", "target"].map(|name| folder.path().join(name));
    std::fs::write(&text, "This is no database. ".repeat(1000)).unwrap();
    for (source, remedy) in [(&missing, "unable to open"), (&text, "must be a rollbook store")] {
        let Err(Error::Unavailable(message)) = copy(source, &target) else { panic!("copied") };
        assert!(
            message.contains(remedy) && message.contains(source.to_str().unwrap()),
            "{message}"
        );
    }
    assert!(!missing.exists() && !target.exists());
}

#[test]
fn a_damaged_copy_is_found_out() {
    let place = Place::new();
    (1..=200).for_each(|n| place.insert(n));
    let copy = place.copied();
    check(copy.path()).unwrap();
    let mut bytes = std::fs::read(copy.path()).unwrap();
    let half = bytes.len() / 2;
    bytes[half..half + 64].fill(0xFF);
    std::fs::write(copy.path(), bytes).unwrap();
    assert!(
        matches!(check(copy.path()), Err(Error::Unavailable(text)) if text.contains("damaged"))
    );
}

/// A server is another process, and the locks of a file belong to processes: this test runs itself a second time as one.
mod claims {
    use std::io::{Read, Write, stdin, stdout};
    use std::process::{Child, Command, Stdio};

    use super::*;

    const FILE: &str = "ROLLBOOK_TEST_CLAIMED_FILE";

    /// Not a test of its own: opens the store and holds it, idle, until its input ends.
    #[test]
    fn child() {
        let Ok(file) = std::env::var(FILE) else { return };
        let store = Store::open(Options::new(format!("sqlite:{file}"))).unwrap();
        writeln!(stdout(), "\nopened").unwrap();
        stdout().flush().unwrap();
        stdin().read_to_end(&mut Vec::new()).unwrap();
        store.close();
    }

    fn server(path: &Path) -> Child {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["backup::claims::child", "--exact", "--nocapture"])
            .env(FILE, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        while !said.ends_with("opened\n") {
            let mut byte = [0];
            child.stdout.as_mut().unwrap().read_exact(&mut byte).expect("it opens the store");
            said.push(byte[0].into());
        }
        child
    }

    #[test]
    fn a_store_in_use_is_noticed_until_it_is_closed_or_its_process_is_killed() {
        let place = Place::new();
        place.store.close();
        drop(Claim::new(&place.path).unwrap());
        let mut closing = server(&place.path);
        let mut killed = server(&place.path);
        assert!(matches!(Claim::new(&place.path), Err(Error::Busy)));
        drop(closing.stdin.take());
        closing.wait().unwrap();
        assert!(matches!(Claim::tidied(&place.path), Err(Error::Busy)));
        killed.kill().unwrap();
        killed.wait().unwrap();
        assert!(companions(&place.path)[1].exists(), "a killed server tidies nothing");
        drop(Claim::tidied(&place.path).unwrap());
        assert!(companions(&place.path).iter().all(|beside| !beside.exists()));
    }

    #[test]
    fn a_damaged_file_can_be_claimed() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("store.db");
        std::fs::write(&path, "This is no database. ".repeat(1000)).unwrap();
        drop(Claim::tidied(&path).unwrap());
        assert!(matches!(Claim::new(&folder.path().join("missing")), Err(Error::Unavailable(_))));
    }
}

#[test]
fn a_url_names_a_file_or_none() {
    assert_eq!(file("sqlite:a/b.db"), Some(Path::new("a/b.db")));
    assert_eq!(file("sqlite::memory:"), None);
    assert_eq!(file("postgres://ann:secret@db/rollbook"), None);
}
