//! TLS: what is negotiated, and what is said about wrong files.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tokio_rustls::TlsConnector;

use crate::database::Database;
use crate::server::{Server, Start};

/// A certificate for localhost, in files, and a client's configuration that trusts it.
struct Identity {
    chain: PathBuf,
    key: PathBuf,
    roots: RootCertStore,
}

impl Identity {
    fn new(database: &Database) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (chain, key) = (database.folder().join("chain.pem"), database.folder().join("key.pem"));
        std::fs::write(&chain, cert.pem()).unwrap();
        std::fs::write(&key, signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        Self { chain, key, roots }
    }

    fn client(&self, protocols: &[&str]) -> Arc<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(default_provider().into());
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(self.roots.clone()).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        config.into()
    }

    fn start(&self, database: &Database) -> Server {
        let start =
            Start::with_key(database).flag("--tls-cert", &self.chain).flag("--tls-key", &self.key);
        start.flag("--header-timeout", "2").start()
    }
}

fn localhost() -> ServerName<'static> {
    "localhost".try_into().unwrap()
}

#[test]
fn http_1_1_is_spoken_with_whoever_does_not_ask_for_more() {
    let database = Database::fresh();
    let identity = Identity::new(&database);
    let server = identity.start(&database);
    assert!(server.url.starts_with("https://"));
    for protocols in [&[][..], &["http/1.1"]] {
        let connection = ClientConnection::new(identity.client(protocols), localhost()).unwrap();
        let mut stream =
            StreamOwned::new(connection, TcpStream::connect(server.address()).unwrap());
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("closed as TLS demands");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn http_2_is_spoken_with_whoever_asks_for_it_and_ends_when_idle() {
    let database = Database::fresh();
    let identity = Identity::new(&database);
    let server = identity.start(&database);
    let connector = TlsConnector::from(identity.client(&["h2", "http/1.1"]));
    let stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let stream = connector.connect(localhost(), stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let running = tokio::spawn(connection);
    let request =
        hyper::Request::get("https://localhost/readyz").body(Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), r#"{"status":"ready"}"#);
    let ended = tokio::time::timeout(Duration::from_secs(20), running).await;
    assert!(ended.is_ok(), "the server ends an idle connection");
}

#[test]
fn a_connection_without_a_handshake_or_a_request_is_closed_within_its_deadline() {
    let database = Database::fresh();
    let identity = Identity::new(&database);
    let server = identity.start(&database);
    let asked = Instant::now();
    let mut silent = TcpStream::connect(server.address()).unwrap();
    let mut idle: Vec<_> = ["h2", "http/1.1"]
        .map(|name| {
            let connection = ClientConnection::new(identity.client(&[name]), localhost()).unwrap();
            let mut stream =
                StreamOwned::new(connection, TcpStream::connect(server.address()).unwrap());
            stream.conn.complete_io(&mut stream.sock).unwrap();
            stream
        })
        .into();
    silent.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
    for stream in &mut idle {
        stream.sock.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // Whatever the server said before, its end of the connection is closed.
        let mut rest = Vec::new();
        assert!(stream.sock.read_to_end(&mut rest).is_ok());
    }
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}

#[test]
fn wrong_files_are_refused_with_their_names() {
    let database = Database::fresh();
    let identity = Identity::new(&database);
    let other = Database::in_file();
    let stranger = Identity::new(&other);
    let refusal = |chain: &PathBuf, key: &PathBuf| {
        let (code, _, log) =
            Start::serve(&database).flag("--tls-cert", chain).flag("--tls-key", key).run();
        assert_eq!(code, 1);
        log
    };
    let missing = database.folder().join("missing.pem");
    let log = refusal(&missing, &identity.key);
    assert!(log.contains("missing.pem") && log.contains("--tls-cert"), "{log}");
    let log = refusal(&identity.chain, &missing);
    assert!(log.contains("missing.pem") && log.contains("--tls-key"), "{log}");
    let log = refusal(&identity.key, &identity.key);
    assert!(log.contains("key.pem") && log.contains("--tls-cert"), "{log}");
    let log = refusal(&identity.chain, &stranger.key);
    assert!(log.contains("must belong to the first certificate"), "{log}");
    let (code, _, log) = Start::serve(&database).flag("--tls-cert", &identity.chain).run();
    assert_eq!(code, 2);
    assert!(log.contains("tls-key"), "{log}");
}

#[test]
fn an_exposed_address_without_tls_is_a_warning() {
    let database = Database::fresh();
    let server = Start::program(&["serve", "--listen", "0.0.0.0:0", "--database", &database.url])
        .env("ROLLBOOK_BOOTSTRAP_KEY", crate::server::KEY)
        .start();
    assert!(server.stop().1.contains("without TLS"));
}
