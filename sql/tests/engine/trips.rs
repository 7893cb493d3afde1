//! How often a job waits for the server. Between the store and its server stands somebody who counts and can fall silent.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use rollbook_sql::{Error, Options, Result, Store, Tx, args};

use crate::harness::{Fixture, count, insert, number, skip};

/// What went over the store's connection. A trip begins when the store speaks after the server did.
#[derive(Default)]
struct Traffic {
    trips: u32,
    is_answered: bool,
    /// The server's answers to further trips are held back.
    limit: Option<u32>,
}

/// Traffic, and word of a limit that was lifted.
type Shared = Arc<(Mutex<Traffic>, Condvar)>;

/// A store with one connection, and what goes over it.
struct Watched {
    store: Store,
    traffic: Shared,
    fixture: Fixture,
}

impl Watched {
    fn new() -> Option<Self> {
        let fixture = Fixture::new();
        if !fixture.is_postgres() {
            skip("SQLite is in this process");
            return None;
        }
        let (start, database) = fixture.url.rsplit_once('/').unwrap();
        let (user, server) = start.rsplit_once('@').unwrap();
        let traffic = Arc::default();
        let port = watch(server.to_owned(), Arc::clone(&traffic));
        let url = format!("{user}@127.0.0.1:{port}/{database}");
        let store = Store::open(Options { connections: 1, ..Options::new(url) }).unwrap();
        Some(Self { store, traffic, fixture })
    }

    /// Runs a job with statements that the server knows already while nothing comes back any more after so many trips.
    fn within<T>(&self, trips: u32, job: impl Fn() -> T) -> T {
        job();
        // Whatever an earlier job left to be sent goes before an error, which is waited for.
        let wrong = self.store.write_blocking(|tx| tx.execute("nonsense", args![]));
        assert!(matches!(wrong, Err(Error::Statement(_))), "{wrong:?}");
        let (traffic, lifted) = &*self.traffic;
        *traffic.lock().unwrap() = Traffic { trips: 0, is_answered: true, limit: Some(trips) };
        let answer = job();
        traffic.lock().unwrap().limit = None;
        lifted.notify_one();
        answer
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.store.close();
    }
}

/// Listens for a store and connects it with the server.
fn watch(server: String, traffic: Shared) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let store = listener.accept().unwrap().0;
        let server = TcpStream::connect(server).unwrap();
        store.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        let (from, to) = (store.try_clone().unwrap(), server.try_clone().unwrap());
        let asked = Arc::clone(&traffic);
        thread::spawn(move || pass(from, to, || asks(&asked)));
        pass(server, store, || answers(&traffic));
    });
    port
}

/// Hands over what comes, each time after `before`, until either side is gone.
fn pass(mut from: TcpStream, mut to: TcpStream, before: impl Fn()) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        before();
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn asks((traffic, _): &(Mutex<Traffic>, Condvar)) {
    let mut traffic = traffic.lock().unwrap();
    traffic.trips += u32::from(std::mem::take(&mut traffic.is_answered));
}

fn answers((traffic, lifted): &(Mutex<Traffic>, Condvar)) {
    let mut traffic = traffic.lock().unwrap();
    traffic.is_answered = true;
    let is_held = |traffic: &mut Traffic| traffic.limit.is_some_and(|most| traffic.trips > most);
    drop(lifted.wait_while(traffic, is_held).unwrap());
}

fn sum(tx: &mut Tx<'_>) -> Result<i64> {
    let sum = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM items";
    Ok(tx.one(sum, args![], number)?.unwrap_or_default())
}

#[test]
fn a_job_without_a_statement_makes_no_trip() {
    let Some(watched) = Watched::new() else { return };
    let store = &watched.store;
    assert_eq!(watched.within(0, || store.read_blocking(|_| Ok::<_, Error>(1))), Ok(1));
    assert_eq!(watched.within(0, || store.write_blocking(|_| Ok::<_, Error>(1))), Ok(1));
}

#[test]
fn a_read_waits_once_for_each_statement() {
    let Some(watched) = Watched::new() else { return };
    let store = &watched.store;
    assert_eq!(watched.within(1, || store.read_blocking(count)), Ok(0));
    let twice = || store.read_blocking(|tx| Ok::<_, Error>((count(tx)?, sum(tx)?)));
    assert_eq!(watched.within(2, twice), Ok((0, 0)));
}

#[test]
fn a_write_waits_once_more_for_its_commit() {
    let Some(watched) = Watched::new() else { return };
    let update = |tx: &mut Tx<'_>| tx.execute("UPDATE items SET n = n + 1", args![]);
    watched.store.write_blocking(|tx| insert(tx, "a", 7)).unwrap();
    assert_eq!(watched.within(2, || watched.store.write_blocking(update)), Ok(1));
    let kept = watched.fixture.store.read_blocking(sum);
    assert_eq!(kept, Ok(9));
}
