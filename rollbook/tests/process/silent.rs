//! Thousands of connections that say nothing.

use std::io::Read as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;
use std::time::Duration;

use crate::database::Database;
use crate::server::Start;
use crate::wire::{Client, gauge};

const SILENT: usize = 2000;

#[test]
fn silent_connections_are_closed_and_disturb_nobody() {
    rlimit::increase_nofile_limit(SILENT as u64 + 500).unwrap();
    let database = Database::fresh();
    let start = Start::with_key(&database)
        .flag("--header-timeout", "2")
        .flag("--metrics-listen", "127.0.0.1:0");
    let server = start.start();
    let metrics = server.metrics_url();
    let (client, is_over) = (Client::of(&server), AtomicBool::new(false));
    scope(|scope| {
        let asking = scope.spawn(|| {
            let mut answers = 0;
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(client.get("/v1/organization/users").0, 200);
                answers += 1;
            }
            answers
        });
        let silent: Vec<_> =
            (0..SILENT).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
        for mut stream in silent {
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            assert_eq!(stream.read(&mut [0]).unwrap(), 0, "closed, not reset");
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(asking.join().unwrap() > 100);
    });
    // The last of them is closed a moment before it is counted.
    let has_fallen = (0..1000).any(|_| gauge(&metrics, "rollbook_connections") < 10.0);
    assert!(has_fallen);
}
