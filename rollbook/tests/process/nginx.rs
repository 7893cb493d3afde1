//! The example of docs/check.md, in a real nginx: who gets through, as whom, and what the others are told.

use std::fs::{create_dir_all, write};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::spawn;
use std::time::{Duration, Instant};

use admin::domain::secret::PlainKey;
use rollbook::population::Population;
use serde_json::{Value, json};
use sql::{Options, Store};
use tempfile::{TempDir, tempdir};

use crate::database::Database;
use crate::server::{KEY, Server, Start};
use crate::wire::Client;

/// Says that this test must not be passed over.
const REQUIRED: &str = "ROLLBOOK_NGINX";

fn nginx() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("nginx")).find(|program| program.is_file())
}

/// The example, with these addresses.
fn example(rollbook: SocketAddr, models: SocketAddr, listen: SocketAddr) -> String {
    let document = include_str!("../../../docs/check.md");
    let (_, rest) = document.split_once("```nginx\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let mut example = example.to_owned();
    for (written, real) in [
        ("127.0.0.1:8080", rollbook.to_string()),
        ("127.0.0.1:9000", models.to_string()),
        ("listen 8000", format!("listen {listen}")),
    ] {
        assert_eq!(example.matches(written).count(), 1, "{written}");
        example = example.replace(written, &real);
    }
    example
}

/// A running nginx; killed when dropped.
struct Nginx {
    child: Child,
    url: String,
    folder: TempDir,
}

impl Nginx {
    fn start(program: &Path, rollbook: SocketAddr, models: SocketAddr) -> Self {
        let folder = tempdir().unwrap();
        create_dir_all(folder.path().join("temporary")).unwrap();
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let places = places.map(|name| format!("{name}_temp_path temporary/{name};")).concat();
        let configuration = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr; events {{}}
             http {{ access_log off; {places} {} }}",
            example(rollbook, models, listen)
        );
        write(folder.path().join("nginx.conf"), configuration).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "stderr"]);
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let nginx = Self { child, url: format!("http://{listen}"), folder };
        nginx.wait_until_listening(listen);
        nginx
    }

    /// It says nothing when it listens, so this looks.
    #[expect(clippy::disallowed_methods, reason = "nobody tells when a port is open")]
    fn wait_until_listening(&self, listen: SocketAddr) {
        let begun = Instant::now();
        while TcpStream::connect(listen).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{}", self.folder.path().display());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a request and reads the status, the headers and the body of its answer.
    fn send(
        &self,
        method: &str,
        path: &str,
        key: &str,
        more: &str,
        body: &str,
    ) -> (u16, String, Value) {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: models\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n{more}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stands for what serves the models: answers every request with what it received, as JSON.
fn models() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            spawn(move || while echo(&stream).is_some() {});
        }
    });
    address
}

fn echo(stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_lowercase()),
        }
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let answer = json!({ "head": lines, "body": String::from_utf8(body).unwrap() }).to_string();
    let length = answer.len();
    let mut stream = stream;
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{answer}").ok()
}

/// What the test is about: a server, nginx in front of the models, and keys.
struct Place {
    nginx: Nginx,
    server: Server,
    project: String,
    user: String,
    /// May do whatever a member may.
    key: String,
    /// May only read files.
    limited: String,
}

impl Place {
    fn new(program: &Path, database: &Database) -> Self {
        let store = Store::open(Options::new(&database.url)).unwrap();
        store.migrate(&admin::migrations()).unwrap();
        let first = PlainKey::given(KEY.to_owned());
        let population = Population::found(&store, first, "owner@example.com", "Owner").unwrap();
        let people = population.add_people(0..1).unwrap();
        let project = population.add_project("Search", &people).unwrap();
        let key = population.add_key(&project, &people[0], None).unwrap();
        let limited = population.add_key(&project, &people[0], Some("api.files.read")).unwrap();
        store.close();
        let server = Start::serve(database).start();
        let nginx = Nginx::start(program, server.address(), models());
        Self { nginx, server, project: project.id, user: people[0].id.clone(), key, limited }
    }
}

fn is_there(head: &Value, line: &str) -> bool {
    head.as_array().unwrap().iter().any(|there| there == &line.to_lowercase())
}

fn begins(head: &Value, start: &str) -> bool {
    head.as_array().unwrap().iter().any(|line| line.as_str().unwrap().starts_with(start))
}

