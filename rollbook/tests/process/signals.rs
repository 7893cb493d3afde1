//! How a server ends.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::database::Database;
use crate::server::{KEY, Server, Start};
use crate::wire::Raw;

const BODY: &str = r#"{"name":"in flight"}"#;
/// Far below every deadline that could end an idle connection by itself.
const SOON: Duration = Duration::from_secs(12);

/// A request whose body the server waits for.
fn in_flight(server: &Server) -> Raw {
    let mut request = Raw::connect(server.address());
    request.begin_project(KEY, BODY.len(), "Expect: 100-continue\r\n");
    assert!(request.head().starts_with("HTTP/1.1 100 "));
    request.send(&BODY[..5]);
    request
}

#[test]
fn a_request_under_way_is_finished_and_idle_connections_are_not_waited_for() {
    for signal in [Signal::TERM, Signal::INT] {
        let database = Database::fresh();
        let mut server = Start::with_key(&database).start();
        let mut silent = Raw::connect(server.address());
        let mut half = Raw::connect(server.address());
        half.send("GET /healthz HTTP/1.1\r\nHo");
        let mut kept = Raw::connect(server.address());
        kept.send("GET /nowhere HTTP/1.1\r\nHost: rollbook\r\n\r\n");
        assert!(kept.head().starts_with("HTTP/1.1 404 "));
        let mut request = in_flight(&server);

        let asked = Instant::now();
        server.signal(signal);
        server.log.wait_for("finishing what is under way");
        assert_eq!(silent.rest(), "");
        assert_eq!(half.rest(), "");
        assert!(kept.rest().contains("unknown_url"));
        // The connections above may end a moment before the listener does.
        assert!((0..1000).any(|_| TcpStream::connect(server.address()).is_err()));
        request.send(&BODY[5..]);
        assert!(request.head().starts_with("HTTP/1.1 200 "));
        assert!(request.rest().contains("in flight"));
        assert_eq!(server.wait().code(), Some(0));
        assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    }
}

#[test]
fn a_request_that_does_not_finish_is_given_up() {
    let database = Database::fresh();
    let mut server = Start::with_key(&database).flag("--shutdown-timeout", "1").start();
    let _request = in_flight(&server);
    let asked = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    assert!((1..12).contains(&asked.elapsed().as_secs()), "{:?}", asked.elapsed());
    assert!(server.log.all().contains("not everything was finished in time"));
}

#[test]
fn a_second_signal_ends_at_once() {
    let database = Database::fresh();
    let mut server = Start::with_key(&database).start();
    let _request = in_flight(&server);
    let asked = Instant::now();
    server.signal(Signal::TERM);
    server.log.wait_for("finishing what is under way");
    server.signal(Signal::INT);
    assert_eq!(server.wait().code(), Some(1));
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
}