#[test]
fn the_example_for_nginx_lets_in_whom_the_check_allows() {
    let Some(program) = nginx() else {
        assert!(
            std::env::var_os(REQUIRED).is_none(),
            "there is no nginx; scripts/install-test-tools installs it"
        );
        eprintln!("there is no nginx, so its example was not tried");
        return;
    };
    let database = Database::fresh();
    let place = Place::new(&program, &database);
    who_gets_through_does_so_as_themselves(&place);
    who_may_not_is_told_why(&place);
    what_clients_add_opens_nothing(&place);
    changes_count_at_once(&place);
    let Place { nginx, server, key, .. } = place;
    server.stop();
    let (status, head, body) = nginx.send("GET", "/v1/models", &key, "", "");
    assert_eq!((status, &body["error"]["type"]), (503, &json!("server_error")), "{head}");
    assert!(head.contains("retry-after: 1"), "{head}");
}

fn who_gets_through_does_so_as_themselves(place: &Place) {
    let forged = "X-Rollbook-Project-Id: proj_forged\r\nx-rollbook-owner-EMAIL: forged@example.com\r\nX-Rollbook-Rate-Limit-Tokens: forged\r\nX-Rollbook-Spend-Limit-Reached: forged\r\nX-Api-Key: secret\r\n";
    let (status, _, told) = place.nginx.send(
        "POST",
        "/v1/chat/completions?x=1",
        &place.key,
        forged,
        r#"{"model":"m"}"#,
    );
    assert_eq!(status, 200);
    assert_eq!(told["body"], r#"{"model":"m"}"#);
    let head = &told["head"];
    assert!(is_there(head, "POST /v1/chat/completions?x=1 HTTP/1.1"), "{head}");
    assert!(is_there(head, &format!("X-Rollbook-Project-Id: {}", place.project)), "{head}");
    assert!(is_there(head, &format!("X-Rollbook-Owner-Id: {}", place.user)), "{head}");
    assert!(is_there(head, "X-Rollbook-Owner-Type: user"), "{head}");
    assert!(is_there(head, "X-Rollbook-Organization: default"), "{head}");
    assert!(begins(head, "x-rollbook-key-id: key_"), "{head}");
    assert!(begins(head, "x-rollbook-owner-email: "), "{head}");
    assert!(!head.to_string().contains("forged"), "{head}");
    assert!(!begins(head, "authorization:") && !begins(head, "x-api-key:"), "{head}");
}

fn who_may_not_is_told_why(place: &Place) {
    let send = |method: &str, path: &str, key: &str| place.nginx.send(method, path, key, "", "");
    let (status, head, body) = send("POST", "/v1/chat/completions", "sk-proj-made-up");
    assert_eq!((status, &body["error"]["code"]), (401, &json!("invalid_api_key")), "{head}");
    assert!(head.contains("www-authenticate: bearer"), "{head}");
    assert_eq!(send("GET", "/v1/files", &place.limited).0, 200);
    for (method, path, lacking) in [
        ("POST", "/v1/chat/completions", "api.model.request"),
        ("POST", "/v1/files", "api.files.write"),
        ("GET", "/v1/batches?x", "api.batch.read"),
        ("GET", "/v1/files/../models", "can be read in several ways"),
    ] {
        let (status, _, body) = send(method, path, &place.limited);
        let message = body["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 403 && message.contains(lacking), "{method} {path}: {status} {body}");
    }
}

fn what_clients_add_opens_nothing(place: &Place) {
    let files = "X-Original-URI: /v1/files\r\nX-Original-Method: GET\r\nX-Forwarded-Uri: /v1/files\r\nX-Forwarded-Method: GET\r\n";
    for (path, more) in [
        ("/v1/batches", files),
        ("/v1/batches?permission=none", ""),
        ("/v1/batches?permission=api.files.read", files),
        ("/_check", ""),
        ("/_check?permission=none", files),
    ] {
        let (status, ..) = place.nginx.send("GET", path, &place.limited, more, "");
        let expected = if path.starts_with("/_check") { 404 } else { 403 };
        assert_eq!(status, expected, "{path}");
    }
}

fn changes_count_at_once(place: &Place) {
    let owner = Client::of(&place.server);
    assert_eq!(place.nginx.send("GET", "/v1/models", &place.key, "", "").0, 200);
    let member = format!("/v1/organization/projects/{}/users/{}", place.project, place.user);
    assert_eq!(owner.delete(&member).0, 200);
    let (status, _, body) = place.nginx.send("GET", "/v1/models", &place.key, "", "");
    let message = body["error"]["message"].as_str().unwrap_or_default();
    assert!(status == 401 && message.contains("may not use the project"), "{status} {body}");
}
